import type { PartitionId, RunCommand, RunRecord, RunStatus, RunTotals } from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'
import type { Random } from '../ports/clock.js'
import type { Tick } from '../ports/dispatch-log.js'
import type {
  LeasedRun,
  LeaseReply,
  LeaseRequest,
  RecordedSkip,
  RunFilter,
  RunStore,
} from '../ports/run-store.js'
import type { Listed, Page } from '../ports/view-store.js'
import { compareText, type ListOrder, pageOf } from './lists.js'
import { RunBook } from './run-book.js'
import { RunQueue } from './run-queue.js'
import { change, isFinished, type Row, RunTable, recordOf, statusOf } from './run-table.js'

/** What a tick left behind, as a reader of committed ticks has it. */
export interface CommittedTick extends Omit<Tick, 'next'> {
  readonly partition: PartitionId
  readonly seq: number
  readonly decidedAt: Instant
}

/** What a worker tells of a run that it did not lease here. */
export interface RunReport {
  readonly runId: string
  /** `queued`: the attempt has failed, and another one will follow. */
  readonly status: RunStatus
  readonly at: Instant
  /** From 1; which attempt it is about. @default 1 */
  readonly attempt?: number
  readonly worker?: string
  readonly error?: string
}

export interface MemoryRunStore extends RunStore {
  /**
   * Takes in what a tick has committed. Runs that are known by their id are left as they are, and of a tick that was
   * taken in before nothing counts again; each partition's ticks come in order. The runs of a tick may come in several
   * calls, its skips and resets come in one.
   */
  record(tick: CommittedTick): void
  /**
   * Takes in what became of a run elsewhere. Reports may come again, in any order, and before the run: what tells of
   * an earlier stage than is known is passed over, and the first end counts.
   */
  report(report: RunReport): void
}

/** Runs that are kept in this process: for tests and the simulator. Lease tokens are drawn from `random`. */
export function memoryRunStore(random: Random): MemoryRunStore {
  return new RunsInMemory(random)
}

class RunsInMemory implements MemoryRunStore {
  private readonly table = new RunTable()
  private readonly book = new RunBook()
  private readonly queue: RunQueue
  private readonly reached = new Map<PartitionId, Pick<CommittedTick, 'seq' | 'decidedAt'>>()
  /** Reports of runs that are not known yet. */
  private readonly early = new Map<string, RunReport[]>()

  constructor(random: Random) {
    this.queue = new RunQueue(this.table, random)
  }

  record({ partition, seq, decidedAt, runs, skips, resets }: CommittedTick): void {
    const isNew = skips.length + resets.length > 0 && this.advance(partition, seq, decidedAt)
    if (isNew) for (const taskId of resets) this.book.reset(taskId)
    for (const command of runs) this.insert(command)
    if (isNew) for (const skip of skips) this.book.note(skip, partition, seq, decidedAt)
  }

  report(report: RunReport): void {
    const row = this.table.row(report.runId)
    if (row !== undefined) {
      this.settle(row, report)
      return
    }
    const waiting = this.early.get(report.runId)
    if (waiting === undefined) this.early.set(report.runId, [report])
    else waiting.push(report)
  }

  async lease(request: LeaseRequest): Promise<readonly LeasedRun[]> {
    return this.queue.lease(request)
  }

  async ack(runId: string, leaseToken: string, now: Instant): Promise<LeaseReply> {
    return this.queue.ack(runId, leaseToken, now)
  }

  async fail(runId: string, leaseToken: string, now: Instant, error: string, retryAt: Instant | null) {
    return this.queue.fail(runId, leaseToken, now, error, retryAt)
  }

  async heartbeat(runId: string, leaseToken: string, now: Instant, leaseMs: number) {
    return this.queue.heartbeat(runId, leaseToken, now, leaseMs)
  }

  run(runId: string): RunRecord | undefined {
    const row = this.table.row(runId)
    return row === undefined ? undefined : recordOf(row)
  }

