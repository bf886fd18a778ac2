import type { Instant, ScheduleValue } from '@almanac/recurrence'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** A task's schedule: a value, or the name of a shared one. */
export type TaskSchedule = ScheduleValue | { readonly ref: string }

export interface CatchUp {
  /** What becomes of occurrences that could not be decided on time. */
  readonly policy: 'latest' | 'all' | 'none'
  /** Missed occurrences older than this are skipped as misfires; null: no limit. Seconds. */
  readonly windowSeconds: number | null
  /** With `all`: at most so many of the newest missed occurrences are run. 1 to 1000. */
  readonly max: number
}

export type OverlapPolicy = 'allow' | 'skip' | 'queueOne' | 'cancelRunning'

/** Everything that a user says about a task, complete: defaults are filled in when the command is decided. */
export interface TaskSpec {
  /** 1 to 200 characters (code points, NFC), unique in the namespace. */
  readonly name: string
  /** What to run: 1 to 200 characters. */
  readonly task: string
  readonly schedule: TaskSchedule
  readonly args: readonly Json[]
  readonly kwargs: { readonly [key: string]: Json }
  readonly headers: { readonly [key: string]: Json }
  readonly queue: string | null
  readonly exchange: string | null
  readonly routingKey: string | null
  /** 0 to 255 */
  readonly priority: number | null
  /** The schedule ends here: no occurrence at or after it. */
  readonly expires: Instant | null
  /** Life of each run command, counted from its emission. Seconds. Not together with `expires`. */
  readonly expireSeconds: number | null
  readonly oneOff: boolean
  /** At most so many occurrences after arming; null: no limit. 1 to 10 000. */
  readonly maxRuns: number | null
  /** No occurrence before it; the anchor of an interval's grid. */
  readonly startTime: Instant | null
  readonly enabled: boolean
  readonly description: string
  readonly labels: { readonly [key: string]: string }
  readonly catchUp: CatchUp
  readonly overlap: OverlapPolicy
  /** Each dispatch is delayed by a hash-drawn part of it, never past the next occurrence. Seconds. */
  readonly jitterSeconds: number
  /** How often a failed run is tried in all. 1 to 100. */
  readonly maxAttempts: number
}

/** Run data brought along by an import from another scheduler. */
export interface ImportedHistory {
  readonly lastRunAt: Instant | null
  readonly totalRunCount: number
  /** Where the interval grid starts, so that an imported rhythm keeps its phase. */
  readonly anchor: Instant
}

export type TaskEvent =
  | { readonly type: 'TaskCreated'; readonly data: TaskCreated }
  | { readonly type: 'TaskChanged'; readonly data: TaskChanged }
  | { readonly type: 'TaskEnabled'; readonly data: TaskEnabled }
  | { readonly type: 'TaskDisabled'; readonly data: TaskDisabled }
  | { readonly type: 'TaskPaused'; readonly data: TaskPaused }
  | { readonly type: 'TaskOccurrenceCancelled'; readonly data: TaskOccurrenceCancelled }
  | { readonly type: 'TaskOccurrenceMoved'; readonly data: TaskOccurrenceMoved }
  | { readonly type: 'TaskTriggered'; readonly data: TaskTriggered }
  | { readonly type: 'TaskBackfillRequested'; readonly data: TaskBackfillRequested }
  | { readonly type: 'TaskHistoryReset'; readonly data: Record<string, never> }
  | { readonly type: 'TaskQuarantined'; readonly data: TaskQuarantined }
  | { readonly type: 'TaskDeleted'; readonly data: TaskDeleted }
  /** Its deletion was taken back: it is what it was, armed anew. */
  | { readonly type: 'TaskRestored'; readonly data: TaskRestored }
  /** Written into a stream whose name reservation was taken over, so that its late creation conflicts. */
  | { readonly type: 'TaskAbandoned'; readonly data: Record<string, never> }

