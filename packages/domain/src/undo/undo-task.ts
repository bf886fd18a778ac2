import type { Result } from '@almanac/recurrence'
import type { Lookups } from '../dispatch/definition.js'
import type { Refusal } from '../refusal.js'
import { runsLeftAt } from '../task/arming.js'
import type { TaskCommand } from '../task/task.js'
import type { TaskDisabled, TaskOccurrenceCancelled, TaskOccurrenceMoved, TaskState } from '../task/types.js'
import { diffOf, type LookBack, leftToDelete, leftToUndo, notUndoable, type Undoing } from './look-back.js'

/**
 * The command that takes back one change of a task: exactly the fields that it changed get their former values, and
 * what else has happened since stays. A creation is taken back by deleting, a deletion by restoring under the same id.
 * Refused for what is no change of the specification (what ran has run), and for what the scheduler found out.
 *
 * A task that is armed again has the runs left that it had when it was taken out, so that a one-off does not run twice.
 */
export function undoOfTask(
  look: LookBack<TaskState>,
  lookups: Lookups,
): Result<Undoing<TaskCommand>, Refusal> {
  const { undone, before, after, current } = look
  if (undone.type === 'TaskCreated' || undone.type === 'TaskRestored') {
    return done({ command: { type: 'delete', cause: 'requested' }, ...leftToDelete(look) })
  }
  if (before === undefined || diffOf(before, after).length === 0) {
    return notUndoable(`${undone.type} at revision ${undone.revision} changed no field`)
  }
  const left = leftToUndo(look)
  if (undone.type === 'TaskDeleted') {
    const runsLeft = runsLeftAt(before, lookups, undone.metadata.at)
    return done({ command: { type: 'restore', runsLeft }, ...left })
  }
  if (current.status !== 'active') return notUndoable('the task is deleted: undo that first')
  if (undone.type === 'TaskOccurrenceCancelled') {
    const { at, isBack } = undone.data as TaskOccurrenceCancelled
    return done({ command: { type: 'cancelOccurrence', at, isBack: !isBack }, ...left })
  }
  if (undone.type === 'TaskOccurrenceMoved') {
    const { at, to } = undone.data as TaskOccurrenceMoved
    return done({ command: { type: 'moveOccurrence', at: to, to: at }, ...left })
  }
  if (undone.type === 'TaskPaused' && before.pausedUntil === null) {
    return done({
      command: { type: 'enable', runsLeft: runsLeftAt(current, lookups, undone.metadata.at) },
      ...left,
    })
  }
  if (undone.type === 'TaskPaused' || (undone.type === 'TaskEnabled' && before.spec.enabled)) {
    return done({ command: { type: 'pause', until: before.pausedUntil }, ...left })
  }
  if (undone.type === 'TaskEnabled') {
    return done({ command: { type: 'disable', cause: 'requested' }, ...left })
  }
  if (undone.type === 'TaskDisabled') {
    const { cause } = undone.data as TaskDisabled
    if (cause !== 'requested') return notUndoable(`nobody disabled the task: it is ${cause}`)
    return done({
      command: { type: 'enable', runsLeft: runsLeftAt(before, lookups, undone.metadata.at) },
      ...left,
    })
  }
  const changes = Object.fromEntries(left.changes.map((change) => [change.field, change.after]))
  return done({ command: { type: 'change', changes }, ...left })
}

const done = (undoing: Undoing<TaskCommand>) => ({ ok: true, value: undoing }) as const
