import { type Instant, type Problem, parseInstant } from '@almanac/recurrence'

/** The two that were written last: what is due at one instant is written thousands of times in a row. */
let newest: { readonly instant: Instant; readonly text: string } = { instant: Number.NaN, text: '' }
let older = newest

/** ISO 8601 in UTC with milliseconds, the only form that Almanac writes. */
export function isoOf(instant: Instant): string {
  if (instant === newest.instant) return newest.text
  const found = instant === older.instant ? older : { instant, text: new Date(instant).toISOString() }
  older = newest
  newest = found
  return found.text
}
export const isoOrNull = (instant: Instant | null): string | null =>
  instant === null ? null : isoOf(instant)

/** Reads instants of one request and keeps what is wrong with them, so that all faults are answered at once. */
export class InstantReader {
  readonly problems: Problem[] = []

  read(value: string, path: string): Instant {
    const parsed = parseInstant(value, path)
    if (parsed.ok) return parsed.value
    this.problems.push(...parsed.error)
    return 0
  }

  readOrNull(value: string | null, path: string): Instant | null {
    return value === null ? null : this.read(value, path)
  }
}

/** Whether a text has the form of an instant; one with a minute 60 has, and breaks a rule instead. */
export function hasInstantForm(value: string): boolean {
  const parsed = parseInstant(value)
  return parsed.ok || !parsed.error.some(({ code }) => code === 'bad_instant' || code === 'no_such_date')
}
