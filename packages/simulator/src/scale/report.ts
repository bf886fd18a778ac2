import { checkHistory, type HistoryRecord, type Violation } from '@almanac/history'
import type { Instant } from '@almanac/recurrence'
import type { Measured, Upheaval, UpheavalWindow, Window } from './measure.js'
import { between, type Counted, requests } from './meter.js'
import { differing, type Move, movesOf } from './moves.js'
import { type Compared, compared, notesPerSecond, onPaper } from './paper.js'
import type { ScaleSetting } from './setting.js'

export interface Summary {
  readonly median: number
  readonly max: number
}

/** What ticks did in a stretch of time. Times in ms. */
export interface Emission {
  readonly commits: number
  readonly runs: number
  /** From the instant to the commit. */
  readonly latenessMs: Summary
}

export interface Spread {
  readonly min: number
  readonly mean: number
  readonly max: number
}

export interface RestReport {
  readonly emission: Emission
  readonly seconds: number
  /** Runs of one node a second. */
  readonly runsPerNode: Spread
  /** Counts a second. */
  readonly paper: Readonly<Record<Compared, number>>
  readonly counted: Readonly<Record<Compared, number>>
  /** Requests a second, by service. */
  readonly requests: Readonly<Record<keyof typeof requests, number>>
  readonly tail: number
  readonly feed: number
  readonly memberBytes: number
  readonly tailBytes: number
}

export interface UpheavalReport {
  readonly what: Upheaval
  readonly nodesBefore: number
  readonly nodesAfter: number
  /** Partitions whose first node changed, each time that the nodes did. */
  readonly mustMove: number
  readonly moved: number
  readonly tookMs: Summary
  readonly ownerlessMs: Summary
  readonly latenessMs: Summary
  /** Leases that were asked for while somebody else had them. */
  readonly askedInVain: number
  /** Requests that only moves cost, those in vain included. Notes of progress that come anyway are taken off. */
  readonly moving: number
  /** Pages of events that nodes got meanwhile. */
  readonly pages: number
}

export interface ScaleReport {
  readonly setting: ScaleSetting
  /** Partitions of one node, at rest. */
  readonly shares: Spread
  readonly rest: RestReport
  readonly mass: Emission
  readonly effectMs: Summary
  readonly upheavals: readonly UpheavalReport[]
  /** Commits of owners that were none any more. */
  readonly fenced: number
  readonly violations: readonly Violation[]
  readonly counts: { readonly runs: number; readonly takeovers: number }
}

type Run = Extract<HistoryRecord, { kind: 'run' }>
type Stretch = Pick<Window, 'from' | 'until'>

/** What a measured cluster comes to. */
export function reportOf(measured: Measured): ScaleReport {
  const { setting, shares, massIds, effectMs, upheavals, commits, history } = measured
  const { violations, counts } = checkHistory(history)
  const records = sorted(history)
  const ownership = {
    owners: records.owners,
    givenBack: measured.meter.givenBack,
    diary: measured.diary.entries,
  }
  return {
    setting,
    shares: spreadOf(shares),
    rest: restOf(measured, records),
    mass: massOf(records, massIds),
    effectMs: summaryOf(effectMs),
    upheavals: upheavals.map((window) => {
      const moves = movesOf(ownership, window.from, window.until)
      return upheavalOf(setting, window, moves, emissionIn(records, window))
    }),
    fenced: commits.get('fenced') ?? 0,
    violations,
    counts,
  }
}

type Records = ReturnType<typeof sorted>

function sorted(history: readonly HistoryRecord[]) {
  const of = <K extends HistoryRecord['kind']>(kind: K) =>
    history.filter((record): record is Extract<HistoryRecord, { kind: K }> => record.kind === kind)
  const byTime = <T extends { readonly appendedAt: Instant }>(items: readonly T[]) =>
    [...items].sort((a, b) => a.appendedAt - b.appendedAt)
  return {
    owners: byTime(of('owner')),
    checkpoints: byTime(of('checkpoint')),
    runs: byTime(of('run')),
  }
}

function emissionIn({ checkpoints, runs }: Records, { from, until }: Stretch): Emission {
  const isWithin = (at: Instant): boolean => at >= from && at < until
  const within = runs.filter(({ run }) => isWithin(run.scheduledAt))
  return {
    commits: checkpoints.filter(({ appendedAt }) => isWithin(appendedAt)).length,
    runs: within.length,
    latenessMs: summaryOf(within.map(latenessOf)),
  }
}

