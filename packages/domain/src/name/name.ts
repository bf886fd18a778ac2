import type { RecordedEvent } from '../event.js'
import { accept, type Decision, refuse } from '../refusal.js'
import type { TaskState } from '../task/types.js'
import type { NameEvent, NameState } from './types.js'

/**
 * A name is reserved in its own stream before its task is created or renamed, since two streams can't be
 * written together. What a crash in between leaves behind heals with the next claimant, see `claimOf`.
 */
export function evolveName(state: NameState | undefined, event: RecordedEvent): NameState | undefined {
  const { type, data } = event as RecordedEvent & NameEvent
  const step = { revision: event.revision, hash: event.hash }
  if (type === 'NameReserved') {
    const { taskId, name, atRevision } = data
    return { taskId, name, atRevision: atRevision ?? null, ...step }
  }
  if (state === undefined) return undefined
  if (type !== 'NameReleased' || data.taskId !== state.taskId) return { ...state, ...step }
  return { taskId: null, name: null, atRevision: null, ...step }
}

/**
 * What a reservation is worth, given the task that holds it (`undefined`: its stream has no event).
 *
 * `held`: the task has the name. `free`: nobody has it, and no write that is under way can give it to the
 * holder any more. `creating`, `renaming`: the holder's write may be under way, or its writer is dead. A deleted task
 * that is being restored is `renaming` to the name that it had. Before the name is taken, the holder's stream must get
 * an event (`TaskAbandoned`, or an empty `TaskChanged`), with which a late write conflicts.
 */
export function claimOf(
  state: NameState | undefined,
  holder: TaskState | undefined,
): 'free' | 'held' | 'creating' | 'renaming' {
  if (state === undefined || state.taskId === null) return 'free'
  if (holder === undefined) return 'creating'
  if (holder.status === 'abandoned') return 'free'
  if (holder.status === 'active' && holder.spec.name === state.name) return 'held'
  return state.atRevision !== null && holder.revision <= state.atRevision ? 'renaming' : 'free'
}

export type NameCommand =
  /**
   * `holder`: the task that holds the name now. Reserving anew what one holds is recorded too: it moves the
   * revision.
   */
  | {
      readonly type: 'reserve'
      readonly name: string
      readonly taskId: string
      readonly atRevision?: number
      readonly holder: TaskState | undefined
    }
  /** Gives the name back, unless the task has it or is about to have it. */
  | { readonly type: 'release'; readonly taskId: string; readonly holder: TaskState | undefined }

export function decideName(state: NameState | undefined, command: NameCommand): Decision<NameEvent> {
  const { taskId, holder } = command
  const claim = claimOf(state, holder)
  if (command.type === 'release') {
    const mine = state !== undefined && state.taskId === taskId
    return mine && claim === 'free' ? accept({ type: 'NameReleased', data: { taskId } }) : accept()
  }
  if (claim !== 'free' && state?.taskId !== taskId) {
    return refuse('name_taken', `there is a task named ${JSON.stringify(command.name)}`, [
      { path: 'name', code: 'name_taken', message: 'is the name of another task' },
    ])
  }
  const { name, atRevision } = command
  return accept({
    type: 'NameReserved',
    data: atRevision === undefined ? { name, taskId } : { name, taskId, atRevision },
  })
}
