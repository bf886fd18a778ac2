import { DayFinder } from './crontab-days.js'
import type { Crontab } from './crontab-grammar.js'
import { DayTimes } from './crontab-times.js'
import type { DstPolicy, Instant, Recurrence } from './types.js'
import { type Span, type Zone, zone } from './zone.js'

const dayMs = 86_400_000
/** 1900-01-01T00:00:00Z: no occurrence is looked for before it. */
const earliest = -2_208_988_800_000
/** The last millisecond of the year 9999, UTC. */
const latest = 253_402_300_799_999
/**
 * 101 years. The rarest day of the calendar (29 February on one weekday) comes every 40 years at the
 * rarest.
 */
const searchMs = 101 * 366 * dayMs
/** More than any two offsets of one zone differ. */
const offsetSlack = 2 * dayMs

/**
 * The instants of a parsed crontab.
 *
 * Occurrences strictly grow. A search covers 101 years from where it starts and the years 1900 to 9999; it
 * skips days, months and years that cannot fire. Nothing is remembered that changes an answer. Throws only
 * when the tz data has lost the crontab's zone, which `parseCrontab` had found.
 */
export function compileCrontab(crontab: Crontab): Recurrence {
  const place = zone(crontab.timezone)
  if (place === undefined) throw new TypeError(`the tz data of this program has no zone ${crontab.timezone}`)
  const { fields, dst } = crontab
  const auto = fields.hour.any || fields.minute.any ? 'both' : 'first'
  const local = new LocalTimes(
    new DayFinder(fields.monthOfYear.values, crontab.monthDays),
    new DayTimes(fields.hour.values, fields.minute.values, fields.second.values),
  )
  return new CrontabRecurrence(place, local, dst.gap, dst.overlap === 'auto' ? auto : dst.overlap)
}

/** The firing wall-clock times, as "fake UTC" milliseconds, without any regard to offsets. */
class LocalTimes {
  private readonly days: DayFinder
  private readonly times: DayTimes

  constructor(days: DayFinder, times: DayTimes) {
    this.days = days
    this.times = times
  }

  /** The first at or after `local`, or `Infinity`. */
  from(local: number): number {
    const second = Math.ceil(local / 1000)
    const day = Math.floor(second / 86_400)
    let found = this.days.from(day)
    if (found === day) {
      const time = this.times.from(second - day * 86_400)
      if (time !== 86_400) return (day * 86_400 + time) * 1000
      found = this.days.from(day + 1)
    }
    return (found * 86_400 + this.times.first) * 1000
  }

  /** The last at or before `local`, or `-Infinity`. */
  to(local: number): number {
    const second = Math.floor(local / 1000)
    const day = Math.floor(second / 86_400)
    let found = this.days.to(day)
    if (found === day) {
      const time = this.times.to(second - day * 86_400)
      if (time !== -1) return (day * 86_400 + time) * 1000
      found = this.days.to(day - 1)
    }
    return (found * 86_400 + this.times.last) * 1000
  }

  /** How many lie in `[from, to)`. */
  count(from: number, to: number): number {
    if (from >= to) return 0
    const first = Math.ceil(from / 1000)
    const end = Math.ceil(to / 1000)
    const firstDay = Math.floor(first / 86_400)
    const endDay = Math.floor(end / 86_400)
    const whole = this.days.count(firstDay, endDay) * this.times.count
    return whole + this.belowInDay(end, endDay) - this.belowInDay(first, firstDay)
  }

  private belowInDay(second: number, day: number): number {
    return this.days.fires(day) ? this.times.below(second - day * 86_400) : 0
  }
}

class CrontabRecurrence implements Recurrence {
  readonly kind = 'crontab'
  private readonly zone: Zone
  private readonly local: LocalTimes
  private readonly gap: Required<DstPolicy>['gap']
  private readonly firstPass: boolean
  private readonly secondPass: boolean
  /**
   * The stretch `[plainFrom, plainTo)` around the last answer in which an instant is its wall-clock time less
   * `offset` and nothing else: no repeated hour, and no time that was moved out of a gap.
   */
  private plainFrom = Infinity
  private plainTo = -Infinity
  private offset = 0

  constructor(
    place: Zone,
    local: LocalTimes,
    gap: Required<DstPolicy>['gap'],
    overlap: 'first' | 'second' | 'both',
  ) {
    this.zone = place
    this.local = local
    this.gap = gap
    this.firstPass = overlap !== 'second'
    this.secondPass = overlap !== 'first'
  }

  next(after: Instant): Instant | undefined {
    const known = Math.floor(after)
    if (known >= this.plainFrom && known < this.plainTo) {
      const found = this.local.from(known + 1 + this.offset) - this.offset
      if (found < this.plainTo) return found
    }
    return this.searchForward(known)
  }

  previous(at: Instant): Instant | undefined {
    const known = Math.floor(at)
    if (known >= this.plainFrom && known < this.plainTo) {
      const found = this.local.to(known + this.offset) - this.offset
      if (found >= this.plainFrom) return found
    }
    return this.searchBack(known)
  }

