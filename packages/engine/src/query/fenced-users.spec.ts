import { beforeEach, describe, expect, it } from 'vitest'
import type { Node } from '../node.js'
import { every, MemoryNodes } from '../scheduling/memory-nodes.spec-support.js'

let nodes: MemoryNodes
let node: Node
beforeEach(async () => {
  nodes = new MemoryNodes()
  node = await nodes.start()
})

const schedule = { kind: 'schedule', namespace: 'default', name: 'often' } as const

/** A shared schedule with one task, both of which the owner has committed; it commits nothing from then on. */
const used = async () => {
  const made = await node.commands.createSchedule(nodes.context, { name: 'often', schedule: every(5) })
  if (!made.ok) throw new Error(JSON.stringify(made.error))
  const taskId = await nodes.create(node, { schedule: { ref: 'often' } })
  await nodes.clock.advance(12_000)
  expect(nodes.committed.length).toBeGreaterThan(0)
  nodes.commitsLeft = 0
  return { scheduleId: made.value.state.scheduleId, taskId }
}

const fenced = async (position: number) => {
  const [isFenced] = await Promise.all([node.fenced([schedule], position, 1_000), nodes.clock.advance(1_500)])
  return isFenced
}

describe('a change of a shared schedule is not fenced before the owner has used it', () => {
  it('when the tasks are deleted with it', async () => {
    const { scheduleId } = await used()
    const deleted = await node.commands.deleteSchedule(nodes.context, scheduleId, true)
    if (!deleted.ok) throw new Error('refused')
    await nodes.clock.advance(500)
    expect(await fenced(deleted.value.position)).toBe(false)
    nodes.commitsLeft = Number.POSITIVE_INFINITY
    await nodes.clock.advance(3_000)
    expect(await fenced(deleted.value.position)).toBe(true)
  })

  it('when its task has been disabled meanwhile', async () => {
    const { scheduleId, taskId } = await used()
    const changed = await node.commands.changeSchedule(nodes.context, scheduleId, { schedule: every(7) })
    if (!changed.ok) throw new Error('refused')
    expect((await node.commands.disableTask(nodes.context, taskId)).ok).toBe(true)
    await nodes.clock.advance(500)
    expect(await fenced(changed.value.position)).toBe(false)
  })

  it('when its task uses another one meanwhile', async () => {
    const { scheduleId, taskId } = await used()
    const changed = await node.commands.changeSchedule(nodes.context, scheduleId, { schedule: every(7) })
    if (!changed.ok) throw new Error('refused')
    expect((await node.commands.changeTask(nodes.context, taskId, { schedule: every(60) })).ok).toBe(true)
    await nodes.clock.advance(500)
    expect(await fenced(changed.value.position)).toBe(false)
  })
})
