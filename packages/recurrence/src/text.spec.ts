import { readFileSync } from 'node:fs'
import { expect, describe as group, it } from 'vitest'
import { describe, modelText } from './text.js'
import type { CrontabValue, IntervalPeriod, ScheduleValue, SolarEvent } from './types.js'
import { solarEvents } from './types.js'

interface CrontabRow {
  readonly id: string
  readonly k: 'crontab'
  readonly m: string
  readonly h: string
  readonly dom: string
  readonly mon: string
  readonly dow: string
  readonly tz: string
  readonly human_readable: string
  readonly str: string
  readonly celery_error?: string
}

type Row =
  | CrontabRow
  | { readonly k: 'interval'; readonly every: number; readonly period: IntervalPeriod; readonly str: string }
  | {
      readonly k: 'solar'
      readonly event: SolarEvent
      readonly lat: string
      readonly lon: string
      readonly str: string
    }
  | { readonly k: 'clocked'; readonly clocked_time: string; readonly str: string }
  /** The text of a Celery object, and of a task row: not of a schedule. */
  | { readonly k: 'seconds' | 'periodic_task' }

const oracle: { cases: readonly Row[] } = JSON.parse(
  readFileSync(new URL('../oracle/text.oracle.json', import.meta.url), 'utf8'),
)

const crontabOf = (row: CrontabRow): ScheduleValue => ({
  crontab: {
    minute: row.m,
    hour: row.h,
    dayOfMonth: row.dom,
    monthOfYear: row.mon,
    dayOfWeek: row.dow,
    timezone: row.tz,
  },
})

