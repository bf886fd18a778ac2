import { describe, expect, it } from 'vitest'
import { compile, firstN, nthAfter } from './compile.js'
import type { CompileContext, Recurrence, ScheduleValue } from './types.js'

const anchor = Date.UTC(2026, 0, 1)

function compiled(value: ScheduleValue, context: CompileContext = { anchor }): Recurrence {
  const result = compile(value, context)
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value
}

const texts = (recurrence: Recurrence, after: number, n: number): readonly string[] =>
  firstN(recurrence, after, n).map((at) => new Date(at).toISOString().slice(0, 16))

describe('compile', () => {
  it('compiles every kind', () => {
    const daily: ScheduleValue = { crontab: { expression: '0 9 * * *', timezone: 'Europe/Warsaw' } }
    for (const [value, kind] of [
      [{ interval: { every: 5, period: 'minutes' } }, 'interval'],
      [daily, 'crontab'],
      [{ solar: { event: 'sunset', latitude: 0, longitude: 0 } }, 'solar'],
      [{ clocked: { at: '2026-12-01T00:00:00Z' } }, 'clocked'],
      [{ union: [daily] }, 'union'],
      [{ except: { base: daily, exclude: [] } }, 'except'],
    ] as const) {
      const recurrence = compiled(value)
      expect(recurrence.kind).toBe(kind)
      expect(recurrence.next(anchor)).toBeGreaterThan(anchor)
    }
  })

  it('names the field and the rule', () => {
    expect(compile({ interval: { every: 0, period: 'minutes' } }, { anchor })).toEqual({
      ok: false,
      error: [{ path: 'interval.every', code: 'too_small', message: 'must be 1 or more' }],
    })
  })

  const workdays: ScheduleValue = {
    except: {
      base: { crontab: { expression: '0 9 * * *', timezone: 'Europe/Warsaw' } },
      exclude: [
        { calendar: { ref: 'holidays' } },
        { crontab: { expression: '0 9 * * sat,sun', timezone: 'Europe/Warsaw' } },
      ],
    },
  }

  it('looks up shared calendars', () => {
    const holidays = { timezone: 'Europe/Warsaw', annual: ['01-01', '01-06'] }
    const recurrence = compiled(workdays, {
      anchor,
      calendar: (name) => (name === 'holidays' ? holidays : undefined),
    })
    expect(texts(recurrence, anchor - 1, 4)).toEqual([
      '2026-01-02T08:00',
      '2026-01-05T08:00',
      '2026-01-07T08:00',
      '2026-01-08T08:00',
    ])
  })

  it('refuses an unknown calendar, and a known one that is wrong', () => {
    const problems = (context: CompileContext): unknown => {
      const result = compile(workdays, context)
      return result.ok ? [] : result.error.map(({ path, code }) => `${path} ${code}`)
    }
    expect(problems({ anchor })).toEqual(['except.exclude[0].calendar.ref unknown_calendar'])
    expect(problems({ anchor, calendar: () => undefined })).toEqual([
      'except.exclude[0].calendar.ref unknown_calendar',
    ])
    expect(problems({ anchor, calendar: () => ({ dates: ['x'] }) })).toEqual([
      'except.exclude[0].calendar.dates[0] bad_date',
    ])
  })
})

describe('firstN and nthAfter', () => {
  const minutes = compiled({ interval: { every: 1, period: 'minutes' } })
  const crontab = compiled({ crontab: { expression: '* * * * *' } })

  it('list and step alike', () => {
    for (const recurrence of [minutes, crontab]) {
      const list = firstN(recurrence, anchor, 50)
      expect(list).toHaveLength(50)
      for (const n of [1, 2, 50]) expect(nthAfter(recurrence, anchor, n)).toBe(list[n - 1])
    }
  })

  it('keep their limits', () => {
    expect(firstN(minutes, anchor, 5000)).toHaveLength(1000)
    expect(firstN(minutes, anchor, 0)).toEqual([])
    expect(nthAfter(minutes, anchor, 1e9)).toBe(anchor + 6e13)
    expect(nthAfter(minutes, anchor, 1e12)).toBeUndefined()
    expect(nthAfter(crontab, anchor, 10_000)).toBe(anchor + 10_000 * 60_000)
    expect(() => nthAfter(crontab, anchor, 10_001)).toThrow(RangeError)
    expect(() => nthAfter(minutes, anchor, 0)).toThrow(RangeError)
    expect(() => nthAfter(minutes, anchor, 1.5)).toThrow(RangeError)
  })

  it('end where the schedule ends', () => {
    const once = compiled({ clocked: { at: '2026-12-01T00:00:00Z' } })
    expect(firstN(once, anchor, 10)).toEqual([Date.UTC(2026, 11, 1)])
    expect(nthAfter(once, anchor, 2)).toBeUndefined()
  })
})
