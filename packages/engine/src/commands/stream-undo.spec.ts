import { taskStream } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import {
  accepted,
  codeOf,
  everyMinute,
  expectChained,
  expectUniqueNames,
  input,
  World,
} from './commands.spec-support.js'

const plainly = { force: false } as const

async function taskIn(world: World, more: object = {}) {
  const node = world.node()
  const { state } = accepted(await node.createTask(world.context(), { ...input, ...more }))
  return { node, taskId: state.taskId }
}

const nightly = { crontab: { minute: '0', hour: '2' } } as const

describe('undoing changes of a task', () => {
  it('appends a change that names what it takes back, once for each key', async () => {
    const world = new World()
    const { node, taskId } = await taskIn(world)
    accepted(await node.changeTask(world.context(), taskId, { queue: 'fast' }))
    const undone = world.log.appended.at(-1)
    const context = world.context({ actor: 'bob', reason: 'too fast', idempotencyKey: 'k', fingerprint: 'f' })
    const first = accepted(await node.undoTask(context, taskId, 1, plainly))
    expect(first).toMatchObject({
      created: false,
      repeated: false,
      state: { revision: 2, spec: { queue: null } },
    })
    expect(world.log.appended.at(-1)).toMatchObject({
      type: 'TaskChanged',
      data: { changes: { queue: null }, rearmed: false },
      metadata: { actor: 'bob', reason: 'too fast', causationId: undone?.id },
    })
    const head = await world.log.head()
    expect(accepted(await world.node().undoTask(context, taskId, 1, plainly))).toEqual({
      ...first,
      repeated: true,
    })
    // Without the key it is back already.
    expect(accepted(await node.undoTask(world.context(), taskId, 1, plainly))).toMatchObject({
      state: { revision: 2 },
    })
    expect(await world.log.head()).toBe(head)
    expectChained(world.log)
  })

  it('is refused with the names of the fields that were changed since, and forced over them', async () => {
    const world = new World()
    const { node, taskId } = await taskIn(world)
    accepted(await node.changeTask(world.context(), taskId, { queue: 'fast', priority: 1 }))
    // Another node: what this one has in memory is behind.
    accepted(await world.node().changeTask(world.context(), taskId, { queue: 'slow' }))
    expect(await node.undoTask(world.context(), taskId, 1, plainly)).toMatchObject({
      ok: false,
      error: { code: 'undo_conflict', problems: [{ path: 'queue', code: 'changed_since' }] },
    })
    const { state } = accepted(await node.undoTask(world.context(), taskId, 1, { force: true }))
    expect(state.spec).toMatchObject({ queue: null, priority: null })
  })

  it('shows before what it would do', async () => {
    const world = new World()
    const { node, taskId } = await taskIn(world)
    accepted(await node.changeTask(world.context(), taskId, { queue: 'fast', priority: 1 }))
    accepted(await node.changeTask(world.context(), taskId, { queue: 'slow' }))
    const head = await world.log.head()
    expect(await node.previewUndo('default', { kind: 'task', id: taskId }, 1)).toMatchObject({
      ok: true,
      value: {
        undone: { revision: 1 },
        changes: [
          { field: 'queue', before: 'slow', after: null },
          { field: 'priority', before: 1, after: null },
        ],
        conflicts: [{ field: 'queue', before: 'fast', after: 'slow', revision: 2 }],
      },
    })
    expect(await world.log.head()).toBe(head)
    expect(codeOf(await node.previewUndo('other', { kind: 'task', id: taskId }, 1))).toBe('not_found')
  })

  it('knows no change of another namespace, nor one that is not there', async () => {
    const world = new World()
    const { node, taskId } = await taskIn(world)
    const other = world.context({ namespace: 'other' })
    expect(codeOf(await node.undoTask(other, taskId, 0, plainly))).toBe('not_found')
    expect(codeOf(await node.undoTask(world.context(), taskId, 1, plainly))).toBe('not_found')
    expect(codeOf(await node.undoTask(world.context(), 'nobody', 0, plainly))).toBe('not_found')
  })

  it('holds against the revision that the caller has seen', async () => {
    const world = new World()
    const { node, taskId } = await taskIn(world)
    accepted(await node.changeTask(world.context(), taskId, { queue: 'fast' }))
    const undo = (expected: number) => node.undoTask(world.context(), taskId, 1, { force: false, expected })
    expect(codeOf(await undo(0))).toBe('revision_mismatch')
    accepted(await undo(1))
  })

  it('renames back, and gives the other name back', async () => {
    const world = new World()
    const { node, taskId } = await taskIn(world)
    accepted(await node.changeTask(world.context(), taskId, { name: 'other' }))
    expect(accepted(await node.undoTask(world.context(), taskId, 1, plainly)).state.spec.name).toBe('backup')
    accepted(await node.createTask(world.context(), { ...input, name: 'other' }))
    expectUniqueNames(world.log)
  })
})

