import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { getPosition } from 'suncalc'
import { describe, expect, it } from 'vitest'
import { dayMs, maxInstant } from './instant.js'
import { compileSolar, parseSolar } from './solar.js'
import type { SolarEvent } from './types.js'
import { solarEvents } from './types.js'

interface Row {
  readonly id: string
  readonly event: SolarEvent
  readonly lat: number
  readonly lon: number
  readonly ref: string
  readonly next: readonly string[]
  readonly gave_up?: boolean
  readonly next_if_last_run_is_event_s?: number
  readonly indep_verdict: string
}

const oracle: { meta: { bad_args: { args: unknown[] }[] }; cases: readonly Row[] } = JSON.parse(
  readFileSync(new URL('../oracle/solar.oracle.json', import.meta.url), 'utf8'),
)

const place = (event: SolarEvent, latitude: number, longitude: number) =>
  compileSolar({ event, latitude, longitude })

const heights: Partial<Record<SolarEvent, number>> = {
  dawn_astronomical: -18,
  dawn_nautical: -12,
  dawn_civil: -6,
  sunrise: -0.833,
  sunset: -0.833,
  dusk_civil: -6,
  dusk_nautical: -12,
  dusk_astronomical: -18,
}

/** suncalc adds the air's refraction at the horizon, 0.48 degrees, to all heights below it. */
const heightAt = (at: number, lat: number, lon: number): number =>
  getPosition(new Date(at), lat, lon).altitude - 0.4838

/** How far from Celery's instant ours may be: what the oracle's README says. */
function toleranceMs(latitude: number): number {
  return Math.abs(latitude) < 60 ? 30_000 : Math.abs(latitude) <= 75 ? 120_000 : 600_000
}

/** Compares the oracle's instants with ours, each asked from the one before. Answers one kind for each instant. */
function kindsOf(row: Row): readonly string[] {
  const recurrence = place(row.event, row.lat, row.lon)
  let ref = Date.parse(row.ref)
  return row.next.map((text) => {
    const theirs = Date.parse(text)
    const ours = recurrence.next(ref)
    ref = Math.max(theirs + 60_000, ours ?? 0)
    if (row.gave_up) return ours === undefined ? 'none: Celery gave up' : `unlisted: ${row.id}`
    if (ours === undefined) return `unlisted: ${row.id}`
    if (Math.abs(ours - theirs) <= toleranceMs(row.lat)) return 'within the tolerance'
    ref = theirs + 60_000
    const grazes = row.indep_verdict === 'celery_earlier' || row.indep_verdict === 'celery_later'
    const exact = Math.abs(heightAt(ours, row.lat, row.lon) - (heights[row.event] ?? 90)) < 0.02
    return grazes && exact ? 'a grazing day more or less' : `unlisted: ${row.id} ${text}`
  })
}

describe('the solar oracle', () => {
  it('agrees, or differs in a listed way', () => {
    const counts: Record<string, number> = {}
    for (const kind of oracle.cases.flatMap(kindsOf)) counts[kind] = (counts[kind] ?? 0) + 1
    expect(counts).toEqual({
      'within the tolerance': 4431,
      'none: Celery gave up': 84,
      'a grazing day more or less': 3,
    })
  })

  it('never answers the same event again, where Celery does', () => {
    const again = oracle.cases.filter((row) => row.next_if_last_run_is_event_s !== undefined)
    expect(again.length).toBeGreaterThan(0)
    for (const row of again) {
      const recurrence = place(row.event, row.lat, row.lon)
      const first = recurrence.next(Date.parse(row.ref)) ?? 0
      expect((recurrence.next(first) ?? 0) - first).toBeGreaterThan(3_600_000)
    }
  })

  it('refuses the arguments that Celery refuses', () => {
    for (const { args } of oracle.meta.bad_args) {
      expect(parseSolar(args[0], args[1], args[2], 'solar').ok).toBe(false)
    }
  })
})

/** CELERY.md 2.3, acceptance case 12. The order is that of `solarEvents`. */
describe.each([
  [
    'New York',
    40.7128,
    -74.006,
    '2024-03-20T04:00:00Z',
    '09:26:44 09:59:17 10:31:13 10:58:30 17:03:16 23:08:43 23:36:03 +00:08:05 +00:40:44',
  ],
  [
    'Melbourne',
    -37.81753,
    144.96715,
    '2024-06-20T14:00:00Z',
    '20:01:17 20:33:18 21:06:16 21:35:45 +02:21:57 +07:08:11 +07:37:39 +08:10:37 +08:42:38',
  ],
  [
    'Greenwich',
    51.4769,
    0,
    '2024-12-21T00:00:00Z',
    '05:59:03 06:39:50 07:23:01 08:03:17 11:58:17 15:53:17 16:33:33 17:16:44 17:57:31',
  ],
  [
    'Quito',
    -0.1807,
    -78.4678,
    '2024-09-22T05:00:00Z',
    '09:54:26 10:18:25 10:42:25 11:03:05 17:06:19 23:09:33 23:30:13 23:54:12 +00:18:12',
  ],
])('%s', (_, latitude, longitude, from, times) => {
  it.each(solarEvents.map((event, index) => [event, times.split(' ')[index] ?? '']))(
    '%s at %s',
    (event, time) => {
      const midnight = Math.floor(Date.parse(from) / dayMs) * dayMs + (time.startsWith('+') ? dayMs : 0)
      const expected = Date.parse(`1970-01-01T${time.replace('+', '')}Z`) + midnight
      const ours = place(event, latitude, longitude).next(Date.parse(from)) ?? 0
      expect(Math.abs(ours - expected)).toBeLessThanOrEqual(5000)
    },
  )
})

