import type { RunRecord, RunStatus, RunTotals } from '@almanac/domain'
import type {
  LeasedRun,
  LeaseReply,
  LeaseRequest,
  Listed,
  Page,
  Random,
  RecordedSkip,
  RunFilter,
  RunStore,
} from '@almanac/engine'
import type { Instant } from '@almanac/recurrence'
import type { Committer } from './committer.js'
import type { Database, Statement } from './database.js'
import { reading } from './faults.js'
import { type Counted, RunCounts } from './run-counts.js'
import { RunLists } from './run-lists.js'
import { RunQueue } from './run-queue.js'
import { type RunRow, recordColumns, recordOf, runState, statusOf } from './run-rows.js'
import { RunSkips } from './run-skips.js'

/** Rows that one transaction of a prune deletes, so that it never holds up a tick. */
const pruneBatch = 500

export class SqliteRunStore implements RunStore {
  readonly #committer: Committer
  readonly #queue: RunQueue
  readonly #lists: RunLists
  readonly #statements: Statements
  readonly #counts: RunCounts
  readonly #skips: RunSkips

  constructor(database: Database, committer: Committer, random: Random) {
    this.#committer = committer
    this.#counts = new RunCounts(database)
    this.#skips = new RunSkips(database)
    this.#queue = new RunQueue(database, random)
    this.#lists = new RunLists(database)
    this.#statements = prepare(database)
  }

  async lease(request: LeaseRequest): Promise<readonly LeasedRun[]> {
    for (;;) {
      const { leased, cut } = await this.#committer.submit(() => this.#queue.lease(request))
      if (leased.length > 0 || !cut) return leased
    }
  }

  ack(runId: string, leaseToken: string, now: Instant): Promise<LeaseReply> {
    return this.#committer.submit(() => this.#queue.ack(runId, leaseToken, now))
  }

  fail(runId: string, leaseToken: string, now: Instant, error: string, retryAt: Instant | null) {
    return this.#committer.submit(() => this.#queue.fail(runId, leaseToken, now, error, retryAt))
  }

  heartbeat(runId: string, leaseToken: string, now: Instant, leaseMs: number) {
    return this.#committer.submit(() => this.#queue.heartbeat(runId, leaseToken, now, leaseMs))
  }

  run(runId: string): RunRecord | undefined {
    return reading(() => {
      const row = this.#statements.run.get(runId) as RunRow | undefined
      return row === undefined ? undefined : recordOf(row)
    })
  }

