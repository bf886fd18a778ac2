/**
 * Solar schedules: dawn, sunrise, noon, sunset and dusk at a place.
 *
 * The sun is suncalc's (Meeus). The events of all days in order are the schedule; a day without the event
 * (polar day, polar night) has no occurrence, and the search goes on with the next day.
 *
 * suncalc's own search for an event fails on days around the first and last of a season, when the sun only
 * just reaches the height: it then names instants at which the sun is up to 12 degrees elsewhere, or leaves
 * an event out (88 of 4434 events of the oracle). On those days we look for the crossing ourselves, with
 * suncalc's position of the sun.
 *
 * Instants are rounded to the second: suncalc and Celery's ephem differ by a few seconds anyway, see
 * docs/reference/schedules.md.
 */

import { getPosition, getTimes, type SunTimeName } from 'suncalc'
import { dayMs, maxInstant, minInstant } from './instant.js'
import { join, nearest, show } from './shape.js'
import type { Instant, Problem, Recurrence, Result, SolarEvent, SolarValue } from './types.js'
import { solarEvents } from './types.js'

/**
 * suncalc's name of the event, the height of the sun's centre in degrees, and whether the sun rises through
 * it.
 */
const events: Readonly<Record<SolarEvent, readonly [SunTimeName | 'solarNoon', number, boolean]>> = {
  dawn_astronomical: ['nightEnd', -18, true],
  dawn_nautical: ['nauticalDawn', -12, true],
  dawn_civil: ['dawn', -6, true],
  sunrise: ['sunrise', -0.833, true],
  solar_noon: ['solarNoon', 90, true],
  sunset: ['sunset', -0.833, false],
  dusk_civil: ['dusk', -6, false],
  dusk_nautical: ['nauticalDusk', -12, false],
  dusk_astronomical: ['night', -18, false],
}

/**
 * A day is plain when the sun passes the height with this many degrees to spare on both sides, and has no
 * event when it misses it by as many. In between we look ourselves. Covers the sun's drift over a day (0.4)
 * and the error of `declination` (0.1 in our time, 1 in the year 9999).
 */
const marginDegrees = 3

/** Two instants nearer than this are one event found twice, not two. True events are at least hours apart. */
const minGapMs = 3_600_000

/**
 * `next` and `previous` look this far. Only within a few tenths of a degree of a pole does a year lack an
 * event.
 */
const horizonDays = 101 * 366

/** Enough for two years; a full memo is emptied, which bounds it. */
const maxRemembered = 800

/**
 * What is wrong with the parts of a solar schedule, or the schedule. `path` is that of the solar schedule.
 */
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

/**
 * The occurrences of `value` in the years 1970 to 9999. `value` must have passed `parseSolar`.
 *
 * A call costs some tens of microseconds where the event happens every day, and far less for each day of a
 * polar day or night. `count` is arithmetic where the event happens every day, else it looks at each day.
 */
export function compileSolar(value: SolarValue): Recurrence {
  const days = new SolarDays(value)
  const last = days.dayOf(maxInstant) + 1
  const first = days.dayOf(minInstant) - 1
  /** The first event that `wanted` takes, going through the days by `step`. */
  const search = (from: number, step: 1 | -1, wanted: (at: Instant) => boolean): Instant | undefined => {
    for (let day = from, left = horizonDays; left > 0 && day >= first && day <= last; day += step, left--) {
      const events = days.at(day).filter(wanted)
      const at = step > 0 ? events[0] : events.at(-1)
      if (at !== undefined) return at <= maxInstant && at >= minInstant ? at : undefined
    }
    return undefined
  }
  return {
    kind: 'solar',
    next: (after) => {
      if (!(after < maxInstant)) return undefined
      const from = Math.max(after, minInstant - 1)
      return search(days.dayOf(from), 1, (at) => at > from)
    },
    previous: (at) => {
      if (!(at >= minInstant)) return undefined
      const to = Math.min(at, maxInstant)
      return search(days.dayOf(to), -1, (found) => found <= to)
    },
    count: (after, until) => {
      const [from, to] = [Math.max(after, minInstant - 1), Math.min(until, maxInstant)]
      return from < to ? countDays(days, from, to) : 0
    },
  }
}

function countDays(days: SolarDays, after: Instant, until: Instant): number {
  const [from, to] = [days.dayOf(after), days.dayOf(until)]
  const inside = (day: number): number => days.at(day).filter((at) => at > after && at <= until).length
  if (days.daily && to > from) return inside(from) + inside(to) + (to - from - 1)
  let count = 0
  for (let day = from; day <= to; day++) count += inside(day)
  return count
}

const none: readonly Instant[] = []

/** One event at one place, by solar day: from one mean midnight of the place to the next. */
class SolarDays {
  /** Whether the event happens once on every day of every year. */
  readonly daily: boolean
  private readonly value: SolarValue
  private readonly name: SunTimeName | 'solarNoon'
  private readonly height: number
  private readonly rising: boolean
  private readonly memo = new Map<number, readonly Instant[]>()

  constructor(value: SolarValue) {
    const [name, height, rising] = events[value.event]
    this.value = value
    this.name = name
    this.height = height
    this.rising = rising
    this.daily = name === 'solarNoon' || (this.passes(23.5) === 'surely' && this.passes(-23.5) === 'surely')
  }

  /** The day that holds the instant. */
  dayOf(at: Instant): number {
    const day = Math.floor(at / dayMs + this.value.longitude / 360)
    // The rounding of `startOf` may put the first or last millisecond of a day on its other side.
    return at < this.startOf(day) ? day - 1 : at >= this.startOf(day + 1) ? day + 1 : day
  }

