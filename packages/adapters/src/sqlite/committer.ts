import { outcomeUnknown, PortFault, unavailable } from '@almanac/engine'
import { checkpointPages, type Database, type Statement } from './database.js'
import { failureOf, faultOf } from './faults.js'
import type { Head, HeadFile } from './head-file.js'

/**
 * A synchronous piece of work on the database. It may be run again from the start when a neighbour in the
 * same transaction fails, so it keeps nothing outside the database.
 */
export type Operation<T> = () => T

interface Queued {
  readonly operation: Operation<unknown>
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

/** Runs an attempt, and again when `isBusy` is so of what it threw. */
export type WhenBusy = <T>(attempt: () => T) => T | Promise<T>

type Settled = { readonly value: unknown } | { readonly error: Error }

/** `head` is null when the transaction changed nothing and was not committed. */
interface Attempt {
  readonly settled: readonly Settled[]
  readonly head: Head | null
}

const maxOperations = 500

/** A turn with several requests in it takes about a millisecond: the wait stays far below what an fsync may take. */
const gatherTurns = 8

/** The whole group fails: nothing of it was written, or (`fatal`) nobody can say. */
class GroupFailure extends Error {
  readonly fault: Error
  readonly fatal: boolean
  /** Somebody else was writing: nothing has begun. */
  readonly isBusy: boolean
  constructor(fault: Error, fatal: boolean, isBusy = false) {
    super(fault.message)
    this.fault = fault
    this.fatal = fatal
    this.isBusy = isBusy
  }
}

/** An operation threw: the transaction was rolled back, to be tried again with a savepoint around each. */
const oneFailed = Symbol('one operation failed')

/**
 * The only writer of the main file. Operations handed in during one turn of the event loop, and those that
 * come while a group is being made durable, share one transaction and one fsync. A promise resolves when the
 * commit and the head file are durable.
 *
 * An operation that throws fails alone. A full disk fails the group with `storage_full` and later writes are
 * tried anew. After a failed write or fsync nothing is trusted any more: every later call throws, and
 * `onFatal` is told so that the process ends.
 */
export class Committer {
  readonly #database: Database
  readonly #headFile: Pick<HeadFile, 'write'>
  readonly #whenBusy: WhenBusy
  readonly #onFatal: (error: Error) => void
  readonly #statements: Statements
  readonly #listeners = new Set<() => void>()
  #queue: Queued[] = []
  #running: Promise<void> | null = null
  #broken: Error | null = null
  #closed = false

  constructor(
    database: Database,
    headFile: Pick<HeadFile, 'write'>,
    onFatal: (error: Error) => void,
    whenBusy: WhenBusy = (attempt) => attempt(),
  ) {
    this.#database = database
    this.#headFile = headFile
    this.#whenBusy = whenBusy
    this.#onFatal = onFatal
    this.#statements = prepare(database)
  }

