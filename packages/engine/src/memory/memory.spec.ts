import { describe, expect, it } from 'vitest'
import { clockContract } from '../ports/clock.contract.js'
import { randomContract } from '../ports/random.contract.js'
import { ManualClock } from './manual-clock.js'
import { SeededRandom } from './seeded-random.js'

clockContract('manual', () => {
  const clock = new ManualClock(1_700_000_000_000)
  return { clock, pass: (ms) => clock.advance(ms) }
})

randomContract('seeded', () => new SeededRandom(42))

describe('ManualClock', () => {
  it('wakes each sleeper at its own moment, those too that begin to sleep on the way', async () => {
    const clock = new ManualClock(1000)
    const woken: number[] = []
    const tick = async (everyMs: number, times: number) => {
      for (let n = 0; n < times; n++) {
        await clock.sleep(everyMs)
        woken.push(clock.now())
      }
    }
    const both = Promise.all([tick(10, 5), tick(25, 2)])
    await clock.advance(49)
    expect(woken).toEqual([1010, 1020, 1025, 1030, 1040])
    await clock.advance(1)
    await both
    expect(woken).toEqual([1010, 1020, 1025, 1030, 1040, 1050, 1050])
    expect(clock.sleeping()).toBe(0)
  })

  it('steps the wall clock without letting time pass', async () => {
    const clock = new ManualClock(5000)
    const sleep = clock.sleep(10)
    clock.step(1000)
    expect(clock.now()).toBe(1000)
    expect(clock.elapsed()).toBe(0)
    expect(clock.sleeping()).toBe(1)
    await clock.advance(10)
    await sleep
    expect(clock.now()).toBe(1010)
  })
})

describe('SeededRandom', () => {
  it('draws the same for the same seed, and something else for another', () => {
    const draw = (seed: number) => {
      const random = new SeededRandom(seed)
      return [random.next(), random.token(8), random.next()]
    }
    expect(draw(7)).toEqual(draw(7))
    expect(draw(7)).not.toEqual(draw(8))
  })
})
