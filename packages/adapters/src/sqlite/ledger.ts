import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { RunRecord, RunStatus, RunTotals } from '@almanac/domain'
import type { Clock, Listed, Page, RecordedSkip, RunFilter, RunReads } from '@almanac/engine'
import type { Instant } from '@almanac/recurrence'
import type { LedgerBatch, LedgerSink } from '../ledger/sink.js'
import type { TotalsSource } from '../ledger/totals-writer.js'
import { closeDatabase, type Database, openDatabase, type Statement, scalar } from './database.js'
import { faultOf, reading } from './faults.js'
import { LedgerPlaces } from './ledger-places.js'
import { LedgerRuns, ledgerRuns } from './ledger-runs.js'
import { ledgerSchema, ledgerVersion } from './ledger-schema.js'
import { type CountedRun, LedgerTotals } from './ledger-totals.js'
import { RunLists } from './run-lists.js'
import { type RunRow, runState } from './run-rows.js'
import { RunSkips } from './run-skips.js'

export interface LedgerOptions {
  /** The node's folder; made when it is not there. */
  readonly folder: string
  /** Names the topics, such as the brokers' cluster and the prefix: a file made of others is thrown away. */
  readonly source: string
  readonly clock: Clock
  /** Told in a sentence when the ledger starts over, and why. */
  readonly notice: (message: string) => void
  /** A run of which nothing was heard for so long holds up its task no more. Milliseconds. @default an hour */
  readonly runningTtlMs?: number
  /** The same for a run that no worker has started. @default a day */
  readonly queuedTtlMs?: number
  /** @default 'quick' */
  readonly check?: 'none' | 'quick'
}

export const ledgerPath = (folder: string): string => join(folder, 'ledger.db')

/** Opens the ledger, or starts it anew when what is there can't be used: it is read from the topics again. */
export const openLedger = (options: LedgerOptions): SqliteLedger => {
  mkdirSync(options.folder, { recursive: true, mode: 0o700 })
  const path = ledgerPath(options.folder)
  const opened = existsSync(path) ? openUsable(path, options) : ''
  if (typeof opened !== 'string') return new SqliteLedger(opened, options)
  if (opened !== '') options.notice(`The run ledger is read from the topics again: ${opened}.`)
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
  const database = openFile(path, 'none')
  database.prepare('INSERT INTO meta VALUES (1, ?, ?)').run(ledgerVersion, options.source)
  return new SqliteLedger(database, options)
}

const openFile = (path: string, check: 'none' | 'quick'): Database =>
  openDatabase({ path, durability: 'normal', migrations: [ledgerSchema], check, readOnly: false })

/** The database, or why it can't be used; '' when there is nothing in it. */
const openUsable = (path: string, { source, check = 'quick' }: LedgerOptions): Database | string => {
  let database: Database | undefined
  try {
    database = openFile(path, check)
    const version = scalar(database, 'SELECT version FROM meta')
    const found = version === ledgerVersion ? scalar(database, 'SELECT source FROM meta') : undefined
    if (found === source) return database
    database.close()
    if (version === undefined) return ''
    return `ledger.db is ${found === undefined ? 'of another version' : `made of ${String(found)}, not of ${source}`}`
  } catch (error) {
    if (database?.isOpen === true) database.close()
    return `ledger.db can not be used (${error instanceof Error ? error.message : String(error)})`
  }
}

/** Rows that one transaction of a prune deletes, so that nothing waits for it for long. */
const pruneBatch = 500
const earlyMs = 3_600_000

/**
 * What a node in a cluster knows of runs, read from the topics. A run is forgotten so long after it was emitted,
 * whatever became of it: a worker may never have told.
 */
export class SqliteLedger implements RunReads, LedgerSink, TotalsSource {
  readonly interests = ['totals', 'skips'] as const
  readonly passedOver = new Map<string, number>()
  readonly #database: Database
  readonly #options: LedgerOptions
  readonly #places: LedgerPlaces
  readonly #runs: LedgerRuns
  readonly #totals: LedgerTotals
  readonly #lists: RunLists
  readonly #skips: RunSkips
  readonly #statements: Statements
  #isCaughtUp = () => false

  constructor(database: Database, options: LedgerOptions) {
    const pass = (reason: string) => this.passedOver.set(reason, (this.passedOver.get(reason) ?? 0) + 1)
    this.#database = database
    this.#options = options
    this.#places = new LedgerPlaces(database)
    this.#runs = new LedgerRuns(database, pass)
    this.#totals = new LedgerTotals(database, this.#places)
    this.#lists = new RunLists(database, ledgerRuns)
    this.#skips = new RunSkips(database)
    this.#statements = prepare(database)
  }

