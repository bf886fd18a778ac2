import { relative } from 'node:path'
import type { ClusterLayout } from './layout.js'
import { startScriptOf } from './node-process.js'
import type { Part } from './part.js'

export type Say = (text: string) => void

export const inSeconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`.padStart(7)

/** As one would type it. */
export const shownPath = (path: string): string => {
  const short = relative(process.cwd(), path)
  return short === '' || short.startsWith('..') ? path : short
}

/** What runs where. */
export function tableOf(parts: readonly Part[]): string {
  const head = ['what', 'pid', 'address', 'log']
  const rows = parts.map(({ name, pid, address, logFile }) => [name, `${pid}`, address, shownPath(logFile)])
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
  )
  const line = (row: readonly string[]) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd()
  return [line(head), ...rows.map(line)].join('\n')
}

const everySecond = '{"interval":{"every":1,"period":"seconds"}}'

/** What to try next, with this cluster's own addresses, process ids and files. */
export function nextSteps(layout: ClusterLayout, parts: readonly Part[]): string {
  const [first] = layout.nodes
  if (first === undefined) return ''
  const victim = layout.nodes.filter(({ role }) => role === 'all').at(-1) ?? first
  const pid = parts.find(({ name }) => name === victim.name)?.pid
  const url = first.port === 7420 ? '' : `ALMANAC_URL=${first.url} `
  return [
    'What to try next, in a second terminal:',
    `  ${url}npx almanac cluster status`,
    `  ${url}npx almanac tasks create --name hello --task demo.hello --schedule '${everySecond}'`,
    `  node examples/kafka-worker.mjs --kafka ${layout.addresses.kafka} --prefix ${first.env.ALMANAC_CLUSTER}`,
    `  kill -9 ${pid}        # ${victim.name}: the others take its partitions over`,
    `  sh ${shownPath(startScriptOf(victim))}        # and it comes back`,
    '',
    'Ctrl-C stops everything in order; the next start goes on from here.',
  ].join('\n')
}

/**
 * What nodes complain of. Lets the first lines of each part through, and then a few in each stretch of time: a server
 * that has lost another complains without end, and its log has it all.
 */
export class ProblemLines {
  private readonly say: Say
  private readonly counts = new Map<string, { since: number; lines: number }>()

  constructor(say: Say) {
    this.say = say
  }

  show(name: string, line: string, logFile: string, now = performance.now()): void {
    const problem = problemIn(line)
    if (problem === undefined) return
    const known = this.counts.get(name)
    const isFresh = known === undefined || now - known.since > stretchMs
    const count = isFresh ? { since: now, lines: 0 } : known
    count.lines++
    this.counts.set(name, count)
    if (count.lines <= linesInStretch) this.say(`${name} | ${shortened(problem)}`)
    if (count.lines === linesInStretch + 1) this.say(`${name} | … more in ${shownPath(logFile)}`)
  }
}

const linesInStretch = 5
const stretchMs = 10_000
const longest = 200
const shortened = (line: string) => (line.length > longest ? `${line.slice(0, longest)}…` : line)

/** A line of the node's log as a sentence, when it is a problem; other text as it is. */
function problemIn(line: string): string | undefined {
  if (!line.startsWith('{')) return line
  try {
    const { level, message, error } = JSON.parse(line)
    if (level === 'info' || level === 'debug') return undefined
    return `${level}: ${message}${error?.message === undefined ? '' : `: ${error.message}`}`
  } catch {
    return line
  }
}
