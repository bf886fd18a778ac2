import { CronExpressionParser } from 'cron-parser'
import { Cron } from 'croner'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromCronParser } from './cron-parser-dialect.js'
import { compileCrontab, parseCrontab } from './crontab.js'
import type { CrontabValue, Instant } from './types.js'
import { zone } from './zone.js'

// The two libraries that most Node programs use, side by side with ours: equal away from changes of offset,
// and the known differences written down, so that an update of either that alters them is seen.

const day = 86_400_000

type Step = (after: Instant) => Instant | undefined

function cronParser(expression: string, timezone: string): Step {
  return (after) =>
    CronExpressionParser.parse(expression, { currentDate: new Date(after), tz: timezone })
      .next()
      .getTime()
}

function croner(expression: string, timezone: string): Step {
  const cron = new Cron(expression, { timezone, paused: true })
  return (after) => cron.nextRun(new Date(after))?.getTime()
}

function ours(value: CrontabValue): Step {
  const parsed = parseCrontab(value)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error))
  const recurrence = compileCrontab(parsed.value)
  return (after) => recurrence.next(after)
}

/** The grammar that all three share: no wrapped ranges, no doubles, no step on a single value. */
function common(min: number, max: number): fc.Arbitrary<string> {
  const value = fc.integer({ min, max })
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant('*') },
    fc.integer({ min: 2, max: Math.floor(max / 2) + 1 }).map((step) => `*/${step}`),
    fc
      .uniqueArray(value, { minLength: 1, maxLength: 4 })
      .map((values) => values.sort((a, b) => a - b).join()),
    fc.tuple(value, value).map(([a, b]) => (a === b ? `${a}` : `${Math.min(a, b)}-${Math.max(a, b)}`)),
  )
}

const expressions = fc
  .tuple(common(0, 59), common(0, 23), common(1, 28), common(1, 12), common(0, 6))
  .map((fields) => fields.join(' '))
const zones = [
  'UTC',
  'America/New_York',
  'Europe/Berlin',
  'Asia/Kolkata',
  'America/Sao_Paulo',
  'Asia/Kathmandu',
]

/** Whether a change of offset is near enough to any of the instants to matter. */
const nearChange = (timezone: string, instants: readonly Instant[]): boolean =>
  instants.some((at) => (zone(timezone)?.transitionsBetween(at - day, at + day).length ?? 0) > 0)

function agrees(make: (expression: string, timezone: string) => Step, runs: number): void {
  let compared = 0
  fc.assert(
    fc.property(
      expressions,
      fc.constantFrom(...zones),
      fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2035, 0) }),
      (expression, timezone, from) => {
        const mine = ours({ expression, timezone, dayMode: 'or' })
        const theirs = make(expression, timezone)
        let at = from
        for (let step = 0; step < 3; step++) {
          const next = mine(at)
          if (next === undefined) throw new Error(`${expression} ended`)
          if (!nearChange(timezone, [at, next])) {
            expect(theirs(at)).toBe(next)
            compared += 1
          }
          at = next
        }
      },
    ),
    { numRuns: runs },
  )
  expect(compared).toBeGreaterThan(runs)
}

describe('beside cron-parser and croner', () => {
  it('agrees with cron-parser away from changes of offset', () => agrees(cronParser, 200))

  it('agrees with croner away from changes of offset', () => agrees(croner, 300))
})

const hours = (instants: readonly (Instant | undefined)[]): string =>
  instants.map((at) => (at === undefined ? 'none' : new Date(at).toISOString().slice(5, 16))).join(' ')

function walk(step: Step, from: string, count: number): string {
  const found: (Instant | undefined)[] = []
  let at: Instant | undefined = Date.parse(from)
  while (at !== undefined && found.length < count) {
    at = step(at)
    found.push(at)
  }
  return hours(found)
}

