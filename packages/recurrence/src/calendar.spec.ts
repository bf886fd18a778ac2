import { describe, expect, it } from 'vitest'
import {
  calendarStretches,
  compileCalendar,
  excludedSince,
  excludedUntil,
  parseCalendar,
} from './calendar.js'
import { dayMs } from './instant.js'
import type { CalendarDays } from './types.js'

const at = (text: string): number => Date.parse(text)
const has = (days: CalendarDays, instant: string): boolean => {
  const calendar = compileCalendar(days)
  return calendar.has(calendar.zone.localDay(at(instant)))
}

describe('compileCalendar', () => {
  it('knows dates, yearly days, weekdays and ranges', () => {
    const days: CalendarDays = {
      dates: ['2026-05-04'],
      annual: ['12-25', '02-29'],
      weekdays: ['sun'],
      ranges: [
        { from: '2026-08-10', to: '2026-08-20' },
        { from: '2026-08-01', to: '2026-08-10' },
        { from: '2026-08-05', to: '2026-08-06' },
      ],
    }
    for (const [day, expected] of [
      ['2026-05-04', true],
      ['2026-05-05', false],
      ['2030-12-25', true],
      ['2028-02-29', true],
      ['2027-03-01', false],
      ['2026-11-22', true],
      ['2026-07-31', false],
      ['2026-08-01', true],
      ['2026-08-15', true],
      ['2026-08-20', true],
      ['2026-08-21', false],
    ] as const) {
      expect([day, has(days, `${day}T12:00:00Z`)]).toEqual([day, expected])
    }
  })

  it('turns instants into days of its own zone', () => {
    const days = { timezone: 'Pacific/Auckland', dates: ['2026-01-01'] }
    expect(has(days, '2025-12-31T10:59:59Z')).toBe(false)
    expect(has(days, '2025-12-31T11:00:00Z')).toBe(true)
    expect(has(days, '2026-01-01T10:59:59Z')).toBe(true)
    expect(has(days, '2026-01-01T11:00:00Z')).toBe(false)
  })

  it('knows the days before 1970', () => {
    const calendar = compileCalendar({ weekdays: ['wed'] })
    expect([calendar.has(-1), calendar.has(0), calendar.has(-8)]).toEqual([true, false, true])
  })
})

describe('stretches of excluded instants', () => {
  it('lists them in order, as long as the local days are', () => {
    const calendar = compileCalendar({ timezone: 'Europe/Warsaw', weekdays: ['sat', 'sun'] })
    expect(calendarStretches(calendar, at('2026-03-27T00:00:00Z'), at('2026-04-05T00:00:00Z'))).toEqual([
      [at('2026-03-27T23:00:00Z'), at('2026-03-29T22:00:00Z')], // 47 hours: the clocks go forward
      [at('2026-04-03T22:00:00Z'), at('2026-04-05T00:00:00Z')],
    ])
  })

  it('has both parts of a day which the clocks enter twice', () => {
    // At 00:01 on 2006-10-29 St John's went back to 23:01 on the 28th.
    const calendar = compileCalendar({ timezone: 'America/St_Johns', dates: ['2006-10-28'] })
    expect(calendarStretches(calendar, at('2006-10-27T00:00:00Z'), at('2006-10-31T00:00:00Z'))).toEqual([
      [at('2006-10-28T02:30:00Z'), at('2006-10-29T02:30:00Z')],
      [at('2006-10-29T02:31:00Z'), at('2006-10-29T03:30:00Z')],
    ])
  })

  it('agrees with looking at each quarter of an hour', () => {
    const days = {
      weekdays: ['mon', 'tue'],
      annual: ['12-31'],
      ranges: [{ from: '2011-12-20', to: '2011-12-29' }],
    }
    for (const timezone of ['Pacific/Apia', 'America/St_Johns', 'America/Santiago', 'Asia/Kolkata', 'UTC']) {
      const calendar = compileCalendar({ timezone, ...days })
      const [from, until] = [at('2011-03-01T00:00:00Z'), at('2012-02-01T00:07:00Z')]
      const stretches = calendarStretches(calendar, from, until)
      let index = 0
      const wrong: number[] = []
      for (let instant = from; instant < until; instant += 900_000) {
        while ((stretches[index]?.[1] ?? Infinity) <= instant) index += 1
        const [start, end] = stretches[index] ?? [Infinity, Infinity]
        const inside = start <= instant
        if (inside !== calendar.has(calendar.zone.localDay(instant))) wrong.push(instant)
        if (!inside) continue
        const [since, next] = [excludedSince(calendar, instant), excludedUntil(calendar, instant)]
        if (since > instant || (since < start && since >= from)) wrong.push(instant)
        if (next <= instant || (next > end && next <= until)) wrong.push(instant)
      }
      expect(wrong).toEqual([])
    }
  })

  it('jumps 400 days at most', () => {
    const calendar = compileCalendar({ weekdays: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] })
    expect(excludedUntil(calendar, 0)).toBe(400 * dayMs)
    expect(excludedSince(calendar, 0)).toBe(-399 * dayMs)
  })
})

describe('parseCalendar', () => {
  it('gives the canonical form', () => {
    const days = { timezone: 'europe/warsaw', weekdays: ['SAT', 'Sun'], dates: [], annual: ['02-29'] }
    expect(parseCalendar(days, 'c')).toEqual({
      ok: true,
      value: { timezone: 'Europe/Warsaw', weekdays: ['sat', 'sun'], dates: [], annual: ['02-29'] },
    })
  })

  it.each([
    [[], 'c not_an_object'],
    [{ date: [] }, 'c.date unknown_key'],
    [{ timezone: 'Mars/Phobos' }, 'c.timezone unknown_zone'],
    [{ timezone: 5 }, 'c.timezone unknown_zone'],
    [{ dates: '2026-01-01' }, 'c.dates not_a_list'],
    [{ dates: ['2026-02-30'] }, 'c.dates[0] bad_date'],
    [{ dates: ['2026-1-1'] }, 'c.dates[0] bad_date'],
    [{ dates: Array(2001).fill('2026-01-01') }, 'c.dates too_many'],
    [{ annual: ['02-30'] }, 'c.annual[0] bad_date'],
    [{ annual: ['2026-02-01'] }, 'c.annual[0] bad_date'],
    [{ weekdays: ['saturday'] }, 'c.weekdays[0] bad_weekday'],
    [{ weekdays: [6] }, 'c.weekdays[0] bad_weekday'],
    [{ ranges: [['2026-01-01', '2026-01-02']] }, 'c.ranges[0] not_an_object'],
    [{ ranges: [{ from: '2026-01-02', to: '2026-01-01' }] }, 'c.ranges[0] range_reversed'],
    [{ ranges: [{ from: '2026-01-02', to: '2026-01-40' }] }, 'c.ranges[0].to bad_date'],
    [{ ranges: [{ from: '2026-01-02', to: '2026-01-03', till: 1 }] }, 'c.ranges[0].till unknown_key'],
  ])('refuses %j: %s', (days, problem) => {
    const result = parseCalendar(days, 'c')
    expect(result.ok ? [] : result.error.map(({ path, code }) => `${path} ${code}`)).toEqual([problem])
  })

  it('takes 2000 dates and stops at 20 problems', () => {
    expect(parseCalendar({ dates: Array(2000).fill('2026-01-01') }, 'c').ok).toBe(true)
    const result = parseCalendar({ dates: Array(2000).fill('x') }, 'c')
    expect(result.ok ? 0 : result.error.length).toBe(20)
  })
})
