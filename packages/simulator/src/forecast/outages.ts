import { type Instant, type Problem, parseInstant, type Result } from '@almanac/recurrence'
import { drawn } from './chance.js'
import { readDuration } from './duration.js'
import { type ForecastSettings, nodeName, type Outage } from './settings.js'

/** All outages of a forecast, drawn and given, by their beginning. */
export function outagesOf(settings: ForecastSettings): readonly Outage[] {
  const { from, to, seed, nodes, outages, outageMs, blackouts, blackoutMs } = settings
  const start = (what: string) => from + Math.floor(drawn(seed, what) * (to - from))
  const single = Array.from({ length: outages }, (_, index): Outage => {
    const at = start(`outage ${index} at`)
    const length = outageMs ?? drawnLength(drawn(seed, `outage ${index} length`))
    return { node: Math.floor(drawn(seed, `outage ${index} node`) * nodes), from: at, until: at + length }
  })
  const whole = Array.from({ length: blackouts }, (_, index): Outage => {
    const at = start(`blackout ${index} at`)
    return { node: null, from: at, until: at + blackoutMs }
  })
  return [...settings.down, ...single, ...whole].sort(
    (a, b) => a.from - b.from || a.until - b.until || (a.node ?? -1) - (b.node ?? -1),
  )
}

const shortest = 30_000
const longest = 20 * 60_000

/** Short outages are the usual ones: each doubling of the length is as likely as the other. */
const drawnLength = (draw: number): number => Math.round(shortest * (longest / shortest) ** draw)

/** `node-2@2027-03-28T01:55:00Z/10min`, `all@...`: who, from when, how long. `path` names it in problems. */
export function readOutage(text: string, nodes: number, path: string): Result<Outage> {
  const parts = /^([^@]+)@([^/]+)\/(.+)$/.exec(text.trim())
  const [, who = '', when = '', long = ''] = parts ?? []
  if (parts === null) {
    return no(path, 'must be like node-2@2027-03-28T01:55:00Z/10min, or all@... for the whole cluster')
  }
  const node = Array.from({ length: nodes }, (_, index) => nodeName(index)).indexOf(who)
  if (node < 0 && who !== 'all') {
    return no(path, `"${who}" is no node: there are ${nodeName(0)} to ${nodeName(nodes - 1)}, and all`)
  }
  const from = parseInstant(when, path)
  if (!from.ok) return from
  const length = readDuration(long)
  if (length === undefined || length === 0)
    return no(path, `"${long}" is no duration such as 90s, 10min or 2h`)
  return { ok: true, value: { node: node < 0 ? null : node, from: from.value, until: from.value + length } }
}

const no = (path: string, message: string): { ok: false; error: readonly Problem[] } => ({
  ok: false,
  error: [{ path, code: 'bad_outage', message }],
})

/** When each node is up: the other side of the outages, merged. */
export class Uptime {
  private readonly gone: readonly (readonly Outage[])[]

  constructor(nodes: number, outages: readonly Outage[]) {
    this.gone = Array.from({ length: nodes }, (_, index) =>
      merged(outages.filter(({ node }) => node === null || node === index)),
    )
  }

  get nodes(): number {
    return this.gone.length
  }

  isUp(node: number, at: Instant): boolean {
    return !this.goneOf(node).some(({ from, until }) => from <= at && at < until)
  }

  /** When the node, which is up at `at`, goes next; Infinity: never. */
  nextDown(node: number, at: Instant): Instant {
    return this.goneOf(node).find(({ from }) => from > at)?.from ?? Number.POSITIVE_INFINITY
  }

  /** When the node, which is up at `at`, came; -Infinity: it was there from the beginning. */
  upSince(node: number, at: Instant): Instant {
    return this.goneOf(node).findLast(({ until }) => until <= at)?.until ?? Number.NEGATIVE_INFINITY
  }

  /** The next instant after `at` at which a node comes back; Infinity: none does. */
  nextUp(node: number, at: Instant): Instant {
    return this.goneOf(node).find(({ until }) => until > at)?.until ?? Number.POSITIVE_INFINITY
  }

  private goneOf(node: number): readonly Outage[] {
    return this.gone[node] ?? []
  }
}

/** `outages` by their beginning; those that touch become one. */
function merged(outages: readonly Outage[]): readonly Outage[] {
  const found: Outage[] = []
  for (const outage of outages) {
    const last = found.at(-1)
    if (last === undefined || outage.from > last.until) found.push(outage)
    else found[found.length - 1] = { ...last, until: Math.max(last.until, outage.until) }
  }
  return found
}
