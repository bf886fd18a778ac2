/**
 * Intervals: a grid laid from an anchor. Nothing that happens later (a late run, a restart) moves the grid,
 * so an interval does not drift. It has no zone: 24 hours are 24 hours of real time on every day.
 *
 * The grid is counted in microseconds, as Celery's is, and an occurrence is the millisecond that holds its
 * point.
 */

import { maxInstant } from './instant.js'
import type { Instant, IntervalPeriod, IntervalValue, Problem, Recurrence, Result } from './types.js'
import { intervalPeriods } from './types.js'

const microsOf: Readonly<Record<IntervalPeriod, number>> = {
  days: 86_400_000_000,
  hours: 3_600_000_000,
  minutes: 60_000_000,
  seconds: 1_000_000,
  microseconds: 1,
}

/** Instants are whole milliseconds, so a shorter interval would put two occurrences on one instant. */
const minEveryMicros = 1000n

/** The interval's length in microseconds. */
export function intervalMicros(value: IntervalValue): bigint {
  return BigInt(value.every) * BigInt(microsOf[value.period])
}

/** What is wrong with `every` of `period`, or nothing. `path` is that of the interval. */
export function intervalProblems(every: unknown, period: unknown, path: string): readonly Problem[] {
  const problems: Problem[] = []
  const add = (key: string, code: string, message: string) =>
    problems.push({ path: `${path}.${key}`, code, message })
  if (typeof every !== 'number' || !Number.isInteger(every)) {
    add('every', 'not_an_integer', 'must be a whole number of periods, 1 or more')
  } else if (every < 1) {
    add('every', 'too_small', 'must be 1 or more')
  }
  if (!intervalPeriods.some((name) => name === period)) {
    add('period', 'unknown_period', `must be one of ${intervalPeriods.join(', ')}`)
  }
  if (problems.length > 0) return problems
  const [count, unit] = [every as number, period as IntervalPeriod]
  if (!Number.isSafeInteger(count) || (count / 1000) * microsOf[unit] > maxInstant) {
    add('every', 'too_large', 'the second occurrence would lie beyond year 9999')
  } else if (intervalMicros({ every: count, period: unit }) < minEveryMicros) {
    add('every', 'too_short', 'must be 1 millisecond (1000 microseconds) or more: instants are milliseconds')
  }
  return problems
}

/** A recurrence whose n-th occurrence has a closed form. */
export interface IntervalRecurrence extends Recurrence {
  /** The n-th occurrence after `after` (n = 1 is `next`), at no more cost than the first. */
  nth(after: Instant, n: number): Instant | undefined
}

/**
 * The occurrences at `anchor + k * every`, k >= 0, up to the year 9999. The anchor is itself an occurrence.
 * `value` must be free of `intervalProblems`.
 */
export function compileInterval(value: IntervalValue, anchor: Instant): IntervalRecurrence {
  const micros = intervalMicros(value)
  const grid = micros % 1000n === 0n ? wholeGrid(anchor, Number(micros / 1000n)) : fineGrid(anchor, micros)
  /** How many occurrences lie at or before `at`. */
  const upTo = (at: Instant): number => (at < anchor ? 0 : grid.index(Math.min(at, maxInstant)) + 1)
  const nth = (after: Instant, n: number): Instant | undefined => {
    if (!(after < maxInstant)) return undefined
    const instant = grid.at(upTo(after) + n - 1)
    return instant <= maxInstant ? instant : undefined
  }
  return {
    kind: 'interval',
    next: (after) => nth(after, 1),
    previous: (at) => (at >= anchor ? grid.at(upTo(at) - 1) : undefined),
    count: (after, until) => Math.max(0, upTo(until) - upTo(after)),
    nth,
  }
}

interface Grid {
  /** The k of the last point at or before an instant that is not before the anchor. */
  index(at: Instant): number
  at(k: number): Instant
}

/**
 * Intervals of whole milliseconds: all in doubles, which are exact here up to the year 9999 and twice as
 * far.
 */
function wholeGrid(anchor: Instant, every: number): Grid {
  return {
    index: (at) => Math.floor((at - anchor) / every),
    at: (k) => anchor + k * every,
  }
}

/** Intervals with a fraction of a millisecond. */
function fineGrid(anchor: Instant, every: bigint): Grid {
  const origin = BigInt(anchor) * 1000n
  return {
    index: (at) => Number((BigInt(Math.floor(at)) * 1000n + 999n - origin) / every),
    at: (k) => Number(floorDiv(origin + BigInt(k) * every, 1000n)),
  }
}

/**
 * The first point of the grid `anchor + k * every`, k >= 0, strictly after `after`. All in microseconds,
 * `every` at least 1. The exact arithmetic behind the millisecond instants; clients with finer clocks can
 * use it.
 */
export function nextOnGridMicros(anchor: bigint, every: bigint, after: bigint): bigint {
  return after < anchor ? anchor : anchor + ((after - anchor) / every + 1n) * every
}

/** Checks the parts of an interval and puts them together. */
export function parseInterval(every: unknown, period: unknown, path: string): Result<IntervalValue> {
  const problems = intervalProblems(every, period, path)
  if (problems.length > 0) return { ok: false, error: problems }
  return { ok: true, value: { every: every as number, period: period as IntervalPeriod } }
}

function floorDiv(a: bigint, b: bigint): bigint {
  const quotient = a / b
  return a % b < 0n ? quotient - 1n : quotient
}
