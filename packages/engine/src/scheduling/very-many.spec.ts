import { beforeEach, describe, expect, it } from 'vitest'
import type { Node } from '../node.js'
import { every, MemoryNodes } from './memory-nodes.spec-support.js'

const count = 3_000

let nodes: MemoryNodes
beforeEach(() => {
  nodes = new MemoryNodes()
})

async function createMany(node: Node): Promise<void> {
  for (let n = 0; n < count; n++) {
    const input = { name: `task ${n}`, task: 'app.task', schedule: every(3_600) }
    const created = await node.commands.createTask(nodes.context, input)
    expect(created.ok).toBe(true)
  }
}

const placed = (node: Node) => node.status().partitions.reduce((sum, { tasks }) => sum + (tasks ?? 0), 0)

describe('a node with very many tasks lets others have their turn', () => {
  it('while it puts the tasks of all partitions into their due indexes', async () => {
    const first = await nodes.start()
    await createMany(first)
    await nodes.crash(first)
    nodes.asked.atOnce = 0
    const second = await nodes.start()
    await nodes.clock.advance(5_000)
    expect(placed(second)).toBe(count)
    expect(nodes.asked.atOnce).toBeLessThanOrEqual(2_000)
  })

  it('while it takes one partition of several anew, and looks at no tasks of the others', async () => {
    const partitions = 4
    const node = await nodes.start({ partitions })
    await createMany(node)
    await nodes.clock.advance(5_000)
    const { all: before } = nodes.asked
    await nodes.fence(0)
    await nodes.clock.advance(40_000)
    const share = (nodes.asked.all - before) / (count / partitions)
    expect(share).toBeGreaterThan(0.8)
    expect(share).toBeLessThan(1.2)
    expect(placed(node)).toBe(count)
  })

  it('while it places what an import has changed, and decides it as ever', async () => {
    const node = await nodes.start()
    await nodes.clock.advance(1_000)
    nodes.show(await nodes.log.head(), 'all')
    await createMany(node)
    nodes.asked.atOnce = 0
    nodes.shown = undefined
    await nodes.clock.advance(5_000)
    expect(placed(node)).toBe(count)
    expect(nodes.asked.atOnce).toBeLessThanOrEqual(1_000)
    await nodes.clock.advance(3_600_000)
    expect(new Set(nodes.committed.map(({ taskId }) => taskId)).size).toBe(count)
    expect(nodes.fatal).toEqual([])
  })
})
