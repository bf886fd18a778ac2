import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileCrontab, formatCrontab, parseCrontab, parseCrontabLine } from './crontab.js'
import type { CrontabValue, Instant } from './types.js'

function compile(value: CrontabValue) {
  const parsed = parseCrontab(value)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error))
  return compileCrontab(parsed.value)
}

function occurrences(value: CrontabValue, after: string, count: number): string[] {
  const recurrence = compile(value)
  const found: string[] = []
  let at: Instant | undefined = Date.parse(after)
  while (found.length < count) {
    at = recurrence.next(at)
    if (at === undefined) break
    found.push(new Date(at).toISOString().replace('.000Z', 'Z'))
  }
  return found
}

function values(
  field: 'minute' | 'hour' | 'dayOfMonth' | 'monthOfYear' | 'dayOfWeek',
  text: string,
): readonly number[] {
  const parsed = parseCrontab({ [field]: text })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error))
  return parsed.value.fields[field].values
}

const codes = (value: CrontabValue): string[] => {
  const parsed = parseCrontab(value)
  return parsed.ok ? [] : parsed.error.map((problem) => `${problem.path} ${problem.code}`)
}

describe('the grammar of crontab fields', () => {
  it.each([
    ['hour', '22-2', [0, 1, 2, 22, 23]],
    ['dayOfWeek', 'fri-mon', [0, 1, 5, 6]],
    ['monthOfYear', 'nov-feb', [1, 2, 11, 12]],
    ['dayOfMonth', '28-3', [1, 2, 3, 28, 29, 30, 31]],
    ['dayOfMonth', '*/3', [1, 4, 7, 10, 13, 16, 19, 22, 25, 28, 31]],
    ['hour', '*/5', [0, 5, 10, 15, 20]],
    ['hour', '*/2,*/3', [0, 2, 3, 4, 6, 8, 9, 10, 12, 14, 15, 16, 18, 20, 21, 22]],
    ['hour', '20-3/3', [2, 20, 23]],
    ['minute', '*/70', [0]],
    ['minute', '1, 2 ,\t+3,007', [1, 2, 3, 7]],
    ['monthOfYear', 'January,sept', [1, 9]],
    ['dayOfWeek', 'MON, Tuesday', [1, 2]],
    ['dayOfWeek', '7', [0]],
    ['dayOfWeek', '0-7', [0, 1, 2, 3, 4, 5, 6]],
    ['dayOfWeek', '1-7', [0, 1, 2, 3, 4, 5, 6]],
    ['dayOfWeek', '5-7', [0, 5, 6]],
    ['dayOfWeek', '5-7/2', [0, 5]],
    ['dayOfWeek', '2-7/5', [0, 2]],
    ['dayOfWeek', '7-1', [0, 1]],
    ['dayOfWeek', '7-7', [0]],
    ['dayOfWeek', '*/7', [0]],
    ['dayOfWeek', '?', [0, 1, 2, 3, 4, 5, 6]],
  ] as const)('%s %j', (field, text, expected) => {
    expect(values(field, text)).toEqual(expected)
  })

  it.each([
    [{ minute: '60' }, 'crontab.minute out_of_range'],
    [{ hour: '24' }, 'crontab.hour out_of_range'],
    [{ dayOfMonth: '0' }, 'crontab.dayOfMonth out_of_range'],
    [{ dayOfMonth: '32' }, 'crontab.dayOfMonth out_of_range'],
    [{ monthOfYear: '13' }, 'crontab.monthOfYear out_of_range'],
    [{ dayOfWeek: '8' }, 'crontab.dayOfWeek out_of_range'],
    [{ minute: '*/0' }, 'crontab.minute bad_step'],
    [{ minute: '*/-1' }, 'crontab.minute bad_step'],
    [{ minute: '5/15' }, 'crontab.minute bad_step'],
    [{ minute: '*/2/3' }, 'crontab.minute syntax'],
    [{ minute: '1-3-5' }, 'crontab.minute syntax'],
    [{ minute: '1-5!x' }, 'crontab.minute syntax'],
    [{ minute: '1_0' }, 'crontab.minute syntax'],
    [{ minute: '1e1' }, 'crontab.minute syntax'],
    [{ minute: '0x1' }, 'crontab.minute syntax'],
    [{ minute: '١' }, 'crontab.minute syntax'],
    [{ minute: '１-５' }, 'crontab.minute syntax'],
    [{ minute: '1\n' }, 'crontab.minute syntax'],
    [{ minute: '1\0' }, 'crontab.minute syntax'],
    [{ minute: '14 - 29' }, 'crontab.minute syntax'],
    [{ minute: '-5' }, 'crontab.minute syntax'],
    [{ minute: '5-*' }, 'crontab.minute syntax'],
    [{ minute: '1,,2' }, 'crontab.minute empty'],
    [{ minute: '' }, 'crontab.minute empty'],
    [{ minute: ' ' }, 'crontab.minute empty'],
    [{ minute: 'mon' }, 'crontab.minute wrong_name'],
    [{ dayOfWeek: 'mar' }, 'crontab.dayOfWeek wrong_name'],
    [{ monthOfYear: 'sat' }, 'crontab.monthOfYear wrong_name'],
    [{ monthOfYear: 'jan/2' }, 'crontab.monthOfYear bad_step'],
    [{ minute: 'H' }, 'crontab.minute unsupported'],
    [{ minute: 'H(0-29)/5' }, 'crontab.minute unsupported'],
    [{ minute: '?' }, 'crontab.minute unsupported'],
    [{ hour: 'L' }, 'crontab.hour unsupported'],
    [{ dayOfWeek: 'L' }, 'crontab.dayOfWeek unsupported'],
    [{ dayOfWeek: 'mon#6' }, 'crontab.dayOfWeek out_of_range'],
    [{ dayOfMonth: '32W' }, 'crontab.dayOfMonth out_of_range'],
    [{ dayOfMonth: 'L-31' }, 'crontab.dayOfMonth out_of_range'],
    [{ minute: '0,'.repeat(120).concat('0') }, 'crontab.minute too_long'],
    [{ hour: '0'.repeat(97) }, 'crontab.hour too_long'],
    [{ timezone: 'Mars/Phobos' }, 'crontab.timezone unknown_zone'],
    [{ timezone: '' }, 'crontab.timezone unknown_zone'],
    [{ expression: '' }, 'crontab.expression empty'],
    [{ expression: '*' }, 'crontab.expression field_count'],
    [{ expression: '* * * *' }, 'crontab.expression field_count'],
    [{ expression: '* * * * * *' }, 'crontab.expression field_count'],
    [{ expression: '* * * * *', seconds: true }, 'crontab.expression field_count'],
    [{ expression: '0 0 * * *\n' }, 'crontab.expression syntax'],
    [{ expression: '@reboot' }, 'crontab.expression unsupported'],
    [{ expression: '@every 5m' }, 'crontab.expression unsupported'],
    [{ expression: '*'.repeat(257) }, 'crontab.expression too_long'],
    [{ expression: '* * * * *', minute: '1' }, 'crontab.expression conflict'],
    [{ dayMode: 'xor' as 'or' }, 'crontab.dayMode unknown_choice'],
    [{ dst: { gap: 'none' as 'skip' } }, 'crontab.dst.gap unknown_choice'],
    [{ dst: { overlap: 'none' as 'first' } }, 'crontab.dst.overlap unknown_choice'],
    [{ minute: 5 as unknown as string }, 'crontab.minute not_a_string'],
    [{ dayOfMonth: '31', monthOfYear: '2' }, 'crontab.dayOfMonth never_fires'],
    [{ dayOfMonth: '30', monthOfYear: 'feb', dayOfWeek: 'mon' }, 'crontab.dayOfMonth never_fires'],
    [{ dayOfMonth: '8', dayOfWeek: 'mon#1' }, 'crontab.dayOfMonth never_fires'],
    [{ dayOfMonth: 'LW', dayOfWeek: 'sat' }, 'crontab.dayOfMonth never_fires'],
    [{ expression: '0 0 31 2,4,6,9,11 *' }, 'crontab.expression never_fires'],
  ] as const)('refuses %j', (value, problem) => {
    expect(codes(value)).toEqual([problem])
  })

  it('answers all problems at once and names the field in each', () => {
    const parsed = parseCrontab({ minute: '60,x', hour: '1-', timezone: 'Mars/Phobos' }, 'schedule.crontab')
    expect(parsed.ok ? [] : parsed.error.map((problem) => problem.path)).toEqual([
      'schedule.crontab.minute',
      'schedule.crontab.minute',
      'schedule.crontab.hour',
      'schedule.crontab.timezone',
    ])
    expect(parsed.ok ? '' : parsed.error[0]?.message).toBe('minute must be 0 to 59, not "60"')
  })

  it('takes what only seems never to fire', () => {
    expect(codes({ expression: '0 0 29 2 *' })).toEqual([])
    expect(codes({ expression: '0 0 29 2 mon' })).toEqual([])
    expect(codes({ expression: '0 0 31 4 mon', dayMode: 'or' })).toEqual([])
    expect(codes({ dayOfWeek: 'mon#5' })).toEqual([])
  })

  it('keeps texts, zone and defaults', () => {
    const parsed = parseCrontab({ minute: '0, 5', timezone: 'utc' })
    if (!parsed.ok) throw new Error('refused')
    expect(parsed.value.fields.minute.text).toBe('0, 5')
    expect(parsed.value.fields.second.text).toBe('0')
    expect(parsed.value).toMatchObject({
      timezone: 'UTC',
      dayMode: 'and',
      dst: { gap: 'shift', overlap: 'auto' },
    })
  })

  it('never throws, whatever the text', () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom(...'0123456789*/-,#LW?Hmonjasu @+ \t\n'.split('')) }),
    )
    fc.assert(
      fc.property(
        text,
        fc.constantFrom('minute', 'hour', 'dayOfMonth', 'monthOfYear', 'dayOfWeek', 'expression'),
        (s, key) => {
          const parsed = parseCrontab({ [key]: s })
          if (parsed.ok) {
            const next = compileCrontab(parsed.value).next(0)
            expect(next).toBeGreaterThan(0)
          } else expect(parsed.error.length).toBeGreaterThan(0)
          parseCrontabLine(s)
          formatCrontab({ [key]: s })
        },
      ),
      { numRuns: 2000 },
    )
  })
})

