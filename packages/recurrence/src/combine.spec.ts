import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileCalendar } from './calendar.js'
import { compileExcept, compileUnion } from './combine.js'
import { compile } from './compile.js'
import { compileInterval } from './interval.js'
import type { CalendarDays, Recurrence, ScheduleValue } from './types.js'

const hour = 3_600_000
const anchor = Date.UTC(2026, 0, 1)

function compiled(value: ScheduleValue): Recurrence {
  const result = compile(value, { anchor })
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value
}

function walk(recurrence: Recurrence, after: number, until: number): readonly number[] {
  const found: number[] = []
  for (let at = recurrence.next(after); at !== undefined && at <= until; at = recurrence.next(at))
    found.push(at)
  return found
}

/** Schedules that fire now and then within a few months. */
const leaf: fc.Arbitrary<ScheduleValue> = fc.oneof(
  fc
    .record({ every: fc.integer({ min: 1, max: 400 }) })
    .map(({ every }) => ({ interval: { every, period: 'hours' as const } })),
  fc
    .record({
      minute: fc.constantFrom('0', '30', '*/20'),
      hour: fc.constantFrom('0', '2', '3,14', '*/6'),
      dayOfWeek: fc.constantFrom('*', 'mon', 'sat,sun'),
      timezone: fc.constantFrom('UTC', 'Europe/Warsaw', 'America/St_Johns', 'Australia/Lord_Howe'),
    })
    .map((crontab) => ({ crontab })),
  fc.constant<ScheduleValue>({ solar: { event: 'sunrise', latitude: 52, longitude: 21 } }),
  fc
    .integer({ min: 0, max: 2000 })
    .map((hours) => ({ clocked: { at: new Date(anchor + hours * hour).toISOString() } })),
)

const calendarDays: fc.Arbitrary<CalendarDays> = fc.record(
  {
    timezone: fc.constantFrom('UTC', 'Pacific/Auckland', 'America/St_Johns'),
    weekdays: fc.subarray(['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'], { maxLength: 5 }),
    annual: fc.constantFrom(['01-01'], ['02-14', '03-01']),
    ranges: fc.constant([{ from: '2026-01-20', to: '2026-02-20' }]),
  },
  { requiredKeys: [] },
)

const start = fc.integer({ min: -100, max: 1500 }).map((hours) => anchor + hours * hour)
const length = fc.integer({ min: 0, max: 900 }).map((hours) => hours * hour)

function agrees(recurrence: Recurrence, expected: readonly number[], after: number, until: number): void {
  expect(walk(recurrence, after, until)).toEqual(expected)
  expect(recurrence.count(after, until)).toBe(expected.length)
  expect(expected.map((at) => recurrence.previous(at))).toEqual(expected)
  const before = expected.slice(1).map((at) => recurrence.previous(at - 1))
  expect(before).toEqual(expected.slice(0, -1))
}

describe('compileUnion', () => {
  it('agrees with a merged list', () => {
    fc.assert(
      fc.property(fc.array(leaf, { minLength: 1, maxLength: 4 }), start, length, (values, after, window) => {
        const parts = values.map(compiled)
        const until = after + window
        const expected = [...new Set(parts.flatMap((part) => walk(part, after, until)))].sort((a, b) => a - b)
        agrees(compileUnion(parts), expected, after, until)
      }),
      { numRuns: 100 },
    )
  })

  it('of nothing is empty', () => {
    const empty = compileUnion([])
    expect([empty.next(0), empty.previous(0), empty.count(0, 1e12)]).toEqual([undefined, undefined, 0])
  })

  it('counts a dense and a sparse part by walking the sparse one', () => {
    const seconds = compileInterval({ every: 1, period: 'seconds' }, 0)
    const odd = compileInterval({ every: 1, period: 'days' }, 500)
    const years = 20 * 365 * 24 * hour
    expect(compileUnion([odd, seconds]).count(-1, years)).toBe(years / 1000 + 1 + 20 * 365)
  })
})

describe('compileExcept', () => {
  it('agrees with a filtered list', () => {
    fc.assert(
      fc.property(
        leaf,
        fc.array(leaf, { maxLength: 2 }),
        fc.array(calendarDays, { maxLength: 2 }),
        start,
        length,
        (value, excluded, days, after, window) => {
          const [base, schedules, calendars] = [
            compiled(value),
            excluded.map(compiled),
            days.map(compileCalendar),
          ]
          const until = after + window
          const gone = new Set(schedules.flatMap((schedule) => walk(schedule, after, until)))
          const expected = walk(base, after, until).filter(
            (at) => !gone.has(at) && !calendars.some((calendar) => calendar.has(calendar.zone.localDay(at))),
          )
          agrees(compileExcept(base, schedules, calendars), expected, after, until)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('has no occurrence when all are excluded, in bounded work', () => {
    const seconds = compileInterval({ every: 1, period: 'seconds' }, 0)
    const whole = compileCalendar({
      timezone: 'Europe/Warsaw',
      weekdays: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'],
    })
    for (const never of [compileExcept(seconds, [seconds], []), compileExcept(seconds, [], [whole])]) {
      expect(never.next(anchor)).toBeUndefined()
      expect(never.previous(anchor)).toBeUndefined()
    }
    expect(compileExcept(seconds, [], [whole]).count(0, anchor)).toBe(0)
  })

  it('jumps over long excluded stretches', () => {
    const seconds = compileInterval({ every: 1, period: 'seconds' }, 0)
    const calendar = compileCalendar({ ranges: [{ from: '1980-01-01', to: '2069-12-31' }] })
    const except = compileExcept(seconds, [], [calendar])
    expect(except.next(Date.UTC(1980, 0, 1))).toBe(Date.UTC(2070, 0, 1))
    expect(except.previous(Date.UTC(2069, 11, 31))).toBe(Date.UTC(1980, 0, 1) - 1000)
    expect(except.count(Date.UTC(1980, 0, 1) - 1, Date.UTC(2070, 0, 1))).toBe(1)
  })
})
