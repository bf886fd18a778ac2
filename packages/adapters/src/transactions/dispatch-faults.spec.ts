import { type Claim, PortFault } from '@almanac/engine'
import { nextCheckpoint, sampleRun, tickOf } from '@almanac/engine/contracts/samples'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DispatchBench, topics } from './dispatch-bench.fixture.js'

let bench: DispatchBench
beforeEach(() => {
  bench = new DispatchBench()
})
afterEach(() => bench.close())

type NodeOfTest = ReturnType<DispatchBench['node']>

/** A node with a claim that has committed one tick. */
const claimed = async () => {
  const node = bench.node()
  const claim = await node.dispatch.claim(1)
  const first = nextCheckpoint(claim, { digest: 'first' })
  expect(await claim.commit(tickOf(first, { runs: [sampleRun('r-1')] }))).toBe('committed')
  const second = nextCheckpoint({ ...claim, checkpoint: first }, { digest: 'second' })
  const tick = tickOf(second, { runs: [sampleRun('r-2')] })
  return { node, claim, tick, second, used: node.log.calls.length }
}

const expectDead = async ({ log }: NodeOfTest, claim: Claim, tick: Parameters<Claim['commit']>[0]) => {
  await bench.clock.advance(0)
  expect(log.calls.at(-1)).toBe('close#1')
  const used = log.calls.length
  expect(await claim.commit(tick)).toBe('fenced')
  expect(await claim.commit(tick)).toBe('fenced')
  await claim.release()
  expect(log.calls).toHaveLength(used)
}

describe('a commit that is fenced', () => {
  it.each(['send', 'commit'] as const)('at %s ends the claim, and nothing was written', async (call) => {
    const { node, claim, tick } = await claimed()
    node.log.next(call, 'fenced')
    expect(await claim.commit(tick)).toBe('fenced')
    await expectDead(node, claim, tick)
    expect(bench.runIds()).toEqual(['r-1'])
    expect(node.faults).toEqual([])
  })

  it('by another node writes nothing, whichever of the two was in mid-transaction', async () => {
    const { node, claim, tick } = await claimed()
    const other = bench.node()
    node.log.next('commit', async () => {
      await other.dispatch.claim(1)
    })
    expect(await claim.commit(tick)).toBe('fenced')
    expect(bench.runIds()).toEqual(['r-1'])
  })
})

describe('a commit with runs for a topic that can not be had', () => {
  const runs = [
    sampleRun('r-2', { taskId: 'good' }),
    sampleRun('r-3', { taskId: 'lost', queue: 'no:right' }),
    sampleRun('r-4', { taskId: 'lost', queue: 'no:right' }),
  ]

  it('tells whose runs they are, writes nothing, and the claim goes on without them', async () => {
    const { node, claim, tick } = await claimed()
    node.log.next('send', { refused: 'test.queue.no..cright' })
    await expect(claim.commit({ ...tick, runs })).rejects.toMatchObject({
      name: 'PortFault',
      code: 'unavailable',
      taskIds: ['lost'],
      message: 'no right',
    })
    expect(bench.runIds()).toEqual(['r-1'])
    expect(await claim.commit({ ...tick, runs: runs.slice(0, 1) })).toBe('committed')
    expect([...bench.runIds()].sort()).toEqual(['r-1', 'r-2'])
  })

  it('in its second part leaves nothing of the first one', async () => {
    const { node, claim, tick } = await claimed()
    const many = Array.from({ length: 1_000 }, (_, n) => sampleRun(`big-${n}`))
    node.log.next('send', 0)
    node.log.next('send', { refused: 'test.queue.no..cright' })
    const work = expect(claim.commit({ ...tick, runs: [...many, ...runs] })).rejects.toMatchObject({
      taskIds: ['lost'],
    })
    await bench.clock.advance(10)
    await work
    expect(await claim.commit({ ...tick, runs: runs.slice(0, 1) })).toBe('committed')
    expect([...bench.runIds()].sort()).toEqual(['r-1', 'r-2'])
  })

  it('is unknown when it can not be taken back', async () => {
    const { node, claim, tick } = await claimed()
    node.log.next('send', { refused: 'test.queue.no..cright' })
    node.log.next('abort', 'unknown')
    expect(await claim.commit({ ...tick, runs })).toBe('unknown')
    await expectDead(node, claim, tick)
  })

  it('which is one of the cluster itself is a fault of nobody', async () => {
    const { node, claim, tick } = await claimed()
    node.log.next('send', { refused: topics.skips })
    expect(await claim.commit(tick)).toBe('unknown')
  })
})