describe('lines and texts', () => {
  it('reads lines with and without seconds, zone and name', () => {
    const rest = { hour: '*', dayOfMonth: '*', monthOfYear: '*', dayOfWeek: '*' }
    expect(parseCrontabLine('*/5 * * * *')).toEqual({ ok: true, value: { minute: '*/5', ...rest } })
    expect(parseCrontabLine(' 30  0 * * * * ')).toEqual({
      ok: true,
      value: { second: '30', minute: '0', ...rest },
    })
    expect(parseCrontabLine('@hourly')).toEqual({ ok: true, value: { minute: '0', ...rest } })
    expect(parseCrontabLine('CRON_TZ=Europe/Berlin 0 * * * *')).toEqual({
      ok: true,
      value: { minute: '0', ...rest, timezone: 'Europe/Berlin' },
    })
    expect(parseCrontabLine('TZ= 0 * * * *').ok).toBe(false)
    expect(parseCrontabLine('@reboot').ok).toBe(false)
    expect(parseCrontabLine('0 * * *').ok).toBe(false)
    expect(parseCrontabLine('').ok).toBe(false)
  })

  it.each([
    ['@yearly', '2027-01-01T00:00:00Z'],
    ['@annually', '2027-01-01T00:00:00Z'],
    ['@monthly', '2026-06-01T00:00:00Z'],
    ['@weekly', '2026-05-17T00:00:00Z'],
    ['@daily', '2026-05-14T00:00:00Z'],
    ['@midnight', '2026-05-14T00:00:00Z'],
    ['@hourly', '2026-05-13T11:00:00Z'],
  ])('%s', (expression, next) => {
    expect(occurrences({ expression }, '2026-05-13T10:30:00Z', 1)).toEqual([next])
  })

  it("writes Celery's model text", () => {
    expect(formatCrontab({ minute: '0', hour: '2', dayOfWeek: 'mon, tue' })).toBe(
      '0 2 * * mon,tue (m/h/dM/MY/d) UTC',
    )
    expect(formatCrontab({ minute: '', timezone: 'Asia/Kolkata' })).toBe(
      '* * * * * (m/h/dM/MY/d) Asia/Kolkata',
    )
    expect(formatCrontab({ expression: '@daily' })).toBe('0 0 * * * (m/h/dM/MY/d) UTC')
    expect(formatCrontab({ expression: '0 1 2 3 4 5', seconds: true })).toBe('1 2 3 4 5 (m/h/dM/MY/d) UTC')
    expect(formatCrontab({ second: '*/10' })).toBe('*/10 * * * * * (s/m/h/dM/MY/d) UTC')
  })
})

