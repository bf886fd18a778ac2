import { requestedRunIdOf, slotOf, taskStream } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import { accepted, codeOf, everyMinute, input, noon, World } from './commands.spec-support.js'

describe('creating a task', () => {
  it('answers the task and where its event stands', async () => {
    const world = new World()
    const created = accepted(await world.node().createTask(world.context(), { ...input, maxRuns: 3 }))
    expect(created).toMatchObject({
      created: true,
      repeated: false,
      position: 2,
      state: {
        revision: 0,
        status: 'active',
        armedAt: noon,
        runsLeft: 3,
        spec: { name: 'backup', maxRuns: 3 },
      },
    })
    const { taskId } = created.state
    expect(taskId).toMatch(/^01KJM[0-9A-HJKMNP-TV-Z]{21}$/)
    expect(world.log.appended.at(-1)?.stream).toBe(
      `task-${slotOf(taskId).toString(16).padStart(2, '0')}-${taskId}`,
    )
  })

  it('reserves nothing for what is refused', async () => {
    const world = new World()
    expect(codeOf(await world.node().createTask(world.context(), { ...input, priority: -1 }))).toBe('invalid')
    expect(codeOf(await world.node().createTask(world.context(), { ...input, schedule: { ref: 'x' } }))).toBe(
      'schedule_unknown',
    )
    expect(await world.log.head()).toBe(0)
  })

  it('finds names equal that differ in normal form, case 3 and row 22', async () => {
    const world = new World()
    accepted(await world.node().createTask(world.context(), { ...input, name: 'Caf\u00e9' }))
    const again = await world.node().createTask(world.context(), { ...input, name: 'Cafe\u0301' })
    expect(again).toMatchObject({ ok: false, error: { code: 'name_taken', problems: [{ path: 'name' }] } })
    accepted(
      await world.node().createTask(world.context({ namespace: 'other' }), { ...input, name: 'Caf\u00e9' }),
    )
  })

  it('brings imported history along', async () => {
    const world = new World()
    const imported = { lastRunAt: noon - 5, totalRunCount: 42, anchor: noon - 1000 }
    const { state } = accepted(await world.node().createTask(world.context(), input, imported))
    expect(state).toMatchObject({ imported, anchor: noon - 1000 })
  })
})

describe('putting a task by its name', () => {
  it('creates, replaces, and changes nothing when nothing is new', async () => {
    const world = new World()
    const node = world.node()
    const put = (more: object, expected?: number) =>
      node.putTask(
        world.context(),
        { ...input, ...more },
        { onlyCreate: false, ...(expected === undefined ? {} : { expected }) },
      )
    const first = accepted(await put({ description: 'x' }))
    expect(first).toMatchObject({ created: true, state: { revision: 0 } })
    const second = accepted(await put({ queue: 'q' }))
    expect(second).toMatchObject({
      created: false,
      state: {
        taskId: first.state.taskId,
        revision: 1,
        armedAt: noon,
        spec: { description: '', queue: 'q' },
      },
    })
    expect(accepted(await put({ queue: 'q' }))).toEqual(second)
    expect(codeOf(await put({}, 0))).toBe('revision_mismatch')
    accepted(await put({}, 1))
    expect(codeOf(await put({ name: 'nobody' }, 0))).toBe('revision_mismatch')
  })

  it('gets or creates: an existing task is left as it is', async () => {
    const world = new World()
    const get = (node: ReturnType<World['node']>) =>
      node.putTask(world.context(), { ...input, queue: 'mine' }, { onlyCreate: true })
    const first = accepted(await world.node().createTask(world.context(), input))
    for (const node of [world.node(), world.node()]) {
      expect(accepted(await get(node))).toEqual({ ...first, created: false })
    }
    const node = world.node()
    accepted(await node.deleteTask(world.context(), first.state.taskId))
    expect(accepted(await get(node))).toMatchObject({ created: true, state: { spec: { queue: 'mine' } } })
  })

  it('sees at once what another node has written', async () => {
    const world = new World()
    const [a, b] = [world.node(), world.node()]
    const options = { onlyCreate: true }
    const one = accepted(await a.putTask(world.context(), input, options))
    expect(accepted(await b.putTask(world.context(), input, options)).state).toEqual(one.state)
    accepted(await b.changeTask(world.context(), one.state.taskId, { name: 'moved' }))
    const two = accepted(await a.putTask(world.context(), input, options))
    expect(two.created).toBe(true)
    expect(
      accepted(await a.putTask(world.context(), { ...input, name: 'moved' }, options)).state.taskId,
    ).toBe(one.state.taskId)
  })

  it('creates one task when many get or create it at once', async () => {
    const world = new World()
    const nodes = [world.node(), world.node()]
    const tries = Array.from({ length: 30 }, (_, n) =>
      nodes[n % 2]?.putTask(world.context(), input, { onlyCreate: true }),
    )
    const answers = (await Promise.all(tries)).map((result) => result && accepted(result))
    expect(answers.filter((answer) => answer?.created)).toHaveLength(1)
    expect(new Set(answers.map((answer) => answer?.state.taskId)).size).toBe(1)
  })

  it('answers a repeat with its key as the first time', async () => {
    const world = new World()
    const context = world.context({ idempotencyKey: 'k' })
    const first = accepted(await world.node().putTask(context, input, { onlyCreate: true }))
    const again = accepted(await world.node().putTask(context, input, { onlyCreate: true }))
    expect(again).toEqual({ ...first, repeated: true })
  })

  it('refuses what is no task', async () => {
    const world = new World()
    for (const bad of [{}, { name: 1 }, null]) {
      const answer = await world.node().putTask(world.context(), bad as never, { onlyCreate: true })
      expect(codeOf(answer)).toBe('invalid')
    }
  })
})