describe('a commit whose outcome is unknown', () => {
  it('and was done is found by the next claim, and written once', async () => {
    const { node, claim, tick, second } = await claimed()
    node.log.next('commit', 'unknown, done')
    expect(await claim.commit(tick)).toBe('unknown')
    await expectDead(node, claim, tick)
    const later = await node.dispatch.claim(1)
    expect(later.checkpoint).toEqual(second)
    expect(bench.runIds()).toEqual(['r-1', 'r-2'])
    expect(node.faults).toHaveLength(1)
  })

  it('and was not done is not found by the next claim, which writes it', async () => {
    const { node, claim, tick, second } = await claimed()
    node.log.next('commit', 'unknown')
    expect(await claim.commit(tick)).toBe('unknown')
    await expectDead(node, claim, tick)
    const later = await node.dispatch.claim(1)
    expect(later.checkpoint?.digest).toBe('first')
    expect(await later.commit({ ...tick, next: { ...second, term: later.term } })).toBe('committed')
    expect(bench.runIds()).toEqual(['r-1', 'r-2'])
  })

  it.each(['send', 'commit'] as const)('is that of every fault at %s', async (call) => {
    const { node, claim, tick } = await claimed()
    node.log.next(call, 'unavailable')
    expect(await claim.commit(tick)).toBe('unknown')
    await expectDead(node, claim, tick)
    expect(node.faults).toEqual([expect.any(PortFault)])
  })

  it('in the middle of a big tick leaves nothing of it', async () => {
    const { node, claim, tick, used } = await claimed()
    const runs = Array.from({ length: 2_500 }, (_, n) => sampleRun(`big-${n}`))
    node.log.next('send', 0)
    node.log.next('send', 'unknown, done')
    expect(await bench.during(1, claim.commit({ ...tick, runs }))).toBe('unknown')
    expect(node.log.calls.slice(used, used + 3)).toEqual(['send#1', 'send#1', 'close#1'])
    await node.dispatch.claim(1)
    expect(bench.runIds()).toEqual(['r-1'])
  })
})

describe('a commit that takes too long', () => {
  it('to be sent is taken back, and the claim is over', async () => {
    const { node, claim, tick, used } = await claimed()
    node.log.next('send', 2_000)
    expect(await bench.during(2_000, claim.commit(tick))).toBe('unknown')
    await expectDead(node, claim, tick)
    expect(node.log.calls.slice(used)).not.toContain('commit#1')
    expect((await node.dispatch.claim(1)).checkpoint?.digest).toBe('first')
    expect(bench.runIds()).toEqual(['r-1'])
  })

  it('because the process stood still after sending is aborted, never committed', async () => {
    const { node, claim, tick, used } = await claimed()
    // The answer is there when the process wakes up, and its own timer has not been looked at yet.
    node.log.next('send', async () => {
      const { clock } = bench
      const elapsed = clock.elapsed.bind(clock)
      clock.elapsed = () => elapsed() + 60_000
    })
    expect(await claim.commit(tick)).toBe('unknown')
    expect(node.log.calls.slice(used)).toEqual(['send#1', 'abort#1', 'close#1'])
    expect(bench.runIds()).toEqual(['r-1'])
  })

  it.each(['send', 'commit'] as const)('at %s without any answer ends at the deadline', async (call) => {
    const { node, claim, tick } = await claimed()
    node.log.next(call, 'hang')
    const commit = claim.commit(tick)
    let outcome: string | undefined
    void commit.then((value) => {
      outcome = value
    })
    await bench.clock.advance(1_999)
    expect(outcome).toBeUndefined()
    await bench.clock.advance(1)
    expect(outcome).toBe('unknown')
    await expectDead(node, claim, tick)
  })
})

describe('a tick that the log dates too early', () => {
  it('is taken back, and the claim is still good', async () => {
    const { node, claim, tick, second, used } = await claimed()
    const evaluatedAt = bench.clock.now() + 251
    const ahead = { ...tick, next: { ...second, evaluatedAt } }
    expect(await claim.commit(ahead)).toBe('early')
    expect(node.log.calls.slice(used)).toEqual(['send#1', 'abort#1'])
    expect(bench.runIds()).toEqual(['r-1'])
    await bench.clock.advance(1)
    expect(await claim.commit(ahead)).toBe('committed')
    expect(bench.runIds()).toEqual(['r-1', 'r-2'])
  })

  it('ends the claim when it can not be taken back for sure', async () => {
    for (const twist of ['unknown', 'hang'] as const) {
      bench = new DispatchBench()
      const { node, claim, tick, second } = await claimed()
      const ahead = { ...tick, next: { ...second, evaluatedAt: bench.clock.now() + 60_000 } }
      node.log.next('abort', twist)
      expect(await bench.during(5_000, claim.commit(ahead))).toBe('unknown')
      await expectDead(node, claim, ahead)
      expect(bench.runIds()).toEqual(['r-1'])
    }
  })

  it('is found out by the first of many sends', async () => {
    const { node, claim, tick, second, used } = await claimed()
    const runs = Array.from({ length: 2_500 }, (_, n) => sampleRun(`big-${n}`))
    const next = { ...second, evaluatedAt: bench.clock.now() + 300 }
    // By the second send it is early no longer, but the first of its runs were.
    node.log.next('send', 0)
    node.log.next('send', 500)
    expect(await bench.during(1_000, claim.commit({ ...tick, runs, next }))).toBe('early')
    expect(node.log.calls.slice(used)).toEqual(['send#1', 'abort#1'])
  })
})