  apply(batch: LedgerBatch): void {
    const { topic, skips, events, totals, next } = batch
    const now = this.#options.clock.now()
    this.#write(() => {
      const runs = this.#insertRuns(batch)
      if (runs.length > 0) this.#totals.count(topic, runs, now)
      for (const seen of events) this.#runs.hear(seen)
      for (const seen of skips) {
        for (const taskId of seen.resets) this.#totals.reset(taskId, seen.mark, now)
        const decided = { partition: seen.owner, seq: seen.mark.seq, decidedAt: seen.decidedAt }
        for (const skip of seen.skips) this.#skips.insert(skip, decided)
      }
      for (const theirs of totals) this.#totals.meet(theirs, now)
      this.#places.write(topic, next)
    })
    this.#places.moved(topic, next)
  }

  offsets(topic: string): ReadonlyMap<number, number> {
    return this.#places.offsets(topic)
  }

  /** Nothing is forgotten before: a reset that is read late counts the runs that it finds. */
  watch(isCaughtUp: () => boolean): void {
    this.#isCaughtUp = isCaughtUp
  }

  /** Nothing before all has been read: what others have written may be more than what is known here. */
  unwritten(until: Instant, max: number, isWanted: (taskId: string, since: Instant) => boolean) {
    return this.#isCaughtUp() ? reading(() => this.#totals.unwritten(until, max, isWanted)) : []
  }

  wrote(taskIds: readonly string[], now: Instant): void {
    this.#write(() => this.#totals.wrote(taskIds, now))
  }

  run(runId: string): RunRecord | undefined {
    return reading(() => {
      const row = this.#statements.run.get(runId) as RunRow | undefined
      return row === undefined ? undefined : ledgerRuns.recordOf(row)
    })
  }

  list(namespace: string, filter: RunFilter, page: Page): Listed<RunRecord> {
    return reading(() => this.#lists.list(namespace, filter, page))
  }

  busy(taskIds: readonly string[], now: Instant) {
    const { runningTtlMs = 3_600_000, queuedTtlMs = 86_400_000 } = this.#options
    const found = new Map<string, { readonly running: number; readonly queued: number }>()
    for (const taskId of taskIds) {
      let [running, queued] = [0, 0]
      const values = [taskId, now - runningTtlMs, now - queuedTtlMs, now]
      for (const { state, n } of reading(() => this.#statements.busy.all(...values)) as StateCount[]) {
        if (state === runState.running) running += n
        else queued += n
      }
      if (running + queued > 0) found.set(taskId, { running, queued })
    }
    return found
  }

  totals(taskIds: readonly string[]): ReadonlyMap<string, RunTotals> {
    const found = new Map<string, RunTotals>()
    for (const taskId of taskIds) {
      const totals = reading(() => this.#totals.of(taskId))
      if (totals !== undefined) found.set(taskId, totals)
    }
    return found
  }

  skips(taskId: string, from: Instant, until: Instant): readonly RecordedSkip[] {
    return reading(() => this.#skips.of(taskId, from, until))
  }

  counts(): ReadonlyMap<RunStatus, number> {
    const rows = reading(() => this.#statements.counts.all()) as { status: RunStatus; n: number }[]
    return new Map(rows.map(({ status, n }) => [status, n]))
  }

  async prune(before: Instant, max: number): Promise<number> {
    const { clock } = this.#options
    this.#write(() => {
      this.#runs.expire(clock.now(), pruneBatch)
      this.#runs.forgetEarly(clock.now() - earlyMs)
    })
    let pruned = 0
    while (this.#isCaughtUp() && pruned < max) {
      const size = Math.min(pruneBatch, max - pruned)
      const batch = this.#write(() => {
        const runs = this.#runs.prune(before, size)
        return runs + this.#skips.prune(before, size - runs)
      })
      pruned += batch
      if (batch < size) break
      await clock.sleep(0)
    }
    return pruned
  }

  /** May be called again. */
  close(): void {
    closeDatabase(this.#database)
  }

  #insertRuns({ topic, runs }: LedgerBatch): readonly CountedRun[] {
    return runs.map((seen) => ({
      seen,
      isNew: this.#runs.insert(seen, this.#places.idOf(topic, seen.partition)),
    }))
  }

  #write<T>(work: () => T): T {
    const { begin, commit, rollback } = this.#statements
    try {
      begin.run()
      const value = this.#runs.during(work)
      commit.run()
      return value
    } catch (error) {
      if (this.#database.isOpen) {
        if (this.#database.isTransaction) rollback.run()
        this.#places.reload()
        this.#runs.reload()
        this.#totals.reload()
      }
      throw faultOf(error)
    }
  }
}

interface StateCount {
  readonly state: number
  readonly n: number
}

interface Statements {
  readonly begin: Statement
  readonly commit: Statement
  readonly rollback: Statement
  readonly run: Statement
  readonly busy: Statement
  readonly counts: Statement
}

const prepare = (database: Database): Statements => ({
  begin: database.prepare('BEGIN IMMEDIATE'),
  commit: database.prepare('COMMIT'),
  rollback: database.prepare('ROLLBACK'),
  run: database.prepare(
    `SELECT ${ledgerRuns.columns} FROM runs JOIN run_commands USING (run) WHERE run_id = ?`,
  ),
  busy: database.prepare(
    `SELECT state, count(*) AS n FROM runs INDEXED BY runs_exclusive
     WHERE task_id = ?1 AND state < 3 AND overlap <> 'allow' AND iif(state = ${runState.running}, heard_at > ?2,
       heard_at > ?3 AND (expires_at IS NULL OR expires_at > ?4)) GROUP BY state`,
  ),
  counts: database.prepare('SELECT status, sum(count) AS n FROM run_counts GROUP BY status HAVING n > 0'),
})
