import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from '@photostructure/sqlite'
import type { LogRecord } from './record.js'

type Database = InstanceType<typeof DatabaseSync>
type Statement = ReturnType<Database['prepare']>

interface Row {
  readonly position: number
  readonly stream: string
  readonly revision: number
  readonly id: string
  readonly type: string
  readonly isJson: number
  readonly data: Uint8Array
  readonly metadata: Uint8Array
  readonly created: number
}

const columns = 'position, stream, revision, id, type, isJson, data, metadata, created'

const recordOf = (row: Row): LogRecord => ({ ...row, isJson: row.isJson === 1 })

/** The records of a log in one SQLite file, or in memory. A commit survives kill -9 and a power cut. */
export class RecordFile {
  private readonly database: Database
  private readonly statements = new Map<string, Statement>()

  /** Undefined: in memory. */
  constructor(folder: string | undefined) {
    if (folder !== undefined) mkdirSync(folder, { recursive: true })
    this.database = new DatabaseSync(folder === undefined ? ':memory:' : join(folder, 'log.sqlite'))
    this.database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      CREATE TABLE IF NOT EXISTS records (
        position INTEGER PRIMARY KEY, stream TEXT NOT NULL, revision INTEGER NOT NULL, id TEXT NOT NULL,
        type TEXT NOT NULL, isJson INTEGER NOT NULL, data BLOB NOT NULL, metadata BLOB NOT NULL,
        created INTEGER NOT NULL, UNIQUE (stream, revision)
      ) STRICT;
      CREATE TABLE IF NOT EXISTS log (one INTEGER PRIMARY KEY, next INTEGER NOT NULL) STRICT;
    `)
  }

  private prepared(sql: string): Statement {
    const known = this.statements.get(sql)
    if (known !== undefined) return known
    const statement = this.database.prepare(sql)
    this.statements.set(sql, statement)
    return statement
  }

  private rows(sql: string, ...values: (string | number)[]): LogRecord[] {
    return (this.prepared(`SELECT ${columns} FROM records ${sql}`).all(...values) as Row[]).map(recordOf)
  }

  begin(): void {
    this.prepared('BEGIN IMMEDIATE').run()
  }

  commit(): void {
    this.prepared('COMMIT').run()
  }

  /** Where the next record goes; undefined in a new log. */
  next(): number | undefined {
    return (this.prepared('SELECT next FROM log').get() as { next: number } | undefined)?.next
  }

  setNext(next: number): void {
    this.prepared('INSERT INTO log VALUES (1, ?) ON CONFLICT DO UPDATE SET next = excluded.next').run(next)
  }

  insert({ position, stream, revision, id, type, isJson, data, metadata, created }: LogRecord): void {
    this.prepared(`INSERT INTO records (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`).run(
      position,
      stream,
      revision,
      id,
      type,
      isJson ? 1 : 0,
      data,
      metadata,
      created,
    )
  }

  remove(position: number): void {
    this.prepared('DELETE FROM records WHERE position = ?').run(position)
  }

  /** At or after `position`, and not after `limit`. */
  forwards(position: number, limit: number, max: number): LogRecord[] {
    return this.rows('WHERE position >= ? AND position <= ? ORDER BY position LIMIT ?', position, limit, max)
  }

  /** Before `position`, and not after `limit`; the newest first. */
  backwards(position: number, limit: number, max: number): LogRecord[] {
    const where = 'WHERE position < ? AND position <= ? ORDER BY position DESC LIMIT ?'
    return this.rows(where, position, limit, max)
  }

  streamForwards(stream: string, revision: number, max: number): LogRecord[] {
    return this.rows('WHERE stream = ? AND revision >= ? ORDER BY revision LIMIT ?', stream, revision, max)
  }

  streamBackwards(stream: string, revision: number, max: number): LogRecord[] {
    const where = 'WHERE stream = ? AND revision <= ? ORDER BY revision DESC LIMIT ?'
    return this.rows(where, stream, revision, max)
  }

  at(stream: string, revision: number): LogRecord | undefined {
    return this.rows('WHERE stream = ? AND revision = ?', stream, revision)[0]
  }

  lastRevisions(): readonly { readonly stream: string; readonly last: number }[] {
    const sql = 'SELECT stream, max(revision) AS last FROM records GROUP BY stream'
    return this.prepared(sql).all() as { stream: string; last: number }[]
  }

  close(): void {
    this.database.close()
  }
}