  count(after: Instant, until: Instant): number {
    const low = Math.max(Math.floor(after), earliest - 1) + 1
    const end = Math.min(Math.floor(until), latest) + 1
    let total = 0
    // A cycle through the spans, each of a quarter year at most: their ends depend on the zone's tables.
    for (let at = low; at < end; ) {
      const span = this.zone.spanAt(at)
      total += this.countIn(span, at, Math.min(end, span.to))
      at = span.to
    }
    return total
  }

  private searchForward(after: Instant): Instant | undefined {
    if (!(after < latest)) return undefined
    let low = Math.max(after, earliest - 1) + 1
    const limit = Math.min(latest, low + searchMs)
    while (low <= limit) {
      const span = this.enter(low)
      const found = this.firstIn(span, low)
      if (found <= limit) return found
      if (found !== Infinity || span.to === Infinity) return undefined
      // Only wall-clock times from here on can give an instant past this span; there may be none for years.
      const match = this.local.from(span.to + span.offset - offsetSlack)
      low = Math.max(span.to, match - offsetSlack)
    }
    return undefined
  }

  private searchBack(at: Instant): Instant | undefined {
    if (!(at >= earliest)) return undefined
    let high = Math.min(at, latest)
    const limit = Math.max(earliest, high - searchMs)
    while (high >= limit) {
      const span = this.enter(high)
      const found = this.lastIn(span, high)
      if (found >= limit) return found
      if (found !== -Infinity || span.from === -Infinity) return undefined
      const match = this.local.to(span.from + span.offset + offsetSlack)
      high = Math.min(span.from - 1, match + offsetSlack)
    }
    return undefined
  }

  /** Looks up the span of an instant and notes its plain part for the next question. */
  private enter(at: Instant): Span {
    const span = this.zone.spanAt(at)
    this.offset = span.offset
    this.plainFrom = Math.max(earliest, span.from, span.start + Math.abs(span.offset - span.before))
    this.plainTo = Math.min(latest + 1, span.to, span.end - Math.max(0, span.offset - span.after))
    return span
  }

  /** The first occurrence of the span at or after `low`, or `Infinity`. */
  private firstIn(span: Span, low: Instant): number {
    const [start, end] = this.ownTimes(span, Math.max(low, span.from), span.to)
    let found = start < end ? this.local.from(start + span.offset) - span.offset : Infinity
    if (found >= end) found = Infinity
    if (span.before >= span.offset || this.gap === 'skip') return found
    return Math.min(found, this.firstOfGap(span, Math.max(low, span.from)))
  }

  /** The last occurrence of the span at or before `high`, or `-Infinity`. */
  private lastIn(span: Span, high: Instant): number {
    const [start, end] = this.ownTimes(span, span.from, Math.min(high + 1, span.to))
    let found = start < end ? this.local.to(end - 1 + span.offset) - span.offset : -Infinity
    if (found < start) found = -Infinity
    if (span.before >= span.offset || this.gap === 'skip') return found
    return Math.max(found, this.lastOfGap(span, high))
  }

  private countIn(span: Span, low: Instant, end: Instant): number {
    const [start, stop] = this.ownTimes(span, low, end)
    let total = this.local.count(start + span.offset, stop + span.offset)
    if (span.before >= span.offset || this.gap === 'skip') return total
    // What a gap gives away is walked: it is an hour of times as a rule, and those that merge must not
    // count twice.
    for (let at = this.firstOfGap(span, low); at < end; at = this.firstOfGap(span, at + 1)) {
      const merges = at >= start && at < stop && this.local.from(at + span.offset) === at + span.offset
      if (!merges) total += 1
    }
    return total
  }

  /**
   * The part of `[low, end)` whose wall-clock times fire where they are: less a pass of an overlap not
   * wanted.
   */
  private ownTimes(span: Span, low: Instant, end: Instant): readonly [Instant, Instant] {
    const repeats = span.start + Math.max(0, span.before - span.offset)
    const repeated = span.end - Math.max(0, span.offset - span.after)
    return [this.secondPass ? low : Math.max(low, repeats), this.firstPass ? end : Math.min(end, repeated)]
  }

  /**
   * The first instant at or after `low` in the span that a time of the gap before it is moved to, or
   * `Infinity`.
   */
  private firstOfGap(span: Span, low: Instant): number {
    const gapEnd = span.start + span.offset
    if (this.gap === 'firstValid') {
      return low <= span.start && this.local.from(span.start + span.before) < gapEnd ? span.start : Infinity
    }
    const match = this.local.from(Math.max(low, span.start) + span.before)
    return match < gapEnd && match - span.before < span.to ? match - span.before : Infinity
  }

  private lastOfGap(span: Span, high: Instant): number {
    const gapStart = span.start + span.before
    const from = Math.max(span.start, span.from)
    if (this.gap === 'firstValid') {
      const fires =
        from === span.start && span.start <= high && this.local.from(gapStart) < span.start + span.offset
      return fires ? span.start : -Infinity
    }
    const match = this.local.to(Math.min(high + span.before, span.start + span.offset - 1))
    return match >= from + span.before && match - span.before < span.to ? match - span.before : -Infinity
  }
}
