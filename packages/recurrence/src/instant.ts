/**
 * Instants in text. One strict form in, one form out, so that no reader has to guess a time zone.
 */

import type { Instant, Problem, Result } from './types.js'

/** 1970-01-01T00:00:00.000Z, the first instant that Almanac knows. */
export const minInstant: Instant = 0

/** 9999-12-31T23:59:59.999Z, the last instant that Almanac knows: the last that has a four-digit year. */
export const maxInstant: Instant = 253_402_300_799_999

export const dayMs = 86_400_000

const form =
  /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,30}))?)?(?:Z|([+-])(\d{2}):(\d{2}))$/

/**
 * The number of the day `year-month-day` counted from 1970-01-01 (which is 0) in the Gregorian calendar, or
 * `undefined` when the calendar has no such day.
 */
export function dayNumber(year: number, month: number, day: number): number | undefined {
  // Not Date.UTC alone: it reads the years 0 to 99 as 1900 to 1999, and carries 30 February into March.
  if (month < 1 || month > 12 || day < 1 || day > 31) return undefined
  const at = new Date(0)
  at.setUTCFullYear(year, month - 1, day)
  return at.getUTCMonth() === month - 1 && at.getUTCDate() === day ? at.getTime() / dayMs : undefined
}

/**
 * Reads an instant: ISO 8601 in the extended form, with `Z` or an offset `+hh:mm`. The seconds may be left
 * out; of their fraction three digits count and the rest is cut off, not rounded.
 *
 * Refused: a text without an offset, a date that the calendar lacks, `24:00`, a second 60, a year outside of
 * 1970 to 9999 (in UTC), and anything but a string. `path` names the field in the problem.
 */
export function parseInstant(value: unknown, path = 'instant'): Result<Instant> {
  if (typeof value !== 'string') {
    return refuse(path, 'bad_instant', 'must be a string such as "2026-12-01T09:30:00Z"')
  }
  const parts = form.exec(value)
  if (parts === null) {
    return refuse(
      path,
      'bad_instant',
      'must be ISO 8601 with an offset or Z, such as "2026-12-01T09:30:00Z" or "2026-12-01T09:30:00+02:00"',
    )
  }
  const number = (index: number): number => Number(parts[index] ?? 0)
  const day = dayNumber(number(1), number(2), number(3))
  if (day === undefined) return refuse(path, 'no_such_date', 'the calendar has no such date')
  const [hour, minute, second] = [number(4), number(5), number(6)]
  if (hour > 23 || minute > 59 || second > 59) {
    return refuse(path, 'no_such_time', 'hours go from 00 to 23, minutes and seconds from 00 to 59')
  }
  if (number(9) > 23 || number(10) > 59) {
    return refuse(path, 'no_such_offset', 'offsets go from -23:59 to +23:59')
  }
  const offsetMinutes = (parts[8] === '-' ? -1 : 1) * (number(9) * 60 + number(10))
  const fractionMs = Number((parts[7] ?? '').slice(0, 3).padEnd(3, '0'))
  const instant = day * dayMs + ((hour * 60 + minute - offsetMinutes) * 60 + second) * 1000 + fractionMs
  if (instant < minInstant || instant > maxInstant) {
    return refuse(path, 'instant_out_of_range', 'must lie in the years 1970 to 9999 (UTC)')
  }
  return { ok: true, value: instant }
}

/**
 * `2026-12-01T09:30:00.000Z`: always UTC, always with milliseconds. `instant` must lie in the years 0 to
 * 9999.
 */
export function formatInstant(instant: Instant): string {
  return new Date(instant).toISOString()
}

function refuse(path: string, code: string, message: string): { ok: false; error: readonly Problem[] } {
  return { ok: false, error: [{ path, code, message }] }
}
