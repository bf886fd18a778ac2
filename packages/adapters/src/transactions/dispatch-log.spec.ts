import { createStop } from '@almanac/engine'
import { dispatchLogContract } from '@almanac/engine/contracts/dispatch-log'
import { nextCheckpoint, sampleRun, sampleSkip, tickOf } from '@almanac/engine/contracts/samples'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DispatchBench, topics } from './dispatch-bench.fixture.js'
import { isOwner, readCheckpoint, readOwner, readRun, readSkips } from './records.js'

dispatchLogContract('transactions', async () => {
  const bench = new DispatchBench()
  const { dispatch } = bench.node()
  return { dispatch, committed: async () => bench.runs(), close: () => bench.close() }
})

let bench: DispatchBench
beforeEach(() => {
  bench = new DispatchBench()
})
afterEach(() => bench.close())

describe('records of a tick', () => {
  it('go to the topic of the exchange, else of the queue, keyed by routing key, else by task', async () => {
    const claim = await bench.node().dispatch.claim(2)
    const runs = [
      sampleRun('a', { taskId: 't-1' }),
      sampleRun('b', { taskId: 't-2', queue: 'eu:bulk/slow', routingKey: 'customer-7' }),
      sampleRun('c', { taskId: 't-3', exchange: 'alerts', routingKey: 'high' }),
    ]
    await claim.commit(tickOf(nextCheckpoint(claim), { runs }))
    const places = bench.memory.committed(topics.isRuns).map(({ topic, key }) => `${topic} ${key}`)
    expect(places.sort()).toEqual([
      'test.exchange.alerts high',
      'test.queue.default t-1',
      'test.queue.eu..cbulk..sslow customer-7',
    ])
  })

  it('keep the runs of a task in order, in one partition', async () => {
    const claim = await bench.node().dispatch.claim(0)
    let { checkpoint } = claim
    for (let n = 0; n < 5; n++) {
      const next = nextCheckpoint({ term: claim.term, checkpoint })
      await claim.commit(
        tickOf(next, { runs: [sampleRun(`r-${n}`), sampleRun(`s-${n}`, { taskId: 'other' })] }),
      )
      checkpoint = next
    }
    const records = bench.records('test.queue.default').filter(({ key }) => key === 'task-1')
    expect(records.map((record) => readRun(record).runId)).toEqual(['r-0', 'r-1', 'r-2', 'r-3', 'r-4'])
    expect(new Set(records.map(({ partition }) => partition)).size).toBe(1)
  })

  it('are together for a partition of the scheduler, but by their key when they have a routing key', async () => {
    const claim = await bench.node().dispatch.claim(1)
    const runs = Array.from({ length: 20 }, (_, n) => sampleRun(`r-${n}`, { taskId: `t-${n}`, partition: 1 }))
    const routed = runs.map((run) => ({ ...run, runId: `${run.runId} routed`, routingKey: run.taskId }))
    await claim.commit(tickOf(nextCheckpoint(claim), { runs: [...runs, ...routed] }))
    const records = bench.records('test.queue.default')
    const placesOf = (isRouted: boolean) =>
      new Set(
        records
          .filter(({ headers }) => headers.runId?.endsWith('routed') === isRouted)
          .map(({ partition }) => partition),
      )
    expect(placesOf(false).size).toBe(1)
    expect(placesOf(true).size).toBeGreaterThan(1)
  })

  it('have headers for who routes', async () => {
    const claim = await bench.node().dispatch.claim(0)
    await claim.commit(tickOf(nextCheckpoint(claim), { runs: [sampleRun('a', { priority: 4 })] }))
    expect(bench.records('test.queue.default')[0]?.headers).toMatchObject({ runId: 'a', priority: '4' })
  })

  it('hold skips and resets in the partition of the checkpoint, in parts when there are many', async () => {
    const claim = await bench.node().dispatch.claim(5)
    const skips = Array.from({ length: 2_300 }, (_, n) => sampleSkip(`t-${n}`))
    await claim.commit(tickOf(nextCheckpoint(claim), { skips, resets: ['t-7', 't-8'] }))
    const records = bench.records(topics.skips)
    expect(records.map(({ partition }) => partition)).toEqual([5, 5, 5])
    const read = records.map(readSkips)
    expect(read.every(({ partition, seq }) => partition === 5 && seq === 1)).toBe(true)
    expect(read.flatMap((part) => part.skips)).toEqual(skips)
    expect(read.flatMap((part) => part.resets)).toEqual(['t-7', 't-8'])
  })

  it('have no record of skips when nothing was skipped', async () => {
    const claim = await bench.node().dispatch.claim(5)
    await claim.commit(tickOf(nextCheckpoint(claim), { runs: [sampleRun('a')] }))
    expect(bench.records(topics.skips)).toEqual([])
  })

  it('are sent in parts of one transaction when there are many', async () => {
    const { dispatch, log } = bench.node()
    const claim = await dispatch.claim(0)
    const before = log.calls.length
    const runs = Array.from({ length: 2_500 }, (_, n) => sampleRun(`r-${n}`))
    expect(await claim.commit(tickOf(nextCheckpoint(claim), { runs }))).toBe('committed')
    expect(log.calls.slice(before)).toEqual(['send#1', 'send#1', 'send#1', 'commit#1'])
    expect(bench.runIds()).toHaveLength(2_500)
  })
})