/** Why our sentence is another than cron-descriptor's. The first reason that applies. */
function kindOf(row: CrontabRow): string {
  const ours = describe(crontabOf(row))
  if (ours === row.human_readable) return 'same'
  const fields = [row.m, row.h, row.dom, row.mon]
  const raw = `${[...fields, row.dow].map((field) => field.replace(/\s/g, '')).join(' ')} ${row.tz}`
  const isList = (field: string): boolean => field.includes(',')
  const is = (test: (field: string) => boolean): boolean => fields.some(test)
  if (row.celery_error !== undefined && ours === raw)
    return 'Celery refuses the fields, and so do we: raw fields'
  if (row.celery_error !== undefined) return 'Celery refuses the fields, we do not: 1-7 is the whole week'
  if (ours === raw) return `unlisted: ${row.id}`
  if (is((field) => isList(field) && /[*/]/.test(field)))
    return 'a list with a step or a star: exact times, not nonsense'
  if (row.human_readable === raw) return 'a full month name: words, not raw fields'
  if (is((field) => /\b0[0-9]/.test(field))) return 'leading zeros left out'
  if (is((field) => /-\w+\/1\b/.test(field))) return 'a step of 1 left out'
  if (is((field) => isList(field) && hasRepeat(field))) return 'a repeated item named once'
  if (row.m === '0' && /-\d+\//.test(row.h)) return 'the last hour ends at minute 0'
  if (isList(row.m) || isList(row.h)) return 'minutes and hours named in order'
  return `unlisted: ${row.id}`
}

const months = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ')

function hasRepeat(field: string): boolean {
  const items = field.toLowerCase().split(',')
  const numbers = items.map((item) => (months.includes(item) ? String(months.indexOf(item) + 1) : item))
  return new Set(numbers).size < numbers.length
}

group('the text oracle', () => {
  it('has the crontab sentences, or differs in a listed way', () => {
    const counts: Record<string, number> = {}
    for (const row of oracle.cases) {
      if (row.k !== 'crontab') continue
      const kind = kindOf(row)
      counts[kind] = (counts[kind] ?? 0) + 1
    }
    expect(counts).toEqual({
      same: 191,
      'a list with a step or a star: exact times, not nonsense': 91,
      'Celery refuses the fields, and so do we: raw fields': 5,
      'Celery refuses the fields, we do not: 1-7 is the whole week': 1,
      'leading zeros left out': 4,
      'a step of 1 left out': 4,
      'a repeated item named once': 2,
      'a full month name: words, not raw fields': 1,
      'the last hour ends at minute 0': 1,
      'minutes and hours named in order': 1,
    })
  })

  it('has the model text of every crontab', () => {
    const rows = oracle.cases.filter((row) => row.k === 'crontab')
    expect(rows.map((row) => modelText(crontabOf(row)))).toEqual(rows.map((row) => row.str))
  })

  it('has the text of every interval, solar and clocked schedule', () => {
    let checked = 0
    for (const row of oracle.cases) {
      if (row.k === 'crontab' || row.k === 'seconds' || row.k === 'periodic_task') continue
      checked += 1
      if (row.k === 'interval') expect(describe({ interval: row })).toBe(row.str)
      else if (row.k === 'clocked') expect(modelText({ clocked: { at: row.clocked_time } })).toBe(row.str)
      else if (row.k === 'solar') {
        const solar = { event: row.event, latitude: Number(row.lat), longitude: Number(row.lon) }
        expect(describe({ solar })).toBe(row.str)
      }
    }
    expect(checked).toBe(80)
  })
})

group('crontabs', () => {
  const say = (crontab: CrontabValue): string => describe({ crontab })
  const line = (expression: string): string => say({ expression })

  it.each([
    ['0 2 * * mon', 'At 02:00 AM, only on Monday UTC'],
    ['*/15 * * * *', 'Every 15 minutes UTC'],
    ['0 9 * * mon-fri', 'At 09:00 AM, only on Monday, Tuesday, Wednesday, Thursday, and Friday UTC'],
    ['0 0 1,15 jan-jun *', 'At 12:00 AM, on day 1 and 15 of the month, January through June UTC'],
    ['5,10 8-10 * * *', 'At 5 and 10 minutes past the hour, between 08:00 AM and 10:59 AM UTC'],
    ['* * * * *', 'Every minute UTC'],
    ['@daily', 'At 12:00 AM UTC'],
    ['0 */3 * * *', 'Every 3 hours UTC'],
    ['0 0 * * 2-1', 'At 12:00 AM UTC'],
    ['0 0 * * 7', 'At 12:00 AM, only on Sunday UTC'],
    ['*/90 * * * *', 'Every hour UTC'],
    ['0 2 * * xxx', '0 2 * * xxx UTC'],
    ['0 0 31 2 *', '0 0 31 2 * UTC'],
    ['0 2 * *', '0 2 * * UTC'],
  ])('%s: %s', (expression, text) => {
    expect(line(expression)).toBe(text)
  })

  it.each([
    ['0 0 L * *', 'At 12:00 AM, on the last day of the month UTC'],
    ['0 0 L-3 * *', 'At 12:00 AM, on the day 3 days before the last of the month UTC'],
    ['0 0 15W * *', 'At 12:00 AM, on the weekday nearest day 15 of the month UTC'],
    ['0 0 LW * *', 'At 12:00 AM, on the last weekday of the month UTC'],
    ['0 0 1,15,L * *', 'At 12:00 AM, on day 1 and 15 and the last day of the month UTC'],
    ['0 0 * * 5#2', 'At 12:00 AM, on the second Friday of the month UTC'],
    ['0 0 * * mon#1,mon#3', 'At 12:00 AM, on the first Monday and the third Monday of the month UTC'],
    ['0 0 * * friL', 'At 12:00 AM, on the last Friday of the month UTC'],
    ['0 0 * * mon,fri#2', 'At 12:00 AM, only on Monday and the second Friday of the month UTC'],
    ['0 0 ? * mon', 'At 12:00 AM, only on Monday UTC'],
  ])('%s: %s', (expression, text) => {
    expect(line(expression)).toBe(text)
  })

  it.each([
    ['30 0 9 * * *', 'At 09:00:30 AM UTC'],
    ['*/10 * * * * *', 'Every 10 seconds UTC'],
    ['0 0 9 * * mon', 'At 09:00 AM, only on Monday UTC'],
    ['15 */5 * * * *', 'At 15 seconds past the minute, every 5 minutes UTC'],
  ])('with seconds, %s: %s', (expression, text) => {
    expect(say({ expression, seconds: true })).toBe(text)
  })

  it('joins the day fields by their mode', () => {
    const expression = '0 0 13 * fri'
    expect(say({ expression })).toBe('At 12:00 AM, on day 13 of the month, only on Friday UTC')
    const or = (text: string): string => say({ expression: text, dayMode: 'or' })
    expect(or(expression)).toBe('At 12:00 AM, on day 13 of the month, or on Friday UTC')
    expect(or('0 0 L jan fri#2')).toBe(
      'At 12:00 AM, on the last day of the month, or on the second Friday of the month, only in January UTC',
    )
    expect(or('0 0 * * fri')).toBe('At 12:00 AM, only on Friday UTC')
    expect(or('0 0 13 * *')).toBe('At 12:00 AM, on day 13 of the month UTC')
    expect(or('0 0 13 * 0-6')).toBe('At 12:00 AM UTC')
    expect(or('0 0 1-31 * fri')).toBe('At 12:00 AM UTC')
  })

  it('names the zone in its own spelling', () => {
    expect(say({ expression: '0 2 * * *', timezone: 'europe/warsaw' })).toBe('At 02:00 AM Europe/Warsaw')
  })
})

group('other schedules', () => {
  it('names all solar events', () => {
    const texts = solarEvents.map((event) => describe({ solar: { event, latitude: 0, longitude: -180 } }))
    expect(new Set(texts).size).toBe(9)
    expect(texts[5]).toBe('Sunset (0.000000, -180.000000)')
  })

  it('names clocked instants in UTC', () => {
    expect(describe({ clocked: { at: '2026-12-01T01:00:00+02:00' } })).toBe('2026-11-30T23:00:00Z')
    expect(describe({ clocked: { at: '2026-12-01T01:00:00.5Z' } })).toBe('2026-12-01T01:00:00.500Z')
    expect(describe({ clocked: { at: 'soon' } })).toBe('soon')
    expect(modelText({ clocked: { at: 'soon' } })).toBe('soon')
  })

  it('joins unions and exceptions', () => {
    const base: ScheduleValue = { crontab: { expression: '0 9 * * *', timezone: 'Europe/Warsaw' } }
    const calendar = { timezone: 'Europe/Warsaw', weekdays: ['sat', 'sun'], annual: ['12-25'] }
    const workdays: ScheduleValue = {
      except: { base, exclude: [{ calendar }, { calendar: { ref: 'holidays' } }] },
    }
    expect(describe({ union: [workdays, { interval: { every: 2, period: 'days' } }] })).toBe(
      '(At 09:00 AM Europe/Warsaw; except on sat, sun, every 12-25 (Europe/Warsaw); ' +
        'except on days of the calendar holidays); and every 2 days',
    )
    const dates = [
      '2026-01-01',
      '2026-01-02',
      '2026-01-03',
      '2026-01-04',
      '2026-01-05',
      '2026-01-06',
      '2026-01-07',
    ]
    expect(describe({ except: { base, exclude: [{ calendar: { dates } }] } })).toContain(
      '2026-01-05, 2 more (UTC)',
    )
    expect(describe({ except: { base, exclude: [{ calendar: {} }] } })).toContain('except on no day (UTC)')
  })
})
