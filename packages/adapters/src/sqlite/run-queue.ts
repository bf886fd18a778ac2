import type { RunStatus } from '@almanac/domain'
import type { LeasedRun, LeaseReply, LeaseRequest, Random } from '@almanac/engine'
import type { Instant } from '@almanac/recurrence'
import type { Database, Statement } from './database.js'
import { type Counted, RunCounts } from './run-counts.js'
import { type RunRow, recordColumns, recordOf, runState, statusOf } from './run-rows.js'

/** What one pass over a queue gave. `cut`: it reached its limit of work before it had enough. */
export interface LeasePass {
  readonly leased: readonly LeasedRun[]
  readonly cut: boolean
}

/** A row with where it is counted. */
interface Placed extends Counted {
  readonly run: number
  readonly state: number
}

interface Candidate extends Placed {
  readonly task_id: string
  readonly overlap: string
  readonly expires_at: number | null
  readonly cancel_requested: number
}

interface LeaseRow extends Placed {
  readonly attempt: number
  readonly max_attempts: number
  readonly lease_token: string | null
  readonly cancel_requested: number
}

/** Rows that one pass may move or look at without handing them out; the next pass goes on. */
const passLimit = 2000
const spareRows = 20

/** The work queue over the table of runs. Every method is synchronous and runs inside of a transaction. */
export class RunQueue {
  readonly #random: Random
  readonly #statements: Statements
  readonly #counts: RunCounts

  constructor(database: Database, random: Random) {
    this.#counts = new RunCounts(database)
    this.#random = random
    this.#statements = prepare(database)
  }

  lease(request: LeaseRequest): LeasePass {
    const { namespace, queue, now } = request
    const { promote, requeue } = this.#statements
    return this.#counts.during(() => {
      const moved = Number(promote.run(namespace, queue, now, passLimit).changes)
      const lapsed = requeue.all(namespace, queue, now, passLimit) as Counted[]
      for (const run of lapsed) this.#counts.move(run, 'running', 'queued')
      const { leased, cut } = this.#take(request)
      return { leased, cut: cut || moved === passLimit || lapsed.length === passLimit }
    })
  }

  /** Once more with the same token is `ok` too: the first answer may not have reached the worker. */
  ack(runId: string, token: string, now: Instant): LeaseReply {
    const row = this.#held(runId, token)
    if (row === 'lost' && this.#isAcked(runId, token)) return 'ok'
    if (typeof row === 'string') return row
    return this.#counts.during(() => this.#finish(row, 'succeeded', now, null))
  }

  fail(runId: string, token: string, now: Instant, error: string, retryAt: Instant | null): LeaseReply {
    const row = this.#held(runId, token)
    if (typeof row === 'string') return row
    return this.#counts.during(() => {
      if (row.cancel_requested === 1) return this.#finish(row, 'cancelled', now, error)
      if (retryAt === null || row.attempt >= row.max_attempts) return this.#finish(row, 'failed', now, error)
      this.#statements.delay.run(retryAt, error, row.run)
      this.#counts.move(row, statusOf(row.state), 'queued')
      return 'ok'
    })
  }

  heartbeat(runId: string, token: string, now: Instant, leaseMs: number) {
    const row = this.#held(runId, token)
    if (typeof row === 'string') return { reply: row, cancelRequested: false }
    return this.#counts.during(() => {
      this.#statements.extend.run(now + leaseMs, row.run)
      this.#counts.move(row, statusOf(row.state), 'running')
      return { reply: 'ok' as const, cancelRequested: row.cancel_requested === 1 }
    })
  }

  /**
   * Hands out the first ready runs in order. Looks at a few more than wanted, and at many only when that is
   * not enough.
   */
  #take(request: LeaseRequest): LeasePass {
    const { namespace, queue, max, now } = request
    const leased: LeasedRun[] = []
    for (const spare of [spareRows, passLimit]) {
      const window = max - leased.length + spare
      const candidates = this.#statements.ready.all(namespace, queue, now, window) as Candidate[]
      this.#handOut(candidates, request, leased)
      if (leased.length === max || candidates.length < window) return { leased, cut: false }
    }
    return { leased, cut: true }
  }

  /** On the way the expired and the cancelled ones are finished. */
  #handOut(candidates: readonly Candidate[], request: LeaseRequest, leased: LeasedRun[]): void {
    const taken = new Set<string>()
    for (const candidate of candidates) {
      if (leased.length === request.max) return
      if (this.#finishedInstead(candidate, request.now)) continue
      if (candidate.overlap === 'queueOne' && taken.has(candidate.task_id)) continue
      leased.push(this.#hand(candidate, request))
      taken.add(candidate.task_id)
    }
  }

  #finishedInstead(candidate: Candidate, now: Instant): boolean {
    const { expires_at, cancel_requested } = candidate
    if (cancel_requested === 1) this.#finish(candidate, 'cancelled', now, null)
    else if (expires_at !== null && expires_at <= now) this.#finish(candidate, 'expired', now, null)
    else return false
    return true
  }

  #finish(row: Placed, to: keyof typeof runState & RunStatus, now: Instant, error: string | null): 'ok' {
    this.#statements.finish.run(runState[to], now, error, row.run)
    this.#counts.move(row, statusOf(row.state), to)
    return 'ok'
  }

  #hand(candidate: Candidate, { worker, leaseMs, now }: LeaseRequest): LeasedRun {
    const { run } = candidate
    const leaseToken = this.#random.token(16)
    const { hand, record } = this.#statements
    hand.run(now + leaseMs, leaseToken, worker, now, run)
    this.#counts.move(candidate, 'queued', 'running')
    return { run: recordOf(record.get(run) as RunRow), leaseToken }
  }

  #isAcked(runId: string, token: string): boolean {
    const row = this.#statements.byId.get(runId) as LeaseRow | undefined
    return row?.state === runState.succeeded && row.lease_token === token
  }

  /** The row when the token is the one that was handed out last and the run is not finished. */
  #held(runId: string, token: string): LeaseRow | 'lost' | 'unknown' {
    const row = this.#statements.byId.get(runId) as LeaseRow | undefined
    if (row === undefined) return 'unknown'
    return row.state < runState.succeeded && row.lease_token === token ? row : 'lost'
  }
}

