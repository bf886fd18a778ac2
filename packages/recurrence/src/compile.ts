/** From a schedule value to the recurrence that it means. */

import { type Calendar, compileCalendar, parseCalendar } from './calendar.js'
import { compileClocked } from './clocked.js'
import { compileExcept, compileUnion } from './combine.js'
import { compileCrontab, parseCrontab } from './crontab.js'
import { parseInstant } from './instant.js'
import { compileInterval, type IntervalRecurrence } from './interval.js'
import { join } from './shape.js'
import { compileSolar } from './solar.js'
import type {
  CalendarValue,
  CompileContext,
  ExceptValue,
  Instant,
  Problem,
  Recurrence,
  Result,
  ScheduleValue,
} from './types.js'
import { validateSchedule } from './validate.js'

/** The most instants that `firstN` lists. */
export const maxListed = 1000
/** The furthest that `nthAfter` steps. */
export const maxNth = 10_000

/**
 * Checks a schedule and compiles it. The paths of its problems start at the kind (`interval.every`).
 *
 * Fails with what `validateSchedule` finds, and for a calendar that `context` does not know
 * (`unknown_calendar`) or that is itself wrong. Never throws.
 */
export function compile(value: ScheduleValue, context: CompileContext): Result<Recurrence> {
  const valid = validateSchedule(value, '')
  if (!valid.ok) return valid
  const problems: Problem[] = []
  const recurrence = compileValid(valid.value, '', context, problems)
  return recurrence === undefined || problems.length > 0
    ? { ok: false, error: problems }
    : { ok: true, value: recurrence }
}

function compileValid(
  value: ScheduleValue,
  path: string,
  context: CompileContext,
  problems: Problem[],
): Recurrence | undefined {
  if ('interval' in value) return compileInterval(value.interval, context.anchor)
  if ('solar' in value) return compileSolar(value.solar)
  if ('crontab' in value) {
    const crontab = take(parseCrontab(value.crontab, join(path, 'crontab')), problems)
    return crontab && compileCrontab(crontab)
  }
  if ('clocked' in value) {
    const at = take(parseInstant(value.clocked.at, join(path, 'clocked.at')), problems)
    return at === undefined ? undefined : compileClocked(at)
  }
  if ('union' in value) {
    const parts = value.union.map((part, index) =>
      compileValid(part, `${join(path, 'union')}[${index}]`, context, problems),
    )
    return compileUnion(parts.filter((part) => part !== undefined))
  }
  return compileLess(value.except, join(path, 'except'), context, problems)
}

function compileLess(
  value: ExceptValue,
  path: string,
  context: CompileContext,
  problems: Problem[],
): Recurrence | undefined {
  const base = compileValid(value.base, join(path, 'base'), context, problems)
  const schedules: Recurrence[] = []
  const calendars: Calendar[] = []
  for (const [index, part] of value.exclude.entries()) {
    const at = `${join(path, 'exclude')}[${index}]`
    if ('calendar' in part) {
      const calendar = resolveCalendar(part.calendar, join(at, 'calendar'), context, problems)
      if (calendar !== undefined) calendars.push(calendar)
    } else {
      const schedule = compileValid(part, at, context, problems)
      if (schedule !== undefined) schedules.push(schedule)
    }
  }
  return base && compileExcept(base, schedules, calendars)
}

function resolveCalendar(
  value: CalendarValue,
  path: string,
  context: CompileContext,
  problems: Problem[],
): Calendar | undefined {
  if (!('ref' in value)) return compileCalendar(value)
  const days = context.calendar?.(value.ref)
  if (days === undefined) {
    const message = `there is no calendar named ${JSON.stringify(value.ref)}`
    problems.push({ path: join(path, 'ref'), code: 'unknown_calendar', message })
    return undefined
  }
  const valid = take(parseCalendar(days, path), problems)
  return valid && compileCalendar(valid)
}

function take<T>(result: Result<T>, problems: Problem[]): T | undefined {
  if (result.ok) return result.value
  problems.push(...result.error)
  return undefined
}

/** The next `n` occurrences after `after`, fewer when the schedule ends. `n` is cut to 1000. */
export function firstN(recurrence: Recurrence, after: Instant, n: number): readonly Instant[] {
  const found: Instant[] = []
  let at = recurrence.next(after)
  while (at !== undefined && found.length < Math.min(n, maxListed)) {
    found.push(at)
    at = recurrence.next(at)
  }
  return found
}

/**
 * The `n`-th occurrence after `after`; n = 1 is `next`. `undefined` when there are fewer.
 *
 * Intervals answer for any `n` at once; other schedules take `n` steps, and 10 000 at most: a larger `n`
 * throws a RangeError, as does one below 1 or a fraction.
 */
export function nthAfter(recurrence: Recurrence, after: Instant, n: number): Instant | undefined {
  if (!Number.isSafeInteger(n) || n < 1) throw new RangeError('n must be a whole number, 1 or more')
  if (isInterval(recurrence)) return recurrence.nth(after, n)
  if (n > maxNth) throw new RangeError(`n must be at most ${maxNth}`)
  let at: Instant | undefined = after
  for (let left = n; at !== undefined && left > 0; left--) at = recurrence.next(at)
  return at
}

function isInterval(recurrence: Recurrence): recurrence is IntervalRecurrence {
  return 'nth' in recurrence
}