  /** The day's events in order: one, none, or, where the sun grazes the height around midnight, two. */
  at(day: number): readonly Instant[] {
    const found = this.memo.get(day)
    if (found !== undefined) return found
    const calculated = this.calculate(day)
    if (this.memo.size >= maxRemembered) this.memo.clear()
    this.memo.set(day, calculated)
    return calculated
  }

  private startOf(day: number): Instant {
    return Math.round((day - this.value.longitude / 360) * dayMs)
  }

  private calculate(day: number): readonly Instant[] {
    const noon = this.startOf(day) + dayMs / 2
    const passes = this.name === 'solarNoon' ? 'surely' : this.passes(declination(noon))
    if (passes === 'never') return none
    if (passes === 'perhaps') return this.crossings(this.startOf(day), this.startOf(day + 1))
    // Asked for local noon, suncalc answers for the solar day around it, at every longitude.
    const at = getTimes(new Date(noon), this.value.latitude, this.value.longitude)[this.name]
    return at === null ? none : [roundToSecond(at.getTime())]
  }

  /** Whether the sun passes the event's height on a day on which it has this declination. */
  private passes(sun: number): 'surely' | 'perhaps' | 'never' {
    // At a pole the sun takes half a year to rise and to set: no day has the event. Celery finds none either.
    if (Math.abs(this.value.latitude) === 90) return 'never'
    const lowest = Math.abs(this.value.latitude + sun) - 90
    const highest = 90 - Math.abs(this.value.latitude - sun)
    if (lowest > this.height + marginDegrees || highest < this.height - marginDegrees) return 'never'
    return lowest < this.height - marginDegrees && highest > this.height + marginDegrees
      ? 'surely'
      : 'perhaps'
  }

  /**
   * Looks for the event in `[from, to)`: samples the sun's height, also where it turns between two samples,
   * and bisects where it passes the event's height in the event's direction.
   */
  private crossings(from: Instant, to: Instant): readonly Instant[] {
    const above = (at: Instant): number => (this.rising ? 1 : -1) * (this.heightAt(at) - this.height)
    const step = (to - from) / samples
    const points: [Instant, number][] = []
    for (let index = -1; index <= samples + 1; index++) {
      const at = index === samples ? to : from + index * step
      points.push([at, above(at)])
    }
    const found: Instant[] = []
    for (const [low, high] of risesBetween(points, above)) {
      const at = bisect(low, high, above)
      if (at < from || at >= to || at - (found.at(-1) ?? -Infinity) < minGapMs) continue
      found.push(roundToSecond(at))
    }
    return found
  }

  /** The height of the sun's centre in degrees, without the air's refraction. */
  private heightAt(at: Instant): number {
    return getPosition(new Date(at), this.value.latitude, this.value.longitude).altitude - refraction
  }
}

/** Samples of a day; every 20 minutes. */
const samples = 72

/**
 * What suncalc adds to every height below the horizon, in degrees (Meeus 16.4 at height 0). Above the
 * horizon it adds less, which does not matter here: no event lies there.
 */
const refraction = (0.0002967 / Math.tan(0.00312536 / 0.08901179)) * (180 / Math.PI)

/**
 * The stretches in which `above` goes from below 0 to 0 or more, in order. `points` has a sample more at
 * each end.
 */
function risesBetween(
  points: readonly (readonly [Instant, number])[],
  above: (at: Instant) => number,
): readonly (readonly [Instant, Instant])[] {
  const dense: (readonly [Instant, number])[] = []
  for (const [index, point] of points.entries()) {
    const [before, after] = [points[index - 1], points[index + 1]]
    const turn = before && after && turnWithin(before, point, after, above)
    if (turn !== undefined && turn[0] < point[0]) dense.push(turn)
    dense.push(point)
    if (turn !== undefined && turn[0] > point[0]) dense.push(turn)
  }
  const rises: [Instant, Instant][] = []
  for (const [index, [at, value]] of dense.entries()) {
    const before = dense[index - 1]
    if (before !== undefined && before[1] < 0 && value >= 0) rises.push([before[0], at])
  }
  return rises
}

type Sample = readonly [Instant, number]

/**
 * The turning point around `middle`, when it lies on the other side of 0 than all three samples; else
 * nothing.
 */
function turnWithin(
  before: Sample,
  middle: Sample,
  after: Sample,
  above: (at: Instant) => number,
): Sample | undefined {
  const sign = middle[1] < 0 ? -1 : 1
  const size = (sample: Sample): number => sample[1] * sign
  if (!(size(before) > size(middle) && size(after) >= size(middle) && size(middle) < 1)) return undefined
  let [low, high] = [before[0], after[0]]
  while (high - low > 1000) {
    const [left, right] = [low + (high - low) / 3, high - (high - low) / 3]
    if (above(left) * sign < above(right) * sign) high = right
    else low = left
  }
  const value = above(low)
  return value * sign < 0 ? [low, value] : undefined
}

/** Where `above` passes 0 between `low`, where it is below, and `high`, to the millisecond. */
function bisect(low: Instant, high: Instant, above: (at: Instant) => number): Instant {
  let [from, to] = [low, high]
  while (to - from > 1) {
    const middle = (from + to) / 2
    if (above(middle) < 0) from = middle
    else to = middle
  }
  return to
}

function roundToSecond(at: number): Instant {
  return Math.round(at / 1000) * 1000
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

/**
 * A number of degrees within the limit, with six decimals at most (the precision of the original's column).
 */
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