  list(namespace: string, filter: RunFilter, page: Page): Listed<RunRecord> {
    return reading(() => this.#lists.list(namespace, filter, page))
  }

  busy(
    taskIds: readonly string[],
    now: Instant,
  ): ReadonlyMap<string, { readonly running: number; readonly queued: number }> {
    return reading(() => new Map(taskIds.flatMap((taskId) => this.#busyOf(taskId, now))))
  }

  totals(taskIds: readonly string[]): ReadonlyMap<string, RunTotals> {
    return reading(() => new Map(taskIds.flatMap((taskId) => this.#totalsOf(taskId))))
  }

  skips(taskId: string, from: Instant, until: Instant): readonly RecordedSkip[] {
    return reading(() => this.#skips.of(taskId, from, until))
  }

  nextWakeAt(namespace: string, queue: string, now: Instant): Instant | null {
    return reading(() => {
      const { at } = this.#statements.wake.get({ namespace, queue }) as { at: number | null }
      return at === null ? null : Math.max(at, now)
    })
  }

  counts(): ReadonlyMap<RunStatus, number> {
    const rows = reading(() => this.#statements.counts.all()) as { status: RunStatus; n: number }[]
    return new Map(rows.map(({ status, n }) => [status, n]))
  }

  async prune(before: Instant, max: number): Promise<number> {
    let pruned = 0
    while (pruned < max) {
      const size = Math.min(pruneBatch, max - pruned)
      const batch = await this.#committer.submit(() => this.#pruneNow(before, size))
      pruned += batch
      if (batch < size) break
    }
    return pruned
  }

  #pruneNow(before: Instant, max: number): number {
    const { pruneRuns, pruneCommand } = this.#statements
    return this.#counts.during(() => {
      const runs = pruneRuns.all(before, max) as (Counted & { run: number; state: number })[]
      for (const run of runs) {
        pruneCommand.run(run.run)
        this.#counts.move(run, statusOf(run.state), null)
      }
      return runs.length + this.#skips.prune(before, max - runs.length)
    })
  }

  #busyOf(taskId: string, now: Instant): [string, { running: number; queued: number }][] {
    let running = 0
    let queued = 0
    for (const { state, n } of this.#statements.busy.all(taskId, runState.running, now) as {
      state: number
      n: number
    }[]) {
      if (state === runState.running) running += n
      else queued += n
    }
    return running + queued === 0 ? [] : [[taskId, { running, queued }]]
  }

  #totalsOf(taskId: string): [string, RunTotals][] {
    const row = this.#statements.totals.get(taskId) as TotalsRow | undefined
    if (row === undefined) return []
    const { count, last_run_at, last_scheduled_at } = row
    const totals = {
      taskId,
      totalRunCount: count,
      lastRunAt: last_run_at,
      lastScheduledAt: last_scheduled_at,
    }
    return [[taskId, totals]]
  }
}

interface TotalsRow {
  readonly count: number
  readonly last_run_at: number
  readonly last_scheduled_at: number
}

interface Statements {
  readonly run: Statement
  readonly busy: Statement
  readonly totals: Statement
  readonly wake: Statement
  readonly counts: Statement
  readonly pruneRuns: Statement
  readonly pruneCommand: Statement
}

const prepare = (database: Database): Statements => ({
  run: database.prepare(`SELECT ${recordColumns} FROM runs JOIN run_commands USING (run) WHERE run_id = ?`),
  busy: database.prepare(
    `SELECT state, count(*) AS n FROM runs INDEXED BY runs_unfinished
     WHERE task_id = ?1 AND state < 3 AND (state = ?2 OR expires_at IS NULL OR expires_at > ?3) GROUP BY state`,
  ),
  totals: database.prepare('SELECT count, last_run_at, last_scheduled_at FROM totals WHERE task_id = ?'),
  wake: database.prepare(wakeSql),
  counts: database.prepare('SELECT status, sum(count) AS n FROM run_counts GROUP BY status HAVING n > 0'),
  pruneRuns: database.prepare(
    `DELETE FROM runs WHERE run IN (
       SELECT run FROM runs INDEXED BY runs_finished
       WHERE state > 2 AND finished_at < ? ORDER BY finished_at LIMIT ?)
     RETURNING run, namespace, queue, kind, state`,
  ),
  pruneCommand: database.prepare('DELETE FROM run_commands WHERE run = ?'),
})

/**
 * The first delayed retry, the first lease that lapses, and the lapse of a lease (of any queue) that holds
 * back a ready run of a `queueOne` task.
 */
const wakeSql = `
SELECT min(at) AS at FROM (
  SELECT min(not_before) AS at FROM runs INDEXED BY runs_delayed
  WHERE namespace = :namespace AND queue = :queue AND state = 1
  UNION ALL
  SELECT min(lease_expires_at) FROM runs INDEXED BY runs_running
  WHERE namespace = :namespace AND queue = :queue AND state = 2
  UNION ALL
  SELECT min(other.lease_expires_at) FROM runs AS held INDEXED BY runs_ready
  JOIN runs AS other INDEXED BY runs_unfinished 
    ON other.task_id = held.task_id AND other.state = 2 AND other.state < 3
  WHERE held.namespace = :namespace AND held.queue = :queue AND held.state = 0 AND held.overlap = 'queueOne'
)`
