import { taskStream } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import { accepted, expectChained, input, noon, World } from './commands.spec-support.js'

const minute = 60_000

const started = async (more: object = {}) => {
  const world = new World()
  const node = world.node()
  const { state } = accepted(await node.createTask(world.context(), { ...input, ...more }))
  const types = () => world.log.typesIn(taskStream(state.taskId))
  return { world, node, taskId: state.taskId, types }
}

describe('completing a task', () => {
  it('happens once, however many nodes find it out', async () => {
    const { world, taskId, types } = await started({ oneOff: true })
    const nodes = [world.node(), world.node(), world.node()]
    await Promise.all(
      nodes.map((node) => node.completeTask(taskId, 'completed', 'tick 1', noon + minute, noon)),
    )
    await world.node().completeTask(taskId, 'completed', 'tick 1', noon + minute, noon)
    expect(await types()).toEqual(['TaskCreated', 'TaskDisabled'])
    expect(world.log.appended.at(-1)).toMatchObject({
      data: { cause: 'completed' },
      metadata: { actor: 'almanac', namespace: 'default', causationId: 'tick 1', at: noon + minute },
    })
    expectChained(world.log)
  })

  it('does not happen to a task that was armed anew since', async () => {
    const { world, node, taskId, types } = await started({ oneOff: true })
    world.clock.wall += minute
    accepted(await node.disableTask(world.context(), taskId))
    accepted(await node.enableTask(world.context(), taskId))
    await node.completeTask(taskId, 'completed', 'tick 1', noon + minute, noon)
    await node.completeTask(taskId, 'completed', 'tick 1', noon + minute)
    expect(await types()).toEqual(['TaskCreated', 'TaskDisabled', 'TaskEnabled'])
  })

  it('does not happen to a task that has an occurrence left, or whose end has not come', async () => {
    const { node, taskId, types } = await started({ expires: noon + 5 * minute })
    await node.completeTask(taskId, 'completed', 'tick 1', noon + minute)
    await node.completeTask(taskId, 'expired', 'tick 1', noon + 5 * minute - 1)
    expect(await types()).toEqual(['TaskCreated'])
    await node.completeTask(taskId, 'expired', 'tick 2', noon + 5 * minute)
    expect(await types()).toEqual(['TaskCreated', 'TaskDisabled'])
  })

  it('is nothing for a task that is gone, or never was', async () => {
    const { world, node, taskId, types } = await started({ oneOff: true })
    accepted(await node.deleteTask(world.context(), taskId))
    await node.completeTask(taskId, 'completed', 'tick 1', noon + minute)
    await node.completeTask('NOBODY', 'completed', 'tick 1', noon + minute)
    expect(await types()).toEqual(['TaskCreated', 'TaskDeleted'])
  })
})

describe('quarantining a task', () => {
  it('happens once for one reason, however many nodes find it out', async () => {
    const { world, node, taskId, types } = await started()
    await Promise.all(
      [world.node(), world.node()].map((each) => each.quarantineTask(taskId, 'never_fires', 'why')),
    )
    await node.quarantineTask(taskId, 'never_fires', 'why')
    expect(await types()).toEqual(['TaskCreated', 'TaskQuarantined'])
    await node.quarantineTask(taskId, 'poison', 'another reason')
    const { state } = accepted(await node.enableTask(world.context(), taskId))
    expect(state.quarantine).toBeNull()
    expect(await types()).toEqual(['TaskCreated', 'TaskQuarantined', 'TaskQuarantined', 'TaskEnabled'])
  })
})