interface Statements {
  readonly promote: Statement
  readonly requeue: Statement
  readonly ready: Statement
  readonly hand: Statement
  readonly record: Statement
  readonly byId: Statement
  readonly finish: Statement
  readonly delay: Statement
  readonly extend: Statement
}

const prepare = (database: Database): Statements => ({
  promote: database.prepare(
    `UPDATE runs SET state = 0, not_before = NULL WHERE run IN (
       SELECT run FROM runs INDEXED BY runs_delayed
       WHERE namespace = ? AND queue = ? AND state = 1 AND not_before <= ? ORDER BY not_before LIMIT ?)`,
  ),
  // The token stays: as long as nobody else has the run, the worker that was late may still finish it.
  requeue: database.prepare(
    `UPDATE runs SET state = 0, lease_expires_at = NULL WHERE run IN (
       SELECT run FROM runs INDEXED BY runs_running
       WHERE namespace = ? AND queue = ? AND state = 2 AND lease_expires_at <= ?
       ORDER BY lease_expires_at LIMIT ?)
     RETURNING namespace, queue, kind`,
  ),
  ready: database.prepare(
    `SELECT run, state, namespace, queue, kind, task_id, overlap, expires_at, cancel_requested
     FROM runs INDEXED BY runs_ready
     WHERE namespace = ? AND queue = ? AND state = 0 AND NOT (overlap = 'queueOne' AND EXISTS (
       SELECT 1 FROM runs AS other INDEXED BY runs_unfinished
       WHERE other.task_id = runs.task_id AND other.state = 2 AND other.state < 3
         AND other.lease_expires_at > ?))
     ORDER BY priority DESC, scheduled_at, run_id LIMIT ?`,
  ),
  hand: database.prepare(
    `UPDATE runs SET state = 2, attempt = attempt + 1, lease_expires_at = ?, lease_token = ?, worker = ?,
       started_at = ?, not_before = NULL WHERE run = ?`,
  ),
  record: database.prepare(`SELECT ${recordColumns} FROM runs JOIN run_commands USING (run) WHERE run = ?`),
  byId: database.prepare(
    `SELECT run, state, namespace, queue, kind, attempt, max_attempts, lease_token, cancel_requested
     FROM runs WHERE run_id = ?`,
  ),
  finish: database.prepare(
    `UPDATE runs SET state = ?1, finished_at = ?2, error = ?3, lease_expires_at = NULL,
       lease_token = iif(?1 = ${runState.succeeded}, lease_token, NULL), not_before = NULL WHERE run = ?4`,
  ),
  delay: database.prepare(
    `UPDATE runs SET state = 1, not_before = ?, error = ?, lease_expires_at = NULL, lease_token = NULL
     WHERE run = ?`,
  ),
  extend: database.prepare(`UPDATE runs SET state = 2, lease_expires_at = ? WHERE run = ?`),
})
