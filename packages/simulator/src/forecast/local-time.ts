import type { Instant, Zone } from '@almanac/recurrence'

export const minuteMs = 60_000
export const hourMs = 60 * minuteMs
export const dayMs = 24 * hourMs

/** Sunday first, as in crontabs. */
export const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const

export type Unit = 'hour' | 'day' | 'week' | 'month'

/** 0 (Sunday) to 6, of a local time. 1970-01-01 was a Thursday. */
export const weekdayOf = (local: number): number => (((Math.floor(local / dayMs) + 4) % 7) + 7) % 7

/** The first instant after `at` at which a local hour, day, week (from Monday) or month begins. */
export function nextStart(zone: Zone, unit: Unit, at: Instant): Instant {
  const local = zone.toLocal(at)
  if (unit === 'hour') {
    // Cut where the clock jumps: the hour begins anew there, or ends early.
    const next = at + hourMs - (local - Math.floor(local / hourMs) * hourMs)
    return zone.transitionsBetween(at, next)[0]?.at ?? next
  }
  for (let target = startAfter(unit, local); ; target = startAfter(unit, target)) {
    const start = instantOfLocal(zone, target)
    if (start > at) return start
  }
}

function startAfter(unit: 'day' | 'week' | 'month', local: number): number {
  const midnight = Math.floor(local / dayMs) * dayMs
  if (unit === 'day') return midnight + dayMs
  if (unit === 'week') return midnight + (7 - ((weekdayOf(local) + 6) % 7)) * dayMs
  const date = new Date(midnight)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1)
}

/** The first instant that shows this local time; where the clock jumps over it, the jump. */
function instantOfLocal(zone: Zone, local: number): Instant {
  const [first] = zone.fromLocal(local)
  if (first !== undefined) return first
  const about = local - zone.offsetAt(local)
  return zone.transitionsBetween(about - dayMs, about + dayMs)[0]?.at ?? about
}

/** The beginning of the local hour, day, week or month that holds `at`. */
export function startOf(zone: Zone, unit: Unit, at: Instant): Instant {
  const longest = { hour: hourMs, day: 2 * dayMs, week: 8 * dayMs, month: 33 * dayMs }[unit]
  let start = at - longest
  for (let next = nextStart(zone, unit, start); next <= at; next = nextStart(zone, unit, next)) start = next
  return start
}

/** `Sun 2027-03-28 03:00:00 +02:00`, in UTC `Sun 2027-03-28 01:00:00Z`; milliseconds only when there are some. */
export function zonedText(at: Instant, zone: Zone): string {
  const local = zone.toLocal(at)
  const day = weekdays[weekdayOf(local)] ?? ''
  const iso = new Date(local).toISOString()
  const time = iso.slice(0, 23).replace('T', ' ').replace('.000', '')
  return `${day.slice(0, 1).toUpperCase()}${day.slice(1)} ${time}${offsetText(zone, at)}`
}

function offsetText(zone: Zone, at: Instant): string {
  if (zone.name === 'UTC') return 'Z'
  const offset = zone.offsetAt(at)
  const minutes = Math.floor(Math.abs(offset) / minuteMs)
  const two = (value: number) => String(value).padStart(2, '0')
  return ` ${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
}
