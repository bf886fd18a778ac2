import { beforeEach, describe, expect, it } from 'vitest'
import { MemoryNodes } from './memory-nodes.spec-support.js'

const all = { policy: 'all', windowSeconds: null, max: 100 } as const
const calm = { idleCheckpointMs: 3_600_000 }

let nodes: MemoryNodes
beforeEach(() => {
  nodes = new MemoryNodes()
})

/** A task that is due every ten seconds; its owner has mirrored its progress after a minute, and crashes at 95 s. */
async function crashedAfterMirror(): Promise<void> {
  const node = await nodes.start(calm)
  await nodes.create(node, { catchUp: all })
  await nodes.clock.advance(95_000)
  expect(nodes.runsFrom(0)).toEqual(['10', '20', '30', '40', '50', '60', '70', '80', '90'])
  await nodes.crash(node)
}

describe('a checkpoint that is lost', () => {
  it('goes on from the mirror: what may have been committed before is marked, and nothing else', async () => {
    await crashedAfterMirror()
    nodes.emptyDispatchLog()
    const before = nodes.ticks.length
    await nodes.start(calm)
    await nodes.clock.advance(30_000)
    expect(nodes.runsFrom(before)).toEqual(['R70', 'R80', 'R90', '100', '110', '120'])
    const ids = nodes.committed.map(({ runId }) => runId)
    expect(new Set(ids).size).toBe(ids.length - 3)
    expect(nodes.lastCheckpoint.replayUntil).toBeUndefined()
  })

  it('is marked to the end of what may have been, though another owner goes on in the middle of it', async () => {
    await crashedAfterMirror()
    nodes.emptyDispatchLog()
    const before = nodes.ticks.length
    const oneByOne = { ...calm, maxDecisionsPerTick: 1 }
    nodes.commitsLeft = 1
    const second = await nodes.start(oneByOne)
    await nodes.clock.advance(2_000)
    expect(nodes.runsFrom(before)).toEqual(['R70'])
    expect(nodes.lastCheckpoint).toMatchObject({ replayUntil: expect.any(Number), more: true })
    await nodes.crash(second)
    nodes.commitsLeft = 1
    const third = await nodes.start(oneByOne)
    await nodes.clock.advance(2_000)
    await nodes.crash(third)
    nodes.commitsLeft = Number.POSITIVE_INFINITY
    await nodes.start(oneByOne)
    await nodes.clock.advance(20_000)
    expect(nodes.runsFrom(before)).toEqual(['R70', 'R80', 'R90', '100', '110'])
    expect(nodes.lastCheckpoint.replayUntil).toBeUndefined()
  })

  it('takes a term above all that the event log knows', async () => {
    for (let nth = 0; nth < 3; nth += 1) {
      const node = await nodes.start({ idleCheckpointMs: 500 })
      await nodes.clock.advance(1_000)
      await node.stop()
    }
    const { term } = nodes.lastCheckpoint
    expect(term).toBe(3)
    nodes.emptyDispatchLog()
    await nodes.start({ idleCheckpointMs: 500 })
    await nodes.clock.advance(1_000)
    expect(nodes.lastCheckpoint.term).toBe(4)
  })

  it('waits for a decision, if it is told to, and decides nothing', async () => {
    await crashedAfterMirror()
    nodes.emptyDispatchLog()
    const before = nodes.ticks.length
    const halting = await nodes.start({ ...calm, recovery: 'halt' })
    await nodes.clock.advance(300_000)
    expect(nodes.ticks).toHaveLength(before)
    expect(nodes.faults.at(-1)).toContain('has lost its checkpoint')
    expect(nodes.fatal).toEqual([])
    await nodes.crash(halting)
    await nodes.start(calm)
    await nodes.clock.advance(1_000)
    expect(nodes.runsFrom(before).slice(0, 3)).toEqual(['R70', 'R80', 'R90'])
  })

  it('that nobody has mirrored: goes on from when the partition began, and marks it all', async () => {
    const first = await nodes.start(calm)
    await nodes.create(first, { catchUp: all })
    await nodes.clock.advance(25_000)
    await nodes.crash(first)
    nodes.emptyDispatchLog()
    const before = nodes.ticks.length
    await nodes.start(calm)
    await nodes.clock.advance(10_000)
    expect(nodes.runsFrom(before)).toEqual(['R10', 'R20', '30'])
  })
})

it('a partition that is new has lost nothing: nothing is marked, also where a loss would halt', async () => {
  const node = await nodes.start({ ...calm, recovery: 'halt' })
  await nodes.create(node, { catchUp: all })
  await nodes.clock.advance(20_000)
  expect(nodes.runsFrom(0)).toEqual(['10', '20'])
  expect(nodes.ticks.filter(({ next }) => next.replayUntil !== undefined)).toEqual([])
  expect(nodes.faults).toEqual([])
})
