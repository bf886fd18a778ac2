/**
 * Solar schedules: dawn, sunrise, noon, sunset and dusk at a place.
 *
 * The sun's position is suncalc's (Meeus). An event belongs to one solar day of the place, the time from one lowest
 * point of the sun to the next, so the events of all days in order are the schedule. A day without the event (polar
 * day, polar night) has no occurrence, and the search goes on with the next day.
 *
 * Instants are rounded to the second: suncalc and Celery's ephem differ by a few seconds anyway, see
 * docs/reference/schedules.md.
 */

import { getTimes, type SunTimeName } from 'suncalc'
import { dayMs, maxInstant, minInstant } from './instant.js'
import { join, nearest, show } from './shape.js'
import type { Instant, Problem, Recurrence, Result, SolarEvent, SolarValue } from './types.js'
import { solarEvents } from './types.js'

/** suncalc's name of the event and the height of the sun's centre, in degrees. Noon has no height. */
const events: Readonly<Record<SolarEvent, readonly [SunTimeName | 'solarNoon', number]>> = {
  dawn_astronomical: ['nightEnd', -18],
  dawn_nautical: ['nauticalDawn', -12],
  dawn_civil: ['dawn', -6],
  sunrise: ['sunrise', -0.833],
  solar_noon: ['solarNoon', 0],
  sunset: ['sunset', -0.833],
  dusk_civil: ['dusk', -6],
  dusk_nautical: ['nauticalDusk', -12],
  dusk_astronomical: ['night', -18],
}

/** Two instants nearer than this are one event found twice, not two. True events are at least hours apart. */
const minGapMs = 3_600_000

/** How far from noon an event of its day can be; what is further was not an event but a failed approximation. */
const maxFromNoonMs = 13 * 3_600_000

/** `next` and `previous` look this far. Only within a few tenths of a degree of a pole does a year lack an event. */
const horizonDays = 101 * 366

/** Enough for a year's catch-up; a full memo is emptied, which bounds it. */
const maxRemembered = 800

/** What is wrong with the parts of a solar schedule, or the schedule. `path` is that of the solar schedule. */
export function parseSolar(event: unknown, lat: unknown, lon: unknown, path: string): Result<SolarValue> {
  const problems: Problem[] = []
  const found = solarEvents.find((name) => name === event)
  if (found === undefined) {
    const near = typeof event === 'string' ? nearest(event, solarEvents) : undefined
    const hint = near === undefined ? '' : `; did you mean ${near}?`
    const message = `${show(event)} is not one of ${solarEvents.join(', ')}${hint}`
    problems.push({ path: join(path, 'event'), code: 'unknown_event', message })
  }
  const latitude = degrees(lat, 90, join(path, 'latitude'), problems)
  const longitude = degrees(lon, 180, join(path, 'longitude'), problems)
  if (found === undefined || latitude === undefined || longitude === undefined) {
    return { ok: false, error: problems }
  }
  return { ok: true, value: { event: found, latitude, longitude } }
}

/** The occurrences of `value` in the years 1970 to 9999. `value` must have passed `parseSolar`. */
export function compileSolar(value: SolarValue): Recurrence {
  const days = new SolarDays(value)
  const last = days.dayOf(maxInstant)
  const first = days.dayOf(minInstant) - 1
  /** The first day from `from` on, going by `step`, with an event that `wanted` takes. */
  const search = (from: number, step: 1 | -1, wanted: (at: Instant) => boolean): Instant | undefined => {
    for (let day = from, left = horizonDays; left > 0 && day >= first && day <= last; day += step, left--) {
      const at = days.at(day)
      if (at !== undefined && wanted(at)) return at <= maxInstant && at >= minInstant ? at : undefined
    }
    return undefined
  }
  return {
    kind: 'solar',
    next: (after) => {
      if (!(after < maxInstant)) return undefined
      const from = Math.max(after, minInstant - 1)
      return search(days.dayOf(from) - 1, 1, (at) => at > from)
    },
    previous: (at) => {
      if (!(at >= minInstant)) return undefined
      const to = Math.min(at, maxInstant)
      return search(days.dayOf(to) + 1, -1, (found) => found <= to)
    },
    count: (after, until) => {
      const [from, to] = [Math.max(after, minInstant - 1), Math.min(until, maxInstant)]
      return from < to ? countDays(days, from, to) : 0
    },
  }
}

