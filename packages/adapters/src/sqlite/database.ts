import { closeSync, fsyncSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { DatabaseSync } from '@photostructure/sqlite'
import { isDamage } from './faults.js'

export type Database = InstanceType<typeof DatabaseSync>
export type Statement = ReturnType<Database['prepare']>

/** `quick` finds damaged pages and rows, `full` compares indexes with tables too (several times slower). */
export type IntegrityCheck = 'none' | 'quick' | 'full'

export interface DatabaseOptions {
  readonly path: string
  /** `full`: a commit survives a power cut. `normal`: only for files that can be rebuilt. */
  readonly durability: 'full' | 'normal'
  /** Step n brings a file from schema version n to n + 1; the list only grows. */
  readonly migrations: readonly string[]
  readonly check: IntegrityCheck
  /** Changes nothing in the file, its schema included: an older one is read as it is. */
  readonly readOnly: boolean
  /**
   * Reads the file alone, without its WAL and without locks, and so makes no file beside it. What is read is only
   * worth something when nobody had the file open meanwhile. Not without `readOnly`.
   * @default false
   */
  readonly alone?: boolean
}

/** The file was written by a newer Almanac: it is left untouched. */
export class SchemaTooNew extends Error {
  constructor(path: string, found: number, known: number) {
    super(`${path} has schema version ${found}, this program knows up to ${known}: use the newer version.`)
    this.name = 'SchemaTooNew'
  }
}

/** The file is damaged. `findings` are SQLite's own words. */
export class DatabaseDamaged extends Error {
  readonly findings: readonly string[]
  constructor(path: string, findings: readonly string[]) {
    super(`${path} is damaged: ${findings.slice(0, 5).join('; ')}`)
    this.name = 'DatabaseDamaged'
    this.findings = findings
  }
}

const busyTimeoutMs = 5000

/** The WAL is copied into the file when it has grown to so many pages (16 MB). */
export const checkpointPages = 4000

/** One value of a one-row answer. */
export const scalar = (database: Database, sql: string): unknown => {
  const row = database.prepare(sql).get() as Record<string, unknown> | undefined
  return row === undefined ? undefined : Object.values(row)[0]
}

/**
 * Opens a file, checks it and brings its schema up to date. Throws `SchemaTooNew`, `DatabaseDamaged`, or what
 * SQLite throws when the file can't be opened.
 */
export const openDatabase = (options: DatabaseOptions): Database => {
  const database = new DatabaseSync(options.alone ? aloneUrl(options.path) : options.path, {
    readOnly: options.readOnly,
    timeout: busyTimeoutMs,
  })
  try {
    prepareConnection(database, options)
    checkIntegrity(database, options)
    migrate(database, options)
    return database
  } catch (error) {
    database.close()
    // Damage may show before the check gets to it.
    throw isDamage(error) ? new DatabaseDamaged(options.path, [error.message]) : error
  }
}

const aloneUrl = (path: string): URL => {
  const url = pathToFileURL(path)
  url.searchParams.set('immutable', '1')
  return url
}

/**
 * SQLite opens an existing WAL file with `synchronous=NORMAL`, which may lose the last commits at a power
 * cut, so it is set at every open and read back.
 */
const prepareConnection = (database: Database, options: DatabaseOptions): void => {
  if (!options.readOnly) {
    const mode = scalar(database, 'PRAGMA journal_mode = WAL')
    if (mode !== 'wal')
      throw new Error(`${options.path} can not be switched to WAL: it stays ${String(mode)}`)
  }
  const level = options.durability === 'full' ? 2 : 1
  database.exec(`PRAGMA synchronous = ${level}; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF`)
  const actual = scalar(database, 'PRAGMA synchronous')
  if (actual !== level) throw new Error(`${options.path}: synchronous is ${String(actual)}, not ${level}`)
  database.exec('PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY')
  // With full durability the committer checkpoints: SQLite's own hook hides a failed fsync.
  database.exec(`PRAGMA wal_autocheckpoint = ${options.durability === 'full' ? 0 : checkpointPages}`)
}

const checkIntegrity = (database: Database, { path, check }: DatabaseOptions): void => {
  if (check === 'none') return
  const pragma = check === 'full' ? 'integrity_check' : 'quick_check'
  const rows = database.prepare(`PRAGMA ${pragma}(20)`).all() as Record<string, unknown>[]
  const findings = rows.map((row) => String(Object.values(row)[0]))
  if (findings.length !== 1 || findings[0] !== 'ok') throw new DatabaseDamaged(path, findings)
}

const migrate = (database: Database, { path, migrations, readOnly }: DatabaseOptions): void => {
  const found = Number(scalar(database, 'PRAGMA user_version'))
  if (found > migrations.length) throw new SchemaTooNew(path, found, migrations.length)
  if (found === migrations.length || readOnly) return
  database.exec('BEGIN IMMEDIATE')
  try {
    for (const step of migrations.slice(found)) database.exec(step)
    database.exec(`PRAGMA user_version = ${migrations.length}`)
    database.exec('COMMIT')
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
  if (found === 0) syncFolder(path)
}

/**
 * Copies the WAL into the file and empties it, then closes. The driver can't finalize statements, so SQLite
 * goes on holding the file until they are garbage collected; without this the WAL of a stopped process would
 * stay.
 */
export const closeDatabase = (database: Database): void => {
  if (!database.isOpen) return
  try {
    scalar(database, 'PRAGMA wal_checkpoint(TRUNCATE)')
  } catch {
    // A full or failing disk: the WAL stays as it is, durable, and the next open reads it.
  }
  database.close()
}

/** Makes the name of a new file durable. */
export const syncFolder = (path: string): void => {
  if (process.platform === 'win32') return
  const folder = openSync(dirname(path), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