describe('compileSolar', () => {
  it('has no sunrise at 78 N in December and resumes in February', () => {
    const next = place('sunrise', 78.22, 15.65).next(Date.UTC(2024, 11, 1)) ?? 0
    expect(new Date(next).toISOString().slice(0, 7)).toBe('2025-02')
  })

  it('has no sunrise at the poles, but noon', () => {
    expect(place('sunrise', 90, 0).next(0)).toBeUndefined()
    expect(place('sunrise', 90, 0).previous(maxInstant)).toBeUndefined()
    expect(place('dusk_civil', -90, 0).count(0, 1e12)).toBe(0)
    expect(place('solar_noon', 90, 0).next(0)).toBeLessThan(dayMs)
  })

  it('names only instants at which the sun is where it should be', () => {
    for (const [latitude, event] of [
      [64.1466, 'dawn_astronomical'],
      [-54.8019, 'dawn_nautical'],
      [66.5622, 'sunset'],
      [82.5018, 'dusk_astronomical'],
      [89.9, 'sunrise'],
    ] as const) {
      const recurrence = place(event, latitude, -21.9426)
      let at = Date.UTC(2026, 0, 1)
      for (let step = 0; step < 400; step++) {
        at = recurrence.next(at) ?? maxInstant
        expect(Math.abs(heightAt(at, latitude, -21.9426) - (heights[event] ?? 0))).toBeLessThan(0.02)
      }
    }
  })

  it('is the same at 180 E and 180 W, give or take a second', () => {
    const [east, west] = [place('sunset', 10, 180), place('sunset', 10, -180)]
    let at = Date.UTC(2026, 0, 1)
    for (let step = 0; step < 370; step++) {
      const next = east.next(at) ?? 0
      expect(Math.abs((west.next(at) ?? 0) - next)).toBeLessThanOrEqual(1000)
      at = next + 2000
    }
  })

  const value = fc.record({
    event: fc.constantFrom(...solarEvents),
    latitude: fc.oneof(
      fc.integer({ min: -90, max: 90 }),
      fc.integer({ min: -90_000_000, max: 90_000_000 }).map((micro) => micro / 1e6),
    ),
    longitude: fc.integer({ min: -180_000_000, max: 180_000_000 }).map((micro) => micro / 1e6),
  })
  const instant = fc.integer({ min: 0, max: 4_000_000_000_000 })

  it('grows strictly, an hour at least, in whole seconds; previous is the inverse of next; count walks', () => {
    fc.assert(
      fc.property(value, instant, (solar, from) => {
        const recurrence = compileSolar(solar)
        let at = from
        let steps = 0
        for (; steps < 40; steps++) {
          const next = recurrence.next(at)
          if (next === undefined) break
          expect(next % 1000).toBe(0)
          expect(next - at).toBeGreaterThan(steps === 0 ? 0 : 3_600_000)
          expect(recurrence.previous(next)).toBe(next)
          if (steps > 0) expect(recurrence.previous(next - 1)).toBe(at)
          at = next
        }
        expect(recurrence.count(from, at)).toBe(steps)
      }),
      { numRuns: 150 },
    )
  })

  it('counts long stretches by arithmetic where the event happens daily', () => {
    const recurrence = place('sunset', 40, -74)
    expect(recurrence.count(0, Date.UTC(2070, 0, 1))).toBe(36525)
    expect(place('sunset', 70, -74).count(0, Date.UTC(1980, 0, 1))).toBeLessThan(3653)
  })

  it('lies within the years 1970 to 9999', () => {
    const recurrence = place('sunset', 52, 21)
    expect(recurrence.next(-Infinity)).toBeGreaterThanOrEqual(0)
    expect(recurrence.previous(-1)).toBeUndefined()
    expect(recurrence.next(maxInstant)).toBeUndefined()
    expect(recurrence.previous(Infinity)).toBeLessThanOrEqual(maxInstant)
    expect(recurrence.count(Number.NaN, 5)).toBe(0)
  })
})

describe('parseSolar', () => {
  const codes = (event: unknown, latitude: unknown, longitude: unknown): readonly string[] => {
    const result = parseSolar(event, latitude, longitude, 'solar')
    return result.ok ? [] : result.error.map((problem) => `${problem.path} ${problem.code}`)
  }

  it.each([
    [90, 180],
    [-90, -180],
    [0, 0],
    [-37.81753, 144.96715],
    [1.000001, 0.1],
  ])('takes %s, %s', (latitude, longitude) => {
    expect(codes('sunset', latitude, longitude)).toEqual([])
  })

  it.each([
    [91, 0, 'solar.latitude out_of_range'],
    [90.000001, 0, 'solar.latitude out_of_range'],
    [-90.0001, 0, 'solar.latitude out_of_range'],
    [0, 181, 'solar.longitude out_of_range'],
    [0, -180.000001, 'solar.longitude out_of_range'],
    [1.0000001, 0, 'solar.latitude too_many_decimals'],
    [1e-9, 0, 'solar.latitude too_many_decimals'],
    ['51N', 0, 'solar.latitude not_a_number'],
    [Number.NaN, 0, 'solar.latitude not_a_number'],
    [undefined, 0, 'solar.latitude not_a_number'],
  ])('refuses %s, %s', (latitude, longitude, problem) => {
    expect(codes('sunset', latitude, longitude)).toEqual([problem])
  })

  it('names the events and the nearest', () => {
    const result = parseSolar('sunrize', 0, 0, 'solar')
    expect(result.ok ? '' : result.error[0]?.message).toContain('dusk_astronomical; did you mean sunrise?')
  })
})
