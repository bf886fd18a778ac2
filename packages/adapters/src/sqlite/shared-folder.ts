import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { FolderInUse, tryLock } from './folder-lock.js'
import { type Head, HeadFile, type StoredHead } from './head-file.js'
import type { LogNames } from './tail-check.js'

/** The folder holds a log of the other kind: of one process, or shared by several. */
export class OtherFolder extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'OtherFolder'
  }
}

/** What messages call its files. */
export const sharedNames: LogNames = { log: 'events.db', head: 'The newest head file (heads/)' }

/** The log that several processes share. */
export const sharedPath = (folder: string): string => join(folder, 'events.db')
const headsPath = (folder: string): string => join(folder, 'heads')
const openingPath = (folder: string): string => join(folder, 'opening.lock')

/** Throws `OtherFolder` when the folder is not one for a single process. */
export const refuseSharedFolder = (folder: string): void => {
  if (existsSync(sharedPath(folder))) {
    throw new OtherFolder(
      `${folder} holds a log that the nodes of a cluster share (events.db): standalone needs a folder of its own.`,
    )
  }
}

const openingWaitMs = 30_000
const mostProcesses = 1_000

/** One process at a time opens the log: it may have to make it, or to find out what it has lost. */
export const whileOpening = <T>(folder: string, open: () => T): T => {
  const release = tryLock(openingPath(folder), 'exclusive', openingWaitMs)
  if (release === undefined) throw new FolderInUse(folder)
  try {
    return open()
  } finally {
    release()
  }
}

/**
 * The newest head that any process has written. Each one writes down what it has committed itself, so the newest of all
 * covers everything that was acknowledged. A file that was made and not yet written tells nothing.
 */
export const newestHead = (folder: string): StoredHead => {
  const heads = existsSync(headsPath(folder))
    ? readdirSync(headsPath(folder)).filter((name) => name.endsWith('.head'))
    : []
  let newest: StoredHead = heads.length === 0 ? 'missing' : 'damaged'
  for (const name of heads) {
    const head = HeadFile.read(join(headsPath(folder), name))
    if (typeof head === 'string') continue
    if (typeof newest === 'string' || head.commits > newest.commits) newest = head
  }
  return newest
}

/** A head file for this process alone, until `close`; one that a process which has ended has left is used again. */
export const takeHeadFile = (folder: string, head: Head): Pick<HeadFile, 'write' | 'close'> => {
  mkdirSync(headsPath(folder), { recursive: true, mode: 0o700 })
  for (let number = 1; number <= mostProcesses; number++) {
    const path = join(headsPath(folder), `${number}`)
    const release = tryLock(`${path}.lock`)
    if (release === undefined) continue
    const file = HeadFile.open(`${path}.head`)
    file.writeNow(head)
    return {
      write: (next) => file.write(next),
      close: () => {
        file.close()
        release()
      },
    }
  }
  throw new FolderInUse(folder)
}
