import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileCrontab, parseCrontab } from './crontab.js'
import type { CrontabValue, DstPolicy, Instant } from './types.js'
import { zone } from './zone.js'

// A second evaluator, as plain as can be: it walks over every minute, asks Intl for the wall clock and
// looks whether the fields hold it. Nothing of it is shared with the code under test but the names of the
// policies.

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

interface Case {
  readonly value: CrontabValue
  readonly matches: (local: Date) => boolean
  readonly zone: string
  readonly dst: Required<DstPolicy>
}

const formats = new Map<string, Intl.DateTimeFormat>()

/** The wall clock at an instant, as fake-UTC milliseconds. */
function wallClock(zoneName: string, at: Instant): number {
  let format = formats.get(zoneName)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zoneName,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    formats.set(zoneName, format)
  }
  const [month = 0, dayOfMonth = 0, year = 0, hours, minutes, seconds] = (
    format.format(at).match(/\d+/g) ?? []
  ).map(Number)
  return Date.UTC(year, month - 1, dayOfMonth, hours, minutes, seconds)
}

/** Every occurrence in `(after, until]`, by walking. */
function walk(test: Case, after: Instant, until: Instant): Instant[] {
  const found = new Set<Instant>()
  const passes = new Map<number, Instant[]>()
  const start = Math.floor(after / minute) * minute - 26 * hour
  // What comes after an overlap says which pass was the first, so the walk goes on for a day.
  const end = until + 26 * hour
  let before = wallClock(test.zone, start - minute)
  for (let at = start; at <= end; at += minute) {
    const local = wallClock(test.zone, at)
    const jump = local - before - minute
    for (let missing = before + minute; jump > 0 && missing < local; missing += minute) {
      if (!test.matches(new Date(missing))) continue
      if (test.dst.gap === 'shift') found.add(at + missing - before - minute)
      if (test.dst.gap === 'firstValid') found.add(at)
    }
    if (test.matches(new Date(local))) passes.set(local, [...(passes.get(local) ?? []), at])
    before = local
  }
  const { hour: hourField, minute: minuteField } = test.value
  const wild = hourField === '*' || minuteField === '*' || minuteField === '*/1' || hourField === '*/1'
  const overlap = test.dst.overlap === 'auto' ? (wild ? 'both' : 'first') : test.dst.overlap
  for (const instants of passes.values()) {
    instants.forEach((at, pass) => {
      if (instants.length === 1 || overlap === 'both' || (overlap === 'first') === (pass === 0)) found.add(at)
    })
  }
  return [...found].filter((at) => at > after && at <= until).sort((a, b) => a - b)
}

interface FieldCase {
  readonly text: string
  readonly holds: (value: number) => boolean
}

/** A field from `min` to `max` with the set that it means, made without our parser. */
function field(min: number, max: number): fc.Arbitrary<FieldCase> {
  const value = fc.integer({ min, max })
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant({ text: '*', holds: () => true }) },
    {
      weight: 2,
      arbitrary: fc
        .integer({ min: 1, max: max + 3 })
        .map((step) => ({ text: `*/${step}`, holds: (at: number) => (at - min) % step === 0 })),
    },
    {
      weight: 3,
      arbitrary: fc
        .array(value, { minLength: 1, maxLength: 5 })
        .map((values) => ({ text: values.join(), holds: (at: number) => values.includes(at) })),
    },
    {
      weight: 2,
      arbitrary: fc.tuple(value, value).map(([from, to]) => ({
        text: `${from}-${to}`,
        holds: (at: number) => (from <= to ? at >= from && at <= to : at >= from || at <= to),
      })),
    },
  )
}

const zones = [
  'UTC',
  'America/New_York',
  'Europe/Berlin',
  'Europe/Dublin',
  'Australia/Lord_Howe',
  'Pacific/Chatham',
  'Pacific/Apia',
  'America/Santiago',
  'America/Havana',
  'America/Sao_Paulo',
  'Africa/Casablanca',
  'Africa/Cairo',
  'Asia/Kolkata',
  'Asia/Gaza',
  'Antarctica/Troll',
  'Asia/Pyongyang',
]

const policy: fc.Arbitrary<Required<DstPolicy>> = fc.record({
  gap: fc.constantFrom('shift' as const, 'skip' as const, 'firstValid' as const),
  overlap: fc.constantFrom('auto' as const, 'first' as const, 'second' as const, 'both' as const),
})

