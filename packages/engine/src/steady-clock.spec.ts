import { describe, expect, it } from 'vitest'
import { SteadyClock } from './steady-clock.js'

function world(start: number) {
  const time = { wall: start, elapsed: 0, isVouchedFor: false }
  const source = { now: () => time.wall, elapsed: () => time.elapsed, sleep: async () => {} }
  const pass = (ms: number) => {
    time.wall += ms
    time.elapsed += ms
  }
  return { time, pass, clock: new SteadyClock(source, () => time.isVouchedFor) }
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

  it('follows a large step back at once when others vouch for the wall, also when they do so later', () => {
    const { time, pass, clock } = world(10_000_000)
    clock.now()
    time.isVouchedFor = true
    time.wall -= 3_600_000
    expect(clock.now()).toBe(6_400_000)
    pass(1_000)
    expect(clock.now()).toBe(6_401_000)
    time.isVouchedFor = false
    time.wall -= 60_000
    pass(1_000)
    expect(clock.now()).toBe(6_401_500)
    time.isVouchedFor = true
    expect([clock.now(), clock.ahead()]).toEqual([time.wall, 0])
  })

  it('waits a small step back out, whoever vouches for the wall', () => {
    const { time, pass, clock } = world(10_000_000)
    time.isVouchedFor = true
    time.wall -= 500
    expect(clock.now()).toBe(10_000_000)
    pass(200)
    expect([clock.now(), clock.ahead()]).toEqual([10_000_100, 400])
  })

  it('goes on from what was decided, unless that is more than a day ahead', () => {
    const { time, pass, clock } = world(10_000_000)
    clock.notBefore(10_000_000 + 86_400_001)
    expect(clock.now()).toBe(10_000_000)
    clock.notBefore(10_060_000)
    expect(clock.now()).toBe(10_060_000)
    pass(10_000)
    expect(clock.now()).toBe(10_065_000)
    clock.notBefore(time.wall)
    expect(clock.now()).toBe(10_065_000)
  })
})
