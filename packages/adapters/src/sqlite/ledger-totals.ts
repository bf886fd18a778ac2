import type { RunTotals } from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'
import type { SeenRun } from '../ledger/sink.js'
import {
  type CountedPlace,
  compareMarks,
  isSame,
  merged,
  noTotals,
  type TaskTotals,
  type TickMark,
  totalOf,
} from '../ledger/totals.js'
import type { TotalsSource } from '../ledger/totals-writer.js'
import type { Database, Statement } from './database.js'
import type { LedgerPlaces } from './ledger-places.js'

/** A run as it was read, and whether it is new. */
export interface CountedRun {
  readonly seen: SeenRun
  readonly isNew: boolean
}

type Wanted = Parameters<TotalsSource['unwritten']>[2]

interface Row {
  readonly namespace: string
  readonly last_run_at: number | null
  readonly last_scheduled_at: number | null
  readonly reset_term: number | null
  readonly reset_seq: number | null
  readonly counted: string
  readonly unwritten_since: number | null
}

interface Stored {
  readonly totals: TaskTotals
  readonly unwrittenSince: Instant | null
}

const maxKnown = 50_000

/** Run totals by task, each run counted once. Every method but reads runs inside of a transaction. */
export class LedgerTotals {
  readonly #statements: Statements
  readonly #places: LedgerPlaces
  /** Rows as they are in the table, to read and parse one costs as much as to write it. */
  readonly #known = new Map<string, Stored>()

  constructor(database: Database, places: LedgerPlaces) {
    this.#statements = prepare(database)
    this.#places = places
  }

  /** After a rollback: what was learnt meanwhile is not there. */
  reload(): void {
    this.#known.clear()
  }

  /** Runs of one topic, in the order of its partitions. */
  count(topic: string, runs: readonly CountedRun[], now: Instant): void {
    const byTask = new Map<string, CountedRun[]>()
    for (const run of runs) {
      const { taskId } = run.seen.run
      const known = byTask.get(taskId)
      if (known === undefined) byTask.set(taskId, [run])
      else known.push(run)
    }
    for (const [taskId, theirs] of byTask) {
      const { totals, unwrittenSince } = this.#read(taskId, theirs[0]?.seen.run.namespace)
      const counted = withRuns(totals, topic, theirs)
      if (counted !== totals) this.#write(counted, unwrittenSince ?? now)
    }
  }

  /** What was counted of earlier ticks counts no more. */
  reset(taskId: string, mark: TickMark, now: Instant): void {
    const { totals } = this.#read(taskId)
    if (compareMarks(mark, totals.reset) > 0) this.#write(this.#resetTo(totals, mark), now)
  }

  /** What somebody else, or oneself, has written to the topic of totals. */
  meet(theirs: TaskTotals, now: Instant): void {
    const { totals, unwrittenSince } = this.#read(theirs.taskId, theirs.namespace)
    const order = compareMarks(theirs.reset, totals.reset)
    if (order < 0) {
      this.#write(totals, now)
      return
    }
    const own = order > 0 && theirs.reset !== null ? this.#resetTo(totals, theirs.reset) : totals
    const all = merged(own, theirs, {
      between: (place, from, until, reset) => this.#between(theirs.taskId, place, [from, until], reset),
    })
    // Whoever writes them is at it: what they lack will be in their next ones.
    const since = isSame(all, theirs) ? null : now
    if (since !== unwrittenSince || !isSame(all, totals)) this.#write(all, since)
  }

  of(taskId: string): RunTotals | undefined {
    const row = this.#statements.shown.get(taskId) as
      | { count: number; last_run_at: number | null; last_scheduled_at: number | null }
      | undefined
    if (row === undefined || row.last_run_at === null) return undefined
    const { count, last_run_at, last_scheduled_at } = row
    return { taskId, totalRunCount: count, lastRunAt: last_run_at, lastScheduledAt: last_scheduled_at }
  }

  /** Of what the topic of totals has lacked since `until` that which is wanted, the oldest first. */
  unwritten(until: Instant, max: number, isWanted: Wanted): readonly TaskTotals[] {
    const found: TaskTotals[] = []
    for (const row of this.#statements.unwritten.iterate(until) as Iterable<Row & { task_id: string }>) {
      if (!isWanted(row.task_id, row.unwritten_since ?? until)) continue
      found.push(totalsIn(row, row.task_id))
      if (found.length === max) break
    }
    return found
  }

  /** They have been written: looked at again only if they don't come back from the topic. */
  wrote(taskIds: readonly string[], now: Instant): void {
    for (const taskId of taskIds) {
      this.#statements.wrote.run(now, taskId)
      this.#known.delete(taskId)
    }
  }

