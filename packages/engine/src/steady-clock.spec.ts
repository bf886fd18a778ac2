import { describe, expect, it } from 'vitest'
import { SteadyClock } from './steady-clock.js'

function world(start: number) {
  const time = { wall: start, elapsed: 0 }
  const source = { now: () => time.wall, elapsed: () => time.elapsed, sleep: async () => {} }
  const pass = (ms: number) => {
    time.wall += ms
    time.elapsed += ms
  }
  return { time, pass, clock: new SteadyClock(source) }
}

describe('SteadyClock', () => {
  it('follows the wall, and its steps forward', () => {
    const { time, pass, clock } = world(1_000)
    pass(500)
    expect(clock.now()).toBe(1_500)
    time.wall += 3_600_000
    expect(clock.now()).toBe(3_601_500)
  })

  it('never goes back: after a step back it goes on at half speed until the wall has caught up', () => {
    const { time, pass, clock } = world(10_000_000)
    clock.now()
    time.wall -= 3_600_000
    expect(clock.now()).toBe(10_000_000)
    pass(60_000)
    expect(clock.now()).toBe(10_030_000)
    expect(clock.ahead()).toBe(3_570_000)
    for (let seconds = 0; seconds < 7_140; seconds += 1) {
      const before = clock.now()
      pass(1_000)
      expect(clock.now()).toBeGreaterThan(before)
    }
    expect(clock.ahead()).toBe(0)
    pass(1_000)
    expect(clock.now()).toBe(time.wall)
  })
})
