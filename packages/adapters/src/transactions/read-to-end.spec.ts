import { createStop, unavailable } from '@almanac/engine'
import { nextCheckpoint, tickOf } from '@almanac/engine/contracts/samples'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DispatchBench } from './dispatch-bench.fixture.js'

let bench: DispatchBench
beforeEach(() => {
  bench = new DispatchBench()
})
afterEach(() => bench.close())

describe('a node whose reader of checkpoints has not come to the end', () => {
  it('claims nothing: it would throw out the owner, and could not go on in its place', async () => {
    const owner = await bench.node().dispatch.claim(1)
    const late = bench.node({ claimDeadlineMs: 1_000 }, false, true)
    const claiming = expect(bench.during(1_500, late.dispatch.claim(1))).rejects.toMatchObject({
      code: 'unavailable',
      message: 'Partition 1 could not be claimed: its checkpoints are still being read',
    })
    await claiming
    expect(late.log.calls).toEqual([])
    expect(await owner.commit(tickOf(nextCheckpoint(owner)))).toBe('committed')
  })

  it('claims as soon as it has', async () => {
    const owner = await bench.node().dispatch.claim(1)
    const first = nextCheckpoint(owner)
    expect(await owner.commit(tickOf(first))).toBe('committed')
    const late = bench.node({}, false, true)
    const claiming = late.dispatch.claim(1)
    await bench.clock.advance(500)
    void late.dispatch.run(createStop())
    expect((await bench.during(100, claiming)).checkpoint).toEqual(first)
  })

  it('waits again when the reading begins anew', async () => {
    const node = bench.node({ claimDeadlineMs: 1_000 }, true, true)
    const { term } = await bench.during(100, node.dispatch.claim(1))
    bench.marksFault = unavailable('not now')
    node.log.breakOff()
    await bench.clock.advance(1_500)
    await expect(bench.during(1_500, node.dispatch.claim(1))).rejects.toMatchObject({ code: 'unavailable' })
    bench.marksFault = undefined
    const again = await bench.during(2_000, node.dispatch.claim(1))
    expect(again.term).toBeGreaterThan(term)
  })
})

describe('being ready', () => {
  it('comes when all partitions have been read', async () => {
    const node = bench.node({}, false, true)
    let isReady = false
    const ready = node.dispatch.ready(createStop(), 10_000).then(() => {
      isReady = true
    })
    await bench.clock.advance(60_000)
    expect(isReady).toBe(false)
    void node.dispatch.run(createStop())
    await bench.during(100, ready)
    expect(isReady).toBe(true)
  })

  it('does not wait for ever for a partition that can not be read', async () => {
    const node = bench.node({}, true, true)
    // A transaction that nobody ends: readers don't see what stands behind it.
    const hanging = await bench.memory.takeOver('foreign')
    await hanging.send([{ topic: 'test.checkpoints', partition: 7, key: 'x', value: 'x' }])
    const other = bench.node({}, true, true)
    let isReady = false
    void other.dispatch.ready(createStop(), 10_000).then(() => {
      isReady = true
    })
    await bench.clock.advance(9_000)
    expect(isReady).toBe(false)
    await bench.clock.advance(2_000)
    expect(isReady).toBe(true)
    expect((await bench.during(100, other.dispatch.claim(1))).checkpoint).toBeNull()
    await bench.during(100, node.dispatch.ready(createStop(), 0))
  })

  it('is there at once without marks', async () => {
    await bench.node().dispatch.ready(createStop(), 10_000)
  })
})
