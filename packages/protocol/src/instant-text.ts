import { type Instant, type Problem, parseInstant } from '@almanac/recurrence'

/** ISO 8601 in UTC with milliseconds, the only form that Almanac writes. */
export const isoOf = (instant: Instant): string => new Date(instant).toISOString()
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
