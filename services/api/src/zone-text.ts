import { type Instant, type ScheduleValue, zone } from '@almanac/recurrence'

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

/** `2026-03-29T03:30:00` in the zone: for people, without an offset. UTC when the zone is not known. */
export function localTime(timeZone: string): (at: Instant) => string {
  const known = zone(timeZone)
  return (at) => new Date(known === undefined ? at : known.toLocal(at)).toISOString().slice(0, 19)
}
