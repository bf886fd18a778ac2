import { describe, expect, it } from 'vitest'
import { ManualClock } from '../memory/manual-clock.js'
import { Barrier } from './barrier.js'
import type { Projector } from './projector.js'

const deadlineMs = 1_000

function world() {
  const clock = new ManualClock(1_700_000_000_000)
  const state = { silent: false, asked: 0 }
  const log = {
    head: () => {
      state.asked += 1
      return state.silent ? new Promise<number>(() => {}) : Promise.resolve(7)
    },
  }
  const projector = { waitFor: async () => true }
  const barrier = new Barrier(log as never, projector as unknown as Projector, clock, deadlineMs)
  const reach = async () => {
    const from = clock.elapsed()
    const answer: { reached?: boolean; tookMs?: number } = {}
    void barrier.reach().then((reached) => Object.assign(answer, { reached, tookMs: clock.elapsed() - from }))
    await clock.advance(0)
    return answer
  }
  return { clock, state, reach }
}

describe('a barrier', () => {
  it('asks the log and is reached', async () => {
    const { reach } = world()
    expect(await reach()).toEqual({ reached: true, tookMs: 0 })
  })

  it('waits for a silent log no longer than its deadline, and then for as long nobody waits', async () => {
    const { clock, state, reach } = world()
    state.silent = true
    const first = await reach()
    await clock.advance(deadlineMs)
    expect(first).toEqual({ reached: false, tookMs: deadlineMs })
    // Ticks that come one after the other: a second of waiting is not a second for each of them.
    for (let tick = 0; tick < 64; tick++) expect(await reach()).toEqual({ reached: false, tookMs: 0 })
    expect(state.asked).toBe(1)
    state.silent = false
    await clock.advance(deadlineMs)
    expect(await reach()).toEqual({ reached: true, tookMs: 0 })
  })
})
