/**
 * The words of this package: schedule values as users write them, and the compiled form that answers
 * "when next?". Everything is plain data or a pure function of it.
 */

/** Milliseconds since 1970-01-01T00:00:00Z, a whole number. The unit of every instant in Almanac. */
export type Instant = number

/** What is wrong with a value: `path` points into it ("crontab.hour"), `code` is stable, `message` is for people. */
export interface Problem {
  readonly path: string
  readonly code: string
  readonly message: string
}

export type Result<T, E = readonly Problem[]> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: E }

export const intervalPeriods = ['days', 'hours', 'minutes', 'seconds', 'microseconds'] as const
export type IntervalPeriod = (typeof intervalPeriods)[number]

export interface IntervalValue {
  readonly every: number
  readonly period: IntervalPeriod
}

/** What happens to local times that a forward jump of the clock removes, and to those that a backward jump repeats. */
export interface DstPolicy {
  /**
   * `shift` (default): moved forward by the gap's length, equal instants merge. `skip`: not fired. `firstValid`: once,
   * at the gap's end.
   */
  readonly gap?: 'shift' | 'skip' | 'firstValid'
  /** `auto` (default): both passes when the hour or the minute field is `*`, else the first. */
  readonly overlap?: 'auto' | 'first' | 'second' | 'both'
}

/**
 * A crontab: either `expression` (five fields, six with `seconds: true` in front, or a name such as `@daily`)
 * or the single fields. A field left out is `*` (`second`: `0`).
 */
export interface CrontabValue {
  readonly expression?: string
  readonly second?: string
  readonly minute?: string
  readonly hour?: string
  readonly dayOfMonth?: string
  readonly monthOfYear?: string
  readonly dayOfWeek?: string
  /** IANA zone name; default `UTC`. */
  readonly timezone?: string
  /** How the two day fields combine: Celery's `and` (default), or Vixie cron's `or`. */
  readonly dayMode?: 'and' | 'or'
  /** True when `expression` has a leading seconds field. */
  readonly seconds?: boolean
  readonly dst?: DstPolicy
}

export const solarEvents = [
  'dawn_astronomical',
  'dawn_nautical',
  'dawn_civil',
  'sunrise',
  'solar_noon',
  'sunset',
  'dusk_civil',
  'dusk_nautical',
  'dusk_astronomical',
] as const
export type SolarEvent = (typeof solarEvents)[number]

export interface SolarValue {
  readonly event: SolarEvent
  /** Degrees, north positive, -90 to 90, at most six decimals. */
  readonly latitude: number
  /** Degrees, east positive, -180 to 180, at most six decimals. */
  readonly longitude: number
}

export interface ClockedValue {
  /** ISO 8601 with an offset or `Z`. */
  readonly at: string
}

/** A set of local days. All parts are united. */
export interface CalendarDays {
  /** IANA zone in which an instant is turned into a local day; default `UTC`. */
  readonly timezone?: string
  /** `YYYY-MM-DD` */
  readonly dates?: readonly string[]
  /** `MM-DD`, every year */
  readonly annual?: readonly string[]
  /** `sun` to `sat` */
  readonly weekdays?: readonly string[]
  /** Inclusive, `YYYY-MM-DD` each. */
  readonly ranges?: readonly { readonly from: string; readonly to: string }[]
}

/** A calendar given in place, or the name of a shared one. */
export type CalendarValue = CalendarDays | { readonly ref: string }

export type ScheduleValue =
  | { readonly interval: IntervalValue }
  | { readonly crontab: CrontabValue }
  | { readonly solar: SolarValue }
  | { readonly clocked: ClockedValue }
  | { readonly union: readonly ScheduleValue[] }
  | { readonly except: ExceptValue }

/** The occurrences of `base` less those at an instant of an excluded schedule or on a day of an excluded calendar. */
export interface ExceptValue {
  readonly base: ScheduleValue
  readonly exclude: readonly (ScheduleValue | { readonly calendar: CalendarValue })[]
}

export type ScheduleKind = 'interval' | 'crontab' | 'solar' | 'clocked' | 'union' | 'except'

/** What a schedule needs from outside to be compiled. */
export interface CompileContext {
  /** The instant from which an interval's grid is laid: occurrences are at `anchor + k * every`, k >= 0. */
  readonly anchor: Instant
  /** Looks up a shared calendar; `undefined` means that there is none of that name. */
  readonly calendar?: (name: string) => CalendarDays | undefined
}

/** A compiled schedule: a strictly growing, possibly ending sequence of instants. Pure and stateless to its user. */
export interface Recurrence {
  readonly kind: ScheduleKind
  /** The first occurrence strictly after `after`; `undefined` when there is none (100 years at least are searched). */
  next(after: Instant): Instant | undefined
  /** The last occurrence at or before `at`, or `undefined`. Intervals have none before their anchor. */
  previous(at: Instant): Instant | undefined
  /** How many occurrences lie in `(after, until]`. Does not walk occurrence by occurrence over long stretches. */
  count(after: Instant, until: Instant): number
}
