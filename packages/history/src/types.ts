import type { Checkpoint, PartitionId, RecordedEvent, RunCommand, Skip } from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'

/**
 * What was seen of a cluster from outside, one record a line. All instants are of one trusted clock: the
 * simulator's, or the broker's and the recording process's on real servers.
 */
export type HistoryRecord =
  | MetaRecord
  | { readonly kind: 'event'; readonly event: RecordedEvent }
  | AnswerRecord
  | RunRecordSeen
  | {
      readonly kind: 'skip'
      readonly partition: PartitionId
      readonly seq: number
      readonly skip: Skip
    }
  | CheckpointSeen
  | {
      readonly kind: 'owner'
      readonly partition: PartitionId
      readonly offset: number
      readonly appendedAt: Instant
      readonly nodeId: string
      readonly term: number
    }
  /** Something that was done to the cluster; shown on the page, not judged. */
  | { readonly kind: 'fault'; readonly at: Instant; readonly fault: string; readonly detail: string }
  /** From here on no fault is active: the cluster has to come back by itself. */
  | { readonly kind: 'healed'; readonly at: Instant }
  /** The last moment that was watched. */
  | { readonly kind: 'end'; readonly at: Instant }

export interface MetaRecord {
  readonly kind: 'meta'
  readonly version: 1
  readonly cluster: string
  readonly partitions: number
  readonly misfireGraceMs: number
  readonly maxDecisionsPerTick: number
  /** How much earlier than its instant a run may be committed: the clock tolerance. */
  readonly earlyToleranceMs: number
  /** How late a run may be while nothing is broken. */
  readonly lateToleranceMs: number
  /** How long after the last fault the cluster may take to be whole again. */
  readonly recoveryMs: number
  /** Source of the history, for people: `simulator seed 7`, `chaos run of ...`. */
  readonly source: string
}

/** A command that was answered with success. */
export interface AnswerRecord {
  readonly kind: 'answer'
  readonly sentAt: Instant
  readonly answeredAt: Instant
  readonly idempotencyKey: string | null
  /** Of the command's last event. */
  readonly position: number
  readonly command: string
  readonly namespace: string
  readonly taskId: string | null
  /** Asked with `wait=fenced`, and answered so: no run of an older definition may be committed after `answeredAt`. */
  readonly isFenced: boolean
}

/** A committed run command, where a reader of committed records found it. */
export interface RunRecordSeen {
  readonly kind: 'run'
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly appendedAt: Instant
  readonly run: RunCommand
}

/** A committed checkpoint; every one, since readers tail the topic before it is compacted. */
export interface CheckpointSeen {
  readonly kind: 'checkpoint'
  readonly partition: PartitionId
  readonly offset: number
  readonly appendedAt: Instant
  readonly checkpoint: Checkpoint
}

export const rules = [
  'lost',
  'doubled',
  'unexpected',
  'early',
  'late',
  'stale-definition',
  'out-of-order',
  'gap',
  'two-writers',
  'replay-differs',
  'incomplete-tick',
  'lost-command',
  'doubled-command',
  'tampered',
  'unrecovered',
] as const
export type Rule = (typeof rules)[number]

export interface Violation {
  readonly rule: Rule
  readonly message: string
  readonly at: Instant | null
  readonly partition: PartitionId | null
  readonly taskId: string | null
  readonly runId: string | null
}

/** How much was judged by a rule. With nothing checked, no violation says nothing. */
export interface RuleCount {
  readonly rule: Rule
  /** Things that were looked at: runs, ticks, answers and so on, as the rule has it. */
  readonly checked: number
  /** All that were found; `violations` lists at most 1,000 of each rule. */
  readonly violated: number
}

export interface HistoryReport {
  readonly meta: MetaRecord
  readonly violations: readonly Violation[]
  /** Every rule, in the order of `rules`. */
  readonly rules: readonly RuleCount[]
  readonly counts: {
    readonly events: number
    readonly answers: number
    readonly tasks: number
    readonly checkpoints: number
    readonly runs: number
    readonly skipped: number
    readonly takeovers: number
    /** Occurrences that were accounted for by enumerating schedules, apart from the replay of ticks. */
    readonly occurrences: number
  }
  /** Runs by lateness (append time less dispatch instant): upper bound in ms and count, for the page. */
  readonly lateness: readonly { readonly upToMs: number; readonly runs: number }[]
}
