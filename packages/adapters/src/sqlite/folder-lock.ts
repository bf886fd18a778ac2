import { join } from 'node:path'
import { DatabaseSync } from '@photostructure/sqlite'
import { failureOf } from './faults.js'

/** Another process has the data folder open for writing. */
export class FolderInUse extends Error {
  constructor(folder: string) {
    super(`${folder} is in use by another Almanac process: stop it first, or give this one another folder.`)
    this.name = 'FolderInUse'
  }
}

export const lockPath = (folder: string): string => join(folder, 'almanac.lock')

/** What this process wants with a file it locks; `shared` goes with other shared ones, not with an exclusive one. */
type LockMode = 'exclusive' | 'shared'

/**
 * Keeps a second process from writing to the folder. The lock is the operating system's (through SQLite,
 * since Node has no call for it), so it ends with the process, however that ends. Returns a function that
 * gives it back.
 */
export const lockFolder = (folder: string, path: string, mode: LockMode = 'exclusive'): (() => void) => {
  const release = tryLock(path, mode)
  if (release === undefined) throw new FolderInUse(folder)
  return release
}

/**
 * Locks a file, which is made for that and stays. Undefined when another process has it locked and does not let it go
 * within `waitMs`, which blocks this process.
 */
export const tryLock = (path: string, mode: LockMode = 'exclusive', waitMs = 0): (() => void) | undefined => {
  const database = new DatabaseSync(path, { timeout: waitMs })
  try {
    // A transaction that only reads holds a shared lock until it ends.
    database.exec(
      mode === 'exclusive'
        ? 'PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE'
        : 'BEGIN; SELECT count(*) FROM sqlite_schema',
    )
  } catch (error) {
    database.close()
    if (failureOf(error) === 'busy') return undefined
    throw error
  }
  return () => database.close()
}
