import { nextCheckpoint, sampleRun, tickOf } from '@almanac/engine/contracts/samples'
import { describe, expect, it } from 'vitest'
import { openForTest } from './store.fixture.js'

describe('runs of a tick in SQLite', () => {
  it('never writes a run id twice, in one tick or in two, and takes the rest of the tick', async () => {
    const { store, close } = openForTest()
    const claim = await store.dispatchLog.claim(0)
    const one = nextCheckpoint(claim)
    await claim.commit(tickOf(one, { runs: [sampleRun('a'), sampleRun('a'), sampleRun('b')] }))
    const two = nextCheckpoint({ term: claim.term, checkpoint: one })
    expect(await claim.commit(tickOf(two, { runs: [sampleRun('b'), sampleRun('c')] }))).toBe('committed')
    const { items } = store.runStore.list('default', {}, { limit: 10 })
    expect(items.map(({ command }) => command.runId).sort()).toEqual(['a', 'b', 'c'])
    await close()
  })
})
