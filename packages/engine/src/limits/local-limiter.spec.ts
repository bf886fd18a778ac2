import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LocalRateLimiter } from './local-limiter.js'

function bench() {
  let now = 0
  const limiter = new LocalRateLimiter({ elapsed: () => now })
  const wait = (ms: number) => {
    now += ms
  }
  return { limiter, wait }
}

describe('a rate', () => {
  it('lets a burst through at once, then one after the other, and tells how long to wait', () => {
    const { limiter, wait } = bench()
    const rate = { perSecond: 10, burst: 3 }
    const take = () => limiter.take('a', rate)
    expect([take(), take(), take()]).toEqual([0, 0, 0])
    expect(take()).toBeCloseTo(100)
    wait(40)
    expect(take()).toBeCloseTo(60)
    wait(60)
    expect([take(), take() > 0]).toEqual([0, true])
    wait(10_000)
    expect([take(), take(), take(), take() > 0]).toEqual([0, 0, 0, true])
  })

  it('is that of its bucket alone', () => {
    const { limiter } = bench()
    const rate = { perSecond: 1, burst: 1 }
    expect([limiter.take('a', rate), limiter.take('b', rate), limiter.take('a', rate) > 0]).toEqual([
      0,
      0,
      true,
    ])
  })

  // For all sequences of waits: in no stretch of time is more let through than the burst and what the rate gives.
  it('is never exceeded, and what it says to wait is enough', () => {
    const waits = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 200 })
    fc.assert(
      fc.property(
        waits,
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 20 }),
        (pauses, perSecond, burst) => {
          const { limiter, wait } = bench()
          const passed: number[] = []
          let at = 0
          for (const ms of pauses) {
            wait(ms)
            at += ms
            const left = limiter.take('a', { perSecond, burst })
            if (left === 0) passed.push(at)
            else {
              wait(left)
              at += left
              expect(limiter.take('a', { perSecond, burst })).toBe(0)
              passed.push(at)
            }
          }
          for (const [first, from] of passed.entries()) {
            for (const [last, until] of passed.entries()) {
              if (last < first) continue
              expect(last - first + 1).toBeLessThanOrEqual(
                burst + ((until - from) * perSecond) / 1_000 + 0.001,
              )
            }
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  it('of ten thousand others is forgotten last when it was used last', () => {
    const { limiter } = bench()
    const rate = { perSecond: 1, burst: 1 }
    for (let n = 0; n <= 10_001; n += 1) limiter.take(`b${n}`, rate)
    expect(limiter.take('b10001', rate)).toBeGreaterThan(0)
    expect(limiter.take('b0', rate)).toBe(0)
  })
})
