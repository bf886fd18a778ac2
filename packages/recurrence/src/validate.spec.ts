import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compile } from './compile.js'
import { dstNotes } from './notes.js'
import { describe as words } from './text.js'
import { scheduleKind, validateSchedule } from './validate.js'

const problems = (value: unknown, path?: string): readonly string[] => {
  const result = validateSchedule(value, path)
  return result.ok ? [] : result.error.map((problem) => `${problem.path} ${problem.code}`)
}

const daily = { crontab: { expression: '0 9 * * *' } }
const nested = (depth: number): unknown => (depth === 0 ? daily : { union: [nested(depth - 1)] })

describe('validateSchedule', () => {
  it.each([
    [null, 'schedule not_an_object'],
    [[], 'schedule not_an_object'],
    ['daily', 'schedule not_an_object'],
    [new Date(0), 'schedule not_an_object'],
    [{}, 'schedule no_kind'],
    [{ interval: undefined }, 'schedule no_kind'],
    [{ ref: 'nightly' }, 'schedule.ref unknown_key'],
    [{ intervall: {} }, 'schedule.intervall unknown_key'],
    [{ ...daily, timezone: 'UTC' }, 'schedule.timezone unknown_key'],
    [JSON.parse('{"__proto__":{}}'), 'schedule.__proto__ unknown_key'],
    [{ interval: 5 }, 'schedule.interval not_an_object'],
    [{ interval: { every: '5 minutes', period: 'minutes' } }, 'schedule.interval.every not_an_integer'],
    [{ interval: { every: 1, period: 'months' } }, 'schedule.interval.period unknown_period'],
    [{ interval: { every: 0, period: 'days' } }, 'schedule.interval.every too_small'],
    [{ interval: { every: 1e12, period: 'days' } }, 'schedule.interval.every too_large'],
    [{ interval: { evry: 1, period: 'days' } }, 'schedule.interval.evry unknown_key'],
    [{ clocked: {} }, 'schedule.clocked.at bad_instant'],
    [{ clocked: { at: '2026-02-30T00:00:00Z' } }, 'schedule.clocked.at no_such_date'],
    [{ solar: { event: 'noon', latitude: 0, longitude: 0 } }, 'schedule.solar.event unknown_event'],
    [
      { solar: { event: 'sunset', latitude: 90.000001, longitude: 0 } },
      'schedule.solar.latitude out_of_range',
    ],
    [{ crontab: { minute: 5 } }, 'schedule.crontab.minute not_a_string'],
    [{ crontab: { day_of_week: '*' } }, 'schedule.crontab.day_of_week unknown_key'],
    [{ crontab: { timezone: 'Mars/Phobos' } }, 'schedule.crontab.timezone unknown_zone'],
    [{ crontab: { timezone: '' } }, 'schedule.crontab.timezone unknown_zone'],
    [{ crontab: { timezone: '__proto__' } }, 'schedule.crontab.timezone unknown_zone'],
    [{ crontab: { timezone: '../../etc' } }, 'schedule.crontab.timezone unknown_zone'],
    [{ crontab: { timezone: '+25:00' } }, 'schedule.crontab.timezone unknown_zone'],
    [{ crontab: { dayMode: 'xor' } }, 'schedule.crontab.dayMode unknown_choice'],
    [{ crontab: { seconds: 'yes' } }, 'schedule.crontab.seconds not_a_boolean'],
    [{ crontab: { dst: 'skip' } }, 'schedule.crontab.dst not_an_object'],
    [{ crontab: { dst: { gap: 'first-valid' } } }, 'schedule.crontab.dst.gap unknown_choice'],
    [{ crontab: { minute: '*'.repeat(1001) } }, 'schedule.crontab.minute too_long'],
    [{ crontab: { expression: '0 0 31 2 *' } }, 'schedule.crontab.expression never_fires'],
    [{ union: [] }, 'schedule.union empty'],
    [{ union: daily }, 'schedule.union not_a_list'],
    [{ union: Array(21).fill(daily) }, 'schedule.union too_many'],
    [
      { union: [daily, { interval: { every: 0, period: 'days' } }] },
      'schedule.union[1].interval.every too_small',
    ],
    [nested(5), 'schedule.union[0].union[0].union[0].union[0].union too_deep'],
    [{ except: { base: daily } }, 'schedule.except.exclude not_a_list'],
    [{ except: { exclude: [] } }, 'schedule.except.base not_an_object'],
    [{ except: { base: daily, exclude: Array(21).fill(daily) } }, 'schedule.except.exclude too_many'],
    [{ except: { base: { calendar: {} }, exclude: [] } }, 'schedule.except.base.calendar unknown_key'],
    [
      { except: { base: daily, exclude: [{ calendar: {}, ...daily }] } },
      'schedule.except.exclude[0].crontab unknown_key',
    ],
    [
      { except: { base: daily, exclude: [{ calendar: { ref: '' } }] } },
      'schedule.except.exclude[0].calendar.ref bad_reference',
    ],
    [
      { except: { base: daily, exclude: [{ calendar: { ref: 'a', dates: [] } }] } },
      'schedule.except.exclude[0].calendar.dates unknown_key',
    ],
    [
      { except: { base: daily, exclude: [{ calendar: { dates: ['x'] } }] } },
      'schedule.except.exclude[0].calendar.dates[0] bad_date',
    ],
  ])('refuses %j', (value, problem) => {
    expect(problems(value)).toEqual([problem])
  })

  it('marks each kind when two are given, each bad field, and starts paths where it is told', () => {
    expect(problems({ ...daily, solar: {} })).toEqual([
      'schedule.crontab several_kinds',
      'schedule.solar several_kinds',
    ])
    expect(problems({ solar: {} })).toHaveLength(3)
    expect(problems({ interval: { every: 0, period: 'x' } }, '')).toEqual([
      'interval.every too_small',
      'interval.period unknown_period',
    ])
  })

  it('names the nearest key', () => {
    const message = (value: unknown): string => {
      const result = validateSchedule(value)
      return result.ok ? '' : (result.error[0]?.message ?? '')
    }
    expect(message({ crontab: { day_of_week: '*' } })).toContain('did you mean dayOfWeek?')
    expect(message({ Interval: {} })).toContain('did you mean interval?')
    expect(message({ solar: { event: 'sunset', lat: 1, long: 2 } })).toContain(
      'known are event, latitude, longitude',
    )
  })

  it('returns the canonical form and alters nothing else', () => {
    const solar = { event: 'sunset', latitude: -37.81753, longitude: -180 }
    const value = {
      union: [
        {
          crontab: {
            minute: '0',
            hour: '02',
            timezone: 'utc',
            dst: { gap: 'skip' },
            dayMode: 'or',
            seconds: false,
          },
        },
        { solar },
        { clocked: { at: '2026-12-01T00:00:00+02:00' } },
        {
          except: {
            base: { interval: { every: 5, period: 'minutes' } },
            exclude: [
              { calendar: { timezone: 'EUROPE/warsaw', weekdays: ['SAT'] } },
              { calendar: { ref: 'holidays' } },
              daily,
            ],
          },
        },
      ],
    }
    const text = JSON.stringify(value)
      .replace('"utc"', '"UTC"')
      .replace('EUROPE/warsaw', 'Europe/Warsaw')
      .replace('SAT', 'sat')
    const result = validateSchedule(value)
    expect(result).toEqual({ ok: true, value: JSON.parse(text) })
    expect(result.ok && validateSchedule(result.value)).toEqual(result)
  })

  it('takes the limits themselves', () => {
    expect(problems(nested(4))).toEqual([])
    expect(problems({ union: Array(20).fill(daily) })).toEqual([])
    expect(problems({ except: { base: daily, exclude: Array(20).fill(daily) } })).toEqual([])
    const hundredAndOne = { union: Array(5).fill({ union: Array(19).fill(daily) }) }
    expect(problems(hundredAndOne)).toEqual(['schedule.union[4].union[18] too_many'])
  })

  it('bears deep and large values', () => {
    let deep: unknown = daily
    for (let level = 0; level < 100_000; level++) deep = { union: [deep] }
    expect(problems(deep)).toHaveLength(1)
    const wide = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`k${index}`, index]))
    expect(problems(wide).length).toBeLessThanOrEqual(20)
  })
})