describe('a broken invariant', () => {
  it('is thrown, and ends the claim', async () => {
    const { node, claim, tick } = await claimed()
    node.log.next('send', 'bug')
    await expect(claim.commit(tick)).rejects.toThrow('A bug')
    await expectDead(node, claim, tick)
  })

  it('is a checkpoint of another term or out of order, and reaches no log', async () => {
    const { node, claim, tick, second, used } = await claimed()
    for (const wrong of [{ term: second.term + 1 }, { seq: second.seq + 1 }, { seq: second.seq - 1 }]) {
      await expect(claim.commit({ ...tick, next: { ...second, ...wrong } })).rejects.toThrow('can not follow')
    }
    expect(node.log.calls).toHaveLength(used)
    expect(await claim.commit(tick)).toBe('committed')
  })

  it('is a second tick while the first is under way', async () => {
    const { claim, tick } = await claimed()
    const first = claim.commit(tick)
    await expect(claim.commit(tick)).rejects.toThrow('two ticks at once')
    expect(await first).toBe('committed')
  })
})

describe('a claim that fails', () => {
  it.each(['takeOver', 'send', 'commit'] as const)('by a fault at %s tells so and closes', async (call) => {
    const { dispatch, log } = bench.node()
    log.next(call, 'unknown')
    await expect(dispatch.claim(1)).rejects.toMatchObject({ code: 'unavailable' })
    expect(log.calls.filter((name) => name.startsWith('close'))).toHaveLength(call === 'takeOver' ? 0 : 1)
    expect((await dispatch.claim(1)).term).toBeGreaterThan(0)
  })

  it.each(['takeOver', 'send', 'commit'] as const)(
    'for want of an answer at %s ends in time',
    async (call) => {
      const { dispatch, log } = bench.node()
      log.next(call, 'hang')
      await expect(bench.during(10_000, dispatch.claim(1))).rejects.toMatchObject({ code: 'unavailable' })
    },
  )

  it('closes the transactor that it gets too late', async () => {
    const { dispatch, log } = bench.node()
    log.next('takeOver', 11_000)
    await expect(bench.during(10_000, dispatch.claim(1))).rejects.toMatchObject({ code: 'unavailable' })
    await bench.clock.advance(1_000)
    expect(log.calls).toEqual(['takeOver#1', 'close#1'])
  })

  it.each(['send', 'commit'] as const)('against a later one at %s leaves that one alone', async (call) => {
    const [one, two] = [bench.node(), bench.node()]
    let later: Claim | undefined
    one.log.next(call, async () => {
      later = await two.dispatch.claim(1)
    })
    await expect(one.dispatch.claim(1)).rejects.toMatchObject({ code: 'unavailable' })
    if (later === undefined) throw new Error('The later claim failed')
    expect(await later.commit(tickOf(nextCheckpoint(later)))).toBe('committed')
  })

  it('against a later one, after its own record, commits nothing', async () => {
    const { claim, tick, node } = await claimed()
    const later = await bench.node().dispatch.claim(1)
    expect(later.checkpoint?.digest).toBe('first')
    expect(await claim.commit(tick)).toBe('fenced')
    await expectDead(node, claim, tick)
  })

  it('is no reason for a bug to be called a fault', async () => {
    const { dispatch, log } = bench.node()
    log.next('takeOver', 'bug')
    await expect(dispatch.claim(1)).rejects.toThrow(TypeError)
  })
})

describe('the log’s clock', () => {
  it('is told of each request, with when it was asked and answered', async () => {
    const { claim, node, tick } = await claimed()
    node.serverTimes.length = 0
    node.log.next('send', 40)
    await bench.during(100, claim.commit(tick))
    expect(node.serverTimes).toEqual([{ serverTime: 1_700_000_000_040, askedAt: 0, answeredAt: 40 }])
  })
})

describe('a probe', () => {
  it('fails when the log does not answer, and leaves nothing open', async () => {
    const { dispatch, log } = bench.node()
    await dispatch.probe()
    log.next('takeOver', 'unavailable')
    await expect(dispatch.probe()).rejects.toMatchObject({ code: 'unavailable' })
    log.next('takeOver', 'hang')
    await expect(bench.during(10_000, dispatch.probe())).rejects.toMatchObject({ code: 'unavailable' })
    expect(log.calls).toEqual(['takeOver#1', 'close#1', 'takeOver#2', 'takeOver#3'])
  })
})

describe('a released claim', () => {
  it('closes its transactor, even if that fails', async () => {
    const { node, claim, tick } = await claimed()
    node.log.next('close', 'unavailable')
    await claim.release()
    expect(node.faults).toHaveLength(1)
    await expectDead(node, claim, tick)
  })
})
