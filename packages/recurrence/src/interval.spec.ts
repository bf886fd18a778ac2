import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { maxInstant, parseInstant } from './instant.js'
import { compileInterval, intervalMicros, intervalProblems, nextOnGridMicros } from './interval.js'
import type { IntervalPeriod, IntervalValue } from './types.js'
import { intervalPeriods } from './types.js'

interface Probe {
  readonly id: string
  readonly k: 'probe'
  readonly every: number
  readonly period: IntervalPeriod
  readonly relative: boolean
  readonly last_run_at: string
  readonly now: string
  readonly due: boolean
  readonly next_s: number
  readonly remaining_s: number
}

interface Sequence {
  readonly id: string
  readonly k: 'seq'
  readonly case: string
  readonly every: number
  readonly period: IntervalPeriod
  readonly created: string
  readonly start_time: string | null
  readonly last_run_at: string | null
  readonly now: string
  readonly fires: readonly string[]
}

const oracle: { cases: readonly (Probe | Sequence)[] } = JSON.parse(
  readFileSync(new URL('../oracle/interval.oracle.json', import.meta.url), 'utf8'),
)
const probes = oracle.cases.filter((row) => row.k === 'probe')
const sequences = oracle.cases.filter((row) => row.k === 'seq')

/** Microseconds, exactly. */
function micros(text: string): bigint {
  const result = parseInstant(text)
  if (!result.ok) throw new Error(text)
  const fraction = /\.(\d+)Z$/.exec(text)?.[1] ?? ''
  return BigInt(result.value) * 1000n + BigInt(fraction.padEnd(6, '0').slice(3, 6))
}

/** Celery's `relative` option, which no database row sets: the instant is cut to the size of the period. */
function cut(at: bigint, every: bigint): bigint {
  const units = [86_400_000_000n, 3_600_000_000n, 60_000_000n, 1_000_000n]
  const unit = units.find((size) => every >= size) ?? 1n
  return (at / unit) * unit
}

describe('the interval oracle', () => {
  it('holds what it is thought to hold', () => {
    expect([probes.length, sequences.length]).toEqual([107, 123])
  })

  it.each(probes)('probe $id: every $every $period', (row) => {
    const every = intervalMicros(row)
    const [last, now] = [micros(row.last_run_at), micros(row.now)]
    const resolve = (at: bigint): bigint => (row.relative ? cut(at, every) : at)
    const next = resolve(nextOnGridMicros(last, every, last))
    expect(next <= now).toBe(row.due)
    expect(Number(next - now) / 1e6).toBeCloseTo(row.remaining_s, 6)
    expect(Number((row.due ? resolve(now + every) : next) - now) / 1e6).toBeCloseTo(row.next_s, 6)
  })

  it('differs from Celery in sequences only by design', () => {
    const counts: Record<string, number> = {}
    for (const row of sequences) {
      const kind = kindOf(row)
      counts[kind] = (counts[kind] ?? 0) + 1
    }
    expect(counts).toEqual({
      same: 71,
      'refused: shorter than a millisecond': 9,
      'Celery: rhythm starts anew at a late run': 21,
      'Celery: rhythm from the last run, not the start time': 13,
      'Celery: start time rounded up to a second': 9,
    })
  })
})

/**
 * How Celery's five runs compare with those of a grid. The grid starts at the start time, else at the last run or the
 * creation; what is due by `now` gives one late run at `now`, as the planner's default does.
 */
function kindOf(row: Sequence): string {
  const every = intervalMicros(row)
  if (intervalProblems(row.every, row.period, '').length > 0) return 'refused: shorter than a millisecond'
  const [now, fires] = [micros(row.now), row.fires.map(micros)]
  const start = row.start_time === null ? undefined : micros(row.start_time)
  const last = row.last_run_at === null ? undefined : micros(row.last_run_at)
  const anchor = start ?? last ?? micros(row.created)
  const decided =
    start === undefined ? (last ?? anchor) : last !== undefined && last > start ? last : start - 1n
  const ours: bigint[] = nextOnGridMicros(anchor, every, decided) <= now ? [now] : []
  for (let at = ours[0] ?? decided; ours.length < fires.length; ) {
    at = nextOnGridMicros(anchor, every, at)
    ours.push(at)
  }
  const evenly = fires.every((at, index) => at === (fires[0] ?? 0n) + BigInt(index) * every)
  if (fires.every((at, index) => at === ours[index])) return 'same'
  if (!evenly) return `unlisted: ${row.id} ${row.case}`
  if (fires[0] === now && ours[0] === now) return 'Celery: rhythm starts anew at a late run'
  if (start !== undefined && start > now && fires[0] === ((start + 999_999n) / 1_000_000n) * 1_000_000n) {
    return 'Celery: start time rounded up to a second'
  }
  if (last !== undefined && fires[0] === last + every)
    return 'Celery: rhythm from the last run, not the start time'
  return `unlisted: ${row.id} ${row.case}`
}