  #read(taskId: string, namespace = ''): Stored {
    const known = this.#known.get(taskId)
    if (known !== undefined && known.totals.namespace !== '') return known
    const row = this.#statements.read.get(taskId) as Row | undefined
    if (row === undefined) return { totals: noTotals(taskId, namespace), unwrittenSince: null }
    const totals = totalsIn(row, taskId)
    const named = totals.namespace === '' ? { ...totals, namespace } : totals
    return { totals: named, unwrittenSince: row.unwritten_since }
  }

  #write(totals: TaskTotals, unwrittenSince: Instant | null): void {
    if (this.#known.size >= maxKnown) this.#known.clear()
    this.#known.set(totals.taskId, { totals, unwrittenSince })
    const { taskId, namespace, lastRunAt, lastScheduledAt, reset, counted } = totals
    this.#statements.write.run(
      taskId,
      namespace,
      totalOf(totals),
      lastRunAt,
      lastScheduledAt,
      reset?.term ?? null,
      reset?.seq ?? null,
      JSON.stringify([...counted].map(([place, { next, count }]) => [place, next, count])),
      unwrittenSince,
    )
  }

  /**
   * Counts anew from the runs that are here. What was taken over from others can't be told apart by ticks: their runs
   * are counted again when they are read, as far as they have not been read yet.
   */
  #resetTo(totals: TaskTotals, mark: TickMark): TaskTotals {
    const { taskId } = totals
    const { recount, newest } = this.#statements
    const rows = recount.all(taskId, mark.term, mark.seq) as { place: number; n: number }[]
    const counts = new Map(rows.map(({ place, n }) => [this.#places.nameOf(place), n]))
    const counted = new Map<string, CountedPlace>()
    for (const [place, { next }] of totals.counted) {
      const read = Math.min(next, this.#places.next(place))
      if (read > 0) counted.set(place, { next: read, count: counts.get(place) ?? 0 })
    }
    const last = newest.get(taskId, mark.term, mark.seq) as
      | { emitted_at: number; scheduled_at: number }
      | undefined
    return {
      ...totals,
      reset: mark,
      lastRunAt: last?.emitted_at ?? null,
      lastScheduledAt: last?.scheduled_at ?? null,
      counted,
    }
  }

  #between(taskId: string, place: string, [from, until]: [number, number], reset: TickMark | null): number {
    const id = this.#places.known(place)
    if (id === undefined) return 0
    const { term, seq } = reset ?? { term: 0, seq: 0 }
    return (this.#statements.between.get(taskId, id, from, until, term, seq) as { n: number }).n
  }
}

/** The same totals when all of the runs have been counted before. */
function withRuns(totals: TaskTotals, topic: string, runs: readonly CountedRun[]): TaskTotals {
  let { lastRunAt, lastScheduledAt } = totals
  const counted = new Map(totals.counted)
  let isChanged = false
  for (const { seen, isNew } of runs) {
    const place = `${topic}/${seen.partition}`
    const { next, count } = counted.get(place) ?? { next: 0, count: 0 }
    if (seen.offset < next) continue
    isChanged = true
    const counts = isNew && compareMarks(seen.mark, totals.reset) >= 0
    counted.set(place, { next: seen.offset + 1, count: counts ? count + 1 : count })
    const { emittedAt, scheduledAt } = seen.run
    const isNewest =
      lastRunAt === null ||
      emittedAt > lastRunAt ||
      (emittedAt === lastRunAt && scheduledAt > (lastScheduledAt ?? 0))
    if (counts && isNewest) [lastRunAt, lastScheduledAt] = [emittedAt, scheduledAt]
  }
  return isChanged ? { ...totals, lastRunAt, lastScheduledAt, counted } : totals
}

const totalsIn = (row: Row, taskId: string): TaskTotals => ({
  taskId,
  namespace: row.namespace,
  reset:
    row.reset_term === null || row.reset_seq === null ? null : { term: row.reset_term, seq: row.reset_seq },
  lastRunAt: row.last_run_at,
  lastScheduledAt: row.last_scheduled_at,
  counted: new Map(
    (JSON.parse(row.counted) as [string, number, number][]).map(([place, next, count]) => [
      place,
      { next, count },
    ]),
  ),
})

interface Statements {
  readonly read: Statement
  readonly write: Statement
  readonly shown: Statement
  readonly recount: Statement
  readonly newest: Statement
  readonly between: Statement
  readonly unwritten: Statement
  readonly wrote: Statement
}

const columns = 'namespace, last_run_at, last_scheduled_at, reset_term, reset_seq, counted, unwritten_since'

const prepare = (database: Database): Statements => ({
  read: database.prepare(`SELECT ${columns} FROM totals WHERE task_id = ?`),
  write: database.prepare(
    `INSERT INTO totals VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO UPDATE SET
       namespace = ?2, count = ?3, last_run_at = ?4, last_scheduled_at = ?5, reset_term = ?6,
       reset_seq = ?7, counted = ?8, unwritten_since = ?9`,
  ),
  shown: database.prepare('SELECT count, last_run_at, last_scheduled_at FROM totals WHERE task_id = ?'),
  recount: database.prepare(
    `SELECT place, count(*) AS n FROM runs INDEXED BY runs_by_task
     WHERE task_id = ? AND (term, seq) >= (?, ?) GROUP BY place`,
  ),
  newest: database.prepare(
    `SELECT emitted_at, scheduled_at FROM runs INDEXED BY runs_by_task
     WHERE task_id = ? AND (term, seq) >= (?, ?) ORDER BY emitted_at DESC, scheduled_at DESC LIMIT 1`,
  ),
  between: database.prepare(
    `SELECT count(*) AS n FROM runs INDEXED BY runs_by_task
     WHERE task_id = ? AND place = ? AND at_offset >= ? AND at_offset < ? AND (term, seq) >= (?, ?)`,
  ),
  unwritten: database.prepare(
    `SELECT task_id, ${columns} FROM totals INDEXED BY totals_unwritten
     WHERE unwritten_since IS NOT NULL AND unwritten_since <= ? ORDER BY unwritten_since`,
  ),
  wrote: database.prepare('UPDATE totals SET unwritten_since = ? WHERE task_id = ?'),
})
