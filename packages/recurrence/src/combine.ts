/** Schedules made of schedules: several united, or one less some of its occurrences. */

import { type Calendar, calendarStretches, excludedSince, excludedUntil } from './calendar.js'
import type { Instant, Recurrence } from './types.js'

/**
 * How many excluded occurrences in a row are passed over, one by one or by jumps over calendar days, before a
 * schedule is taken to have no further occurrence. It bounds one call to a few tenths of a second.
 */
export const maxExcludedSteps = 100_000

/**
 * A longer excluded stretch counts as the schedule's end. Past 100 years, which is how far `Recurrence`
 * must look.
 */
const horizonMs = 101 * 366 * 86_400_000

/**
 * Every instant at which one of the parts has an occurrence, each once.
 *
 * `next` and `previous` ask each part. `count` adds the counts of the part with the most occurrences and
 * walks those of the others, so it costs as many steps as the sparser parts have occurrences.
 */
export function compileUnion(parts: readonly Recurrence[]): Recurrence {
  return {
    kind: 'union',
    next: (after) => earliest(parts, after),
    previous: (at) => {
      let last: Instant | undefined
      for (const part of parts) {
        const instant = part.previous(at)
        if (instant !== undefined && (last === undefined || instant > last)) last = instant
      }
      return last
    },
    count: (after, until) => {
      const [densest, rest] = byDensity(parts, after, until)
      if (densest === undefined) return 0
      let count = densest.count(after, until)
      for (let at = earliest(rest, after); at !== undefined && at <= until; at = earliest(rest, at)) {
        if (!hasOccurrence(densest, at)) count += 1
      }
      return count
    },
  }
}

/**
 * The occurrences of `base` that are neither an occurrence of one of `schedules` nor on a day of one of
 * `calendars`.
 *
 * `next` and `previous` jump over runs of calendar days, pass over instants of `schedules` one by one, and
 * give up after `maxExcludedSteps` of both: a schedule whose every occurrence is excluded has none. `count`
 * takes the base's count and counts the excluded: a count of the base for each run of calendar days, and a
 * walk over the occurrences of `base` or of `schedules`, whichever has fewer.
 */
export function compileExcept(
  base: Recurrence,
  schedules: readonly Recurrence[],
  calendars: readonly Calendar[],
): Recurrence {
  const excluded = compileUnion(schedules)
  const calendarAt = (at: Instant): Calendar | undefined =>
    calendars.find((calendar) => calendar.has(calendar.zone.localDay(at)))
  return {
    kind: 'except',
    next: (after) => {
      const first = base.next(after)
      let at = first
      for (let left = maxExcludedSteps; at !== undefined && first !== undefined && left > 0; left--) {
        if (at - first > horizonMs) return undefined
        const calendar = calendarAt(at)
        if (calendar !== undefined) at = base.next(excludedUntil(calendar, at) - 1)
        else if (hasOccurrence(excluded, at)) at = base.next(at)
        else return at
      }
      return undefined
    },
    previous: (until) => {
      const last = base.previous(until)
      let at = last
      for (let left = maxExcludedSteps; at !== undefined && last !== undefined && left > 0; left--) {
        if (last - at > horizonMs) return undefined
        const calendar = calendarAt(at)
        if (calendar !== undefined) at = base.previous(excludedSince(calendar, at) - 1)
        else if (hasOccurrence(excluded, at)) at = base.previous(at - 1)
        else return at
      }
      return undefined
    },
    count: (after, until) => {
      if (!(after < until)) return 0
      const first = base.next(after)
      const last = base.previous(until)
      if (first === undefined || last === undefined || first > last) return 0
      const days = merged(calendars.flatMap((calendar) => calendarStretches(calendar, first, last + 1)))
      let count = base.count(first - 1, last)
      for (const [from, to] of days) count -= base.count(from - 1, to - 1)
      for (const [from, to] of gaps(days, first, last + 1)) count -= shared(base, excluded, from - 1, to - 1)
      return count
    },
  }
}

/** How many instants in `(after, until]` are occurrences of both. Walks the sparser one. */
function shared(a: Recurrence, b: Recurrence, after: Instant, until: Instant): number {
  const [walked, other] = a.count(after, until) < b.count(after, until) ? [a, b] : [b, a]
  let count = 0
  for (let at = walked.next(after); at !== undefined && at <= until; at = walked.next(at)) {
    if (hasOccurrence(other, at)) count += 1
  }
  return count
}

function hasOccurrence(recurrence: Recurrence, at: Instant): boolean {
  return recurrence.next(at - 1) === at
}

function earliest(parts: readonly Recurrence[], after: Instant): Instant | undefined {
  let first: Instant | undefined
  for (const part of parts) {
    const instant = part.next(after)
    if (instant !== undefined && (first === undefined || instant < first)) first = instant
  }
  return first
}

/** The part with the most occurrences in `(after, until]`, and the others. */
function byDensity(
  parts: readonly Recurrence[],
  after: Instant,
  until: Instant,
): [Recurrence | undefined, readonly Recurrence[]] {
  let densest: Recurrence | undefined
  let most = -1
  if (parts.length === 1) return [parts[0], []]
  for (const part of parts) {
    const count = part.count(after, until)
    if (count > most) {
      densest = part
      most = count
    }
  }
  return [densest, parts.filter((part) => part !== densest)]
}

/** The stretches sorted, those that touch or overlap made one. */
function merged(
  stretches: readonly (readonly [Instant, Instant])[],
): readonly (readonly [Instant, Instant])[] {
  const result: [Instant, Instant][] = []
  for (const [from, to] of [...stretches].sort((a, b) => a[0] - b[0])) {
    const last = result.at(-1)
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to)
    else result.push([from, to])
  }
  return result
}

/** What the stretches leave of `[from, until)`. */
function gaps(
  stretches: readonly (readonly [Instant, Instant])[],
  from: Instant,
  until: Instant,
): readonly (readonly [Instant, Instant])[] {
  const result: [Instant, Instant][] = []
  let start = from
  for (const [excludedFrom, excludedTo] of stretches) {
    if (start < excludedFrom) result.push([start, excludedFrom])
    start = Math.max(start, excludedTo)
  }
  if (start < until) result.push([start, until])
  return result
}