export interface TaskCreated {
  readonly taskId: string
  readonly spec: TaskSpec
  readonly imported?: ImportedHistory
}
export interface TaskChanged {
  /** The changed fields only, with their new values. */
  readonly changes: Partial<TaskSpec>
  /** True when the rhythm starts anew: schedule, startTime, oneOff, maxRuns or jitterSeconds changed. */
  readonly rearmed: boolean
  /** With `maxRuns`: how many are left of it after a change of the schedule. */
  readonly runsLeft: number | null
}
export interface TaskEnabled {
  readonly runsLeft: number | null
}
export interface TaskDisabled {
  /** `completed`: one-off or maxRuns done, or a schedule with an end; `expired`: past `expires`. */
  readonly cause: 'requested' | 'completed' | 'expired'
}
export interface TaskPaused {
  /** What comes due before this does not run. */
  readonly until: Instant
  /** With oneOff or `maxRuns`: how many are left for then. */
  readonly runsLeft: number | null
}
export interface TaskOccurrenceCancelled {
  /** The occurrence: it does not run, and is no occurrence of the task. */
  readonly at: Instant
  /** True: it is one again. */
  readonly isBack: boolean
}
export interface TaskOccurrenceMoved {
  /** The occurrence as it was: it may have been moved before. */
  readonly at: Instant
  /** When it is instead. */
  readonly to: Instant
}
export interface TaskTriggered {
  /** Override the task's own for this run. */
  readonly args?: readonly Json[]
  readonly kwargs?: { readonly [key: string]: Json }
}
export interface TaskBackfillRequested {
  /** Occurrences in `[from, until]` are run again (or for the first time), each with its own instant. */
  readonly from: Instant
  readonly until: Instant
  /** At most so many. 1 to 1000. */
  readonly max: number
  /** Which come first, and which are left out beyond `max`. Left out: the oldest first. */
  readonly order?: 'oldestFirst' | 'newestFirst'
}
export interface TaskQuarantined {
  readonly code: string
  readonly message: string
}
export interface TaskDeleted {
  /** `schedule`: deleted with its shared schedule. */
  readonly cause: 'requested' | 'schedule'
}
export interface TaskRestored {
  /** With oneOff or `maxRuns`: how many were left when it was deleted. */
  readonly runsLeft: number | null
}

export interface MovedOccurrence {
  /** When the schedule has it. */
  readonly at: Instant
  readonly to: Instant
}

/** The fold of a task's events. It is both what deciders see and the document of the read model. */
export interface TaskState {
  readonly taskId: string
  readonly namespace: string
  readonly spec: TaskSpec
  readonly status: 'active' | 'deleted' | 'abandoned'
  readonly revision: number
  readonly createdAt: Instant
  /** Time of the last event of any kind. */
  readonly changedAt: Instant
  readonly changedBy: string
  /** Occurrences count strictly after this: creation, the last enabling, change of the rhythm, or end of a pause. */
  readonly armedAt: Instant
  /** How many occurrences are left after `armedAt`; null: no limit. One-off tasks have 1. */
  readonly runsLeft: number | null
  /** Origin of the interval grid: start time, else creation (else brought by the import). */
  readonly anchor: Instant
  readonly quarantine: TaskQuarantined | null
  readonly disabledCause: TaskDisabled['cause'] | null
  readonly disabledReason: string | null
  /** Enabled, but what comes due before this does not run; null: not paused. Stays when its time is over. */
  readonly pausedUntil: Instant | null
  /** Single occurrences that do not run, in order; the newest 100. */
  readonly cancelled: readonly Instant[]
  /** Single occurrences that are at another time than the schedule says; the newest 100. */
  readonly moved: readonly MovedOccurrence[]
  readonly imported: ImportedHistory | null
  /** Instant of the last history reset: totals count from here. */
  readonly historyResetAt: Instant | null
  /** Hash of the last event, the next one's `previousHash`. */
  readonly hash: string
}
