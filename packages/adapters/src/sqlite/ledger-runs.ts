import { parseRunMessage, type RunEvent } from '@almanac/protocol'
import type { Instant } from '@almanac/recurrence'
import type { SeenEvent, SeenRun } from '../ledger/sink.js'
import type { Database, Statement } from './database.js'
import { type Counted, RunCounts } from './run-counts.js'
import { type RunShape, recordOf, runState, statusOf } from './run-rows.js'

/** How a ledger has its runs: the record's text is the body, and nothing is leased. */
export const ledgerRuns: RunShape = {
  columns: `body, state, attempt, worker, started_at, finished_at, not_before, NULL AS lease_expires_at, error,
    cancel_requested`,
  recordOf: (row) => ({ ...recordOf({ ...row, body: 'null' }), command: parseRunMessage(row.body).run }),
}

interface HeardRow extends Counted {
  readonly run: number
  readonly state: number
  readonly attempt: number
  readonly worker: string | null
  readonly started_at: number | null
}

/** What a run becomes by an event. */
interface Next {
  readonly state: number
  readonly attempt: number
  readonly startedAt: Instant | null
  readonly finishedAt: Instant | null
  readonly notBefore: Instant | null
  readonly error: string | null
}

/** Events of runs that are not known are kept up to so many; then the oldest go. */
const maxEarly = 100_000
const dropAtOnce = 1_000

/** The history of runs, as ticks and workers write it. Every method runs inside of a transaction. */
export class LedgerRuns {
  readonly #statements: Statements
  readonly #counts: RunCounts
  readonly #pass: (reason: string) => void
  /** The runs of which events came before the run, with how many of them there are. */
  readonly #early = new Map<string, number>()

  constructor(database: Database, pass: (reason: string) => void) {
    this.#statements = prepare(database)
    this.#counts = new RunCounts(database)
    this.#pass = pass
    this.reload()
  }

  /** After a rollback: what was learnt meanwhile is not there. */
  reload(): void {
    this.#early.clear()
    const rows = this.#statements.earlyRuns.all() as { run_id: string; n: number }[]
    for (const { run_id, n } of rows) this.#early.set(run_id, n)
  }

  /** Runs one operation's work and writes what it counted. */
  during<T>(work: () => T): T {
    return this.#counts.during(work)
  }

  /** False for a run that is known: it is left as it is. */
  insert({ run, mark, offset, appendedAt, text }: SeenRun, place: number): boolean {
    const { changes, lastInsertRowid } = this.#statements.insert.run(
      run.runId,
      run.namespace,
      run.taskId,
      run.queue,
      run.kind,
      run.overlap,
      run.scheduledAt,
      run.emittedAt,
      run.expiresAt,
      place,
      offset,
      mark.term,
      mark.seq,
      appendedAt,
    )
    if (changes === 0) {
      this.#pass('runs_double')
      return false
    }
    this.#statements.command.run(lastInsertRowid, text)
    this.#counts.move(run, null, 'queued')
    // Workers have the older ones by now: whether they stop is theirs to tell.
    if (run.overlap === 'cancelRunning') this.#statements.cancel.run(run.taskId, lastInsertRowid)
    if (this.#early.has(run.runId)) this.#catchUp(run.runId)
    return true
  }

  hear(seen: SeenEvent): void {
    const row = this.#statements.heard.get(seen.event.runId) as HeardRow | undefined
    if (row === undefined) this.#keep(seen)
    else this.#settle(row, seen)
  }

  /** Forgets the oldest runs that were emitted before, whatever became of them; answers how many. */
  prune(before: Instant, max: number): number {
    const { prune, pruneCommand } = this.#statements
    const rows = prune.all(before, max) as (Counted & { run: number; state: number })[]
    for (const row of rows) {
      pruneCommand.run(row.run)
      this.#counts.move(row, statusOf(row.state), null)
    }
    return rows.length
  }

  /** Runs that nobody has started are `expired` when their time is over. A worker may know better, and tell later. */
  expire(now: Instant, max: number): number {
    const rows = this.#statements.expire.all(now, max) as Counted[]
    for (const row of rows) this.#counts.move(row, 'queued', 'expired')
    return rows.length
  }

  forgetEarly(before: Instant): void {
    const rows = this.#statements.dropEarly.all(before) as { run_id: string }[]
    for (const { run_id } of rows) this.#dropped(run_id)
  }

