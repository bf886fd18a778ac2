/** Schedules in words, for people. */

import { formatCrontab } from './crontab.js'
import { formatInstant, parseInstant } from './instant.js'
import { describeCrontab } from './text-crontab.js'
import type { CalendarValue, IntervalValue, ScheduleValue, SolarEvent, SolarValue } from './types.js'

const eventNames: Readonly<Record<SolarEvent, string>> = {
  dawn_astronomical: 'Astronomical dawn',
  dawn_nautical: 'Nautical dawn',
  dawn_civil: 'Civil dawn',
  sunrise: 'Sunrise',
  solar_noon: 'Solar noon',
  sunset: 'Sunset',
  dusk_civil: 'Civil dusk',
  dusk_nautical: 'Nautical dusk',
  dusk_astronomical: 'Astronomical dusk',
}

/** Dates of a calendar that a sentence names one by one; more are only counted. */
const maxNamedDates = 5

/**
 * The schedule as a sentence, in the wording of django-celery-beat where that has the schedule: `every 2
 * days`, `At 02:00 AM, only on Monday UTC`, `Sunset (-37.817530, 144.967150)`, and for a clocked one its
 * instant in UTC. A crontab that does not parse gives its raw fields. Never throws.
 */
export function describe(value: ScheduleValue): string {
  if ('interval' in value) return describeInterval(value.interval)
  if ('crontab' in value) return describeCrontab(value.crontab)
  if ('solar' in value) return describeSolar(value.solar)
  if ('clocked' in value) return describeClocked(value.clocked.at)
  if ('union' in value) return value.union.map(describePart).join('; and ')
  const { base, exclude } = value.except
  const excluded = exclude.map((part) =>
    'calendar' in part ? describeCalendar(part.calendar) : describePart(part),
  )
  return [describePart(base), ...excluded].join('; except ')
}

/**
 * The text form of Celery's model row: like `describe`, but `0 2 * * mon (m/h/dM/MY/d) UTC` for a crontab,
 * and a clocked instant as Python writes it, `2026-03-01 12:00:00+00:00`.
 */
export function modelText(value: ScheduleValue): string {
  if ('crontab' in value) return formatCrontab(value.crontab)
  if (!('clocked' in value)) return describe(value)
  const instant = parseInstant(value.clocked.at)
  if (!instant.ok) return value.clocked.at
  // Microseconds are kept from the text: an instant here has milliseconds only.
  const micros = (/\.(\d+)/.exec(value.clocked.at)?.[1] ?? '').slice(0, 6).padEnd(6, '0')
  const seconds = formatInstant(instant.value).slice(0, 19).replace('T', ' ')
  return `${seconds}${micros === '000000' ? '' : `.${micros}`}+00:00`
}

function describeInterval({ every, period }: IntervalValue): string {
  return every === 1 ? `every ${period.slice(0, -1)}` : `every ${every} ${period}`
}

function describeSolar({ event, latitude, longitude }: SolarValue): string {
  return `${eventNames[event]} (${latitude.toFixed(6)}, ${longitude.toFixed(6)})`
}

function describeClocked(at: string): string {
  const instant = parseInstant(at)
  return instant.ok ? formatInstant(instant.value).replace('.000Z', 'Z') : at
}

/** A part of a union or an except; one that is itself of parts stands in brackets. */
function describePart(value: ScheduleValue): string {
  const text = describe(value)
  return 'union' in value || 'except' in value ? `(${text})` : text
}

function describeCalendar(value: CalendarValue): string {
  if ('ref' in value) return `on days of the calendar ${value.ref}`
  const { timezone = 'UTC', dates = [], annual = [], weekdays = [], ranges = [] } = value
  const parts = [
    ...weekdays,
    ...annual.slice(0, maxNamedDates).map((day) => `every ${day}`),
    ...dates.slice(0, maxNamedDates),
    ...ranges.slice(0, maxNamedDates).map(({ from, to }) => `${from} to ${to}`),
  ]
  const more = [annual, dates, ranges].reduce(
    (sum, days) => sum + Math.max(0, days.length - maxNamedDates),
    0,
  )
  if (more > 0) parts.push(`${more} more`)
  return `on ${parts.length === 0 ? 'no day' : parts.join(', ')} (${timezone})`
}