/** Where the event happens every day it is the number of days, else one step a day: 7 ms for ten years at 70 N. */
function countDays(days: SolarDays, after: Instant, until: Instant): number {
  const [from, to] = [days.dayOf(after) - 1, days.dayOf(until) + 1]
  const inside = (day: number): number => {
    const at = days.at(day)
    return at !== undefined && at > after && at <= until ? 1 : 0
  }
  let count = 0
  if (days.daily && to - from > 6) {
    for (const day of [from, from + 1, from + 2, to - 2, to - 1, to]) count += inside(day)
    return count + (to - from + 1 - 6)
  }
  for (let day = from; day <= to; day++) count += inside(day)
  return count
}

/** One event at one place, by solar day. A day is a number; day 0 has its noon near 1970-01-01 12:00 local time. */
class SolarDays {
  /** Whether the event happens on every day of every year. */
  readonly daily: boolean
  private readonly name: SunTimeName | 'solarNoon'
  private readonly height: number
  private readonly value: SolarValue
  private readonly memo = new Map<number, Instant | undefined>()

  constructor(value: SolarValue) {
    this.value = value
    const [name, height] = events[value.event]
    this.name = name
    this.height = height
    this.daily = name === 'solarNoon' || this.surely()
  }

  /** The solar day that holds the instant, give or take the 17 minutes by which sundials and clocks differ. */
  dayOf(at: Instant): number {
    return Math.floor(at / dayMs + this.value.longitude / 360)
  }

  /** The event's instant on a day, or `undefined` when it does not happen or was the day before's. */
  at(day: number): Instant | undefined {
    const at = this.raw(day)
    if (at === undefined || this.daily) return at
    const before = this.raw(day - 1)
    return before !== undefined && at - before < minGapMs ? undefined : at
  }

  private raw(day: number): Instant | undefined {
    if (this.memo.has(day)) return this.memo.get(day)
    const at = this.calculate(day)
    if (this.memo.size >= maxRemembered) this.memo.clear()
    this.memo.set(day, at)
    return at
  }

  private calculate(day: number): Instant | undefined {
    const noon = (day + 0.5 - this.value.longitude / 360) * dayMs
    if (this.name !== 'solarNoon' && !this.mayHappen(declination(noon))) return undefined
    // Asked for local noon, suncalc answers for the solar day around it, at every longitude.
    const times = getTimes(new Date(noon), this.value.latitude, this.value.longitude)
    const at = times[this.name]?.getTime()
    if (at === undefined || !(Math.abs(at - noon) < maxFromNoonMs)) return undefined
    return Math.round(at / 1000) * 1000
  }

  /** Whether the sun passes the event's height on a day of this declination, or comes within three degrees of it (which covers the error in far years). */
  private mayHappen(sun: number): boolean {
    const [lowest, highest] = heights(this.value.latitude, sun)
    return lowest < this.height + 3 && highest > this.height - 3
  }

  /** Whether even at the solstices the sun passes the height with a degree to spare. */
  private surely(): boolean {
    return [-23.5, 23.5].every((sun) => {
      const [lowest, highest] = heights(this.value.latitude, sun)
      return lowest < this.height - 1 && highest > this.height + 1
    })
  }
}

/** The sun's height at midnight and at noon, in degrees. */
function heights(latitude: number, sun: number): [lowest: number, highest: number] {
  return [Math.abs(latitude + sun) - 90, 90 - Math.abs(latitude - sun)]
}

/**
 * The sun's declination in degrees, within 0.1 degrees in the years 1970 to 2500 (Astronomical Almanac, low
 * precision). Used only to pass over polar days without suncalc, at a hundredth of its cost.
 */
function declination(at: Instant): number {
  const rad = Math.PI / 180
  const days = at / dayMs - 10957.5
  const anomaly = (357.528 + 0.9856003 * days) * rad
  const longitude = 280.46 + 0.9856474 * days + 1.915 * Math.sin(anomaly) + 0.02 * Math.sin(2 * anomaly)
  return Math.asin(Math.sin(23.44 * rad) * Math.sin(longitude * rad)) / rad
}

/** A number of degrees within the limit, with six decimals at most (the precision of the original's column). */
function degrees(value: unknown, limit: number, path: string, problems: Problem[]): number | undefined {
  const refuse = (code: string, message: string) => problems.push({ path, code, message })
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    refuse('not_a_number', `must be a number of degrees, ${-limit} to ${limit}, not ${show(value)}`)
  } else if (Math.abs(value) > limit) {
    refuse('out_of_range', `must lie within ${-limit} to ${limit} degrees`)
  } else if (Number(value.toFixed(6)) !== value) {
    refuse('too_many_decimals', 'must have at most 6 decimals')
  } else {
    return value === 0 ? 0 : value // not -0
  }
  return undefined
}
