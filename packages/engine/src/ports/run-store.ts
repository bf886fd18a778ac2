import type { RunKind, RunRecord, RunStatus, RunTotals, Skip } from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'
import type { Listed, Page } from './view-store.js'

export interface LeaseRequest {
  readonly namespace: string
  readonly queue: string
  /** 1 to 1000 */
  readonly max: number
  readonly worker: string
  readonly leaseMs: number
  readonly now: Instant
}

export interface LeasedRun {
  readonly run: RunRecord
  readonly leaseToken: string
}

/** `lost`: the lease lapsed and somebody else has the run, or it is finished; `unknown`: no such run. */
export type LeaseReply = 'ok' | 'lost' | 'unknown'

export interface RunFilter {
  readonly taskId?: string
  readonly status?: RunStatus
  readonly queue?: string
  readonly kind?: RunKind
  /** By scheduled instant: from (inclusive) until (exclusive). */
  readonly from?: Instant
  readonly until?: Instant
}

export interface RecordedSkip extends Skip {
  readonly partition: number
  readonly seq: number
  readonly decidedAt: Instant
}

/** What is known of the runs and skips that ticks have committed. Reads are local and synchronous. */
export interface RunReads {
  run(runId: string): RunRecord | undefined
  /** Newest scheduled first. */
  list(namespace: string, filter: RunFilter, page: Page): Listed<RunRecord>
  /** Runs that are running, or queued and not expired at `now`, by task. Tasks with none are absent. */
  busy(
    taskIds: readonly string[],
    now: Instant,
  ): ReadonlyMap<string, { readonly running: number; readonly queued: number }>
  totals(taskIds: readonly string[]): ReadonlyMap<string, RunTotals>
  /** Skips of a task whose range touches `[from, until]`, oldest first. */
  skips(taskId: string, from: Instant, until: Instant): readonly RecordedSkip[]
  counts(): ReadonlyMap<RunStatus, number>
  /** Forgets finished runs and skips older than `before`; totals stay. At most `max`; answers how many. */
  prune(before: Instant, max: number): Promise<number>
}

/** Runs for workers over HTTP. Writes are durable when they resolve. */
export interface WorkQueue {
  /**
   * Hands out queued runs, and running ones whose lease has lapsed, by (priority descending, none counts as 0;
   * scheduled instant; run id). Expired ones become `expired` instead. A run of a `queueOne` task
   * waits while another of the same task is running.
   */
  lease(request: LeaseRequest): Promise<readonly LeasedRun[]>
  /** Repeated with the same token it answers `ok` again, so that a lost answer can be asked for once more. */
  ack(runId: string, leaseToken: string, now: Instant): Promise<LeaseReply>
  /** Failed for good when `retryAt` is null or the attempts are used up, else queued again not before `retryAt`. */
  fail(
    runId: string,
    leaseToken: string,
    now: Instant,
    error: string,
    retryAt: Instant | null,
  ): Promise<LeaseReply>
  /** Extends the lease. `cancelRequested` tells the worker to stop (overlap policy `cancelRunning`). */
  heartbeat(
    runId: string,
    leaseToken: string,
    now: Instant,
    leaseMs: number,
  ): Promise<{ readonly reply: LeaseReply; readonly cancelRequested: boolean }>
  /** When a queue next has something to hand out without a new commit (delayed retry, lapsing lease); null: never. */
  nextWakeAt(namespace: string, queue: string, now: Instant): Instant | null
}

/** Where runs are handed out, and the history that is read afterwards. */
export interface RunStore extends RunReads, WorkQueue {}
