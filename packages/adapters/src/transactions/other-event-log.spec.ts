import { createStop } from '@almanac/engine'
import { nextCheckpoint, tickOf } from '@almanac/engine/contracts/samples'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { DispatchBench } from './dispatch-bench.fixture.js'

let bench: DispatchBench
beforeEach(() => {
  bench = new DispatchBench()
})
afterEach(() => bench.close())

it('partitions of a cluster over another event log are not claimed, and its owners go on', async () => {
  const owner = await bench.node({}, true, true, 'log-1').dispatch.claim(1)
  const stranger = bench.node({}, true, true, 'log-2')
  await bench.during(100, stranger.dispatch.ready(createStop(), 10_000))
  await expect(stranger.dispatch.claim(1)).rejects.toMatchObject({
    code: 'unavailable',
    message: 'Partition 1 could not be claimed: it belongs to node-1, over another event log',
  })
  expect(stranger.dispatch.foreignNode()).toBe('node-1')
  expect(stranger.log.calls).toEqual([])
  expect(await owner.commit(tickOf(nextCheckpoint(owner)))).toBe('committed')
})

it('those of the same event log are, and those whose owner did not tell', async () => {
  await bench.node().dispatch.claim(1)
  const first = bench.node({}, true, true, 'log-1')
  await bench.during(100, first.dispatch.ready(createStop(), 10_000))
  const { term } = await first.dispatch.claim(1)
  const second = bench.node({}, true, true, 'log-1')
  await bench.during(100, second.dispatch.ready(createStop(), 10_000))
  expect((await second.dispatch.claim(1)).term).toBeGreaterThan(term)
  expect(second.dispatch.foreignNode()).toBeUndefined()
})
