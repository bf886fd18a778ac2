import type { PartitionId, RunCommand } from '@almanac/domain'
import type { Tick } from '@almanac/engine'
import type { Database, Statement } from './database.js'
import { type Counted, RunCounts } from './run-counts.js'
import { RunSkips } from './run-skips.js'

/** Puts what a tick decided into the tables. Called inside of a transaction. */
export class RunWriter {
  readonly #run: Statement
  readonly #command: Statement
  readonly #totals: Statement
  readonly #reset: Statement
  readonly #skips: RunSkips
  readonly #cancelQueued: Statement
  readonly #cancelRunning: Statement
  readonly #counts: RunCounts

  constructor(database: Database) {
    this.#counts = new RunCounts(database)
    this.#run = database.prepare(
      `INSERT INTO runs (run_id, namespace, task_id, queue, kind, overlap, priority, scheduled_at, expires_at,
         max_attempts, state, attempt, cancel_requested)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0) ON CONFLICT DO NOTHING`,
    )
    this.#command = database.prepare('INSERT INTO run_commands VALUES (?, ?)')
    this.#totals = database.prepare(
      `INSERT INTO totals VALUES (?1, 1, ?2, ?3) ON CONFLICT DO UPDATE SET count = count + 1,
         last_run_at = max(last_run_at, ?2),
         last_scheduled_at = iif(?2 >= last_run_at, ?3, last_scheduled_at)`,
    )
    this.#reset = database.prepare('DELETE FROM totals WHERE task_id = ?')
    this.#skips = new RunSkips(database)
    this.#cancelQueued = database.prepare(
      `UPDATE runs SET state = 6, finished_at = ?, lease_token = NULL
       WHERE task_id = ? AND state < 2 AND state < 3 AND run <> ? RETURNING namespace, queue, kind`,
    )
    this.#cancelRunning = database.prepare(
      'UPDATE runs SET cancel_requested = 1 WHERE task_id = ? AND state = 2 AND state < 3 AND run <> ?',
    )
  }

  /** One whole tick, less its checkpoint. */
  insert({ runs, skips, resets, next }: Tick, partition: PartitionId): void {
    this.#counts.during(() => {
      for (const taskId of resets) this.#reset.run(taskId)
      for (const run of runs) this.#insertRun(run)
      const { seq, evaluatedAt: decidedAt } = next
      for (const skip of skips) this.#skips.insert(skip, { partition, seq, decidedAt })
    })
  }

  /** A run id that is there already is left as it is: it was committed before. */
  #insertRun(command: RunCommand): void {
    const { changes, lastInsertRowid } = this.#run.run(
      command.runId,
      command.namespace,
      command.taskId,
      command.queue,
      command.kind,
      command.overlap,
      command.priority ?? 0,
      command.scheduledAt,
      command.expiresAt,
      command.maxAttempts,
    )
    if (changes === 0) return
    this.#counts.move(command, null, 'queued')
    this.#command.run(lastInsertRowid, JSON.stringify(command))
    this.#totals.run(command.taskId, command.emittedAt, command.scheduledAt)
    if (command.overlap !== 'cancelRunning') return
    const { emittedAt, taskId } = command
    const cancelled = this.#cancelQueued.all(emittedAt, taskId, lastInsertRowid) as Counted[]
    for (const run of cancelled) this.#counts.move(run, 'queued', 'cancelled')
    this.#cancelRunning.run(taskId, lastInsertRowid)
  }
}
