import { compile, type Instant, type Recurrence, type ScheduleValue } from '@almanac/recurrence'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { withSingles } from './singles.js'

const day = Date.UTC(2026, 2, 1)
const hour = 3_600_000
const at = (hours: number): Instant => day + hours * hour
const hourly: ScheduleValue = { crontab: { expression: '0 * * * *', timezone: 'UTC' } }

function compiled(): Recurrence {
  const result = compile(hourly, { anchor: day, calendar: () => undefined })
  if (!result.ok) throw new Error('an hourly schedule compiles')
  return result.value
}

/** The hours of the first day at which something runs. */
function hoursOf(said: Partial<Parameters<typeof withSingles>[1]>, after = at(0)): readonly number[] {
  const whole = { cancelled: [], moved: [], runsLeft: null, ...said }
  const { recurrence, finalAt } = withSingles(compiled(), whole, after)
  const found: number[] = []
  const end = Math.min(at(12), finalAt ?? at(12))
  for (let next = recurrence.next(after); next !== undefined && next <= end; next = recurrence.next(next)) {
    found.push((next - day) / hour)
  }
  return found
}

describe('a limit', () => {
  const moved = (from: number, to: number) => ({ at: at(from), to: at(to) })

  it.each([
    ['one that is moved behind others', 1, [moved(1, 2.5)], [2.5]],
    ['one that is moved to where the next would be', 1, [moved(1, 2)], [2]],
    ['the last that is moved far behind', 2, [moved(2, 5)], [1, 5]],
    ['one in the middle', 3, [moved(2, 0.5)], [0.5, 1, 3]],
    ['two that change places', 2, [moved(1, 2.2), moved(2, 1.2)], [1.2, 2.2]],
    ['one beyond it, which does not run', 2, [moved(3, 1.5)], [1, 2]],
  ] as const)('counts %s as what it was', (_, runsLeft, singles, hours) => {
    expect(hoursOf({ runsLeft, moved: singles })).toEqual(hours)
  })

  it('does not count what was moved before it began, and ran', () => {
    expect(hoursOf({ runsLeft: 2, moved: [moved(3, 1.5)] }, at(1.7))).toEqual([2, 4])
  })

  it('counts what was due before it began, and is later now', () => {
    expect(hoursOf({ runsLeft: 2, moved: [moved(1, 2.5)] }, at(1.7))).toEqual([2, 2.5])
  })

  it('lets another run for one that is cancelled, moved or not', () => {
    expect(hoursOf({ runsLeft: 2, cancelled: [at(1)] })).toEqual([2, 3])
    expect(hoursOf({ runsLeft: 2, moved: [moved(1, 1.5)], cancelled: [at(1.5)] })).toEqual([2, 3])
  })

  it('of none lets none run', () => {
    expect(hoursOf({ runsLeft: 0, moved: [moved(1, 2.5)] })).toEqual([])
  })
})

it('says the same forwards, backwards and in numbers, whatever is cancelled and moved', () => {
  const quarter = fc.integer({ min: 1, max: 40 }).map((n) => at(n / 4))
  const full = fc.integer({ min: 1, max: 9 }).map(at)
  const moves = fc.uniqueArray(fc.record({ at: full, to: quarter }), {
    maxLength: 4,
    selector: (one) => one.at,
  })
  const limit = fc.option(fc.integer({ min: 0, max: 6 }))
  fc.assert(
    fc.property(fc.uniqueArray(quarter, { maxLength: 3 }), moves, limit, (cancelled, moved, runsLeft) => {
      const { recurrence, finalAt } = withSingles(compiled(), { cancelled, moved, runsLeft }, at(0))
      const end = Math.min(at(11), finalAt ?? at(11))
      const forwards: number[] = []
      for (
        let next = recurrence.next(at(0));
        next !== undefined && next <= end;
        next = recurrence.next(next)
      ) {
        forwards.push(next)
      }
      const backwards: number[] = []
      for (let last = recurrence.previous(end); last !== undefined && last > at(0); ) {
        backwards.unshift(last)
        last = recurrence.previous(last - 1)
      }
      expect(backwards).toEqual(forwards)
      expect(recurrence.count(at(0), end)).toBe(forwards.length)
      for (const instant of cancelled) expect(forwards).not.toContain(instant)
      if (runsLeft !== null) expect(forwards.length).toBeLessThanOrEqual(runsLeft)
    }),
  )
})