  #settle(row: HeardRow, { event, appendedAt }: SeenEvent): void {
    const next = nextOf(row, event)
    if (next === 'late') {
      this.#pass('events_late')
      return
    }
    if (next === 'same') {
      this.#statements.touch.run(appendedAt, row.run)
      return
    }
    const { state, attempt, startedAt, finishedAt, notBefore, error } = next
    const worker = event.worker ?? row.worker ?? ''
    this.#statements.update.run(
      state,
      attempt,
      worker,
      startedAt,
      finishedAt,
      notBefore,
      error,
      appendedAt,
      row.run,
    )
    this.#counts.move(row, statusOf(row.state), statusOf(state))
  }

  #keep({ event, appendedAt }: SeenEvent): void {
    const { keep, dropOldest } = this.#statements
    if (this.#early.size >= maxEarly) {
      const rows = dropOldest.all(dropAtOnce) as { run_id: string }[]
      for (const { run_id } of rows) this.#dropped(run_id)
    }
    keep.run(event.runId, appendedAt, JSON.stringify(event))
    this.#early.set(event.runId, (this.#early.get(event.runId) ?? 0) + 1)
  }

  #dropped(runId: string): void {
    this.#pass('events_unknown')
    const left = (this.#early.get(runId) ?? 1) - 1
    if (left === 0) this.#early.delete(runId)
    else this.#early.set(runId, left)
  }

  #catchUp(runId: string): void {
    const rows = this.#statements.takeEarly.all(runId) as { appended_at: number; body: string }[]
    this.#early.delete(runId)
    for (const { appended_at, body } of rows.sort((a, b) => a.appended_at - b.appended_at)) {
      const event = JSON.parse(body) as RunEvent
      this.hear({ event, appendedAt: appended_at, partition: 0, offset: 0 })
    }
  }
}

/** What the event makes of the run; `same`: it only shows a sign of life; `late`: more than it tells is known. */
function nextOf(row: HeardRow, event: RunEvent): Next | 'same' | 'late' {
  const isGuessed = row.state === runState.expired && row.worker === null
  if (row.state > runState.running && !isGuessed) return 'late'
  const { type, at, attempt, error, retryAt } = event
  const isRunning = row.state === runState.running
  const open = { attempt, finishedAt: null, notBefore: null, error: null }
  if (type === 'started' || type === 'progress') {
    if (attempt === row.attempt && isRunning) return 'same'
    return attempt > row.attempt ? { ...open, state: runState.running, startedAt: at } : 'late'
  }
  if (retryAt !== null) {
    if (attempt < row.attempt || (attempt === row.attempt && !isRunning)) return 'late'
    return { ...open, state: runState.delayed, startedAt: row.started_at, notBefore: retryAt, error }
  }
  const reached = Math.max(attempt, row.attempt)
  return {
    ...open,
    attempt: reached,
    state: runState[type],
    startedAt: row.started_at,
    finishedAt: at,
    error,
  }
}

interface Statements {
  readonly insert: Statement
  readonly command: Statement
  readonly cancel: Statement
  readonly heard: Statement
  readonly update: Statement
  readonly touch: Statement
  readonly earlyRuns: Statement
  readonly keep: Statement
  readonly takeEarly: Statement
  readonly dropOldest: Statement
  readonly dropEarly: Statement
  readonly prune: Statement
  readonly pruneCommand: Statement
  readonly expire: Statement
}

const prepare = (database: Database): Statements => ({
  insert: database.prepare(
    `INSERT INTO runs (run_id, namespace, task_id, queue, kind, overlap, scheduled_at, emitted_at, expires_at, place,
       at_offset, term, seq, heard_at, state, attempt, cancel_requested)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0) ON CONFLICT DO NOTHING`,
  ),
  command: database.prepare('INSERT INTO run_commands VALUES (?, ?)'),
  cancel: database.prepare(
    `UPDATE runs SET cancel_requested = 1
     WHERE task_id = ? AND state < 3 AND overlap <> 'allow' AND run <> ?`,
  ),
  heard: database.prepare(
    'SELECT run, state, attempt, worker, started_at, namespace, queue, kind FROM runs WHERE run_id = ?',
  ),
  update: database.prepare(
    `UPDATE runs SET state = ?, attempt = ?, worker = ?, started_at = ?, finished_at = ?, not_before = ?, error = ?,
       heard_at = max(heard_at, ?) WHERE run = ?`,
  ),
  touch: database.prepare('UPDATE runs SET heard_at = max(heard_at, ?) WHERE run = ?'),
  earlyRuns: database.prepare('SELECT run_id, count(*) AS n FROM early_events GROUP BY run_id'),
  keep: database.prepare('INSERT INTO early_events (run_id, appended_at, body) VALUES (?, ?, ?)'),
  takeEarly: database.prepare('DELETE FROM early_events WHERE run_id = ? RETURNING appended_at, body'),
  dropOldest: database.prepare(
    'DELETE FROM early_events WHERE early IN (SELECT early FROM early_events ORDER BY early LIMIT ?) RETURNING run_id',
  ),
  dropEarly: database.prepare('DELETE FROM early_events WHERE appended_at < ? RETURNING run_id'),
  // Runs are numbered in the order in which they were read, near enough: only the oldest rows are looked at.
  prune: database.prepare(
    `DELETE FROM runs WHERE run IN (
       SELECT run FROM (SELECT run, emitted_at FROM runs ORDER BY run LIMIT ?2) WHERE emitted_at < ?1)
     RETURNING run, namespace, queue, kind, state`,
  ),
  pruneCommand: database.prepare('DELETE FROM run_commands WHERE run = ?'),
  expire: database.prepare(
    `UPDATE runs SET state = 5, finished_at = expires_at WHERE run IN (
       SELECT run FROM runs INDEXED BY runs_expiring
       WHERE state = 0 AND expires_at IS NOT NULL AND expires_at <= ? ORDER BY expires_at LIMIT ?)
     RETURNING namespace, queue, kind`,
  ),
})
