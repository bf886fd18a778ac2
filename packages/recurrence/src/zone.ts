import type { Instant } from './types.js'
import { canonicalZoneName } from './zone-name.js'

/** A change of a zone's offset: `before` and `after` are offsets in ms, east positive. */
export interface Transition {
  readonly at: Instant
  readonly before: number
  readonly after: number
}

/**
 * A stretch of constant offset around an instant. `[from, to)` is where the whole record holds; it lies
 * inside `[start, end)`, which is cut at the true transitions, or two days or more beyond `from` and `to`
 * where none is near.
 */
export interface Span {
  readonly from: Instant
  readonly to: Instant
  readonly start: Instant
  readonly end: Instant
  /** Milliseconds, east positive: local wall clock minus UTC. */
  readonly offset: number
  /** The offset just before `start`; equal to `offset` where `start` is no transition. */
  readonly before: number
  /** The offset from `end` on; equal to `offset` where `end` is no transition. */
  readonly after: number
}

/**
 * The offsets of one IANA zone, from the tz data of the running program.
 * Wall-clock times are "fake UTC" milliseconds: the instant at which a UTC clock would show the same digits.
 * Before 1900 and after 9999 the offset is held constant.
 */
export interface Zone {
  readonly name: string
  /** Milliseconds, east positive. */
  offsetAt(instant: Instant): number
  /** Days since 1970-01-01 of the local calendar day. */
  localDay(instant: Instant): number
  toLocal(instant: Instant): number
  /** The instants that show this wall-clock time, ascending: none in a gap, two in an overlap. */
  fromLocal(localMs: number): readonly Instant[]
  /**
   * The changes of offset at instants in `(a, b]`, ascending. Reads the tables of every quarter year
   * between.
   */
  transitionsBetween(a: Instant, b: Instant): readonly Transition[]
  /** The stretch of constant offset that holds the instant. */
  spanAt(instant: Instant): Span
}

const day = 86_400_000
/** 1900-01-01T00:00:00Z and 10000-01-01T00:00:00Z. */
const earliest = -2_208_988_800_000
const latest = 253_402_300_800_000
/** A table covers about a quarter of a year, so that a search which skips years builds little. */
const tableMs = 2 ** 33
/**
 * No zone ever moved its clock by more than a day, so what happens beyond this cannot matter inside the
 * table.
 */
const margin = 2 * day
/** A year has about four tables; a zone keeps those of about 140 years. */
const maxTables = 512
/** No offset is farther from UTC than this (Manila's local mean time, -15:56, is the farthest). */
const maxOffset = 17 * 3_600_000

/**
 * The distance of the probes that look for transitions. Since 1970 no zone has two of them closer than 6.9
 * days (Gaza 2040), since 1900 none closer than 3.98 (Freetown 1939).
 */
const probeStep = (at: Instant): number => (at < 0 ? 3.5 * day : 6 * day)

const zones = new Map<string, Zone>()

/**
 * The zone of that IANA name, or `undefined` when the tz data has none. Case does not matter: `utc` gives
 * `UTC`, `europe/berlin` gives `Europe/Berlin`; aliases keep their own name. Offsets such as `+02:00` are
 * no names. The same object is returned each time.
 */
export function zone(name: string): Zone | undefined {
  const key = typeof name === 'string' ? name.toLowerCase() : ''
  const known = zones.get(key)
  if (known !== undefined) return known
  const canonical = canonicalZoneName(key)
  if (canonical === undefined) return undefined
  const made = new TableZone(canonical)
  zones.set(key, made)
  return made
}

class TableZone implements Zone {
  readonly name: string
  private readonly probe: OffsetProbe
  private readonly tables = new Map<number, readonly Span[]>()
  private readonly first: Span
  private readonly last: Span
  private memo: Span

  constructor(name: string) {
    this.name = name
    this.probe = offsetProbe(name)
    this.first = constantSpan(-Infinity, earliest, this.probe(earliest))
    this.last = constantSpan(latest, Infinity, this.probe(latest))
    this.memo = isFixed(name) ? constantSpan(-Infinity, Infinity, this.first.offset) : this.first
  }

  offsetAt(instant: Instant): number {
    const span = this.memo
    return instant >= span.from && instant < span.to ? span.offset : this.lookUp(instant).offset
  }

  localDay(instant: Instant): number {
    return Math.floor((instant + this.offsetAt(instant)) / day)
  }

  toLocal(instant: Instant): number {
    return instant + this.offsetAt(instant)
  }

