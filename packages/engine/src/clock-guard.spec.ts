import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ClockGuard, type ClockGuardOptions } from './clock-guard.js'
import { ManualClock } from './memory/manual-clock.js'
import { clockContract } from './ports/clock.contract.js'

const start = 1_700_000_000_000
const hour = 3_600_000

clockContract('guard', () => {
  const source = new ManualClock(start)
  const clock = new ClockGuard(source)
  clock.observe('store', source.now(), 0, 0)
  return { clock, pass: (ms) => source.advance(ms) }
})

/** A machine whose wall may be stepped, and servers whose clocks are right but for `wrongBy`. */
function world(options?: ClockGuardOptions) {
  const machine = new ManualClock(start)
  const guard = new ClockGuard(machine, options)
  const truth = () => start + machine.elapsed()
  /** The server reads its clock after `there` ms, its answer is here `back` ms later. */
  const ask = async (source: string, there = 1, back = 1, wrongBy = 0) => {
    const askedAt = machine.elapsed()
    await machine.advance(there)
    const serverTime = truth() + wrongBy
    await machine.advance(back)
    guard.observe(source, serverTime, askedAt, machine.elapsed())
  }
  const pass = async (ms: number, sources: readonly string[]) => {
    const until = machine.elapsed() + ms
    while (machine.elapsed() < until) {
      await machine.advance(3_000)
      for (const source of sources) await ask(source)
    }
  }
  const stepBy = (ms: number) => machine.step(machine.now() + ms)
  return { machine, guard, truth, ask, pass, stepBy }
}

