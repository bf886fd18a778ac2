import { DatabaseSync } from '@photostructure/sqlite'
import { failureOf } from './faults.js'

/** Another process has the data folder open for writing. */
export class FolderInUse extends Error {
  constructor(folder: string) {
    super(`${folder} is in use by another Almanac process: stop it first, or give this one another folder.`)
    this.name = 'FolderInUse'
  }
}

/**
 * Keeps a second process from writing to the folder. The lock is the operating system's (through SQLite,
 * since Node has no call for it), so it ends with the process, however that ends. Returns a function that
 * gives it back.
 */
export const lockFolder = (folder: string, path: string): (() => void) => {
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    throw failureOf(error) === 'busy' ? new FolderInUse(folder) : error
  }
  return () => database.close()
}