describe('scheduleKind', () => {
  it('tells the kind', () => {
    expect(scheduleKind(daily)).toBe('crontab')
    expect(scheduleKind({ except: { base: daily, exclude: [] } })).toBe('except')
  })
})

/** JSON that comes near to schedules: right keys, wrong and right values. */
const near: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<unknown>(
      5,
      'minutes',
      'sunset',
      '0 2 * * *',
      'utc',
      '2026-01-01',
      '2026-01-01T00:00:00Z',
      null,
      -1,
      true,
      '',
    ),
    fc.jsonValue({ maxDepth: 1 }),
    fc.dictionary(
      fc.constantFrom(
        'every',
        'period',
        'event',
        'latitude',
        'longitude',
        'at',
        'minute',
        'timezone',
        'expression',
        'dst',
        'base',
        'exclude',
        'interval',
        'crontab',
        'solar',
        'clocked',
        'union',
        'except',
        'calendar',
        'ref',
        'dates',
        'weekdays',
        '__proto__',
      ),
      tie('value'),
      { maxKeys: 3 },
    ),
    fc.array(tie('value'), { maxLength: 3 }),
  ),
})).value

/** Schedules of every kind that are mostly valid. */
const schedule: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc
      .record({
        every: fc.integer({ min: 1, max: 1e6 }),
        period: fc.constantFrom('days', 'seconds', 'microseconds'),
      })
      .map((interval) => ({ interval })),
    fc
      .record(
        {
          minute: fc.constantFrom('0', '*/7', '5-2'),
          dayOfMonth: fc.constantFrom('*', 'L', '31'),
          dayOfWeek: fc.constantFrom('*', 'fri', '7'),
          timezone: fc.constantFrom('utc', 'Europe/Warsaw'),
        },
        { requiredKeys: [] },
      )
      .map((crontab) => ({ crontab })),
    fc
      .record({
        event: fc.constantFrom('sunset', 'solar_noon'),
        latitude: fc.integer({ min: -90, max: 90 }),
        longitude: fc.integer({ min: -180, max: 180 }),
      })
      .map((solar) => ({ solar })),
    fc.constant({ clocked: { at: '2026-05-05T05:05:05Z' } }),
    fc.array(tie('any'), { minLength: 1, maxLength: 3 }).map((union) => ({ union })),
    fc
      .record({
        base: tie('any'),
        exclude: fc.array(
          fc.oneof(
            tie('any'),
            fc.constantFrom({ calendar: { ref: 'x' } }, { calendar: { weekdays: ['sun'] } }),
          ),
          { maxLength: 2 },
        ),
      })
      .map((except) => ({ except })),
  ),
})).any

