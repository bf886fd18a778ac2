import type { Instant, ScheduleValue } from '@almanac/recurrence'

/** The zone in which a schedule is best read: its crontab's, else UTC. */
export function zoneOf(schedule: ScheduleValue | null): string {
  if (schedule === null) return 'UTC'
  if ('crontab' in schedule) return schedule.crontab.timezone ?? 'UTC'
  if ('except' in schedule) return zoneOf(schedule.except.base)
  if ('union' in schedule) {
    const zones = new Set(schedule.union.map(zoneOf))
    return zones.size === 1 ? ([...zones][0] ?? 'UTC') : 'UTC'
  }
  return 'UTC'
}

const formats = new Map<string, Intl.DateTimeFormat>()
const maxFormats = 500

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone)
  if (known !== undefined) return known
  if (formats.size === maxFormats) formats.clear()
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone,
    dateStyle: 'short',
    timeStyle: 'medium',
  })
  formats.set(timeZone, format)
  return format
}

/** `2026-03-29T03:30:00` in the zone: for people, without an offset. */
export function localTime(timeZone: string): (at: Instant) => string {
  const format = formatOf(timeZone)
  return (at) => format.format(at).replace(' ', 'T')
}
