import { systemClock } from '@almanac/adapters/system'
import type { Clock } from '@almanac/engine'
import { clockContract } from '@almanac/engine/contracts/clock'
import { describe, expect, it } from 'vitest'
import { rightClock, SteppedClock } from './stepped-clock.js'

clockContract('stepped', () => {
  const clock = new SteppedClock(systemClock())
  return { clock, pass: (ms) => clock.sleep(ms) }
})

/** A true clock that is moved by hand. */
function world() {
  const state = { wall: 1_000_000, elapsed: 500 }
  const base: Clock = {
    now: () => state.wall,
    elapsed: () => state.elapsed,
    sleep: () => Promise.resolve(),
  }
  const pass = (ms: number) => {
    state.wall += ms
    state.elapsed += ms
  }
  return { base, pass }
}

describe('a stepped clock', () => {
  it('jumps when it is set, and its elapsed time does not', () => {
    const { base, pass } = world()
    const clock = new SteppedClock(base)
    clock.set({ offsetMs: -3_600_000, driftPpm: 0 })
    expect(clock.now()).toBe(1_000_000 - 3_600_000)
    pass(100)
    expect(clock.elapsed()).toBe(600)
    expect(clock.now()).toBe(1_000_100 - 3_600_000)
  })

  it('runs faster, and is put right in one step', () => {
    const { base, pass } = world()
    const clock = new SteppedClock(base)
    clock.set({ offsetMs: 0, driftPpm: 20_000 })
    pass(100_000)
    expect(clock.elapsed()).toBe(102_500)
    expect(clock.now()).toBe(1_102_000)
    clock.set(rightClock)
    expect(clock.now()).toBe(1_100_000)
    expect(clock.elapsed()).toBe(102_500)
    pass(1_000)
    expect(clock.now()).toBe(1_101_000)
  })

  it('is wrong from its beginning when its machine is', () => {
    const { base } = world()
    expect(new SteppedClock(base, { offsetMs: 5_000, driftPpm: 0 }).now()).toBe(1_005_000)
  })
})