const testCase: fc.Arbitrary<Case> = fc
  .record({
    minutes: field(0, 59),
    hours: field(0, 23),
    days: fc.oneof({ weight: 3, arbitrary: fc.constant({ text: '*', holds: () => true }) }, field(1, 31)),
    weekdays: fc.oneof({ weight: 3, arbitrary: fc.constant({ text: '*', holds: () => true }) }, field(0, 6)),
    zone: fc.constantFrom(...zones),
    dst: policy,
  })
  .map(({ minutes, hours, days, weekdays, zone: timezone, dst }) => ({
    value: {
      minute: minutes.text,
      hour: hours.text,
      dayOfMonth: days.text,
      dayOfWeek: weekdays.text,
      timezone,
      dst,
    },
    matches: (local) =>
      local.getUTCSeconds() === 0 &&
      minutes.holds(local.getUTCMinutes()) &&
      hours.holds(local.getUTCHours()) &&
      days.holds(local.getUTCDate()) &&
      weekdays.holds(local.getUTCDay()),
    zone: timezone,
    dst,
  }))

/** An instant near a change of the zone's offset between 2009 and 2041, or anywhere when it has none. */
const nearTransition = (zoneName: string): fc.Arbitrary<Instant> => {
  const from = Date.UTC(2009, 0)
  const until = Date.UTC(2041, 0)
  const changes = zone(zoneName)?.transitionsBetween(from, until) ?? []
  const anywhere = fc.integer({ min: from, max: until })
  if (changes.length === 0) return anywhere
  return fc
    .tuple(fc.constantFrom(...changes), fc.integer({ min: -day, max: 4 * hour }))
    .map(([change, shift]) => change.at + shift)
}

const atTransition = testCase.chain((test) => nearTransition(test.zone).map((start) => ({ test, start })))

function compile(value: CrontabValue) {
  const parsed = parseCrontab(value)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error))
  return compileCrontab(parsed.value)
}

describe('crontab against a walk over every minute', () => {
  it('agrees around changes of offset, by next, previous and count, with every policy', () => {
    fc.assert(
      fc.property(
        atTransition,
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 4, maxLength: 4 }),
        ({ test, start }, shares) => {
          const until = start + 30 * hour
          const expected = walk(test, start, until)
          const recurrence = compile(test.value)
          const forward: Instant[] = []
          for (let at = recurrence.next(start); at !== undefined && at <= until; at = recurrence.next(at)) {
            forward.push(at)
          }
          expect(forward).toEqual(expected)
          const back: Instant[] = []
          let at = recurrence.previous(until)
          while (at !== undefined && at > start) {
            back.push(at)
            at = recurrence.previous(at - 1)
          }
          expect(back.reverse()).toEqual(expected)
          expect(recurrence.count(start, until)).toBe(expected.length)
          // Asked anywhere, in any order, of a fresh one: nothing may hang on what was asked before.
          const fresh = compile(test.value)
          const [a = 0, b = 0, ...points] = shares.map((share) => Math.floor(start + share * 30 * hour))
          const between = expected.filter((one) => one > Math.min(a, b) && one <= Math.max(a, b))
          expect(fresh.count(Math.min(a, b), Math.max(a, b))).toBe(between.length)
          for (const point of points) {
            const next = expected.find((one) => one > point)
            if (next !== undefined) expect(fresh.next(point)).toBe(next)
            const previous = expected.filter((one) => one <= point).at(-1)
            if (previous !== undefined) expect(fresh.previous(point)).toBe(previous)
          }
        },
      ),
      { numRuns: 200 },
    )
  })

  it('agrees at every change of 2026 in every zone that Intl has, with */15', () => {
    let changes = 0
    for (const name of Intl.supportedValuesOf('timeZone')) {
      const test: Case = {
        value: { minute: '*/15', timezone: name },
        matches: (local) => local.getUTCMinutes() % 15 === 0 && local.getUTCSeconds() === 0,
        zone: name,
        dst: { gap: 'shift', overlap: 'both' },
      }
      const recurrence = compile(test.value)
      for (const { at } of zone(name)?.transitionsBetween(Date.UTC(2026, 0), Date.UTC(2027, 0)) ?? []) {
        changes += 1
        const found: Instant[] = []
        let next = recurrence.next(at - 3 * hour)
        while (next !== undefined && next <= at + 3 * hour) {
          found.push(next)
          next = recurrence.next(next)
        }
        expect(found, name).toEqual(walkNear(test, at))
      }
    }
    expect(changes).toBeGreaterThan(200)
  })
})

/**
 * `walk` over six hours, with a margin of four hours only: enough for the shifts of 2026, which are two at
 * most.
 */
function walkNear(test: Case, at: Instant): Instant[] {
  const found = new Set<Instant>()
  let before = wallClock(test.zone, at - 4 * hour - minute)
  for (let now = at - 4 * hour; now <= at + 3 * hour; now += minute) {
    const local = wallClock(test.zone, now)
    for (let missing = before + minute; missing < local; missing += minute) {
      if (test.matches(new Date(missing))) found.add(now + missing - before - minute)
    }
    if (test.matches(new Date(local))) found.add(now)
    before = local
  }
  return [...found].filter((one) => one > at - 3 * hour && one <= at + 3 * hour).sort((a, b) => a - b)
}
