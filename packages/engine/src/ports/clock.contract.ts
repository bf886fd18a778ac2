import { describe, expect, it } from 'vitest'
import { createStop } from '../stop.js'
import type { Clock } from './clock.js'

export interface ClockFixture {
  readonly clock: Clock
  /** Lets at least so much time pass: by a hand on the clock, or by waiting. */
  pass(ms: number): Promise<void>
}

export const clockContract = (name: string, factory: () => ClockFixture): void => {
  describe(`clock: ${name}`, () => {
    reading(factory)
    sleeping(factory)
    stopping(factory)
  })
}

const reading = (factory: () => ClockFixture) => {
  it('tells the time in whole milliseconds', () => {
    const now = factory().clock.now()
    expect(Number.isSafeInteger(now)).toBe(true)
    expect(now).toBeGreaterThan(0)
  })

  it('counts elapsed time by what has passed, never back', async () => {
    const { clock, pass } = factory()
    const start = clock.elapsed()
    expect(clock.elapsed()).toBeGreaterThanOrEqual(start)
    await pass(20)
    expect(clock.elapsed() - start).toBeGreaterThanOrEqual(20)
  })
}

/** `sleep` with a note of when it ended, on the elapsed scale. */
const timed = async (clock: Clock, ms: number): Promise<number> => {
  const start = clock.elapsed()
  await clock.sleep(ms)
  return clock.elapsed() - start
}

const sleeping = (factory: () => ClockFixture) => {
  it('never wakes early', async () => {
    const { clock, pass } = factory()
    const waits = [1, 2, 5, 7.5, 13, 20]
    const slept = Promise.all(waits.map((ms) => timed(clock, ms)))
    await pass(30)
    for (const [index, elapsed] of (await slept).entries()) {
      expect(elapsed).toBeGreaterThanOrEqual(waits[index] ?? Number.POSITIVE_INFINITY)
    }
  })

  it('wakes in the order of the moments', async () => {
    const { clock, pass } = factory()
    const order: number[] = []
    const all = Promise.all([30, 10, 20].map((ms) => clock.sleep(ms).then(() => order.push(ms))))
    await pass(40)
    await all
    expect(order).toEqual([10, 20, 30])
  })

  it('takes no time, or a negative one, as a wait that is over', async () => {
    const { clock, pass } = factory()
    const both = Promise.all([clock.sleep(0), clock.sleep(-5)])
    await pass(1)
    await both
  })

  it('sleeps on when the wait is longer than a timer takes', async () => {
    const { clock, pass } = factory()
    const stop = createStop()
    let woken = false
    const long = clock.sleep(2 ** 32, stop).then(() => {
      woken = true
    })
    const endless = clock.sleep(Number.POSITIVE_INFINITY, stop).then(() => {
      woken = true
    })
    await pass(20)
    expect(woken).toBe(false)
    stop.stop()
    await Promise.all([long, endless])
    expect(woken).toBe(true)
  })
}

const stopping = (factory: () => ClockFixture) => {
  it('ends a wait when stop fires, without time passing', async () => {
    const { clock } = factory()
    const stop = createStop()
    const sleep = clock.sleep(1_000_000, stop)
    stop.stop()
    await sleep
  })

  it('does not wait at all when stop has fired', async () => {
    const { clock } = factory()
    const stop = createStop()
    stop.stop()
    await clock.sleep(1_000_000, stop)
  })

  it('leaves no callback behind on a stop that outlives the wait', async () => {
    const { clock, pass } = factory()
    let listening = 0
    const source = createStop()
    const stop = {
      get stopped() {
        return source.stopped
      },
      onStop(callback: () => void) {
        listening += 1
        const forget = source.onStop(callback)
        return () => {
          listening -= 1
          forget()
        }
      },
    }
    const sleep = clock.sleep(1, stop)
    await pass(5)
    await sleep
    expect(listening).toBe(0)
  })
}