/** Of the tasks that are all due at once: commits are those that hold some of their runs. */
function massOf({ runs }: Records, ids: ReadonlySet<string>): Emission {
  const meant = runs.filter(({ run }) => ids.has(run.taskId))
  const ticks = new Set(meant.map(({ run }) => `${run.partition}/${run.seq}`))
  return { commits: ticks.size, runs: meant.length, latenessMs: summaryOf(meant.map(latenessOf)) }
}

const latenessOf = ({ appendedAt, run }: Run): number => appendedAt - run.scheduledAt

function restOf({ setting, shares, rest }: Measured, records: Records): RestReport {
  const seconds = (rest.until - rest.from) / 1_000
  const count = between(rest.before, rest.after)
  const rate = (what: Counted): number => count(what) / seconds
  const sum = (names: readonly Counted[]): number => names.reduce((total, name) => total + rate(name), 0)
  return {
    emission: emissionIn(records, rest),
    seconds,
    runsPerNode: spreadOf(runsByNode(records, rest, shares.length).map((runs) => runs / seconds)),
    paper: onPaper(setting, shares),
    counted: Object.fromEntries(compared.map((what) => [what, rate(what)])) as Record<Compared, number>,
    requests: { leases: sum(requests.leases), log: sum(requests.log), kafka: sum(requests.kafka) },
    tail: rate('tail'),
    feed: rate('feed'),
    memberBytes: rate('memberBytes'),
    tailBytes: rate('tailBytes'),
  }
}

/** While nothing moves. Nodes without a partition have none. */
function runsByNode({ owners, runs }: Records, { from, until }: Stretch, nodes: number): readonly number[] {
  const ownerOf = new Map<number, string>()
  for (const { partition, nodeId, appendedAt } of owners)
    if (appendedAt < from) ownerOf.set(partition, nodeId)
  const counts = new Map<string, number>()
  for (const { run } of runs) {
    const nodeId = ownerOf.get(run.partition)
    if (nodeId === undefined || run.scheduledAt < from || run.scheduledAt >= until) continue
    counts.set(nodeId, (counts.get(nodeId) ?? 0) + 1)
  }
  return Array.from({ length: nodes }, (_, index) => [...counts.values()][index] ?? 0)
}

function upheavalOf(
  setting: ScaleSetting,
  { what, sets, from, until, before, after }: UpheavalWindow,
  moves: readonly Move[],
  { latenessMs }: Emission,
): UpheavalReport {
  const count = between(before, after)
  const notes = notesPerSecond(setting) * ((until - from) / 1_000)
  const claims = claimRequests * moves.length
  const asked = onlyMoves.reduce((sum, name) => sum + count(name), 0)
  const [nodesBefore = [], ...later] = sets
  return {
    what,
    nodesBefore: nodesBefore.length,
    nodesAfter: later.at(-1)?.length ?? 0,
    mustMove: later.reduce(
      (sum, set, index) => sum + differing(setting.partitions, sets[index] ?? [], set),
      0,
    ),
    moved: moves.length,
    tookMs: summaryOf(moves.map(({ tookMs }) => tookMs)),
    ownerlessMs: summaryOf(moves.map(({ ownerlessMs }) => ownerlessMs)),
    latenessMs,
    askedInVain: count('refused'),
    moving: Math.max(0, Math.round(asked + claims - notes)),
    pages: count('follow'),
  }
}

/** Requests that nodes make only when a partition moves, or when they begin or end. */
const onlyMoves = [
  'refused',
  'release',
  'leave',
  'ListOffsets',
  'InitProducerId',
  'readAll',
  'readStream',
  'append',
] as const satisfies readonly Counted[]
/** And those of a claim that have names which ticks use as well: its lease, and the transaction of its record. */
const claimRequests = 4

const spreadOf = (values: readonly number[]): Spread => ({
  min: Math.min(...values),
  mean: values.reduce((sum, value) => sum + value, 0) / values.length,
  max: Math.max(...values),
})

export function summaryOf(values: readonly number[]): Summary {
  const ordered = [...values].sort((a, b) => a - b)
  return { median: ordered[Math.floor(ordered.length / 2)] ?? 0, max: ordered.at(-1) ?? 0 }
}
