import { existsSync, statSync } from 'node:fs'
import { type IntegrityCheck, openDatabase } from './database.js'
import { HeadFile } from './head-file.js'
import { mainMigrations } from './schema.js'
import { headPath, mainPath } from './store.js'
import { findLoss, headOf, lossOfAll, type TailLost } from './tail-check.js'

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

/**
 * Looks at a data folder without changing it, also while a server has it open. Undefined when the folder
 * holds no log yet; throws `DatabaseDamaged` and `SchemaTooNew` as opening it would.
 */
export const inspectFolder = (folder: string, check: IntegrityCheck = 'full'): FolderReport | undefined => {
  const path = mainPath(folder)
  // Read before the log: a commit is written there first, so a running server can't make it look lost.
  const stored = HeadFile.read(headPath(folder))
  if (!existsSync(path)) {
    const loss = lossOfAll(stored)
    return loss === undefined ? undefined : { bytes: 0, commits: 0, position: 0, loss }
  }
  const database = openDatabase({
    path,
    durability: 'full',
    migrations: mainMigrations,
    check,
    readOnly: true,
  })
  try {
    const { commits, position } = headOf(database)
    return { bytes: statSync(path).size, commits, position, loss: findLoss(database, stored) }
  } finally {
    database.close()
  }
}