describe('known differences at changes of offset', () => {
  it.each([
    // A time inside the gap: croner fires at the gap's end, we and cron-parser move it by the gap's length.
    {
      at: ['30 2 * * *', 'America/New_York', '2024-03-09T12:00:00Z'],
      ours: '03-10T07:30 03-11T06:30',
      cronParser: '03-10T07:30 03-11T06:30',
      croner: '03-10T07:00 03-11T06:30',
    },
    // With an open hour croner drops the times of the gap.
    {
      at: ['0 */2 * * *', 'America/New_York', '2024-03-10T05:00:00Z'],
      ours: '03-10T07:00 03-10T08:00',
      cronParser: '03-10T07:00 03-10T08:00',
      croner: '03-10T08:00 03-10T10:00',
    },
    // Fixed hours through an overlap: croner fires in both passes.
    {
      at: ['*/30 0-3 * * *', 'America/New_York', '2024-11-03T04:50:00Z'],
      ours: '11-03T05:00 11-03T05:30 11-03T07:00',
      cronParser: '11-03T05:00 11-03T05:30 11-03T07:00',
      croner: '11-03T05:00 11-03T05:30 11-03T06:00',
    },
    // Lord Howe moves its clock by 30 minutes: cron-parser misses the day of the gap.
    {
      at: ['15 2 * * *', 'Australia/Lord_Howe', '2026-10-02T20:00:00Z'],
      ours: '10-03T15:45 10-04T15:15',
      cronParser: '10-04T15:15 10-05T15:15',
      croner: '10-03T15:30 10-04T15:15',
    },
    // ... and loses runs of a quarter-hourly crontab in both changes.
    {
      at: ['*/15 * * * *', 'Australia/Lord_Howe', '2026-10-03T15:00:00Z'],
      ours: '10-03T15:15 10-03T15:30 10-03T15:45',
      cronParser: '10-03T15:15 10-03T16:00 10-03T16:15',
      croner: '10-03T15:15 10-03T15:30 10-03T15:45',
    },
    // Chatham has offsets of three quarters of an hour: cron-parser answers an instant before the one asked
    // for.
    {
      at: ['0 * * * *', 'Pacific/Chatham', '2026-04-04T13:00:00Z'],
      ours: '04-04T13:15 04-04T14:15',
      cronParser: '04-04T12:15 04-04T13:15',
      croner: '04-04T13:15 04-04T14:15',
    },
    // A day that the date line swallowed.
    {
      at: ['0 9 * * *', 'Pacific/Apia', '2011-12-29T00:00:00Z'],
      ours: '12-29T19:00 12-30T19:00',
      cronParser: '12-29T19:00 12-30T19:00',
      croner: '12-29T19:00 12-30T19:00',
    },
  ])('$at', (row) => {
    const [expression = '', timezone = '', from = ''] = row.at
    const count = row.ours.split(' ').length
    expect(walk(ours({ expression, timezone }), from, count)).toBe(row.ours)
    expect(walk(cronParser(expression, timezone), from, count)).toBe(row.cronParser)
    expect(walk(croner(expression, timezone), from, count)).toBe(row.croner)
  })
})

describe('known differences of grammar', () => {
  const taken = (parse: () => unknown): boolean => {
    try {
      parse()
      return true
    } catch {
      return false
    }
  }

  it.each([
    { expression: '0 22-2 * * *', ours: true, cronParser: false, croner: false },
    { expression: '0 0 * * fri-mon', ours: true, cronParser: false, croner: false },
    { expression: '5/15 * * * *', ours: false, cronParser: true, croner: false },
    { expression: '1,1 * * * *', ours: true, cronParser: false, croner: true },
    { expression: '*/90 * * * *', ours: true, cronParser: true, croner: false },
    { expression: '0 0 15W * *', ours: true, cronParser: false, croner: true },
    { expression: '0 0 L-2 * *', ours: true, cronParser: false, croner: false },
    { expression: '0 0 31 2 *', ours: false, cronParser: false, croner: true },
    { expression: '0 0 31 4,6 *', ours: false, cronParser: false, croner: true },
    { expression: '', ours: false, cronParser: true, croner: false },
    { expression: '* * * *', ours: false, cronParser: true, croner: false },
    { expression: 'H * * * *', ours: false, cronParser: true, croner: false },
  ])('$expression', (row) => {
    expect(parseCrontab({ expression: row.expression }).ok).toBe(row.ours)
    expect(taken(() => CronExpressionParser.parse(row.expression))).toBe(row.cronParser)
    expect(taken(() => new Cron(row.expression, { paused: true }))).toBe(row.croner)
  })
})

