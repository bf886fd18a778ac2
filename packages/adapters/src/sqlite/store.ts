import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type {
  Clock,
  DispatchLog,
  EventLog,
  Random,
  RunFeed,
  RunStore,
  WebhookProgressStore,
} from '@almanac/engine'
import { Committer } from './committer.js'
import {
  closeDatabase,
  type Database,
  type DatabaseOptions,
  type IntegrityCheck,
  openDatabase,
} from './database.js'
import { SqliteDispatchLog } from './dispatch-log.js'
import { SqliteEventLog } from './event-log.js'
import { lockFolder, lockPath } from './folder-lock.js'
import { HeadFile, type StoredHead } from './head-file.js'
import { SqliteRunFeed } from './run-feed.js'
import { SqliteRunStore } from './run-store.js'
import { mainMigrations } from './schema.js'
import { refuseSharedFolder } from './shared-folder.js'
import { findLoss, headOf, type LogNames, lossOfAll, type TailLost } from './tail-check.js'
import { openViewStore, type SqliteViewStore } from './view-store.js'
import { SqliteWebhookProgress } from './webhook-progress.js'

export interface StoreOptions {
  /** The data folder; made when it is not there. */
  readonly folder: string
  readonly clock: Clock
  readonly random: Random
  /** A write or fsync failed: the process must end, a restart finds what was kept. */
  readonly onFatal: (error: Error) => void
  /** Told in a sentence what was repaired or rebuilt at the start. */
  readonly notice?: (message: string) => void
  /** @default 'quick' */
  readonly check?: IntegrityCheck
  /** Open in spite of a lost tail, and go on from what is there. @default false */
  readonly acceptLoss?: boolean
  /** How often other processes' appends are looked for by `follow`. Milliseconds. @default 1000 */
  readonly pollMs?: number
}

/** Everything that standalone keeps, in one folder: `almanac.db`, `almanac.head`, `views.db`. */
export interface Store {
  readonly eventLog: EventLog
  readonly dispatchLog: DispatchLog
  readonly runStore: RunStore
  readonly viewStore: SqliteViewStore
  /** How far webhooks have been served. */
  readonly webhookProgress: WebhookProgressStore
  readonly runFeed: RunFeed
  /** Finishes the writes that were handed in, then closes all files. May be called again. */
  close(): Promise<void>
}

export const mainPath = (folder: string): string => join(folder, 'almanac.db')
export const headPath = (folder: string): string => join(folder, 'almanac.head')
export const viewsPath = (folder: string): string => join(folder, 'views.db')
/**
 * Opens the folder for writing. Throws `FolderInUse` when another process has it, `OtherFolder` when it is one that
 * several processes share, `TailLost` when
 * acknowledged commits are missing, `DatabaseDamaged` and `SchemaTooNew` as `openDatabase` does.
 */
export const openStore = (options: StoreOptions): Store => {
  const { folder } = options
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const undo: (() => void)[] = [lockFolder(folder, lockPath(folder))]
  try {
    refuseSharedFolder(folder)
    return compose(options, undo)
  } catch (error) {
    for (const step of undo.reverse()) step()
    throw error
  }
}

const compose = (options: StoreOptions, undo: (() => void)[]): Store => {
  const { folder, clock, random } = options
  const notice = options.notice ?? (() => {})
  const stored = HeadFile.read(headPath(folder))
  const loss = lossIn(mainFile(folder), stored, options.check ?? 'quick')
  if (loss !== undefined && options.acceptLoss !== true) throw loss
  const database = openDatabase({ ...mainFile(folder), check: 'none', readOnly: false })
  undo.push(() => closeDatabase(database))
  if (loss !== undefined) {
    acceptLoss(database, stored, random)
    notice(`Going on after a loss: ${loss.message}`)
  }
  const headFile = openHead(database, stored, options)
  undo.push(() => headFile.close())
  const head = headOf(database)
  const viewStore = openViewStore({
    path: viewsPath(folder),
    log: { id: head.logId, position: head.position },
    notice,
    check: options.check === 'none' ? 'none' : 'quick',
  })
  const committer = new Committer(database, headFile, options.onFatal)
  return {
    eventLog: new SqliteEventLog({ database, committer, clock, pollMs: options.pollMs ?? 1000 }),
    dispatchLog: new SqliteDispatchLog(database, committer),
    runStore: new SqliteRunStore(database, committer, random),
    webhookProgress: new SqliteWebhookProgress(database, committer),
    runFeed: new SqliteRunFeed(database, committer),
    viewStore,
    close: once(async () => {
      await committer.close()
      viewStore.close()
      for (const step of undo.reverse()) step()
    }),
  }
}

const mainFile = (folder: string) =>
  ({ path: mainPath(folder), durability: 'full', migrations: mainMigrations }) as const

/**
 * What is missing, found through a connection that only reads: opening for writing would clear away the
 * damaged WAL, and with it what somebody might still save of it.
 */
export const lossIn = (
  file: Pick<DatabaseOptions, 'path' | 'durability' | 'migrations'>,
  stored: StoredHead,
  check: IntegrityCheck,
  names?: LogNames,
): TailLost | undefined => {
  if (!existsSync(file.path)) return lossOfAll(stored, names)
  const database = openDatabase({ ...file, check, readOnly: true })
  try {
    return findLoss(database, stored, names)
  } finally {
    database.close()
  }
}

/** Gives a new log its id. */
export const nameLog = (database: Database, random: Random): void => {
  if (headOf(database).logId !== '') return
  database.prepare('INSERT INTO head (id, log_id, commits) VALUES (1, ?, 0)').run(random.token(16))
}

/** Writes a head where there is none that agrees. */
const openHead = (database: Database, stored: StoredHead, { folder, random }: StoreOptions): HeadFile => {
  nameLog(database, random)
  const headFile = HeadFile.open(headPath(folder))
  const head = headOf(database)
  if (typeof stored === 'string' || stored.logId !== head.logId) headFile.writeNow(head)
  return headFile
}

/** A new log id makes every read model that knew the lost tail start over. */
export const acceptLoss = (database: Database, stored: StoredHead, random: Random): void => {
  const known = typeof stored === 'string' ? 0 : stored.commits
  const commits = Math.max(known, headOf(database).commits) + 1
  const row = database.prepare(
    `INSERT INTO head (id, log_id, commits) VALUES (1, ?, ?)
     ON CONFLICT DO UPDATE SET log_id = excluded.log_id, commits = excluded.commits`,
  )
  row.run(random.token(16), commits)
}

const once = (work: () => Promise<void>): (() => Promise<void>) => {
  let done: Promise<void> | undefined
  return () => {
    done ??= work()
    return done
  }
}
