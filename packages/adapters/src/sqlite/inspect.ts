import { existsSync, statSync } from 'node:fs'
import { type IntegrityCheck, openDatabase } from './database.js'
import { HeadFile, type StoredHead } from './head-file.js'
import { mainMigrations } from './schema.js'
import { newestHead, sharedNames, sharedPath } from './shared-folder.js'
import { headPath, mainPath } from './store.js'
import { findLoss, headOf, type LogNames, lossOfAll, type TailLost } from './tail-check.js'

/** What a data folder holds. */
export interface FolderReport {
  readonly bytes: number
  /** Transactions committed. */
  readonly commits: number
  /** Of the newest event; 0: none yet. */
  readonly position: number
  /** What is missing from the log although it was acknowledged; undefined: nothing. */
  readonly loss: TailLost | undefined
}

/** The path is not one of a folder. */
export class NoSuchFolder extends Error {
  constructor(path: string, isThere: boolean) {
    super(`${path} ${isThere ? 'is not a folder' : 'does not exist'}.`)
    this.name = 'NoSuchFolder'
  }
}

/**
 * Looks at a data folder without changing it, also while a server has it open. Undefined when the folder
 * holds no log yet; throws `NoSuchFolder`, and `DatabaseDamaged` and `SchemaTooNew` as opening it would.
 *
 * Nothing is left behind in the folder of a server that was stopped. Where there is a WAL (the server runs, or
 * was killed), SQLite reads it through `almanac.db-shm`, which may be left.
 */
export const inspectFolder = (folder: string, check: IntegrityCheck = 'full'): FolderReport | undefined => {
  const found = statSync(folder, { throwIfNoEntry: false })
  if (!found?.isDirectory()) throw new NoSuchFolder(folder, found !== undefined)
  const isShared = existsSync(sharedPath(folder))
  const path = isShared ? sharedPath(folder) : mainPath(folder)
  const names = isShared ? sharedNames : undefined
  // Read before the log: a commit is written there first, so a running server can't make it look lost.
  const stored = isShared ? newestHead(folder) : HeadFile.read(headPath(folder))
  if (!existsSync(path)) {
    const loss = lossOfAll(stored)
    return loss === undefined ? undefined : { bytes: 0, commits: 0, position: 0, loss }
  }
  const before = stoppedState(path)
  if (before !== undefined) {
    const outcome = settle(() => report(path, stored, check, true, names))
    // A server that was started meanwhile may have written below the reader: then it is read again.
    if (stoppedState(path) === before) return outcome()
  }
  return report(path, stored, check, false, names)
}

/** A text that changes when the file is written; undefined when it has a WAL: somebody may have it open. */
const stoppedState = (path: string): string | undefined => {
  if (existsSync(`${path}-wal`)) return undefined
  const { size, mtimeNs, ino } = statSync(path, { bigint: true })
  return `${ino} ${size} ${mtimeNs}`
}

/** Does the work now; what is returned gives its result, or throws what it threw. */
const settle = <T>(work: () => T): (() => T) => {
  try {
    const value = work()
    return () => value
  } catch (error) {
    return () => {
      throw error
    }
  }
}

const report = (
  path: string,
  stored: StoredHead,
  check: IntegrityCheck,
  alone: boolean,
  names: LogNames | undefined,
): FolderReport => {
  const database = openDatabase({
    path,
    durability: 'full',
    migrations: mainMigrations,
    check,
    readOnly: true,
    alone,
  })
  try {
    const { commits, position } = headOf(database)
    return { bytes: statSync(path).size, commits, position, loss: findLoss(database, stored, names) }
  } finally {
    database.close()
  }
}