describe('a claim', () => {
  it('leaves its node and term in the log, under a key that compaction keeps apart from the checkpoint', async () => {
    const first = await bench.node().dispatch.claim(3)
    const one = nextCheckpoint(first)
    await first.commit(tickOf(one))
    await first.commit(tickOf(nextCheckpoint({ ...first, checkpoint: one }, { digest: 'newest' })))
    const later = await bench.node().dispatch.claim(3)
    bench.memory.compact(topics.checkpoints)
    const records = bench.records(topics.checkpoints)
    expect(records.map(({ key }) => key)).toEqual(['3:checkpoint', '3:owner'])
    expect(records.filter(isOwner).map(readOwner)).toMatchObject([{ nodeId: 'node-2', term: later.term }])
    expect(records.filter((record) => !isOwner(record)).map(readCheckpoint)).toMatchObject([
      { digest: 'newest' },
    ])
    const { checkpoint } = await bench.node().dispatch.claim(3)
    expect(checkpoint?.digest).toBe('newest')
  })

  it('has a term above those that its own reader had not seen when it began', async () => {
    const known = bench.node()
    for (let n = 0; n < 5; n++) await known.dispatch.claim(1)
    const last = await known.dispatch.claim(1)
    await last.commit(tickOf(nextCheckpoint(last, { digest: 'last' })))
    const { dispatch, log } = bench.node({}, false)
    log.next('send', async () => {
      void dispatch.run(createStop())
    })
    const owners = () => bench.records(topics.checkpoints).filter(isOwner).length
    const before = owners()
    const claim = await dispatch.claim(1)
    expect(claim.term).toBeGreaterThan(last.term)
    expect(owners() - before).toBe(2)
    expect(claim.checkpoint?.digest).toBe('last')
  })

  it('has a term above those of owners that have never committed', async () => {
    const { dispatch } = bench.node()
    const terms: number[] = []
    for (let n = 0; n < 3; n++) terms.push((await dispatch.claim(1)).term)
    const claim = await bench.node().dispatch.claim(1)
    expect(claim.term).toBeGreaterThan(Math.max(...terms))
  })

  it('looks twice before it believes that there is no checkpoint', async () => {
    const { dispatch } = bench.node()
    const owners = () => bench.records(topics.checkpoints).filter(isOwner).length
    const claim = await dispatch.claim(1)
    expect(owners()).toBe(2)
    await claim.commit(tickOf(nextCheckpoint(claim)))
    await dispatch.claim(1)
    expect(owners()).toBe(3)
  })

  it('of all partitions at once finds the checkpoint of each, though half were in mid-transaction', async () => {
    const old = bench.node()
    const partitions = Array.from({ length: 64 }, (_, n) => n)
    for (const partition of partitions) {
      const claim = await old.dispatch.claim(partition)
      const next = nextCheckpoint(claim, { digest: `d-${partition}` })
      await claim.commit(tickOf(next, { runs: [sampleRun(`r-${partition}`)] }))
      if (partition % 2 === 0) {
        old.log.next('commit', 'hang')
        void claim.commit(
          tickOf(nextCheckpoint({ ...claim, checkpoint: next }), { runs: [sampleRun('half')] }),
        )
      }
    }
    const { dispatch } = bench.node()
    const claims = await Promise.all(partitions.map((partition) => dispatch.claim(partition)))
    expect(claims.map(({ checkpoint }) => checkpoint?.digest)).toEqual(partitions.map((n) => `d-${n}`))
    expect(bench.runIds()).not.toContain('half')
  })
})