describe('intervalProblems', () => {
  it.each([
    [0, 'minutes', 'too_small'],
    [-1, 'minutes', 'too_small'],
    [0.5, 'minutes', 'not_an_integer'],
    ['5 minutes', 'minutes', 'not_an_integer'],
    ['5', 'minutes', 'not_an_integer'],
    [null, 'minutes', 'not_an_integer'],
    [Number.NaN, 'minutes', 'not_an_integer'],
    [Number.POSITIVE_INFINITY, 'minutes', 'not_an_integer'],
    [1e12, 'days', 'too_large'],
    [2 ** 53, 'microseconds', 'too_large'],
    [1e300, 'microseconds', 'too_large'],
    [1, 'microseconds', 'too_short'],
    [999, 'microseconds', 'too_short'],
    [1, 'months', 'unknown_period'],
    [1, 'day', 'unknown_period'],
    [1, undefined, 'unknown_period'],
  ])('refuses every %s %s: %s', (every, period, code) => {
    expect(intervalProblems(every, period, 'interval').map((problem) => problem.code)).toEqual([code])
  })

  it('names the field and the reason', () => {
    expect(intervalProblems(1e12, 'days', 'interval')).toEqual([
      {
        path: 'interval.every',
        code: 'too_large',
        message: 'the second occurrence would lie beyond year 9999',
      },
    ])
  })

  it.each([
    [1, 'days'],
    [1000, 'microseconds'],
    [86_399_999_999, 'microseconds'],
    [2_932_896, 'days'],
  ])('takes every %s %s', (every, period) => {
    expect(intervalProblems(every, period, 'interval')).toEqual([])
  })
})

describe('compileInterval', () => {
  const every = fc.oneof(
    fc.record({
      every: fc.integer({ min: 1, max: 5000 }),
      period: fc.constantFrom(...intervalPeriods.slice(0, 4)),
    }),
    fc.record({
      every: fc.integer({ min: 1000, max: 9_999_999 }),
      period: fc.constant('microseconds' as const),
    }),
  )
  const instant = fc.integer({ min: 0, max: 4_000_000_000_000 })

  it('is the millisecond of the exact grid, next being strictly after and growing', () => {
    fc.assert(
      fc.property(every, instant, instant, (value: IntervalValue, anchor, after) => {
        const recurrence = compileInterval(value, anchor)
        const grid = nextOnGridMicros(
          BigInt(anchor) * 1000n,
          intervalMicros(value),
          BigInt(after) * 1000n + 999n,
        )
        expect(recurrence.next(after)).toBe(Number(grid / 1000n))
        const second = recurrence.next(Number(grid / 1000n)) ?? 0
        expect(second).toBeGreaterThan(Number(grid / 1000n))
        expect(recurrence.previous(second)).toBe(second)
        expect(recurrence.previous(second - 1)).toBe(Number(grid / 1000n))
        expect(recurrence.nth(after, 2)).toBe(second)
      }),
    )
  })

  it('counts as a walk counts', () => {
    fc.assert(
      fc.property(every, instant, fc.nat(50), fc.nat(50), (value: IntervalValue, anchor, from, steps) => {
        const recurrence = compileInterval(value, anchor)
        const after = recurrence.nth(anchor - 1, from + 1) ?? 0
        let until = after
        for (let step = 0; step < steps; step++) until = recurrence.next(until) ?? 0
        expect(recurrence.count(after, until)).toBe(steps)
        expect(recurrence.count(after - 1, until)).toBe(steps + 1)
        expect(recurrence.count(until, after)).toBe(0)
      }),
    )
  })

  it('starts at the anchor and has nothing before', () => {
    const recurrence = compileInterval({ every: 1, period: 'hours' }, 5_000_000)
    expect(recurrence.next(0)).toBe(5_000_000)
    expect(recurrence.next(-Infinity)).toBe(5_000_000)
    expect(recurrence.next(5_000_000)).toBe(8_600_000)
    expect(recurrence.previous(4_999_999)).toBeUndefined()
    expect(recurrence.count(0, 4_999_999)).toBe(0)
  })

  it('does not drift: 60 s stays on the grid for an hour of late calls', () => {
    const recurrence = compileInterval({ every: 60, period: 'seconds' }, 0)
    let [at, sends] = [0, 0]
    while (at < 3_600_000) {
      at = recurrence.next(at === 0 ? 0 : at + 200) ?? 0
      expect(at % 60_000).toBe(0)
      sends += 1
    }
    expect(sends).toBe(60)
  })

  it('has 24 real hours in a day, also when the clocks change', () => {
    const recurrence = compileInterval({ every: 1, period: 'days' }, Date.UTC(2024, 2, 9, 7))
    expect(recurrence.nth(Date.UTC(2024, 2, 9, 7), 2)).toBe(Date.UTC(2024, 2, 11, 7))
  })

  it('ends with the year 9999', () => {
    const recurrence = compileInterval({ every: 2_932_896, period: 'days' }, 86_400_000)
    expect(recurrence.next(86_400_000)).toBeUndefined()
    expect(recurrence.next(maxInstant)).toBeUndefined()
    expect(recurrence.next(Number.NaN)).toBeUndefined()
    expect(recurrence.count(0, Infinity)).toBe(1)
  })
})