  list(namespace: string, filter: RunFilter, page: Page): Listed<RunRecord> {
    const rows = this.table.byAge(namespace, filter.taskId).filter((row) => passes(row, filter))
    const listed = pageOf(rows.reverse(), newestFirst, page)
    return { ...listed, items: listed.items.map(recordOf) }
  }

  busy(taskIds: readonly string[], now: Instant) {
    const found = new Map<string, { readonly running: number; readonly queued: number }>()
    for (const taskId of taskIds) {
      let [running, queued] = [0, 0]
      for (const { state, command } of this.table.unfinishedOf(taskId)) {
        if (state === 'running') running += 1
        else if (command.expiresAt === null || command.expiresAt > now) queued += 1
      }
      if (running + queued > 0) found.set(taskId, { running, queued })
    }
    return found
  }

  totals(taskIds: readonly string[]): ReadonlyMap<string, RunTotals> {
    return this.book.totals(taskIds)
  }

  skips(taskId: string, from: Instant, until: Instant): readonly RecordedSkip[] {
    return this.book.skips(taskId, from, until)
  }

  nextWakeAt(namespace: string, queue: string, now: Instant): Instant | null {
    return this.queue.nextWakeAt(namespace, queue, now)
  }

  counts(): ReadonlyMap<RunStatus, number> {
    return this.table.counts()
  }

  async prune(before: Instant, max: number): Promise<number> {
    const runs = this.table.prune(before, max)
    return runs + this.book.prune(before, max - runs)
  }

  /**
   * False for a tick whose skips and resets were there before. A partition that lost its checkpoint counts on from an
   * earlier number, but at a later time.
   */
  private advance(partition: PartitionId, seq: number, decidedAt: Instant): boolean {
    const last = this.reached.get(partition)
    if (last !== undefined && seq <= last.seq && decidedAt <= last.decidedAt) return false
    this.reached.set(partition, { seq, decidedAt })
    return true
  }

  private insert(command: RunCommand): void {
    const row = this.table.insert(command)
    if (row === undefined) return
    this.book.count(command)
    if (command.overlap === 'cancelRunning') this.cancelOthers(row)
    for (const report of this.early.get(command.runId) ?? []) this.settle(row, report)
    this.early.delete(command.runId)
  }

  private cancelOthers(row: Row): void {
    const { taskId, emittedAt } = row.command
    for (const other of [...this.table.unfinishedOf(taskId)]) {
      if (other === row) continue
      if (other.state === 'running') other.cancelRequested = true
      else this.queue.finish(other, 'cancelled', emittedAt, other.error)
    }
  }

  private settle(row: Row, report: RunReport): void {
    const { status, at, attempt = 1, worker = row.worker, error = null } = report
    if (isFinished(row)) return
    if (status !== 'running' && status !== 'queued') {
      change(row, { attempt: Math.max(attempt, row.attempt), worker })
      this.queue.finish(row, status, at, error)
      return
    }
    const isAhead =
      attempt > row.attempt || (attempt === row.attempt && status === 'queued' && row.state === 'running')
    if (!isAhead) return
    change(row, { attempt, worker, error, leaseExpiresAt: null, leaseToken: null })
    if (status === 'running') row.startedAt = at
    this.table.move(row, status === 'running' ? 'running' : 'ready')
  }
}

const passes = ({ command, state }: Row, { status, queue, kind, from, until }: RunFilter): boolean =>
  (status === undefined || statusOf(state) === status) &&
  (queue === undefined || command.queue === queue) &&
  (kind === undefined || command.kind === kind) &&
  (from === undefined || command.scheduledAt >= from) &&
  (until === undefined || command.scheduledAt < until)

const newestFirst: ListOrder<Row, number> = {
  keyType: 'number',
  placeOf: ({ command }) => ({ key: command.scheduledAt, id: command.runId }),
  compare: (a, b) => b.key - a.key || compareText(b.id, a.id),
}
