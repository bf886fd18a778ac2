import { existsSync, mkdirSync } from 'node:fs'
import type { Position } from '@almanac/domain'
import type { Clock, EventLog, Random } from '@almanac/engine'
import { Committer, isBusy, type WhenBusy } from './committer.js'
import { closeDatabase, type Database, type IntegrityCheck, openDatabase } from './database.js'
import { SqliteEventLog } from './event-log.js'
import { lockFolder, lockPath } from './folder-lock.js'
import { mainMigrations } from './schema.js'
import {
  newestHead,
  OtherFolder,
  sharedNames,
  sharedPath,
  takeHeadFile,
  whileOpening,
} from './shared-folder.js'
import { acceptLoss, lossIn, mainPath, nameLog } from './store.js'
import { headOf } from './tail-check.js'

export interface SharedEventLogOptions {
  /** The folder that the processes share, on a disk of this machine; made when it is not there. */
  readonly folder: string
  readonly clock: Clock
  readonly random: Random
  /** A write or fsync failed: the process must end, a restart finds what was kept. */
  readonly onFatal: (error: Error) => void
  /** Told in a sentence what was repaired at the start. */
  readonly notice?: (message: string) => void
  /** @default 'quick' */
  readonly check?: IntegrityCheck
  /** Open in spite of a lost tail, and go on from what is there. @default false */
  readonly acceptLoss?: boolean
  /** How often other processes' appends are looked for by `follow`. Milliseconds. @default 25 */
  readonly pollMs?: number
  /** So long an append waits for others that write, then it is `unavailable`. Milliseconds. @default 5000 */
  readonly busyMs?: number
}

/** An event log in a file that several processes of one machine have open. */
export interface SharedEventLog {
  readonly eventLog: EventLog
  /** What read models of this log are told: see `openViewStore`. */
  readonly log: { readonly id: string; readonly position: Position }
  /** Finishes the appends that were handed in, then closes the file. May be called again. */
  close(): Promise<void>
}

const defaults = { pollMs: 25, busyMs: 5_000 }

/** A reader waits so long for one that repairs the file after a crash. */
const readingBusyMs = 1_000

/**
 * Opens the log that the nodes of a cluster on one machine share: one writes at a time, each commits its own appends in
 * groups, and all see one order. `head` and every read look into the file, so what another process was told is durable
 * is there.
 *
 * It keeps what standalone keeps: an append is on the disk, and in a head file, before it is answered. The head file is
 * each process' own (`heads/1.head` and so on); the newest of all tells whether the log has lost its end. That is
 * looked at when a process opens the log, as in standalone; what is lost while others have it open shows at the next
 * start.
 *
 * What is different: a process that stands still while it writes keeps the others from writing (their appends are
 * `unavailable` after `busyMs`, reads go on) until it goes on or is killed. Locks are the machine's own: never on a
 * network file system.
 *
 * Throws `OtherFolder` for standalone's folder, `FolderInUse` when standalone has it open, else as `openStore` does.
 */
export const openSharedEventLog = (options: SharedEventLogOptions): SharedEventLog => {
  const { folder } = options
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const undo: (() => void)[] = [lockFolder(folder, lockPath(folder), 'shared')]
  try {
    if (existsSync(mainPath(folder))) {
      throw new OtherFolder(
        `${folder} is standalone's (almanac.db): the nodes of a cluster need another one.`,
      )
    }
    return whileOpening(folder, () => compose(options, undo))
  } catch (error) {
    for (const step of undo.reverse()) step()
    throw error
  }
}

const compose = (options: SharedEventLogOptions, undo: (() => void)[]): SharedEventLog => {
  const { folder, clock, random, onFatal, notice = () => {}, check = 'quick' } = options
  const { pollMs = defaults.pollMs, busyMs = defaults.busyMs } = options
  const path = sharedPath(folder)
  const file = { path, durability: 'full', migrations: mainMigrations } as const
  // Read before the log: a commit is written there first, so processes that write can't make it look lost.
  const stored = newestHead(folder)
  const loss = lossIn(file, stored, check, sharedNames)
  if (loss !== undefined && options.acceptLoss !== true) throw loss
  const database = openDatabase({ ...file, check: 'none', readOnly: false })
  undo.push(() => closeShared(database))
  if (loss !== undefined) {
    acceptLoss(database, stored, random)
    notice(`Going on after a loss: ${loss.message}`)
  }
  nameLog(database, random)
  const head = headOf(database)
  const headFile = takeHeadFile(folder, head)
  undo.push(() => headFile.close())
  const committer = new Committer(database, headFile, onFatal, patience(database, clock, random, busyMs))
  let closed: Promise<void> | undefined
  return {
    eventLog: new SqliteEventLog({ database, committer, clock, pollMs }),
    log: { id: head.logId, position: head.position },
    close: () => {
      closed ??= committer.close().then(() => {
        for (const step of undo.reverse()) step()
      })
      return closed
    },
  }
}

const firstWaitMs = 1
const longestWaitMs = 10

/**
 * SQLite would wait by blocking the process; this one goes on meanwhile. Waits differ by chance, so that those who wait
 * do not come together again.
 */
const patience = (database: Database, clock: Clock, random: Random, busyMs: number): WhenBusy => {
  database.exec(`PRAGMA busy_timeout = ${readingBusyMs}`)
  return async (attempt) => {
    const until = clock.elapsed() + busyMs
    for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 1.5, longestWaitMs)) {
      try {
        return withoutWaiting(database, attempt)
      } catch (error) {
        if (!isBusy(error) || clock.elapsed() >= until) throw error
        await clock.sleep(waitMs * (0.5 + random.next()))
      }
    }
  }
}

const withoutWaiting = <T>(database: Database, work: () => T): T => {
  database.exec('PRAGMA busy_timeout = 0')
  try {
    return work()
  } finally {
    database.exec(`PRAGMA busy_timeout = ${readingBusyMs}`)
  }
}

/** Does not wait for the others to let the WAL be emptied: the last one to close does that. */
const closeShared = (database: Database): void => {
  if (database.isOpen) database.exec('PRAGMA busy_timeout = 0')
  closeDatabase(database)
}