describe('a right clock', () => {
  it('is followed, with sources and without', async () => {
    const { guard, truth, ask, machine } = world()
    expect(guard.now()).toBe(start)
    await ask('store')
    await machine.advance(10_000)
    expect(guard.now()).toBe(truth())
    expect(guard.suspect()).toBeNull()
  })

  it('tells by source how far it is outside of what that allows, while the source is heard', async () => {
    const { guard, ask, machine, stepBy } = world()
    expect(guard.offsets()).toEqual(new Map())
    await ask('right')
    await ask('behind', 1, 1, -300)
    await ask('ahead', 1, 1, 400)
    // The bounds of an answer are as wide as the way there and back: 2 ms.
    expect([...guard.offsets()]).toEqual([
      ['right', 0],
      ['behind', 299],
      ['ahead', -399],
    ])
    stepBy(1_000)
    expect([...guard.offsets().values()]).toEqual([999, 1_299, 599])
    await machine.advance(50_000)
    await ask('right')
    await machine.advance(20_000)
    expect([...guard.offsets().keys()]).toEqual(['right'])
  })

  it('is followed when it is off by no more than the limit', async () => {
    const { guard, truth, ask, stepBy } = world()
    await ask('store')
    stepBy(490)
    expect(guard.now()).toBe(truth() + 490)
    stepBy(-980)
    expect(guard.now()).toBe(truth() - 490)
    expect(guard.suspect()).toBeNull()
  })

  it('is never suspected for the slowness of a network, however it is shared out', async () => {
    const delay = fc.integer({ min: 0, max: 20_000 })
    const answers = fc.array(fc.tuple(fc.constantFrom('store', 'broker'), delay, delay), { maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(answers, fc.integer({ min: -500, max: 500 }), async (given, offBy) => {
        const { guard, machine, truth, ask, stepBy } = world()
        stepBy(offBy)
        for (const [source, there, back] of given) {
          await ask(source, there, back)
          expect(guard.suspect()).toBeNull()
          expect(guard.now()).toBe(truth() + offBy)
        }
        await machine.advance(30_000)
        expect(guard.now()).toBe(truth() + offBy)
      }),
      { numRuns: 30 },
    )
  })
})

describe('a clock that is ahead', () => {
  it('by an hour is not followed: time goes on with the source', async () => {
    const { guard, truth, ask, machine, stepBy } = world()
    await ask('store')
    stepBy(hour)
    expect(guard.now()).toBe(truth() - 1)
    await machine.advance(10_000)
    expect(guard.now()).toBe(truth() - 1)
    expect(guard.suspect()).toEqual({ offsetMs: hour - 1, since: 2 })
  })

  it('is suspect no more once it is right again', async () => {
    const { guard, truth, ask, machine, stepBy } = world()
    await ask('store')
    stepBy(hour)
    guard.now()
    await machine.advance(10_000)
    stepBy(-hour)
    expect(guard.now()).toBe(truth())
    expect(guard.suspect()).toBeNull()
    stepBy(hour)
    expect(guard.suspect()?.since).toBe(10_002)
  })

  it('never passes the slowest of several sources', async () => {
    const { guard, truth, ask, stepBy } = world()
    await ask('store')
    await ask('broker', 1, 1, -700)
    stepBy(hour)
    expect(guard.now()).toBeLessThanOrEqual(truth() - 700)
    expect(guard.now()).toBeGreaterThanOrEqual(truth() - 702)
  })

  it('by drift is followed up to the limit, and no further', async () => {
    const { guard, truth, ask, machine, stepBy } = world()
    let suspectedAt = 0
    for (let drift = 1; drift <= 1_000; drift++) {
      await machine.advance(4_800)
      await ask('store', 100, 100)
      stepBy(1)
      if (guard.suspect() !== null) suspectedAt ||= drift
      expect(guard.now()).toBe(suspectedAt === 0 ? truth() + drift : truth() - 100)
    }
    // The limit, and the time for which the question was under way.
    expect(suspectedAt).toBe(601)
  })
})

describe('a clock that is behind', () => {
  it('is believed against one source, and suspect', async () => {
    const { guard, truth, ask, stepBy } = world()
    await ask('store')
    stepBy(-hour)
    expect(guard.now()).toBe(truth() - hour)
    expect(guard.suspect()?.offsetMs).toBe(1 - hour)
  })

  it('follows two sources, the slower one', async () => {
    const { guard, truth, ask, machine, stepBy } = world()
    await ask('store')
    await ask('broker', 1, 100)
    stepBy(-hour)
    expect(guard.now()).toBe(truth() - 100)
    await machine.advance(5_000)
    expect(guard.now()).toBe(truth() - 100)
  })

  it('stays with the wall when one of two sources agrees with it', async () => {
    const { guard, machine, ask, stepBy } = world()
    stepBy(-hour)
    await ask('store')
    await ask('broker', 1, 1, -hour)
    expect(guard.now()).toBe(machine.now())
    expect(guard.suspect()?.offsetMs).toBe(1 - hour)
  })
})

describe('sources stand behind the time', () => {
  it('that they agree with, or that was made of theirs', async () => {
    const { guard, ask, machine, stepBy } = world()
    expect(guard.isVouchedFor()).toBe(false)
    await ask('store')
    expect(guard.isVouchedFor()).toBe(true)
    stepBy(hour)
    expect(guard.isVouchedFor()).toBe(true)
    stepBy(-2 * hour)
    expect(guard.isVouchedFor()).toBe(false)
    await ask('broker')
    expect(guard.isVouchedFor()).toBe(true)
    stepBy(hour)
    expect(guard.isVouchedFor()).toBe(true)
    await machine.advance(60_001)
    expect(guard.isVouchedFor()).toBe(false)
  })
})

describe('letting go', () => {
  it('is for a clock that stays far off, either way', async () => {
    for (const step of [hour, -hour]) {
      const { guard, pass, ask, stepBy } = world()
      await ask('store')
      stepBy(step)
      expect(guard.mustLetGo()).toBe(false)
      await pass(25_000, ['store'])
      expect(guard.mustLetGo()).toBe(false)
      await pass(10_000, ['store'])
      expect(guard.mustLetGo()).toBe(true)
      stepBy(-step)
      expect(guard.mustLetGo()).toBe(false)
    }
  })

  it('is not for a short step, nor for a small one', async () => {
    const { guard, pass, ask, stepBy } = world()
    await ask('store')
    stepBy(hour)
    guard.now()
    await pass(10_000, ['store'])
    stepBy(-hour + 2_000)
    await pass(60_000, ['store'])
    expect(guard.suspect()?.offsetMs).toBeGreaterThan(1_900)
    expect(guard.mustLetGo()).toBe(false)
  })

  it('counts from when the clock is far off, not from when it began to be suspect', async () => {
    const { guard, pass, ask, stepBy } = world()
    await ask('store')
    stepBy(2_000)
    guard.now()
    await pass(60_000, ['store'])
    stepBy(hour)
    expect(guard.mustLetGo()).toBe(false)
  })

  it('asks for an answer from after the step: the machine may have slept', async () => {
    const { guard, machine, ask, stepBy } = world()
    await ask('store')
    // Elapsed time stands still in a machine that sleeps, the wall does not.
    stepBy(hour)
    guard.now()
    await machine.advance(40_000)
    expect(guard.suspect()).not.toBeNull()
    expect(guard.mustLetGo()).toBe(false)
  })

  it('is not for a clock with as many sources for it as against it', async () => {
    const { guard, truth, ask, machine } = world()
    for (let round = 0; round < 20; round++) {
      await ask('store')
      await ask('broker', 1, 1, -hour)
      await machine.advance(3_000)
    }
    expect(guard.suspect()?.offsetMs).toBe(hour - 1)
    expect(guard.now()).toBe(truth() - hour - 1)
    expect(guard.mustLetGo()).toBe(false)
    for (let round = 0; round < 20; round++) {
      await ask('store')
      await ask('broker', 1, 1, -hour)
      await ask('log', 1, 1, -hour)
      await machine.advance(3_000)
    }
    expect(guard.mustLetGo()).toBe(true)
  })
})

describe('samples', () => {
  it('are forgotten when they are old', async () => {
    const { guard, machine, ask, stepBy } = world()
    await ask('store')
    await machine.advance(60_001)
    stepBy(hour)
    expect(guard.now()).toBe(machine.now())
    expect(guard.suspect()).toBeNull()
  })

  it('that made the clock suspect are kept ten times as long, while nothing newer is heard', async () => {
    const { guard, machine, truth, ask, stepBy } = world()
    await ask('store')
    stepBy(hour)
    expect(guard.now()).toBe(truth() - 1)
    await machine.advance(599_999)
    expect(guard.now()).toBe(truth() - 1)
    await machine.advance(2)
    expect(guard.now()).toBe(machine.now())
    expect(guard.suspect()).toBeNull()
  })

  it('that made the clock suspect give way to a newer one that does not', async () => {
    const { guard, machine, ask, stepBy } = world()
    await ask('store')
    stepBy(hour)
    guard.now()
    await machine.advance(60_001)
    await ask('broker', 1, 1, hour)
    expect(guard.now()).toBe(machine.now())
  })

  it('that are narrow are not displaced by a wide one of the same clock, for a while', async () => {
    const { guard, truth, ask, stepBy } = world()
    await ask('store')
    await ask('store', 0, 5_000)
    stepBy(hour)
    expect(guard.now()).toBe(truth() - 1)
    await ask('store', 5_000, 5_001)
    expect(guard.now()).toBe(truth() - 5_001)
  })

  it('of a source whose clock was set give way to the newer one', async () => {
    const { guard, machine, truth, ask } = world()
    await ask('store', 1, 1, -hour)
    expect(guard.now()).toBe(truth() - hour - 1)
    await ask('store', 100, 100)
    expect(guard.now()).toBe(machine.now())
    expect(guard.suspect()).toBeNull()
  })

  it('that were overtaken by a later answer are dropped', async () => {
    const { guard, machine } = world()
    await machine.advance(1_000)
    guard.observe('store', start + 1_000, 900, 1_000)
    guard.observe('store', start - hour, 400, 500)
    expect(guard.now()).toBe(start + 1_000)
  })
})