describe('what has been seen', () => {
  it('is known after a commit of one’s own before the reader has come to it', async () => {
    const { dispatch, seen, stopReading } = bench.node()
    const claim = await dispatch.claim(1)
    stopReading()
    const next = nextCheckpoint(claim)
    await claim.commit(tickOf(next))
    expect(dispatch.seen(1)).toEqual(next)
    expect(seen).toHaveLength(1)
  })

  it('is told once, and never goes back', async () => {
    const { dispatch, seen, log } = bench.node()
    const claim = await dispatch.claim(1)
    const one = nextCheckpoint(claim)
    const two = nextCheckpoint({ ...claim, checkpoint: one })
    await claim.commit(tickOf(one))
    expect(dispatch.seen(1)).toEqual(one)
    await claim.commit(tickOf(two))
    await bench.clock.advance(100)
    log.breakOff()
    await bench.clock.advance(2_000)
    expect(dispatch.seen(1)).toEqual(two)
    expect(seen).toEqual([
      { partition: 1, checkpoint: one },
      { partition: 1, checkpoint: two },
    ])
  })

  it('includes what other nodes commit', async () => {
    const watcher = bench.node()
    const claim = await bench.node().dispatch.claim(1)
    const next = nextCheckpoint(claim)
    await claim.commit(tickOf(next))
    await bench.clock.advance(0)
    expect(watcher.dispatch.seen(1)).toEqual(next)
    expect(watcher.seen).toEqual([{ partition: 1, checkpoint: next }])
  })
})

describe('the reader', () => {
  it('begins again after a fault, and claims that wait for it succeed', async () => {
    const { dispatch, faults, log } = bench.node()
    const claim = await dispatch.claim(1)
    await claim.commit(tickOf(nextCheckpoint(claim, { digest: 'kept' })))
    log.breakOff()
    await bench.clock.advance(0)
    expect(faults).toHaveLength(1)
    const later = await bench.during(1_500, dispatch.claim(1))
    expect(later.checkpoint?.digest).toBe('kept')
  })

  it('takes nothing of an earlier reading for the truth: checkpoints may have been lost meanwhile', async () => {
    const { dispatch, log } = bench.node()
    const claim = await dispatch.claim(1)
    await claim.commit(tickOf(nextCheckpoint(claim)))
    bench.memory.lose(topics.checkpoints)
    log.breakOff()
    const later = await bench.during(2_000, dispatch.claim(1))
    expect(later.checkpoint).toBeNull()
    expect(later.term).toBeGreaterThan(claim.term)
    const recovered = nextCheckpoint(later, { seq: 9 })
    expect(await later.commit(tickOf(recovered))).toBe('committed')
    expect(dispatch.seen(1)).toEqual(recovered)
  })

  it('that stands still lets no claim succeed', async () => {
    const { dispatch, log } = bench.node({}, false)
    const claiming = dispatch.claim(1)
    await expect(bench.during(10_000, claiming)).rejects.toMatchObject({ code: 'unavailable' })
    expect(log.calls.at(-1)).toBe('close#1')
    void dispatch.run(createStop())
    expect((await dispatch.claim(1)).checkpoint).toBeNull()
  })

  it('stops a partition whose checkpoint it can not read, and no other one', async () => {
    const { dispatch, faults } = bench.node()
    const claim = await dispatch.claim(1)
    await claim.commit(tickOf(nextCheckpoint(claim)))
    const vandal = await bench.memory.takeOver('vandal')
    const key = '1:checkpoint'
    await vandal.send([{ topic: topics.checkpoints, partition: 1, key, value: '{"seq":"1"}' }])
    await vandal.commit()
    await expect(dispatch.claim(1)).rejects.toMatchObject({ code: 'unavailable' })
    expect(faults).toHaveLength(1)
    expect((await dispatch.claim(2)).checkpoint).toBeNull()
  })
})
