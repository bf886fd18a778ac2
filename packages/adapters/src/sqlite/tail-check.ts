import { type Database, scalar } from './database.js'
import type { Head, StoredHead } from './head-file.js'

/**
 * The main file and the head file do not belong together: acknowledged events or commits are gone, or have
 * been changed. `lost` says which; null when that can not be known (no head file to compare with).
 */
export class TailLost extends Error {
  readonly kind: 'missing' | 'changed' | 'foreign' | 'noHead'
  /** What was acknowledged and is not there. Positions are inclusive; null: no event is missing. */
  readonly lost: { readonly commits: number; readonly positions: readonly [number, number] | null } | null

  constructor(kind: TailLost['kind'], message: string, lost: TailLost['lost']) {
    super(message)
    this.name = 'TailLost'
    this.kind = kind
    this.lost = lost
  }
}

/** What the files are called, in messages. */
export interface LogNames {
  readonly log: string
  /** As the subject of a sentence. */
  readonly head: string
}

const standaloneNames: LogNames = { log: 'almanac.db', head: 'The head file (almanac.head)' }

/** Where the file stands; all zero for one that has no schema yet. */
export const headOf = (database: Database): Head => {
  if (scalar(database, 'PRAGMA user_version') === 0) return { logId: '', commits: 0, position: 0, chain: '' }
  const row = database.prepare('SELECT log_id, commits FROM head').get() as
    | { log_id: string; commits: number }
    | undefined
  const tail = database.prepare('SELECT position, chain FROM events ORDER BY position DESC LIMIT 1').get() as
    | { position: number; chain: string }
    | undefined
  return {
    logId: row?.log_id ?? '',
    commits: row?.commits ?? 0,
    position: tail?.position ?? 0,
    chain: tail?.chain ?? '',
  }
}

/** Compares the main file with the head file: undefined when everything that was acknowledged is there. */
export const findLoss = (
  database: Database,
  stored: StoredHead,
  names: LogNames = standaloneNames,
): TailLost | undefined => {
  const actual = headOf(database)
  if (stored === 'missing' || stored === 'damaged') {
    return actual.commits === 0 ? undefined : headGone(stored, actual, names)
  }
  if (actual.commits < stored.commits) return tailGone(actual, stored, names)
  if (actual.logId !== stored.logId) {
    const text = `${names.head} belongs to another log than ${names.log}.`
    return new TailLost('foreign', text, null)
  }
  if (stored.position === 0 || chainAt(database, stored.position) === stored.chain) return undefined
  return new TailLost(
    'changed',
    `Events up to position ${stored.position} are not the ones that were acknowledged: their chain differs.`,
    null,
  )
}

const chainAt = (database: Database, position: number) =>
  scalar(database, `SELECT chain FROM events WHERE position = ${position}`)

const headGone = (stored: 'missing' | 'damaged', actual: Head, names: LogNames): TailLost =>
  new TailLost(
    'noHead',
    `${names.head} is ${stored}: whether ${names.log} (${actual.commits} commits, ` +
      `events up to ${actual.position}) has everything that was acknowledged can not be told.`,
    null,
  )

/** The loss when there is a head file but no log. */
export const lossOfAll = (stored: StoredHead, names: LogNames = standaloneNames): TailLost | undefined =>
  typeof stored === 'string' || stored.commits === 0
    ? undefined
    : tailGone({ commits: 0, position: 0 }, stored, names)

const tailGone = (actual: Pick<Head, 'commits' | 'position'>, stored: Head, names: LogNames): TailLost => {
  const commits = stored.commits - actual.commits
  const positions =
    stored.position > actual.position ? ([actual.position + 1, stored.position] as const) : null
  const events =
    positions === null ? 'no event is among them' : `events at positions ${positions[0]} to ${positions[1]}`
  return new TailLost(
    'missing',
    `${commits} acknowledged commits are missing from ${names.log} (it has ${actual.commits} of ` +
      `${stored.commits}): ${events}.`,
    { commits, positions },
  )
}