describe('commands on a task', () => {
  const started = async () => {
    const world = new World()
    const node = world.node()
    const { taskId } = accepted(await node.createTask(world.context(), input)).state
    return { world, node, taskId }
  }

  it('find no task of another namespace, and none that was never there', async () => {
    const { world, node, taskId } = await started()
    const stranger = world.context({ namespace: 'other' })
    const range = { from: noon, until: noon, max: 1 }
    for (const [context, id] of [
      [stranger, taskId],
      [world.context(), 'NOBODY'],
      [world.context(), ''],
    ] as const) {
      const answers = [
        await node.changeTask(context, id, { description: 'x' }),
        await node.enableTask(context, id),
        await node.disableTask(context, id),
        await node.triggerTask(context, id, {}),
        await node.backfillTask(context, id, range),
        await node.resetHistory(context, id),
        await node.deleteTask(context, id),
        await node.deleteTask(context, id, 0),
      ]
      expect(answers.map(codeOf)).toEqual(answers.map(() => 'not_found'))
    }
    expect(await world.log.typesIn(taskStream(taskId))).toEqual(['TaskCreated'])
  })

  it('trigger a run whose id follows from the event, also when repeated', async () => {
    const { world, node, taskId } = await started()
    const context = world.context({ idempotencyKey: 'k', at: noon + 7 })
    const first = accepted(await node.triggerTask(context, taskId, { args: [1] }))
    const event = world.log.appended.at(-1)
    expect(event).toMatchObject({ type: 'TaskTriggered', data: { args: [1] } })
    expect(first.runId).toBe(requestedRunIdOf('test', 'default', taskId, noon + 7, event?.id ?? ''))
    const again = accepted(await world.node().triggerTask(context, taskId, { args: [1] }))
    expect(again).toEqual({ ...first, repeated: true })
    const other = accepted(await node.triggerTask(world.context(), taskId, {}))
    expect(other.runId).not.toBe(first.runId)
  })

  it('enable and edit in one step', async () => {
    const { world, node, taskId } = await started()
    accepted(await node.disableTask(world.context({ reason: 'pause' }), taskId))
    const changes = { enabled: true, description: 'again' }
    const { state, position } = accepted(await node.changeTask(world.context(), taskId, changes))
    expect(state).toMatchObject({ revision: 3, disabledReason: null, spec: changes })
    expect(position).toBe(await world.log.head())
  })

  it('count the runs of the old schedule when it changes, through a shared one too', async () => {
    const { world, node } = await started()
    accepted(await node.createSchedule(world.context(), { name: 'minutely', schedule: everyMinute }))
    const task = { ...input, name: 'limited', schedule: { ref: 'minutely' }, maxRuns: 10 }
    const { taskId } = accepted(await node.createTask(world.context(), task)).state
    world.clock.wall += 4 * 60_000
    const { state } = accepted(await node.changeTask(world.context(), taskId, { schedule: everyMinute }))
    expect(state).toMatchObject({ runsLeft: 6, armedAt: noon + 4 * 60_000 })
  })

  it('free the name of a deleted task', async () => {
    const { world, node, taskId } = await started()
    accepted(await node.deleteTask(world.context(), taskId))
    expect(codeOf(await node.deleteTask(world.context(), taskId))).toBe('not_found')
    const { state } = accepted(await node.createTask(world.context(), input))
    expect(state.taskId).not.toBe(taskId)
  })
})

describe('memory', () => {
  it('keeps no more streams than it may, and works the same', async () => {
    const world = new World()
    const node = world.node({ cachedTasks: 2 })
    const ids: string[] = []
    for (let n = 0; n < 5; n++) {
      ids.push(accepted(await node.createTask(world.context(), { ...input, name: `t${n}` })).state.taskId)
    }
    for (let round = 0; round < 3; round++) {
      for (const id of ids) accepted(await node.changeTask(world.context(), id, { description: `${round}` }))
    }
    const reads = world.log.streamReads
    for (const id of ids.slice(3)) accepted(await node.changeTask(world.context(), id, { description: 'x' }))
    expect(world.log.streamReads).toBe(reads)
    accepted(await node.changeTask(world.context(), ids[0] ?? '', { description: 'x' }))
    expect(world.log.streamReads).toBe(reads + 1)
  })
})
