import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type DeliveryAnswer,
  deliveryRules,
  downPauseMs,
  healthAfter,
  healthy,
  isGivenUp,
  pauseAfter,
  verdictOf,
} from './delivery.js'

const hour = 3_600_000
const answer = (status: number | null, retryAfterMs: number | null = null): DeliveryAnswer => ({
  status,
  retryAfterMs,
  error: status === 200 ? null : 'no',
  ms: 1,
})
const failing = (times: number, since = 0) => ({ ...healthy, failingSince: since, failuresInRow: times })

describe('a message', () => {
  it.each([200, 201, 204, 299])('is delivered by %i', (status) => {
    expect(verdictOf({ attempts: 1, firstAt: 0 }, answer(status), healthy, 0)).toEqual({ kind: 'delivered' })
  })

  it.each([null, 100, 199, 301, 302, 400, 401, 404, 410, 429, 500, 503])(
    'is not delivered by %s',
    (status) => {
      const verdict = verdictOf({ attempts: 1, firstAt: 0 }, answer(status), failing(1), 0.5)
      expect(verdict).toEqual({ kind: 'retry', pauseMs: 5_000 })
    },
  )

  it('waits three times as long after each failure, up to six hours', () => {
    const pauses = Array.from({ length: 10 }, (_, index) => pauseAfter(index + 1, 0.5) / 1_000)
    expect(pauses).toEqual([5, 15, 45, 135, 405, 1_215, 3_645, 10_935, 21_600, 21_600])
  })

  it('waits as long as it is asked to, up to a day', () => {
    const pause = (retryAfterMs: number) => {
      const verdict = verdictOf({ attempts: 1, firstAt: 0 }, answer(503, retryAfterMs), failing(1), 0.5)
      return verdict.kind === 'retry' ? verdict.pauseMs : undefined
    }
    expect([pause(1_000), pause(60_000), pause(1_000 * hour)]).toEqual([5_000, 60_000, 24 * hour])
  })

  it('is given up after about a day, when others have got through since', () => {
    const { maxAttempts } = deliveryRules
    const others = { ...failing(1, hour), lastSuccessAt: hour }
    expect(verdictOf({ attempts: maxAttempts, firstAt: 0 }, answer(500), others, 0)).toEqual({
      kind: 'given_up',
    })
    const before = verdictOf({ attempts: maxAttempts - 1, firstAt: 0 }, answer(500), others, 0)
    expect(before.kind).toBe('retry')
    const nobody = verdictOf({ attempts: 99, firstAt: 2 * hour }, answer(500), others, 0)
    expect(nobody.kind).toBe('retry')
    expect(verdictOf({ attempts: 99, firstAt: 0 }, answer(500), failing(99), 0).kind).toBe('retry')
  })

  it('waits between three quarters and five quarters of the pause, never no time', () => {
    const attempts = fc.integer({ min: 1, max: 1_000 })
    const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    fc.assert(
      fc.property(attempts, chance, (n, at) => {
        const middle = pauseAfter(n, 0.5)
        const pause = pauseAfter(n, at)
        expect(pause).toBeGreaterThanOrEqual(middle * 0.75 - 1)
        expect(pause).toBeLessThanOrEqual(middle * 1.25 + 1)
      }),
    )
  })
})

describe('a receiver', () => {
  it('is taken to be down after three failures in a row, and then asked more and more seldom', () => {
    const pauses = [1, 2, 3, 4, 5, 9, 50].map((times) => downPauseMs(failing(times), 0.5))
    expect(pauses).toEqual([0, 0, 1_000, 2_000, 4_000, 60_000, 60_000])
  })

  it('is well again after one success', () => {
    const bad = healthAfter(healthAfter(healthy, answer(500), 5), answer(null), 9)
    expect(bad).toEqual({ failingSince: 5, failuresInRow: 2, lastSuccessAt: null })
    expect(healthAfter(bad, answer(204), 12)).toEqual({ ...healthy, lastSuccessAt: 12 })
  })

  it('is given up when nothing has got through for three days', () => {
    const { disableAfterMs } = deliveryRules
    expect(isGivenUp(healthy, 1e15)).toBe(false)
    expect(isGivenUp(failing(1, 10), 9 + disableAfterMs)).toBe(false)
    expect(isGivenUp(failing(1, 10), 10 + disableAfterMs)).toBe(true)
  })
})
