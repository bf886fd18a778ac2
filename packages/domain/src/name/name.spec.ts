import { describe, expect, it } from 'vitest'
import { recorded, specification } from '../decider.spec-support.js'
import { evolveTask } from '../task/task.js'
import { created } from '../task/task.spec-support.js'
import type { TaskEvent, TaskState } from '../task/types.js'
import { claimOf, decideName, evolveName } from './name.js'
import type { NameEvent } from './types.js'

const given = specification({
  stream: 'name-default-x',
  decide: (state, command: Parameters<typeof decideName>[1]) => decideName(state, command),
  evolve: evolveName,
  context: {},
})
const task = (...events: readonly TaskEvent[]): TaskState | undefined =>
  events.reduce<TaskState | undefined>(
    (state, event, index) => evolveTask(state, recorded('task-00-T1', index, event)),
    undefined,
  )
const reserved = (taskId: string, atRevision?: number): NameEvent => ({
  type: 'NameReserved',
  data: { name: 'backup', taskId, ...(atRevision === undefined ? {} : { atRevision }) },
})
const released: NameEvent = { type: 'NameReleased', data: { taskId: 'T1' } }
const deleted: TaskEvent = { type: 'TaskDeleted', data: { cause: 'requested' } }
const abandoned: TaskEvent = { type: 'TaskAbandoned', data: {} }
const renamed = (name: string): TaskEvent => ({
  type: 'TaskChanged',
  data: { changes: { name }, rearmed: false, runsLeft: null },
})
const reserve = (taskId: string, holder?: TaskState, atRevision?: number) =>
  ({
    type: 'reserve',
    name: 'backup',
    taskId,
    holder,
    ...(atRevision === undefined ? {} : { atRevision }),
  }) as const

describe('what a reservation is worth', () => {
  it.each([
    ['free: nobody has reserved it', [], undefined, 'free'],
    ['free: it was given back', [reserved('T1'), released], task(created()), 'free'],
    ['creating: the holder has no event yet', [reserved('T1')], undefined, 'creating'],
    ['held: the holder has the name', [reserved('T1')], task(created()), 'held'],
    ['free: the holder is deleted', [reserved('T1')], task(created(), deleted), 'free'],
    ['free: the holder was abandoned', [reserved('T1')], task(abandoned), 'free'],
    ['renaming: the holder is being restored', [reserved('T1', 1)], task(created(), deleted), 'renaming'],
    [
      'free: the holder was deleted after it was to be renamed',
      [reserved('T1', 0)],
      task(created({ name: 'old' }), deleted),
      'free',
    ],
    ['free: the holder has another name since', [reserved('T1')], task(created(), renamed('x')), 'free'],
    [
      'renaming: the holder has not moved since it reserved',
      [reserved('T1', 1)],
      task(created({ name: 'old' }), renamed('older')),
      'renaming',
    ],
    [
      'free: the holder moved on without taking it',
      [reserved('T1', 0)],
      task(created({ name: 'old' }), renamed('older')),
      'free',
    ],
    [
      'held: the holder was renamed to it',
      [reserved('T1', 0)],
      task(created({ name: 'old' }), renamed('backup')),
      'held',
    ],
  ] as const)('%s', (_, history, holder, claim) => {
    expect(claimOf(given(...history).state, holder)).toBe(claim)
  })
})

describe('reserve', () => {
  it('takes a free name', () => {
    given().when(reserve('T1')).thenEvents(reserved('T1'))
    given(reserved('T1'), released).when(reserve('T2')).thenEvents(reserved('T2'))
    given(reserved('T1'))
      .when(reserve('T2', task(created(), deleted), 4))
      .thenEvents(reserved('T2', 4))
  })

  it('refuses a name that another has, or may be about to have', () => {
    given(reserved('T1'))
      .when(reserve('T2', task(created())))
      .thenRefused('name_taken', 'name name_taken')
    given(reserved('T1')).when(reserve('T2')).thenRefused('name_taken', 'name name_taken')
    given(reserved('T1', 0))
      .when(reserve('T2', task(created({ name: 'old' }))))
      .thenRefused('name_taken', 'name name_taken')
  })

  it('is recorded anew by who has it already, so that the revision moves', () => {
    given(reserved('T1')).when(reserve('T1')).thenEvents(reserved('T1'))
  })
})

describe('release', () => {
  const release = (holder: TaskState | undefined) => ({ type: 'release', taskId: 'T1', holder }) as const

  it('gives back what the task does not have any more', () => {
    given(reserved('T1'))
      .when(release(task(created(), deleted)))
      .thenEvents(released)
    given(reserved('T1'))
      .when(release(task(created(), renamed('x'))))
      .thenEvents(released)
    expect(given(reserved('T1'), released).state).toMatchObject({ taskId: null, name: null, revision: 1 })
  })

  it('leaves alone what it has, what it may be about to have, and what is not its own', () => {
    given(reserved('T1'))
      .when(release(task(created())))
      .thenNothing()
    given(reserved('T1', 0))
      .when(release(task(created({ name: 'old' }))))
      .thenNothing()
    given(reserved('T2'))
      .when(release(task(created(), deleted)))
      .thenNothing()
    given().when(release(undefined)).thenNothing()
  })
})
