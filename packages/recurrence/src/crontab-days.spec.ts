import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileCrontab, parseCrontab } from './crontab.js'
import type { CrontabValue, Instant } from './types.js'

// The day fields against a walk over every day, with each rule said again in the plainest words.

const dayMs = 86_400_000

interface DayPart {
  readonly text: string
  readonly any?: boolean
  readonly holds: (date: Date) => boolean
}

const lastOfMonth = (date: Date): number =>
  new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate()

/** Tries the day itself, then the days before and after it, for one that is in the month and is a workday. */
function nearestWorkday(date: Date, day: number): number {
  for (const candidate of [day, day - 1, day + 1, day - 2, day + 2]) {
    if (candidate < 1 || candidate > lastOfMonth(date)) continue
    const weekday = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), candidate)).getUTCDay()
    if (weekday !== 0 && weekday !== 6) return candidate
  }
  return 0
}

const names = ['sun', 'MON', 'Tuesday', 'wed', 'thurs', 'fri', 'sat']
const star: DayPart = { text: '*', any: true, holds: () => true }
const weekday = fc.integer({ min: 0, max: 7 })

const dayOfMonth: fc.Arbitrary<DayPart> = fc.oneof(
  fc.constant(star),
  fc.constant<DayPart>({ text: '?', any: true, holds: () => true }),
  fc.constant<DayPart>({ text: 'L', holds: (date) => date.getUTCDate() === lastOfMonth(date) }),
  fc.constant<DayPart>({
    text: 'LW',
    holds: (date) => date.getUTCDate() === nearestWorkday(date, lastOfMonth(date)),
  }),
  fc.integer({ min: 1, max: 30 }).map((back) => ({
    text: `L-${back}`,
    holds: (date: Date) => date.getUTCDate() === lastOfMonth(date) - back,
  })),
  fc.integer({ min: 1, max: 31 }).map((day) => ({
    text: `${day}W`,
    holds: (date: Date) => day <= lastOfMonth(date) && date.getUTCDate() === nearestWorkday(date, day),
  })),
  fc.array(fc.integer({ min: 1, max: 31 }), { minLength: 1, maxLength: 4 }).map((days) => ({
    text: days.join(', '),
    holds: (date: Date) => days.includes(date.getUTCDate()),
  })),
)

const dayOfWeek: fc.Arbitrary<DayPart> = fc.oneof(
  fc.constant(star),
  fc.tuple(weekday, fc.integer({ min: 1, max: 5 })).map(([day, nth]) => ({
    text: `${day < 7 ? names[day] : 7}#${nth}`,
    holds: (date: Date) => date.getUTCDay() === day % 7 && Math.ceil(date.getUTCDate() / 7) === nth,
  })),
  weekday.map((day) => ({
    text: `${day}L`,
    holds: (date: Date) => date.getUTCDay() === day % 7 && date.getUTCDate() + 7 > lastOfMonth(date),
  })),
  fc.array(weekday, { minLength: 1, maxLength: 3 }).map((days) => ({
    text: days.map((day) => names[day] ?? '7').join(),
    holds: (date: Date) => days.some((day) => day % 7 === date.getUTCDay()),
  })),
)

const months = fc.oneof(
  fc.constant({ text: '*', holds: () => true }),
  fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 3 }).map((chosen) => ({
    text: chosen.join(),
    holds: (date: Date) => chosen.includes(date.getUTCMonth() + 1),
  })),
)

const mode = fc.constantFrom('and' as const, 'or' as const)