  spanAt(instant: Instant): Span {
    const span = this.memo
    return instant >= span.from && instant < span.to ? span : this.lookUp(instant)
  }

  fromLocal(localMs: number): readonly Instant[] {
    const found: Instant[] = []
    const until = localMs + maxOffset
    for (let span = this.spanAt(localMs - maxOffset); ; span = this.spanAt(span.to)) {
      const instant = localMs - span.offset
      if (instant >= span.from && instant < span.to) found.push(instant)
      if (!(span.to <= until) || span.to === Infinity) return found
    }
  }

  transitionsBetween(a: Instant, b: Instant): readonly Transition[] {
    const found: Transition[] = []
    for (let span = this.spanAt(a); span.to <= b && span.to < Infinity; ) {
      const at = span.to
      const next = this.spanAt(at)
      if (next.offset !== span.offset) found.push({ at, before: span.offset, after: next.offset })
      span = next
    }
    return found
  }

  private lookUp(instant: Instant): Span {
    if (!(instant >= earliest)) return this.first
    if (instant >= latest) return this.last
    const index = Math.floor(instant / tableMs)
    let table = this.tables.get(index)
    if (table === undefined) {
      table = this.buildTable(index)
      this.tables.set(index, table)
      // The oldest goes: a walk through more years than that meets each table once anyway.
      const [oldest = index] = this.tables.size > maxTables ? this.tables.keys() : []
      if (oldest !== index) this.tables.delete(oldest)
    }
    for (const span of table) {
      if (instant < span.to) {
        this.memo = span
        return span
      }
    }
    return this.last
  }

  private buildTable(index: number): readonly Span[] {
    const lower = Math.max(index * tableMs, earliest)
    const upper = Math.min((index + 1) * tableMs, latest)
    const end = upper + margin
    const changes = this.findTransitions(lower - margin, end)
    const spans: Span[] = []
    let start = lower - margin
    let before = changes[0]?.before ?? this.probe(start)
    let offset = before
    for (const change of [...changes, { at: end, before: offset, after: undefined }]) {
      const after = change.after ?? offset
      const from = Math.max(start, lower)
      const to = Math.min(change.at, upper)
      if (from < to) spans.push({ from, to, start, end: change.at, offset, before, after })
      start = change.at
      before = offset
      offset = after
    }
    return spans
  }

  private findTransitions(from: Instant, until: Instant): Transition[] {
    const found: Transition[] = []
    const step = probeStep(from)
    let at = from
    let before = this.probe(at)
    while (at < until) {
      const next = Math.min(at + step, until)
      const after = this.probe(next)
      if (after !== before) found.push({ at: this.bisect(at, next, before), before, after })
      at = next
      before = after
    }
    return found
  }

  /** The first whole second in `(low, high]` whose offset is not `before`. */
  private bisect(low: Instant, high: Instant, before: number): Instant {
    let lowSecond = Math.floor(low / 1000)
    let highSecond = Math.floor(high / 1000)
    while (highSecond - lowSecond > 1) {
      const middle = Math.floor((lowSecond + highSecond) / 2)
      if (this.probe(middle * 1000) === before) lowSecond = middle
      else highSecond = middle
    }
    return highSecond * 1000
  }
}

const constantSpan = (from: Instant, to: Instant, offset: number): Span => ({
  from,
  to,
  start: from,
  end: to,
  offset,
  before: offset,
  after: offset,
})

/** These never had a transition, by definition, so they need no tables. */
const isFixed = (name: string): boolean =>
  /^(UTC|GMT|Zulu|UCT|Universal|Greenwich|GMT[+-]?0|Etc\/.+)$/.test(name)

type OffsetProbe = (at: Instant) => number

/**
 * Asks `Intl` for an offset: about 1.3 microseconds. `longOffset` prints seconds too, where an offset has
 * them.
 */
function offsetProbe(name: string): OffsetProbe {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    timeZoneName: 'longOffset',
    year: 'numeric',
  })
  const known = new Map<string, number>()
  return (at) => {
    const printed = format.format(at)
    const text = printed.slice(printed.indexOf('GMT') + 3)
    let offset = known.get(text)
    if (offset === undefined) {
      offset = parseOffset(text)
      known.set(text, offset)
    }
    return offset
  }
}

/** `` (UTC itself), `-05:00` or `-04:56:02`, in milliseconds. */
function parseOffset(text: string): number {
  const [hours = '0', minutes = '0', seconds = '0'] = text.slice(1).split(':')
  const size = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000
  return text.startsWith('-') ? -size : size
}