describe("cron-parser's dialect", () => {
  it.each([
    ['5/15 * * * *', { minute: '5,20,35,50' }],
    ['0 0 L * 5L', { minute: '0', hour: '0', dayOfMonth: 'L', dayOfWeek: '5L' }],
    ['0 0 ? * mon#2', { minute: '0', hour: '0', dayOfWeek: '1#2' }],
    ['0 0 * * 5-7', { minute: '0', hour: '0', dayOfWeek: '0,5-7' }],
    ['@weekdays', { minute: '0', hour: '0', dayOfWeek: '1-5' }],
    ['*/20 1 2 3 * *', { second: '0,20,40', minute: '1', hour: '2', dayOfMonth: '3' }],
    [' 0\t0 1 jan THU ', { minute: '0', hour: '0', dayOfMonth: '1', monthOfYear: '1', dayOfWeek: '4' }],
  ])('reads %j', (expression, fields) => {
    const rest = { minute: '*', hour: '*', dayOfMonth: '*', monthOfYear: '*', dayOfWeek: '*', dayMode: 'or' }
    expect(fromCronParser(expression)).toEqual({ ok: true, value: { ...rest, ...fields } })
  })

  it.each([
    ['', 'empty'],
    ['*', 'field_count'],
    ['* * * *', 'field_count'],
    ['* * * * * * *', 'field_count'],
    ['@reboot', 'field_count'],
    ['@DAILY', 'field_count'],
    ['H * * * *', 'unsupported'],
    ['0 H(0-6) * * thu', 'unsupported'],
    ['60 * * * *', 'syntax'],
    ['0 22-2 * * *', 'syntax'],
    ['0 0 31 2 *', 'never_fires'],
    ['0 0 31 4,6 *', 'never_fires'],
    [`${'1,'.repeat(200)}1 * * * *`, 'too_long'],
  ])('refuses %j', (expression, code) => {
    const answer = fromCronParser(expression)
    expect(answer.ok ? undefined : answer.error[0]?.code).toBe(code)
  })

  it('fires when cron-parser does', () => {
    fc.assert(
      fc.property(
        fc.tuple(
          common(0, 59),
          common(0, 23),
          fc.oneof(common(1, 28), fc.constant('L'), fc.constant('15,L')),
          common(1, 12),
          fc.oneof(common(0, 7), fc.constantFrom('5L', '1L,3L', 'tue#1', '7#3')),
        ),
        fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2035, 0) }),
        (fields, from) => {
          const expression = fields.join(' ')
          const value = fromCronParser(expression)
          if (!value.ok) {
            expect(taken(expression)).toBe(false)
            return
          }
          const theirs = CronExpressionParser.parse(expression, { currentDate: new Date(from), tz: 'UTC' })
          const mine = ours(value.value)
          let at: Instant | undefined = from
          for (let step = 0; step < 3 && at !== undefined; step++) {
            at = mine(at)
            expect(theirs.next().getTime()).toBe(at)
          }
        },
      ),
      { numRuns: 200 },
    )
  })

  const taken = (expression: string): boolean => {
    try {
      CronExpressionParser.parse(expression)
      return true
    } catch {
      return false
    }
  }
})