describe('undoing a deletion', () => {
  it('restores the task under its id and name, and can be undone', async () => {
    const world = new World()
    const { node, taskId } = await taskIn(world, { queue: 'q' })
    accepted(await node.deleteTask(world.context(), taskId))
    const { state } = accepted(await node.undoTask(world.context(), taskId, 1, plainly))
    expect(state).toMatchObject({
      taskId,
      status: 'active',
      revision: 2,
      spec: { name: 'backup', queue: 'q' },
    })
    expect(codeOf(await node.createTask(world.context(), input))).toBe('name_taken')
    expect(accepted(await node.undoTask(world.context(), taskId, 2, plainly)).state.status).toBe('deleted')
    accepted(await node.createTask(world.context(), input))
    expectUniqueNames(world.log)
    expectChained(world.log)
  })

  it('is refused while another task has the name', async () => {
    const world = new World()
    const { node, taskId } = await taskIn(world)
    accepted(await node.deleteTask(world.context(), taskId))
    const other = accepted(await node.createTask(world.context(), input)).state.taskId
    expect(codeOf(await node.undoTask(world.context(), taskId, 1, plainly))).toBe('name_taken')
    accepted(await node.deleteTask(world.context(), other))
    accepted(await node.undoTask(world.context(), taskId, 1, plainly))
    expect(codeOf(await node.undoTask(world.context(), other, 1, plainly))).toBe('name_taken')
    expectUniqueNames(world.log)
  })

  it.each([
    ['dies', 'accepted', undefined],
    ['diesAfter', 'name_taken', undefined],
    ['lost', 'name_taken', 'accepted'],
    ['landed', 'name_taken', 'accepted'],
  ] as const)(
    'keeps names unique when its append %s, and another claims the name meanwhile',
    async (fate, claimed, restored) => {
      const world = new World()
      const { node, taskId } = await taskIn(world)
      accepted(await node.deleteTask(world.context(), taskId))
      let reach = (): void => {}
      const reached = new Promise<void>((resolve) => {
        reach = resolve
      })
      let times = 0
      world.log.fate = (_, events) => {
        if (events[0]?.type !== 'TaskRestored') return 'appended'
        reach()
        times += 1
        return times === 1 ? fate : 'appended'
      }
      const restoring = node.undoTask(world.context(), taskId, 1, plainly)
      await reached
      expect(codeOf(await world.node().createTask(world.context(), input))).toBe(claimed)
      if (restored !== undefined) expect(codeOf(await restoring)).toBe(restored)
      expectUniqueNames(world.log)
      expectChained(world.log)
    },
  )

  it('is not undone again by the cascade of the schedule that took it along', async () => {
    const world = new World()
    const node = world.node()
    const { scheduleId } = accepted(
      await node.createSchedule(world.context(), { name: 'nightly', schedule: nightly }),
    ).state
    const { taskId } = await taskIn(world, { schedule: { ref: 'nightly' } })
    accepted(await node.deleteSchedule(world.context(), scheduleId, true))
    const deletion = world.log.appended.find(({ type }) => type === 'ScheduleDeleted')
    expect(codeOf(await node.undoTask(world.context(), taskId, 1, plainly))).toBe('schedule_unknown')
    expect(accepted(await node.undoSchedule(world.context(), scheduleId, 1, plainly)).state).toMatchObject({
      scheduleId,
      status: 'active',
      spec: { name: 'nightly', schedule: nightly },
    })
    accepted(await node.undoTask(world.context(), taskId, 1, plainly))
    if (deletion === undefined) throw new Error('the schedule was deleted')
    expect(await world.node().reactToScheduleDeleted(deletion)).toBe(0)
    expect(await world.log.typesIn(taskStream(taskId))).toEqual([
      'TaskCreated',
      'TaskDeleted',
      'TaskRestored',
    ])
  })
})

describe('undoing changes of what tasks share', () => {
  it('sets a schedule back, and deletes one only while nobody uses it', async () => {
    const world = new World()
    const node = world.node()
    const { scheduleId } = accepted(
      await node.createSchedule(world.context(), { name: 'nightly', schedule: nightly }),
    ).state
    accepted(await node.changeSchedule(world.context(), scheduleId, { schedule: everyMinute }))
    const undo = (revision: number, force = false) =>
      node.undoSchedule(world.context(), scheduleId, revision, { force })
    expect(accepted(await undo(1)).state.spec.schedule).toEqual(nightly)
    expect(codeOf(await undo(0))).toBe('undo_conflict')
    const { taskId } = await taskIn(world, { schedule: { ref: 'nightly' } })
    expect(codeOf(await undo(0, true))).toBe('schedule_in_use')
    accepted(await node.deleteTask(world.context(), taskId))
    expect(accepted(await undo(0, true)).state.status).toBe('deleted')
    expect(codeOf(await undo(1))).toBe('not_undoable')
    expect(codeOf(await undo(9))).toBe('not_found')
  })

  it('does the same with a calendar', async () => {
    const world = new World()
    const node = world.node()
    const days = { dates: ['2026-12-25'] }
    const { calendarId } = accepted(
      await node.createCalendar(world.context(), { name: 'feasts', days }),
    ).state
    accepted(await node.changeCalendar(world.context(), calendarId, { days: { dates: [] } }))
    const undo = (revision: number) =>
      node.undoCalendar(world.context(), calendarId, revision, { force: true })
    expect(accepted(await undo(1)).state.spec.days).toEqual(days)
    const { taskId } = await taskIn(world, {
      schedule: { except: { base: nightly, exclude: [{ calendar: { ref: 'feasts' } }] } },
    })
    expect(codeOf(await undo(0))).toBe('calendar_in_use')
    accepted(await node.deleteTask(world.context(), taskId))
    accepted(await undo(0))
    expect(accepted(await undo(3)).state).toMatchObject({ calendarId, status: 'active', spec: { days } })
    expect(codeOf(await node.previewUndo('default', { kind: 'calendar', id: calendarId }, 9))).toBe(
      'not_found',
    )
    expect(await node.previewUndo('default', { kind: 'calendar', id: calendarId }, 4)).toMatchObject({
      value: { changes: [{ field: 'status', before: 'active', after: 'deleted' }] },
    })
  })
})