describe('whatever the value', () => {
  it('validateSchedule never throws, and agrees with itself', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.jsonValue(),
          fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true }),
          near,
        ),
        (value) => {
          const result = validateSchedule(value)
          if (result.ok) expect(validateSchedule(result.value)).toEqual(result)
          else expect(result.error.length).toBeGreaterThan(0)
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('a valid one compiles, is described, and has growing occurrences', () => {
    let valid = 0
    fc.assert(
      fc.property(schedule, fc.integer({ min: 0, max: 4e12 }), (value, after) => {
        const checked = validateSchedule(value)
        if (!checked.ok) return
        const result = compile(checked.value, { anchor: 1e12, calendar: () => ({ annual: ['12-25'] }) })
        if (!result.ok) throw new Error(JSON.stringify(result.error))
        valid += 1
        expect(words(checked.value)).not.toBe('')
        expect(dstNotes(checked.value, after, after + 4e10).length).toBeLessThanOrEqual(20)
        const next = result.value.next(after)
        if (next === undefined) return
        expect(next).toBeGreaterThan(after)
        expect(result.value.previous(next)).toBe(next)
        expect(result.value.count(after, next)).toBe(1)
      }),
      { numRuns: 300 },
    )
    expect(valid).toBeGreaterThan(200)
  })
})
