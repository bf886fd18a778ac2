import type { Instant } from '@almanac/recurrence'
import type { Position } from '../event.js'
import { type Digest, digestOf } from '../ids.js'
import type { Checkpoint, Cursor, Floor } from './types.js'

/** What a partition starts from: nothing decided, nothing before `at` counts. */
export const genesis = (at: Instant): { readonly cursor: Cursor; readonly seq: number } => ({
  cursor: { at, taskId: '' },
  seq: 0,
})

export interface CheckpointContent {
  readonly term: number
  readonly cursor: Cursor
  readonly position: Position
  readonly evaluatedAt: Instant
  readonly more: boolean
  readonly engineVersion: string
  readonly tzVersion: string
  readonly runIds: readonly string[]
  readonly skipped: number
  readonly floors: readonly Floor[]
  readonly replayUntil: Instant | null
}

/** The checkpoint that follows `previous` (null at genesis): numbered, chained, with the digest of its runs. */
export function nextCheckpoint(
  previous: Checkpoint | null,
  content: CheckpointContent,
  digest: Digest = digestOf,
): Checkpoint {
  const { runIds, floors, replayUntil, ...rest } = content
  return {
    ...rest,
    ...(floors.length === 0 ? {} : { floors }),
    ...(replayUntil === null || content.cursor.at > replayUntil ? {} : { replayUntil }),
    seq: previous === null ? 1 : previous.seq + 1,
    runs: runIds.length,
    digest: runsDigest(runIds, digest),
    previous: previous === null ? '' : checkpointHash(previous),
  }
}

/** Digest over the sorted run ids of a tick: equal for every replay of it. */
export const runsDigest = (runIds: readonly string[], digest: Digest = digestOf): string =>
  runIds.length === 0 ? '' : digest([...runIds].sort().join('\n'))

export const checkpointHash = (checkpoint: Checkpoint): string =>
  digestOf(
    JSON.stringify([
      checkpoint.seq,
      checkpoint.term,
      checkpoint.cursor.at,
      checkpoint.cursor.taskId,
      checkpoint.position,
      checkpoint.evaluatedAt,
      checkpoint.more,
      checkpoint.engineVersion,
      checkpoint.tzVersion,
      checkpoint.runs,
      checkpoint.skipped,
      checkpoint.digest,
      checkpoint.previous,
      ...(checkpoint.replayUntil === undefined ? [] : [`replay until ${checkpoint.replayUntil}`]),
      ...(checkpoint.floors ?? []).map(({ taskId, since, scheduledAt, dispatchAt }) => [
        taskId,
        since,
        scheduledAt,
        dispatchAt,
      ]),
    ]),
  )
