import type { Instant, Recurrence } from '@almanac/recurrence'
import type { Position } from '../event.js'
import type { CatchUp, Json, OverlapPolicy } from '../task/types.js'
import type { Traceparent } from '../trace-context.js'

/** 0 to partitions - 1 */
export type PartitionId = number

/**
 * Everything up to and including this place in the order of (dispatch instant, task id) has been decided.
 * A pair, so that a million tasks due at one instant split into many ticks.
 */
export interface Cursor {
  readonly at: Instant
  readonly taskId: string
}

/**
 * An occurrence that a task's former definition has decided, and that jitter would put behind the cursor once more: the
 * new definition's occurrences count after it. Kept until the cursor has passed it.
 */
export interface Floor {
  readonly taskId: string
  /** For definitions whose occurrences count from then on, or later. */
  readonly since: Instant
  /** The last occurrence that is settled. */
  readonly scheduledAt: Instant
  /** When the new definition would have dispatched it. */
  readonly dispatchAt: Instant
}

/** What a tick leaves behind, committed together with its run commands. */
export interface Checkpoint {
  readonly seq: number
  readonly term: number
  readonly cursor: Cursor
  /** The event-log position whose definitions were used. */
  readonly position: Position
  /** The `now` that was planned with. */
  readonly evaluatedAt: Instant
  /** True when the tick was cut by its limit: the next one goes on with the same `evaluatedAt`. */
  readonly more: boolean
  readonly engineVersion: string
  readonly tzVersion: string
  /** Runs in this tick, and the digest over their sorted ids. */
  readonly runs: number
  readonly skipped: number
  readonly digest: string
  /** Hash of the previous checkpoint; '' at genesis. */
  readonly previous: string
  /**
   * The partition goes on from a mirrored checkpoint: what is dispatched by then may have been committed before, and is
   * marked `replayed`. Left out once the cursor has passed it.
   */
  readonly replayUntil?: Instant
  /** What this tick was planned with, by task id. Left out when there are none, which is nearly always. */
  readonly floors?: readonly Floor[]
}

/** A task as the planner sees it: everything resolved, nothing to look up. */
export interface Definition {
  readonly taskId: string
  readonly namespace: string
  readonly revision: number
  readonly recurrence: Recurrence
  /** Occurrences count strictly after this. */
  readonly since: Instant
  /** First instant allowed (start time); null: none. */
  readonly notBefore: Instant | null
  /** Occurrences are strictly before this; null: no end. */
  readonly expires: Instant | null
  /** The last occurrence that counts (one-off: the first after arming; maxRuns: the n-th); null: no limit. */
  readonly finalAt: Instant | null
  readonly catchUp: CatchUp
  readonly overlap: OverlapPolicy
  readonly jitterMs: number
}

export type RunKind = 'scheduled' | 'manual' | 'backfill' | 'catchUp'

/** A decided run, before its payload is attached. */
export interface PlannedRun {
  readonly runId: string
  readonly taskId: string
  readonly scheduledAt: Instant
  readonly dispatchAt: Instant
  readonly kind: RunKind
  /** Set by a trigger that overrides the task's arguments. */
  readonly override?: { readonly args?: readonly Json[]; readonly kwargs?: { readonly [key: string]: Json } }
  /** Task revision that decided it. */
  readonly revision: number
}

export type SkipReason =
  | 'disabled'
  | 'deleted'
  | 'superseded'
  | 'misfire'
  | 'overlap'
  | 'expired'
  | 'quarantined'
  /** By somebody, this one alone. */
  | 'cancelled'
  /** By somebody, this one alone: it is at another time. */
  | 'moved'

/** Occurrences of one task that were decided not to run: `count` of them, from `first` to `last`. */
export interface Skip {
  readonly taskId: string
  readonly reason: SkipReason
  readonly first: Instant
  readonly last: Instant
  readonly count: number
  readonly revision: number
}

/** What a worker gets, and what is on the wire. Instants are epoch ms here; protocol writes them as ISO 8601. */
export interface RunCommand {
  readonly runId: string
  readonly namespace: string
  readonly taskId: string
  readonly taskName: string
  readonly task: string
  readonly args: readonly Json[]
  readonly kwargs: { readonly [key: string]: Json }
  readonly headers: { readonly [key: string]: Json }
  readonly queue: string
  readonly exchange: string | null
  readonly routingKey: string | null
  readonly priority: number | null
  readonly scheduledAt: Instant
  readonly emittedAt: Instant
  readonly expiresAt: Instant | null
  readonly kind: RunKind
  readonly overlap: OverlapPolicy
  readonly maxAttempts: number
  readonly taskRevision: number
  readonly partition: PartitionId
  readonly seq: number
  /**
   * True when the checkpoint had been lost and the partition went on from the progress mirror: the same run may
   * have been committed before, under the same run id.
   */
  readonly replayed?: true
  /** The step of a trace that its worker goes on with. No part of what was decided: no id or digest depends on it. */
  readonly traceparent?: Traceparent
}
