import type { Checkpoint, Plan, Position, TaskState } from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'

/** What an owner begins with. */
export interface Beginning {
  /** The last committed checkpoint; after its loss, the mirrored one; null in a new partition. */
  readonly checkpoint: Checkpoint | null
  /** Of a new partition: occurrences count from there. */
  readonly startedAt: Instant
  /** The checkpoint is the mirrored one: what is due by then may have been committed before. */
  readonly recoveredAt: Instant | null
}

/** What a tick has decided and not committed yet. */
export interface Decision {
  readonly now: Instant
  readonly position: Position
  readonly plan: Plan
  /** Taken out of the due index, to be put back when the decision is committed. */
  readonly taken: readonly { readonly taskId: string; readonly due: Instant }[]
  /** As they were decided on. One that changes meanwhile is dirty: it is placed anew anyway. */
  readonly states: ReadonlyMap<string, TaskState>
  readonly resets: readonly string[]
  /** To be put where they belong, or ended, once what they had due behind the cursor is decided. */
  readonly armed: readonly string[]
}
