import { describe, expect, it } from 'vitest'
import { minute, noon, recorded } from '../decider.spec-support.js'
import { decideTask, evolveTask } from '../task/task.js'
import { created, everyMinute, lookups, nightly } from '../task/task.spec-support.js'
import type { TaskEvent, TaskSpec, TaskState } from '../task/types.js'
import { lookBack, undoConflict } from './look-back.js'
import { undoOfTask } from './undo-task.js'

const changed = (changes: Partial<TaskSpec>): TaskEvent => ({
  type: 'TaskChanged',
  data: { changes, rearmed: 'schedule' in changes, runsLeft: null },
})
const enabled: TaskEvent = { type: 'TaskEnabled', data: { runsLeft: null } }
const disabled: TaskEvent = { type: 'TaskDisabled', data: { cause: 'requested' } }
const deleted: TaskEvent = { type: 'TaskDeleted', data: { cause: 'requested' } }

const record = (events: readonly TaskEvent[]) =>
  events.map((event, revision) => recorded('task-00-T1', revision, event))

function undoing(revision: number, ...events: readonly TaskEvent[]) {
  const look = lookBack<TaskState>(record(events), revision, evolveTask)
  if (look === undefined) throw new Error(`there is no revision ${revision}`)
  return undoOfTask(look, lookups())
}

/** What is left when the undo of a revision is decided and applied, a minute after the last event. */
function undone(revision: number, ...events: readonly TaskEvent[]): TaskState | undefined {
  const plan = undoing(revision, ...events)
  if (!plan.ok) throw new Error(plan.error.message)
  const before = record(events).reduce<TaskState | undefined>(evolveTask, undefined)
  const at = noon + events.length * minute
  const decision = decideTask(before, plan.value.command, { at, lookups: lookups() })
  if (!decision.ok) throw new Error(decision.error.message)
  return record([...events, ...decision.value]).reduce<TaskState | undefined>(evolveTask, undefined)
}

describe('the undo of a change of a task', () => {
  it('sets back the fields that it set, and no others', () => {
    const history = [created(), changed({ queue: 'fast', priority: 3 }), changed({ description: 'x' })]
    expect(undoing(1, ...history)).toEqual({
      ok: true,
      value: {
        command: { type: 'change', changes: { queue: null, priority: null } },
        changes: [
          { field: 'queue', before: 'fast', after: null },
          { field: 'priority', before: 3, after: null },
        ],
        conflicts: [],
      },
    })
    expect(undone(1, ...history)?.spec).toMatchObject({ queue: null, priority: null, description: 'x' })
  })

  it('names the fields that were changed again, by the revision that did, also when they look the same', () => {
    const history = [
      created(),
      changed({ queue: 'fast', priority: 3 }),
      changed({ queue: 'slow' }),
      changed({ queue: 'fast' }),
    ]
    const plan = undoing(1, ...history)
    const conflicts = plan.ok ? plan.value.conflicts : []
    expect(conflicts).toEqual([{ field: 'queue', before: 'fast', after: 'fast', revision: 3 }])
    expect(undoConflict(conflicts)).toMatchObject({
      code: 'undo_conflict',
      message: 'changed again since: queue',
      problems: [{ path: 'queue', code: 'changed_since' }],
    })
  })

  it('leaves alone what is back already', () => {
    const history = [created(), changed({ queue: 'fast', priority: 3 }), changed({ queue: null })]
    expect(undoing(1, ...history)).toMatchObject({
      value: { changes: [{ field: 'priority', before: 3, after: null }], conflicts: [] },
    })
  })

  it('can be undone itself', () => {
    const history = [created(), changed({ schedule: nightly }), changed({ schedule: everyMinute })]
    expect(undone(2, ...history)?.spec.schedule).toEqual(nightly)
  })

  it('disables what was enabled and enables what was disabled', () => {
    expect(undone(1, created({ enabled: false }), enabled)?.spec.enabled).toBe(false)
    expect(undone(1, created(), disabled)?.spec.enabled).toBe(true)
  })

  it('gives a disabled task the runs that it had left, so that a one-off does not run twice', () => {
    // Created at noon: its occurrence is at 12:01. Disabled at 12:01 and undone at 12:03, or before it was due.
    expect(undone(1, created({ oneOff: true }), disabled)?.runsLeft).toBe(0)
    expect(undone(1, created({ maxRuns: 5 }), disabled)?.runsLeft).toBe(4)
    expect(undone(1, created({ oneOff: true, schedule: nightly }), disabled)?.runsLeft).toBe(1)
  })

  it('deletes what was created, unless it was changed since', () => {
    expect(undone(0, created())?.status).toBe('deleted')
    expect(undoing(0, created(), changed({ queue: 'fast' }))).toMatchObject({
      value: { command: { type: 'delete' }, conflicts: [{ field: 'queue', before: null, after: 'fast' }] },
    })
    expect(undoing(0, created(), deleted)).toMatchObject({ value: { changes: [] } })
  })

  it('restores what was deleted, armed anew, with what it was', () => {
    const history = [created({ queue: 'q', maxRuns: 9 }), deleted]
    expect(undone(1, ...history)).toMatchObject({
      taskId: 'T1',
      status: 'active',
      createdAt: noon,
      armedAt: noon + 2 * minute,
      anchor: noon,
      runsLeft: 8,
      revision: 2,
      spec: { queue: 'q', enabled: true },
    })
    expect(undoing(1, ...history, { type: 'TaskRestored', data: { runsLeft: 8 } })).toMatchObject({
      value: { changes: [] },
    })
  })

  it('restores nothing that refers to what is gone', () => {
    const events = [created({ schedule: { ref: 'gone' } }), deleted]
    expect(() => undone(1, ...events)).toThrow('there is no shared schedule named "gone"')
  })

  it('takes a restoration back by deleting', () => {
    const restored: TaskEvent = { type: 'TaskRestored', data: { runsLeft: null } }
    expect(undone(2, created(), deleted, restored)?.status).toBe('deleted')
  })

  it.each<[string, readonly TaskEvent[]]>([
    ['a run that was asked for', [created(), { type: 'TaskTriggered', data: {} }]],
    ['counts that were reset', [created(), { type: 'TaskHistoryReset', data: {} }]],
    ['an event that changed no field', [created(), changed({})]],
    ['what the scheduler found out', [created(), { type: 'TaskDisabled', data: { cause: 'completed' } }]],
    ['a quarantine', [created(), { type: 'TaskQuarantined', data: { code: 'x', message: 'y' } }]],
    ['the edit of a task that is deleted', [created(), changed({ queue: 'q' }), deleted]],
  ])('is refused for %s', (_, events) => {
    expect(undoing(1, ...events)).toMatchObject({ ok: false, error: { code: 'not_undoable' } })
  })
})
