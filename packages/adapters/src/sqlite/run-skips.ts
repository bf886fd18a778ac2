import type { PartitionId, Skip, SkipReason } from '@almanac/domain'
import type { RecordedSkip } from '@almanac/engine'
import type { Instant } from '@almanac/recurrence'
import type { Database, Statement } from './database.js'

interface SkipRow {
  readonly partition: number
  readonly seq: number
  readonly task_id: string
  readonly reason: SkipReason
  readonly first_at: number
  readonly last_at: number
  readonly count: number
  readonly revision: number
  readonly decided_at: number
}

/** Which tick decided not to run something, and when. */
export interface DecidedBy {
  readonly partition: PartitionId
  readonly seq: number
  readonly decidedAt: Instant
}

/** The table of skips. */
export class RunSkips {
  readonly #insert: Statement
  readonly #of: Statement
  readonly #prune: Statement

  constructor(database: Database) {
    this.#insert = database.prepare(
      `INSERT INTO skips (partition, seq, task_id, reason, first_at, last_at, count, revision, decided_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    this.#of = database.prepare(
      'SELECT * FROM skips WHERE task_id = ? AND last_at >= ? AND first_at <= ? ORDER BY first_at, skip',
    )
    // Skips are numbered in the order in which they were decided, near enough: only the oldest rows are looked
    // at.
    this.#prune = database.prepare(
      `DELETE FROM skips WHERE skip IN (
         SELECT skip FROM (SELECT skip, decided_at FROM skips ORDER BY skip LIMIT ?2) WHERE decided_at < ?1)`,
    )
  }

  insert(
    { taskId, reason, first, last, count, revision }: Skip,
    { partition, seq, decidedAt }: DecidedBy,
  ): void {
    this.#insert.run(partition, seq, taskId, reason, first, last, count, revision, decidedAt)
  }

  /** Those of a task whose range touches `[from, until]`, oldest first. */
  of(taskId: string, from: Instant, until: Instant): readonly RecordedSkip[] {
    return (this.#of.all(taskId, from, until) as SkipRow[]).map(skipOf)
  }

  prune(before: Instant, max: number): number {
    return Number(this.#prune.run(before, max).changes)
  }
}

const skipOf = (row: SkipRow): RecordedSkip => ({
  taskId: row.task_id,
  reason: row.reason,
  first: row.first_at,
  last: row.last_at,
  count: row.count,
  revision: row.revision,
  partition: row.partition,
  seq: row.seq,
  decidedAt: row.decided_at,
})
