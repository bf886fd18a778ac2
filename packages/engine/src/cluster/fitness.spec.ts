import { beforeEach, expect, it } from 'vitest'
import { ManualClock } from '../memory/manual-clock.js'
import { unavailable } from '../ports/faults.js'
import { Fitness } from './fitness.js'

const unfitAfterMs = 15_000

let clock: ManualClock
let fitness: Fitness
let probes: number
let canReach: boolean
beforeEach(() => {
  clock = new ManualClock(0)
  probes = 0
  canReach = true
  const probe = async () => {
    probes += 1
    if (!canReach) throw unavailable('cut off')
  }
  fitness = new Fitness({ clock, unfitAfterMs, probe })
})

async function after(ms: number): Promise<boolean> {
  await clock.advance(ms)
  await fitness.review()
  return fitness.isFit
}

/** Stuck until it gives up; answers how long it stays out when it can be reached again at once. */
async function spell(): Promise<number> {
  fitness.stuck()
  expect(await after(unfitAfterMs + 1)).toBe(false)
  let out = 0
  for (; !(await after(1_000)); out += 1_000) expect(out).toBeLessThan(200_000)
  return out + 1_000
}

it('gives up when nothing has got on for long, not before, and asks nobody until then', async () => {
  expect([fitness.isFit, fitness.isTroubled]).toEqual([true, false])
  fitness.stuck()
  expect([fitness.isFit, fitness.isTroubled]).toEqual([true, true])
  expect(await after(unfitAfterMs)).toBe(true)
  fitness.stuck()
  expect(await after(1)).toBe(false)
  expect([fitness.isTroubled, probes]).toEqual([true, 0])
})

it('does not give up while something gets on', async () => {
  for (let second = 0; second < 60; second += 1) {
    fitness.stuck()
    expect(await after(1_000)).toBe(true)
    if (second % 10 === 9) fitness.progressed()
  }
  expect(fitness.isTroubled).toBe(false)
})

it('comes back when a probe says that everything is in reach, and looks again later when not', async () => {
  canReach = false
  fitness.stuck()
  await after(unfitAfterMs + 1)
  expect([await after(unfitAfterMs - 1), probes]).toEqual([false, 0])
  expect([await after(1), probes]).toEqual([false, 1])
  expect([await after(unfitAfterMs - 1), probes]).toEqual([false, 1])
  canReach = true
  expect([await after(1), probes]).toEqual([true, 2])
  expect(fitness.isTroubled).toBe(false)
})

it('what is stuck while it is out counts for nothing when it is back', async () => {
  fitness.stuck()
  await after(unfitAfterMs + 1)
  fitness.stuck()
  expect(await after(unfitAfterMs)).toBe(true)
  expect(await after(10 * unfitAfterMs)).toBe(true)
})

it('stays out twice as long each time, a minute at most, and as at first once something has got on', async () => {
  expect([await spell(), await spell(), await spell(), await spell()]).toEqual([
    15_000, 30_000, 60_000, 60_000,
  ])
  fitness.progressed()
  expect(await spell()).toBe(15_000)
})
