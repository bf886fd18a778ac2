import { existsSync } from 'node:fs'
import type { EventMetadata } from '@almanac/domain'
import { type Database, openDatabase, type Statement } from './database.js'
import { type EventRow, eventColumns, nextChain, recorded } from './event-row.js'
import { mainMigrations } from './schema.js'
import { sharedPath } from './shared-folder.js'
import { mainPath } from './store.js'

/** Something in the log that is not as it was written. */
export interface LogProblem {
  readonly position: number
  readonly stream: string
  readonly message: string
}

export interface LogVerdict {
  readonly events: number
  /** The first hundred, in the order in which they were found; empty: every event is as it was written. */
  readonly problems: readonly LogProblem[]
}

const pageSize = 1000
const maxProblems = 100

interface ChainedRow extends EventRow {
  readonly namespace: string
  readonly at: number
  readonly chain: string
}

/**
 * Reads the whole log and computes its hashes anew: the chain over all events in order of position, then,
 * stream by stream, the revisions and each event's `previousHash`. So a changed, removed, moved or added
 * event shows. Yields to the event loop between pages; may run beside a server. `progress` gets how much of
 * the work is done.
 */
export const verifyLog = async (
  folder: string,
  progress: (done: number, total: number) => void = () => {},
): Promise<LogVerdict> => {
  const path = [mainPath(folder), sharedPath(folder)].find((file) => existsSync(file))
  if (path === undefined) return { events: 0, problems: [] }
  const database = openDatabase({
    path,
    durability: 'full',
    migrations: mainMigrations,
    check: 'none',
    readOnly: true,
  })
  try {
    return await verify(database, progress)
  } finally {
    database.close()
  }
}

const verify = async (
  database: Database,
  progress: (done: number, total: number) => void,
): Promise<LogVerdict> => {
  // One snapshot, so that what is appended meanwhile is not seen by halves.
  database.exec('BEGIN')
  const { events } = database.prepare('SELECT count(*) AS events FROM events').get() as { events: number }
  const problems: LogProblem[] = []
  let done = 0
  const passes = [chainPass(database, problems), streamPass(database, problems)]
  for (const nextPage of passes) {
    for (let rows = nextPage(); rows > 0; rows = nextPage()) {
      done += rows
      progress(done, events * passes.length)
      await new Promise((resolve) => setImmediate(resolve))
      if (problems.length >= maxProblems) return { events, problems: problems.slice(0, maxProblems) }
    }
  }
  return { events, problems }
}

/** Verifies a page of rows at each call, and answers how many there were. */
type Pass = () => number

const chainPass = (database: Database, problems: LogProblem[]): Pass => {
  const page = database.prepare(
    `SELECT ${eventColumns}, namespace, at, chain FROM events WHERE position > ? ORDER BY position LIMIT ?`,
  )
  let position = 0
  let chain = ''
  return () => {
    const rows = page.all(position, pageSize) as ChainedRow[]
    for (const row of rows) {
      const report = (message: string) =>
        problems.push({ position: row.position, stream: row.stream, message })
      if (row.position !== position + 1) report(`Position ${position + 1} is missing.`)
      if (row.chain !== nextChain(chain, row))
        report('The chain does not hold: this or an earlier event was changed.')
      if (!columnsAgree(row)) report('The columns do not say what the event says.')
      position = row.position
      chain = row.chain
    }
    return rows.length
  }
}

const columnsAgree = ({ metadata, namespace, at }: ChainedRow): boolean => {
  const stated = parsed(metadata) as Partial<EventMetadata> | undefined
  return stated?.namespace === namespace && stated.at === at
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const streamPass = (database: Database, problems: LogProblem[]): Pass => {
  const page: Statement = database.prepare(
    `SELECT ${eventColumns} FROM events WHERE (stream, revision) > (?, ?) ORDER BY stream, revision LIMIT ?`,
  )
  let previous = { stream: '', revision: -1, position: 0, hash: '' }
  return () => {
    const rows = page.all(previous.stream, previous.revision, pageSize) as EventRow[]
    for (const row of rows) {
      if (row.stream !== previous.stream)
        previous = { stream: row.stream, revision: -1, position: 0, hash: '' }
      const { hash, faults } = checkPlace(row, previous)
      for (const message of faults) problems.push({ position: row.position, stream: row.stream, message })
      previous = { stream: row.stream, revision: row.revision, position: row.position, hash }
    }
    return rows.length
  }
}

const checkPlace = (
  row: EventRow,
  previous: { readonly revision: number; readonly position: number; readonly hash: string },
): { readonly hash: string; readonly faults: readonly string[] } => {
  if (parsed(row.data) === undefined || parsed(row.metadata) === undefined) {
    return { hash: '', faults: ['The event can not be read.'] }
  }
  const event = recorded(row)
  const faults: string[] = []
  if (row.revision !== previous.revision + 1) faults.push(`Revision ${previous.revision + 1} is missing.`)
  if (row.position <= previous.position) faults.push('The event stands before its predecessor.')
  if (event.metadata.previousHash !== previous.hash)
    faults.push('previousHash is not the hash of the event before.')
  return { hash: event.hash, faults }
}