  submit<T>(operation: Operation<T>): Promise<T> {
    if (this.#broken !== null) return Promise.reject(this.#broken)
    if (this.#closed) return Promise.reject(unavailable('The database is closed.'))
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ operation, resolve: resolve as (value: unknown) => void, reject })
      this.#running ??= this.#run()
    })
  }

  /** Calls back after each group that changed something. Returns a function that takes the callback back. */
  onCommitted(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Finishes what was handed in; later calls are refused. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      await this.#gather()
      const group = this.#queue.splice(0, maxOperations)
      await this.#commitGroup(group)
    }
    this.#running = null
  }

  /**
   * Lets the turns of the event loop pass in which more operations come: one fsync serves them all. Alone, an
   * operation waits for one turn only.
   */
  async #gather(): Promise<void> {
    let before = 0
    for (let turn = 0; turn < gatherTurns && this.#queue.length > before; turn++) {
      before = this.#queue.length
      if (before >= maxOperations) return
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  async #commitGroup(group: readonly Queued[]): Promise<void> {
    if (this.#broken !== null) {
      for (const { reject } of group) reject(this.#broken)
      return
    }
    try {
      const { settled, head } = await this.#whenBusy(() => this.#attemptGroup(group))
      if (head !== null) await this.#writeHead(head)
      settle(group, settled)
      if (head !== null) this.#afterCommit()
    } catch (error) {
      const failure = error instanceof GroupFailure ? error : new GroupFailure(faultOf(error), true)
      if (failure.fatal) this.#break(failure.fault)
      for (const { reject } of group) reject(failure.fault)
    }
  }

  #attemptGroup(group: readonly Queued[]): Attempt {
    const attempt = this.#attempt(group, false)
    if (attempt !== oneFailed) return attempt
    const guarded = this.#attempt(group, true)
    if (guarded === oneFailed) throw new Error('An operation failed outside of its savepoint.')
    return guarded
  }

  #attempt(group: readonly Queued[], guarded: boolean): Attempt | typeof oneFailed {
    const { begin, rollback } = this.#statements
    try {
      begin.run()
    } catch (error) {
      const failure = failureOf(error)
      throw new GroupFailure(faultOf(error), failure === 'broken', failure === 'busy')
    }
    try {
      const before = this.#changes()
      const settled = group.map(({ operation }) =>
        guarded ? this.#guard(operation) : { value: operation() },
      )
      if (this.#changes() === before) {
        rollback.run()
        return { settled, head: null }
      }
      const head = this.#bump()
      this.#commit()
      return { settled, head }
    } catch (error) {
      return this.#rollBack(error, guarded)
    }
  }

  #guard(operation: Operation<unknown>): Settled {
    const { savepoint, rollbackTo, release } = this.#statements
    savepoint.run()
    try {
      const value = operation()
      release.run()
      return { value }
    } catch (error) {
      if (failureOf(error) !== 'other') throw error
      rollbackTo.run()
      release.run()
      return { error: error instanceof Error ? error : new Error(String(error)) }
    }
  }

  #commit(): void {
    try {
      this.#statements.commit.run()
    } catch (error) {
      const failure = failureOf(error)
      if (failure === 'full' || failure === 'busy') throw error
      throw new GroupFailure(
        outcomeUnknown('The commit failed: the disk may or may not have it.', error),
        true,
      )
    }
  }

  #rollBack(error: unknown, guarded: boolean): typeof oneFailed {
    if (this.#database.isTransaction) this.#statements.rollback.run()
    if (error instanceof GroupFailure) throw error
    const failure = failureOf(error)
    if (failure === 'other' && !guarded) return oneFailed
    throw new GroupFailure(faultOf(error), failure === 'broken' || failure === 'other')
  }

  #changes(): number {
    return (this.#statements.changes.get() as { n: number }).n
  }

  #bump(): Head {
    const { log_id: logId, commits } = this.#statements.bump.get() as { log_id: string; commits: number }
    return { logId, commits, ...tailOf(this.#statements.tail) }
  }

  async #writeHead(head: Head): Promise<void> {
    try {
      await this.#headFile.write(head)
    } catch (error) {
      throw new GroupFailure(
        outcomeUnknown('Committed, but the head file could not be written.', error),
        true,
      )
    }
  }

  #afterCommit(): void {
    for (const listener of [...this.#listeners]) listener()
    try {
      const { log, checkpointed } = this.#statements.walSize.get() as { log: number; checkpointed: number }
      if (log - Math.max(checkpointed, 0) >= checkpointPages) this.#statements.checkpoint.get()
    } catch (error) {
      if (failureOf(error) === 'broken') this.#break(faultOf(error))
    }
  }

  #break(error: Error): void {
    if (this.#broken !== null) return
    this.#broken = unavailable('Stopped after a failed write: restart, the log tells what was kept.', error)
    this.#onFatal(error)
  }
}

interface Statements {
  readonly begin: Statement
  readonly commit: Statement
  readonly rollback: Statement
  readonly savepoint: Statement
  readonly rollbackTo: Statement
  readonly release: Statement
  readonly changes: Statement
  readonly bump: Statement
  readonly tail: Statement
  readonly walSize: Statement
  readonly checkpoint: Statement
}

export const tailSql = 'SELECT position, chain FROM events ORDER BY position DESC LIMIT 1'

const prepare = (database: Database): Statements => ({
  begin: database.prepare('BEGIN IMMEDIATE'),
  commit: database.prepare('COMMIT'),
  rollback: database.prepare('ROLLBACK'),
  savepoint: database.prepare('SAVEPOINT operation'),
  rollbackTo: database.prepare('ROLLBACK TO operation'),
  release: database.prepare('RELEASE operation'),
  changes: database.prepare('SELECT total_changes() AS n'),
  bump: database.prepare('UPDATE head SET commits = commits + 1 RETURNING log_id, commits'),
  tail: database.prepare(tailSql),
  walSize: database.prepare('PRAGMA wal_checkpoint(NOOP)'),
  checkpoint: database.prepare('PRAGMA wal_checkpoint(PASSIVE)'),
})

/** Position and chain of the newest event; 0 and '' when there is none. */
export const tailOf = (statement: Statement): { position: number; chain: string } => {
  const row = statement.get() as { position: number; chain: string } | undefined
  return row ?? { position: 0, chain: '' }
}

const settle = (group: readonly Queued[], settled: readonly Settled[]): void => {
  for (const [index, queued] of group.entries()) {
    const result = settled[index]
    if (result === undefined) queued.reject(new Error('An operation was left without a result.'))
    else if ('error' in result) queued.reject(result.error)
    else queued.resolve(result.value)
  }
}

/** True for a group that found another process writing, before anything had begun. */
export const isBusy = (error: unknown): boolean => error instanceof GroupFailure && error.isBusy

/** True for a write that may or may not be in the log. */
export const isUnknown = (error: unknown): boolean =>
  error instanceof PortFault && error.code === 'outcome_unknown'
