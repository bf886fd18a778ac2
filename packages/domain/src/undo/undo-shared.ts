import type { Result } from '@almanac/recurrence'
import type { Refusal } from '../refusal.js'
import {
  diffOf,
  type LookBack,
  leftToDelete,
  leftToUndo,
  notUndoable,
  type Undoable,
  type Undoing,
} from './look-back.js'

export type UndoShared =
  | { readonly type: 'delete' }
  /** Anew, with what it was when it was deleted: its name gives it the same id. */
  | { readonly type: 'create'; readonly input: object }
  | { readonly type: 'change'; readonly changes: object }

/** The command that takes back one change of a shared schedule or a calendar, as `undoOfTask` does. */
export function undoOfShared<S extends Undoable>(look: LookBack<S>): Result<Undoing<UndoShared>, Refusal> {
  const { undone, before, after, current } = look
  if (undone.type.endsWith('Created')) {
    return { ok: true, value: { command: { type: 'delete' }, ...leftToDelete(look) } }
  }
  if (before === undefined || diffOf(before, after).length === 0) {
    return notUndoable(`${undone.type} at revision ${undone.revision} changed no field`)
  }
  const left = leftToUndo(look)
  if (undone.type.endsWith('Deleted')) {
    return { ok: true, value: { command: { type: 'create', input: before.spec }, ...left } }
  }
  if (current.status !== 'active') return notUndoable('it is deleted: undo that first')
  const changes = Object.fromEntries(left.changes.map((change) => [change.field, change.after]))
  return { ok: true, value: { command: { type: 'change', changes }, ...left } }
}
