import { beforeEach, describe, expect, it } from 'vitest'
import { every, MemoryNodes } from './memory-nodes.spec-support.js'

let nodes: MemoryNodes
beforeEach(() => {
  nodes = new MemoryNodes()
})

describe('a task whose queue can not be written', () => {
  it('is put into quarantine, and the others of its partition go on', async () => {
    const node = await nodes.start()
    const good = await nodes.create(node, { name: 'good', schedule: every(5), queue: 'good' })
    const lost = await nodes.create(node, { name: 'lost', schedule: every(5), queue: 'lost' })
    nodes.lostQueue = 'lost'
    // Asked for by hand just before: it must not hold up the others either.
    await node.commands.triggerTask(nodes.context, lost, {})
    await nodes.clock.advance(60_500)
    const runs = nodes.committed.filter(({ taskId }) => taskId === good)
    expect(runs.map(({ scheduledAt }) => scheduledAt % 60_000).sort((a, b) => a - b)).toHaveLength(12)
    expect(nodes.committed.every(({ taskId }) => taskId === good)).toBe(true)
    expect(node.status().tasks.quarantined).toBe(1)
    expect(nodes.fatal).toEqual([])
  })

  it('runs again once somebody has changed it', async () => {
    const node = await nodes.start()
    const taskId = await nodes.create(node, { schedule: every(5), queue: 'lost' })
    nodes.lostQueue = 'lost'
    await nodes.clock.advance(12_000)
    expect(nodes.committed).toEqual([])
    const changed = await node.commands.changeTask(nodes.context, taskId, { queue: 'good' })
    expect(changed.ok).toBe(true)
    await nodes.clock.advance(12_000)
    expect(nodes.committed.length).toBeGreaterThanOrEqual(2)
  })
})