describe('changes of offset, as the reference tells them', () => {
  const newYork = 'America/New_York'

  it('fires 02:30 on the day of the gap once, an hour later by the clock', () => {
    const value = { expression: '30 2 * * *', timezone: newYork }
    expect(occurrences(value, '2024-03-10T00:00:00Z', 2)).toEqual([
      '2024-03-10T07:30:00Z',
      '2024-03-11T06:30:00Z',
    ])
    expect(occurrences({ ...value, dst: { gap: 'firstValid' } }, '2024-03-10T00:00:00Z', 1)).toEqual([
      '2024-03-10T07:00:00Z',
    ])
    expect(occurrences({ ...value, dst: { gap: 'skip' } }, '2024-03-10T00:00:00Z', 1)).toEqual([
      '2024-03-11T06:30:00Z',
    ])
  })

  it('merges times of a gap with those an hour later', () => {
    expect(
      occurrences({ expression: '*/30 1-3 * * *', timezone: newYork }, '2024-03-10T05:30:00Z', 5),
    ).toEqual([
      '2024-03-10T06:00:00Z',
      '2024-03-10T06:30:00Z',
      '2024-03-10T07:00:00Z',
      '2024-03-10T07:30:00Z',
      '2024-03-11T05:00:00Z',
    ])
  })

  it.each([
    ['30 1 * * *', 'auto', ['05:30:00Z']],
    ['30 1 * * *', 'second', ['06:30:00Z']],
    ['30 1 * * *', 'both', ['05:30:00Z', '06:30:00Z']],
    ['30 * * * *', 'auto', ['05:30:00Z', '06:30:00Z']],
    ['30 * * * *', 'first', ['05:30:00Z']],
    ['*/30 1 * * *', 'auto', ['05:00:00Z', '05:30:00Z']],
    ['*/30 * * * *', 'auto', ['05:00:00Z', '05:30:00Z', '06:00:00Z', '06:30:00Z']],
    ['*/30 */1 * * *', 'second', ['06:00:00Z', '06:30:00Z']],
  ] as const)('%s with overlap %s', (expression, overlap, expected) => {
    const recurrence = compile({ expression, timezone: newYork, dst: { overlap } })
    const found: string[] = []
    const end = Date.parse('2024-11-03T06:59:59Z')
    for (let at = recurrence.next(Date.parse('2024-11-03T04:59:00Z')); at !== undefined && at <= end; ) {
      found.push(new Date(at).toISOString().slice(11).replace('.000Z', 'Z'))
      at = recurrence.next(at)
    }
    expect(found).toEqual(expected)
  })

  it('fires every minute of both passes', () => {
    const recurrence = compile({ expression: '* * * * *', timezone: newYork })
    expect(recurrence.count(Date.parse('2024-11-03T05:59:00Z'), Date.parse('2024-11-03T06:59:00Z'))).toBe(60)
  })

  it('goes on within the second pass when asked there', () => {
    expect(occurrences({ expression: '*/10 * * * *', timezone: newYork }, '2024-11-03T06:10:00Z', 2)).toEqual(
      ['2024-11-03T06:20:00Z', '2024-11-03T06:30:00Z'],
    )
  })

  it('lets a missing day merge with the next', () => {
    const value = { expression: '0 9 * * *', timezone: 'Pacific/Apia' }
    const expected = ['2011-12-29T19:00:00Z', '2011-12-30T19:00:00Z', '2011-12-31T19:00:00Z']
    expect(occurrences(value, '2011-12-29T00:00:00Z', 3)).toEqual(expected)
    expect(compile(value).count(Date.parse('2011-12-29T00:00:00Z'), Date.parse('2012-01-01T00:00:00Z'))).toBe(
      3,
    )
    // Only the missing day: moved to the day after, or gone.
    const friday = { expression: '0 9 30 12 *', timezone: 'Pacific/Apia' }
    expect(occurrences(friday, '2011-12-29T00:00:00Z', 1)).toEqual(['2011-12-30T19:00:00Z'])
    expect(occurrences({ ...friday, dst: { gap: 'skip' } }, '2011-12-29T00:00:00Z', 1)).toEqual([
      '2012-12-29T19:00:00Z',
    ])
  })

  it('ends a search that the policy makes hopeless', () => {
    const value = { expression: '30 2 8-14 3 sun', timezone: newYork, dst: { gap: 'skip' as const } }
    expect(occurrences(value, '2024-01-01T00:00:00Z', 1)).toEqual([])
    // It did fire before the rule of 2007.
    expect(compile(value).previous(Date.parse('2024-01-01T00:00:00Z'))).toBeDefined()
  })
})

