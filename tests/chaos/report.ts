import { execFileSync } from 'node:child_process'
import { cpus, release, totalmem, type } from 'node:os'
import type { HistoryReport, Violation } from '@almanac/history'
import type { FaultName, Struck } from './faults/nemesis.js'
import type { ChaosOptions } from './options.js'
import type { Requests } from './producer.js'
import type { Takeover, Timeline } from './timeline.js'

/** Something that must not be. */
export interface Finding {
  readonly rule: string
  readonly message: string
  readonly at: number | null
}

/** One kind of fault: how often it was done, and what came of it. */
export interface FaultRow {
  readonly fault: FaultName | 'none'
  readonly times: number
  /** Things that it has hit: requests, answers. */
  readonly hits: number
  readonly lost: number
  readonly doubled: number
  /** Other violations at that time. */
  readonly other: number
  /** The longest time that a partition was without a checkpoint around it. Milliseconds. */
  readonly worstGapMs: number
}

export interface Spread {
  readonly count: number
  readonly p50: number
  readonly p90: number
  readonly worst: number
}

export interface ChaosResults {
  readonly seed: number
  readonly command: string
  readonly startedAt: string
  readonly ok: boolean
  readonly options: Pick<
    ChaosOptions,
    'nodes' | 'tasks' | 'partitions' | 'redis' | 'eventLog' | 'spanMs' | 'plant'
  >
  readonly machine: string
  readonly versions: Readonly<Record<string, string>>
  readonly faults: readonly FaultRow[]
  readonly leaseTtlMs: number
  /** From SIGKILL to the first checkpoint of another owner, for each partition. Milliseconds. */
  readonly takeovers: Spread
  /** From SIGTERM to the first checkpoint of the next owner. Milliseconds. */
  readonly handOvers: Spread
  readonly counts: HistoryReport['counts']
  readonly rules: HistoryReport['rules']
  readonly lateness: HistoryReport['lateness']
  readonly requests: Requests
  readonly findings: readonly Finding[]
}

/** After a fault what comes of it may show for so long. */
const aftermathMs = 30_000

export function faultRows(
  names: readonly FaultName[],
  struck: readonly Struck[],
  violations: readonly Violation[],
  timeline: Timeline,
): readonly FaultRow[] {
  const isDuring = (strike: Struck, { at }: Violation) =>
    at !== null && at >= strike.at - 1_000 && at <= strike.endedAt + aftermathMs
  const count = (of: readonly Violation[]) => ({
    lost: of.filter(({ rule }) => rule === 'lost').length,
    doubled: of.filter(({ rule }) => rule === 'doubled').length,
    other: of.filter(({ rule }) => rule !== 'lost' && rule !== 'doubled').length,
  })
  const rows = names.map((fault) => {
    const strikes = struck.filter(({ name }) => name === fault)
    const around = violations.filter((violation) => strikes.some((strike) => isDuring(strike, violation)))
    return {
      fault,
      times: strikes.length,
      hits: strikes.reduce((sum, { hits }) => sum + hits, 0),
      ...count(around),
      worstGapMs: Math.max(0, ...strikes.map(({ at, endedAt }) => timeline.worstGap(at, endedAt + 1_000))),
    }
  })
  const elsewhere = violations.filter((each) => !struck.some((strike) => isDuring(strike, each)))
  const none = { fault: 'none' as const, times: 0, hits: 0, ...count(elsewhere), worstGapMs: 0 }
  return elsewhere.length === 0 ? rows : [...rows, none]
}

export function spreadOf(takeovers: readonly Takeover[]): Spread {
  const sorted = takeovers.map(({ ms }) => ms).sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return { count: sorted.length, p50: at(0.5), p90: at(0.9), worst: at(1) }
}

export const machineText = (): string =>
  `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GB, ` +
  `${type()} ${release()}`

/** Versions of what ran; what can't be found out is left out. */
export function versionsOf(kafka: string): Readonly<Record<string, string>> {
  const first = (command: string, args: readonly string[]) => {
    try {
      return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
    } catch {
      return 'unknown'
    }
  }
  return {
    almanac: first('git', ['rev-parse', '--short', 'HEAD']),
    node: process.version,
    kafka,
    redis: /v=(\S+)/.exec(first('redis-server', ['--version']))?.[1] ?? 'unknown',
  }
}

const seconds = (ms: number): string => (ms / 1_000).toFixed(1)

/** The table as people read it, in Markdown. */
export function markdownOf(results: ChaosResults): string {
  const { seed, command, startedAt, ok, options, machine, versions, counts, requests, findings } = results
  const { takeovers, handOvers, leaseTtlMs } = results
  const rows = results.faults.map(({ fault, times, hits, lost, doubled, other, worstGapMs }) =>
    [fault, times, hits, lost, doubled, other, seconds(worstGapMs)].join(' | '),
  )
  const spread = ({ count, p50, p90, worst }: Spread) =>
    count === 0
      ? 'none'
      : `${count}: median ${seconds(p50)} s, p90 ${seconds(p90)} s, worst ${seconds(worst)} s`
  return [
    `# Chaos run, seed ${seed}: ${ok ? 'nothing is wrong' : `${findings.length} findings`}`,
    '',
    `\`${command}\`, ${startedAt}`,
    '',
    `${options.nodes} scheduling nodes and one for the API, ${options.partitions} partitions, event log: ` +
      `${options.eventLog}, ${options.redis} Redis; faults for ${Math.round(options.spanMs / 1_000)} s` +
      `${options.plant === undefined ? '' : `; planted: ${options.plant}`}.`,
    `${machine}; ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}.`,
    '',
    `${counts.runs} runs, ${counts.skipped} skipped, ${counts.occurrences} occurrences accounted for, ` +
      `${counts.checkpoints} checkpoints, ${counts.takeovers} takeovers, ${counts.tasks} tasks, ` +
      `${counts.events} events; ${requests.sent} commands: ${requests.answered} answered ` +
      `(${requests.fenced} fenced), ${requests.refused} refused, ${requests.givenUp} given up.`,
    '',
    '| fault | times | hits | lost | doubled | other | worst gap, s |',
    '|---|---|---|---|---|---|---|',
    ...rows.map((row) => `| ${row} |`),
    '',
    `Takeovers after SIGKILL, lease ${seconds(leaseTtlMs)} s: ${spread(takeovers)}.`,
    `Hand-overs after SIGTERM: ${spread(handOvers)}.`,
    '',
    'Lateness of runs, over all phases: ' +
      results.lateness
        .filter(({ runs }) => runs > 0)
        .map(({ upToMs, runs }) => `${runs} up to ${upToMs} ms`)
        .join(', '),
    ...(findings.length === 0 ? [] : ['', '## Findings', '']),
    ...findings
      .slice(0, findingsShown)
      .map(({ rule, message, at }) => `- ${findingText({ rule, message, at })}`),
    '',
  ].join('\n')
}

const findingsShown = 50

export const findingText = ({ rule, message, at }: Finding): string =>
  `${rule}${at === null ? '' : ` at ${new Date(at).toISOString()}`}: ${message}`
