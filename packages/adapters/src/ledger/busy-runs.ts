import type { RunRecord, RunStatus, RunTotals } from '@almanac/domain'
import type { Listed, RecordedSkip, RunReads } from '@almanac/engine'
import type { RunEvent } from '@almanac/protocol'
import type { Instant } from '@almanac/recurrence'
import type { LedgerBatch, LedgerSink, SeenEvent, SeenRun } from './sink.js'

/** How long runs count as unfinished. Every duration is in milliseconds. */
export interface BusyRunsOptions {
  /**
   * A run that was started, and of which nothing was heard for so long, counts as ended: its worker may have died, and
   * its task must not wait for ever. A worker that runs for longer tells of its progress in between.
   */
  readonly runningTtlMs: number
  /** The same for a run that no worker has started. */
  readonly queuedTtlMs: number
  /** Of runs that are not known (yet) the last so many events are remembered, and up to twice as many. */
  readonly maxEarly: number
}

export const defaultBusyRunsOptions: BusyRunsOptions = {
  runningTtlMs: 3_600_000,
  queuedTtlMs: 86_400_000,
  maxEarly: 50_000,
}

interface BusyRun {
  readonly taskId: string
  readonly expiresAt: Instant | null
  isRunning: boolean
  attempt: number
  /** By the log's clock, so that workers' clocks don't matter. */
  heardAt: Instant
}

const isEnd = ({ type, retryAt }: RunEvent): boolean =>
  type !== 'started' && type !== 'progress' && retryAt === null

/**
 * The ledger of a node that schedules and shows nothing: only the unfinished runs of tasks whose overlap policy asks
 * for them. A node that starts begins to read where the oldest run that may count was appended: see `unfinishedMs`.
 */
export class BusyRuns implements RunReads, LedgerSink {
  readonly interests = []
  readonly passedOver = new Map<string, number>()
  private readonly options: BusyRunsOptions
  private readonly runs = new Map<string, BusyRun>()
  private readonly byTask = new Map<string, Set<string>>()
  private readonly next = new Map<string, Map<number, number>>()
  /** Two generations: when the younger one is full, the older one is forgotten. */
  private early = new Map<string, SeenEvent>()
  private older = new Map<string, SeenEvent>()

  constructor(options: Partial<BusyRunsOptions> = {}) {
    this.options = { ...defaultBusyRunsOptions, ...options }
  }

  /** A run that was appended this long ago, and of which nothing was heard since, counts as ended. Milliseconds. */
  get unfinishedMs(): number {
    return Math.max(this.options.queuedTtlMs, this.options.runningTtlMs)
  }

  apply({ topic, runs, events, next }: LedgerBatch): void {
    for (const seen of runs) this.insert(seen)
    for (const seen of events) this.hear(seen)
    const offsets = this.next.get(topic) ?? new Map<number, number>()
    for (const [partition, offset] of next) offsets.set(partition, offset)
    this.next.set(topic, offsets)
  }

  offsets(topic: string): ReadonlyMap<number, number> {
    return this.next.get(topic) ?? new Map()
  }

  watch(): void {}

  busy(taskIds: readonly string[], now: Instant) {
    const found = new Map<string, { readonly running: number; readonly queued: number }>()
    for (const taskId of taskIds) {
      let [running, queued] = [0, 0]
      for (const runId of this.byTask.get(taskId) ?? []) {
        const run = this.runs.get(runId)
        if (run === undefined || this.isOver(run, now)) continue
        if (run.isRunning) running += 1
        else queued += 1
      }
      if (running + queued > 0) found.set(taskId, { running, queued })
    }
    return found
  }

  /** Of the runs that are kept. */
  counts(): ReadonlyMap<RunStatus, number> {
    const counts = new Map<RunStatus, number>()
    for (const { isRunning } of this.runs.values()) {
      const status = isRunning ? 'running' : 'queued'
      counts.set(status, (counts.get(status) ?? 0) + 1)
    }
    return counts
  }

  /** Nothing is kept of single runs. */
  run(): RunRecord | undefined {
    return undefined
  }

  list(): Listed<RunRecord> {
    return { items: [], nextCursor: null, total: 0 }
  }

  totals(): ReadonlyMap<string, RunTotals> {
    return new Map()
  }

  skips(): readonly RecordedSkip[] {
    return []
  }

  /** Also whatever counts as ended by then. */
  async prune(before: Instant, max: number): Promise<number> {
    let pruned = 0
    for (const [runId, run] of this.runs) {
      if (pruned === max) break
      if (run.heardAt >= before && !this.isOver(run, this.newest)) continue
      this.forget(runId, run)
      pruned += 1
    }
    return pruned
  }

  /** The log's clock, as far as it is known. */
  private newest: Instant = 0

  private isOver({ isRunning, heardAt, expiresAt }: BusyRun, now: Instant): boolean {
    const { runningTtlMs, queuedTtlMs } = this.options
    if (isRunning) return heardAt + runningTtlMs <= now
    return heardAt + queuedTtlMs <= now || (expiresAt !== null && expiresAt <= now)
  }

  private insert({ run: { runId, taskId, overlap, expiresAt }, appendedAt }: SeenRun): void {
    this.newest = Math.max(this.newest, appendedAt)
    // `cancelRunning` decides nothing by what is running: the new run takes the place of the others.
    if (overlap !== 'skip' && overlap !== 'queueOne') return
    if (this.runs.has(runId)) {
      this.pass('runs_double')
      return
    }
    this.runs.set(runId, { taskId, expiresAt, isRunning: false, attempt: 0, heardAt: appendedAt })
    const ids = this.byTask.get(taskId)
    if (ids === undefined) this.byTask.set(taskId, new Set([runId]))
    else ids.add(runId)
    const heard = this.early.get(runId) ?? this.older.get(runId)
    if (heard !== undefined) this.hear(heard)
  }

  private hear(seen: SeenEvent): void {
    const { event, appendedAt } = seen
    this.newest = Math.max(this.newest, appendedAt)
    const run = this.runs.get(event.runId)
    if (run === undefined) this.keep(seen)
    else if (isEnd(event)) this.forget(event.runId, run)
    else if (event.attempt < run.attempt) this.pass('events_late')
    else {
      run.attempt = event.attempt
      run.isRunning = event.type !== 'failed'
      run.heardAt = Math.max(run.heardAt, appendedAt)
    }
  }

  /** Of each run what came last, and its end for good. */
  private keep(seen: SeenEvent): void {
    const { runId } = seen.event
    const known = this.early.get(runId) ?? this.older.get(runId)
    if (known !== undefined && isEnd(known.event)) return
    if (this.early.size >= this.options.maxEarly) {
      this.older = this.early
      this.early = new Map()
    }
    this.early.set(runId, seen)
  }

  private forget(runId: string, { taskId }: BusyRun): void {
    this.runs.delete(runId)
    const ids = this.byTask.get(taskId)
    ids?.delete(runId)
    if (ids?.size === 0) this.byTask.delete(taskId)
  }

  private pass(reason: string): void {
    this.passedOver.set(reason, (this.passedOver.get(reason) ?? 0) + 1)
  }
}