describe('seconds and odd instants', () => {
  it('fires at chosen seconds', () => {
    const value = { expression: '*/20 59 23 31 12 *', seconds: true }
    expect(occurrences(value, '2026-12-31T23:59:05Z', 3)).toEqual([
      '2026-12-31T23:59:20Z',
      '2026-12-31T23:59:40Z',
      '2027-12-31T23:59:00Z',
    ])
    expect(compile(value).previous(Date.parse('2026-12-31T23:59:39Z'))).toBe(
      Date.parse('2026-12-31T23:59:20Z'),
    )
  })

  it('agrees with a walk over every second', () => {
    const set = fc.uniqueArray(fc.integer({ min: 0, max: 59 }), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(set, set, fc.integer({ min: 0, max: 4e12 }), (seconds, minutes, start) => {
        const recurrence = compile({ second: seconds.join(), minute: minutes.join() })
        const end = start + 4_000_000
        const expected: Instant[] = []
        for (let at = Math.floor(start / 1000) * 1000 + 1000; at <= end; at += 1000) {
          const date = new Date(at)
          if (seconds.includes(date.getUTCSeconds()) && minutes.includes(date.getUTCMinutes()))
            expected.push(at)
        }
        const found: Instant[] = []
        for (let at = recurrence.next(start); at !== undefined && at <= end; at = recurrence.next(at))
          found.push(at)
        expect(found).toEqual(expected)
        expect(recurrence.count(start, end)).toBe(expected.length)
        expect(recurrence.previous(end)).toBe(expected.at(-1))
      }),
      { numRuns: 50 },
    )
  })

  it('answers for fractions, ends and no numbers', () => {
    const recurrence = compile({ minute: '*' })
    expect(recurrence.next(0)).toBe(60_000)
    expect(recurrence.next(-0.5)).toBe(0)
    expect(recurrence.next(59_999.9)).toBe(60_000)
    expect(recurrence.previous(60_000)).toBe(60_000)
    expect(recurrence.previous(59_999.9)).toBe(0)
    expect(recurrence.next(Number.NaN)).toBeUndefined()
    expect(recurrence.next(Infinity)).toBeUndefined()
    expect(recurrence.next(8.64e15)).toBeUndefined()
    expect(recurrence.next(-Infinity)).toBe(Date.UTC(1900, 0))
    expect(recurrence.previous(Number.NaN)).toBeUndefined()
    expect(recurrence.previous(-Infinity)).toBeUndefined()
    expect(recurrence.previous(Infinity)).toBe(Date.UTC(9999, 11, 31, 23, 59))
    expect(recurrence.count(0, 0)).toBe(0)
    expect(recurrence.count(60_000, 0)).toBe(0)
    expect(recurrence.count(0, Number.NaN)).toBe(0)
    expect(recurrence.count(0, Date.UTC(9999, 11, 31, 23, 59))).toBe(Date.UTC(9999, 11, 31, 23, 59) / 60_000)
  })

  it('counts as many as a walk finds over years with changes of offset', () => {
    for (const expression of ['0 */3 * * *', '15 2 * * *', '0 0 1 * *', '30 1 * * sun']) {
      for (const timezone of ['America/New_York', 'Africa/Casablanca', 'Australia/Lord_Howe']) {
        const recurrence = compile({ expression, timezone })
        const end = Date.UTC(2026, 0)
        let total = 0
        for (
          let at = recurrence.next(Date.UTC(2018, 0));
          at !== undefined && at <= end;
          at = recurrence.next(at)
        )
          total += 1
        expect(recurrence.count(Date.UTC(2018, 0), end)).toBe(total)
      }
    }
  })
})
