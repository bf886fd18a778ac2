import { beforeEach, describe, expect, it } from 'vitest'
import { every, MemoryNodes } from './memory-nodes.spec-support.js'

const all = { policy: 'all', windowSeconds: null, max: 100 } as const
const calm = { idleCheckpointMs: 3_600_000 }

let nodes: MemoryNodes
beforeEach(() => {
  nodes = new MemoryNodes()
})

describe('a takeover while the log is read from a server that is behind', () => {
  it('fails and is tried again: what was asked of no tick yet is not passed over', async () => {
    const first = await nodes.start(calm)
    const taskId = await nodes.create(first, { schedule: every(86_400) })
    await nodes.clock.advance(1_000)
    const { position } = nodes.lastCheckpoint
    nodes.commitsLeft = 0
    for (const _ of [1, 2]) {
      const triggered = await first.commands.triggerTask(nodes.context, taskId, {})
      expect(triggered.ok).toBe(true)
    }
    await nodes.clock.advance(1_000)
    await nodes.crash(first)
    nodes.commitsLeft = Number.POSITIVE_INFINITY
    const before = nodes.ticks.length
    nodes.show(position + 1, 'filtered')
    await nodes.start(calm)
    await nodes.clock.advance(5_000)
    expect(nodes.ticks).toHaveLength(before)
    expect(nodes.faults.at(-1)).toContain(`the event log is read no further than ${position + 1}`)
    nodes.shown = undefined
    await nodes.clock.advance(5_000)
    expect(nodes.committed.map(({ kind, taskId }) => [kind, taskId])).toEqual([
      ['manual', taskId],
      ['manual', taskId],
    ])
    expect(nodes.fatal).toEqual([])
  })
})

describe('an owner whose log ends before what its partition was decided by', () => {
  it('decides nothing and tells, until the log is whole again', async () => {
    const first = await nodes.start(calm)
    const taskId = await nodes.create(first, { catchUp: all })
    await nodes.clock.advance(15_000)
    const head = await nodes.log.head()
    const changed = await first.commands.changeTask(nodes.context, taskId, { schedule: every(7) })
    expect(changed.ok).toBe(true)
    await nodes.clock.advance(1_000)
    const { position } = nodes.lastCheckpoint
    expect(position).toBeGreaterThan(head)
    await nodes.crash(first)
    const before = nodes.ticks.length
    nodes.show(head, 'all')
    const second = await nodes.start(calm)
    await nodes.clock.advance(20_000)
    expect(second.status().viewPosition).toBe(head)
    expect(nodes.ticks).toHaveLength(before)
    expect(nodes.faults.at(-1)).toContain(`the event log ends before position ${position}`)
    nodes.shown = undefined
    await nodes.clock.advance(4_500)
    expect(nodes.runsFrom(before)).toEqual(['21', '28', '35'])
    expect(new Set(nodes.committed.map(({ taskRevision }) => taskRevision))).toEqual(new Set([0, 1]))
  })
})

describe('signs of life of a partition with nothing due', () => {
  it('go on at their time when the wall is set back by an hour, and others vouch for it', async () => {
    const node = await nodes.start({ idleCheckpointMs: 30_000 })
    await nodes.clock.advance(65_000)
    const before = nodes.ticks.length
    const { evaluatedAt, cursor } = nodes.lastCheckpoint
    nodes.clock.step(nodes.clock.now() - 3_600_000)
    await nodes.clock.advance(121_000)
    const since = nodes.ticks.slice(before).map(({ next }) => next)
    expect(since.length).toBeGreaterThanOrEqual(4)
    expect(node.status().now).toBe(nodes.clock.now())
    // The cursor stays where it is: nothing before it is decided again.
    expect(since.every((next) => next.cursor.at >= cursor.at)).toBe(true)
    expect(since.at(-1)?.evaluatedAt).toBeLessThan(evaluatedAt)
  })
})
