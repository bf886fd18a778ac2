import {
  type CommandContext,
  claimOf,
  decideName,
  type NameState,
  nameStream,
  type Refusal,
  type TaskEvent,
  type TaskState,
  taskStream,
  withoutKey,
} from '@almanac/domain'
import { handle, storedEvents } from './handle.js'
import { type CommandParts, systemContext } from './parts.js'
import type { Folded } from './streams.js'

/** How often a claimant looks whether the holder's write has come. */
const pollMs = 25

export interface Reservation {
  readonly name: string
  readonly taskId: string
  /** For a rename: the revision of the task that it is decided on. */
  readonly atRevision?: number
}

/**
 * Task names, unique in a namespace.
 *
 * A name is reserved in its own stream first; then comes the task's own event. Two claimants of a free name
 * meet at the name stream's revision, and one wins. A writer that dies in between leaves a reservation behind
 * which nobody needs to clean up: the next claimant waits a moment for the writer, then puts an event into
 * the holder's stream, so that the write, should it still be under way, conflicts; then the name is free.
 *
 * What is never done is to take a name while a write that would use it can still succeed: see `claimOf`.
 */
export class Names {
  private readonly parts: CommandParts

  constructor(parts: CommandParts) {
    this.parts = parts
  }

  /**
   * Reserves a name, then does what needs it. Claimants of one name in this process come one after the other,
   * so that nobody finds a reservation of theirs whose task is still to come. Answers the refusal when
   * another task has it.
   */
  holding<T>(namespace: string, name: string, work: () => Promise<T>): Promise<T> {
    return this.parts.turns.take(nameStream(namespace, name), work)
  }

  /** Call within `holding`. Undefined: the task has the reservation now. */
  async reserve(
    context: CommandContext,
    token: string,
    reservation: Reservation,
  ): Promise<Refusal | undefined> {
    const { name, taskId } = reservation
    const stream = nameStream(context.namespace, name)
    const reserved = await handle(this.parts, this.parts.names, {
      stream,
      // The key stands in the task's stream; here it would make a second use of the name look like the first.
      context: withoutKey(context),
      token,
      decide: async (folded) => {
        const holder = await this.settledHolder(context.namespace, folded, taskId)
        return decideName(folded.state, { type: 'reserve', ...reservation, holder })
      },
    })
    return reserved.ok ? undefined : reserved.error
  }

  /**
   * Gives a name back that the task doesn't have any more. What fails here is healed by the next claimant.
   */
  async release(context: CommandContext, token: string, name: string, taskId: string): Promise<void> {
    const stream = nameStream(context.namespace, name)
    await this.holding(context.namespace, name, () =>
      handle(this.parts, this.parts.names, {
        stream,
        context: withoutKey(context),
        token: `${token}|release`,
        // The task is read after the reservation: should it be about to take the name again, it reserves anew
        // first.
        decide: async ({ state }) =>
          decideName(state, { type: 'release', taskId, holder: await this.taskOf(taskId) }),
      }),
    )
  }

  /** The active task that has the name, from the log: one's own writes are always seen. */
  async holderOf(namespace: string, name: string): Promise<string | undefined> {
    const { state } = await this.parts.names.refresh(nameStream(namespace, name))
    if (state === undefined || state.taskId === null) return undefined
    return claimOf(state, await this.taskOf(state.taskId)) === 'held' ? state.taskId : undefined
  }

  /** Who holds the name, once it is certain: a write that may be under way is waited for, then shut out. */
  private async settledHolder(
    namespace: string,
    folded: Folded<NameState>,
    claimant: string,
  ): Promise<TaskState | undefined> {
    const holderId = folded.state?.taskId ?? null
    if (holderId === null || holderId === claimant) return undefined
    const { clock, options } = this.parts
    const giveUpAt = folded.at + options.reservationGraceMs
    for (let polls = options.reservationGraceMs / pollMs; ; polls--) {
      const holder = await this.parts.tasks.refresh(taskStream(holderId))
      const claim = claimOf(folded.state, holder.state)
      if (claim === 'held' || claim === 'free') return holder.state
      if (polls <= 0 || clock.now() >= giveUpAt) await this.shutOut(namespace, holderId, holder, claim)
      else await clock.sleep(pollMs)
    }
  }

  /** Moves the holder's stream on, so that a write decided before conflicts. A conflict does as well. */
  private async shutOut(
    namespace: string,
    holderId: string,
    holder: Folded<TaskState>,
    claim: 'creating' | 'renaming',
  ): Promise<void> {
    const { log, clock, tasks, digest } = this.parts
    const stream = taskStream(holderId)
    const event: TaskEvent =
      claim === 'creating'
        ? { type: 'TaskAbandoned', data: {} }
        : {
            type: 'TaskChanged',
            data: { changes: {}, rearmed: false, runsLeft: holder.state?.runsLeft ?? null },
          }
    const reason = 'its reserved name was claimed by another task'
    const context = systemContext(namespace, clock.now(), stream, reason)
    const at = Math.max(context.at, holder.at)
    const work = { stream, context, token: 'shut out' }
    await log.append(stream, holder.revision, storedEvents(work, holder, [event], at, digest))
    tasks.forget(stream)
  }

  private async taskOf(taskId: string): Promise<TaskState | undefined> {
    return (await this.parts.tasks.refresh(taskStream(taskId))).state
  }
}