describe('the day fields', () => {
  it('fire on the days that a walk over 400 years finds, and are refused when it finds none', () => {
    const start = Date.UTC(2000, 0)
    const fourHundredYears = 146_097
    fc.assert(
      fc.property(dayOfMonth, dayOfWeek, months, mode, fc.integer({ min: 0, max: 146_000 }), (...args) => {
        const [ofMonth, ofWeek, month, dayMode, from] = args
        const holds = (date: Date): boolean => {
          if (!month.holds(date)) return false
          if (dayMode === 'and') return ofMonth.holds(date) && ofWeek.holds(date)
          if (ofMonth.any || ofWeek.any)
            return (ofMonth.any || ofMonth.holds(date)) && (ofWeek.any || ofWeek.holds(date))
          return ofMonth.holds(date) || ofWeek.holds(date)
        }
        const first = walk(holds, start + from * dayMs, fourHundredYears)
        const parsed = parseCrontab({
          minute: '0',
          hour: '0',
          dayOfMonth: ofMonth.text,
          monthOfYear: month.text,
          dayOfWeek: ofWeek.text,
          dayMode,
        })
        if (first === undefined) {
          expect(parsed.ok ? undefined : parsed.error[0]?.code).toBe('never_fires')
          return
        }
        if (!parsed.ok) throw new Error(JSON.stringify(parsed.error))
        const recurrence = compileCrontab(parsed.value)
        expect(recurrence.next(start + from * dayMs)).toBe(first)
        expect(recurrence.previous(first)).toBe(first)
        const second = walk(holds, first, fourHundredYears)
        expect(recurrence.next(first)).toBe(second)
        expect(recurrence.previous((second ?? 0) - 1)).toBe(first)
        expect(recurrence.count(start + from * dayMs, second ?? 0)).toBe(2)
      }),
      { numRuns: 200 },
    )
  })
})

function walk(holds: (date: Date) => boolean, after: Instant, days: number): Instant | undefined {
  for (let at = after + dayMs, left = days; left > 0; at += dayMs, left--) if (holds(new Date(at))) return at
  return undefined
}

describe('rare days', () => {
  const dates = (value: CrontabValue, count: number): string[] => {
    const parsed = parseCrontab({ minute: '0', hour: '0', ...value })
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.error))
    const recurrence = compileCrontab(parsed.value)
    const found: string[] = []
    let at: Instant | undefined = Date.UTC(2024, 0)
    while (found.length < count) {
      at = recurrence.next(at)
      if (at === undefined) break
      found.push(new Date(at).toISOString().slice(0, 10))
    }
    return found
  }

  it('finds 29 February, past 2100 too', () => {
    const found = dates({ dayOfMonth: '29', monthOfYear: '2' }, 20)
    expect(found.slice(0, 2)).toEqual(['2024-02-29', '2028-02-29'])
    expect(found.slice(18)).toEqual(['2096-02-29', '2104-02-29'])
  })

  it('finds 29 February on a Monday, 28 or 40 years apart', () => {
    expect(dates({ dayOfMonth: '29', monthOfYear: 'feb', dayOfWeek: 'mon' }, 4)).toEqual([
      '2044-02-29',
      '2072-02-29',
      '2112-02-29',
      '2140-02-29',
    ])
  })

  it('finds Friday the 13th by both day fields', () => {
    expect(dates({ dayOfMonth: '13', dayOfWeek: 'fri' }, 3)).toEqual([
      '2024-09-13',
      '2024-12-13',
      '2025-06-13',
    ])
    expect(dates({ dayOfMonth: '13', dayOfWeek: 'fri', dayMode: 'or' }, 3)).toEqual([
      '2024-01-05',
      '2024-01-12',
      '2024-01-13',
    ])
  })

  it('ends with the year 9999', () => {
    const parsed = parseCrontab({ expression: '0 0 31 12 *', timezone: 'Pacific/Kiritimati' })
    if (!parsed.ok) throw new Error('refused')
    const recurrence = compileCrontab(parsed.value)
    const last = recurrence.previous(Number.MAX_SAFE_INTEGER) ?? 0
    expect(new Date(last).toISOString()).toBe('9999-12-30T10:00:00.000Z')
    expect(recurrence.next(last)).toBeUndefined()
    expect(recurrence.next(last - 1)).toBe(last)
  })
})
