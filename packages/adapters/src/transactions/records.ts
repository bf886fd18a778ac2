import type { Checkpoint, PartitionId, RunCommand, Skip } from '@almanac/domain'
import type { Tick } from '@almanac/engine'
import {
  type RunMessageJson,
  runMessageHeaders,
  runMessageText,
  runOfMessage,
  type SkipJson,
  skipJson,
  skipOfJson,
} from '@almanac/protocol'
import type { Instant } from '@almanac/recurrence'
import type { DispatchTopics } from './topics.js'
import type { CommittedRecord, LogRecord } from './transaction-log.js'

/** Who has claimed a partition. Written before the last checkpoint is read: the nonce marks the place in the log. */
export interface OwnerRecord {
  readonly nonce: string
  readonly nodeId: string
  readonly term: number
  /** Of the claimant's event log; absent: it does not tell. */
  readonly eventLogId?: string
}

/** What one tick, or a part of a big one, decided not to run. */
export interface SkipsRecord {
  readonly partition: PartitionId
  readonly seq: number
  /** Of the tick: with `seq` it puts a partition's ticks in order, also after a checkpoint was lost. */
  readonly term: number
  readonly decidedAt: Instant
  readonly skips: readonly Skip[]
  /** Tasks whose run totals start again from nothing, before the tick's runs are counted. */
  readonly resets: readonly string[]
}

interface SkipsJson extends Omit<SkipsRecord, 'skips'> {
  readonly skips: readonly SkipJson[]
}

/** Entries of one skips record: with the longest ids it stays below a broker's limit of 1 MB a record. */
const skipsPerRecord = 1_000

/** Keys of the kinds differ, or compaction would let an owner record take the checkpoint's place. */
const checkpointKey = (partition: PartitionId): string => `${partition}:checkpoint`
const ownerKey = (partition: PartitionId): string => `${partition}:owner`
const markKey = (partition: PartitionId): string => `${partition}:mark`

export const ownerRecord = (
  topics: DispatchTopics,
  partition: PartitionId,
  owner: OwnerRecord,
): LogRecord => ({
  topic: topics.checkpoints,
  partition,
  key: ownerKey(partition),
  value: JSON.stringify(owner),
})

/** Where the log of checkpoints ended when a reader began. One is kept, whoever's it is. */
export const markRecord = (topics: DispatchTopics, partition: PartitionId, mark: string): LogRecord => ({
  topic: topics.checkpoints,
  partition,
  key: markKey(partition),
  value: JSON.stringify({ mark }),
})

/** All records of a tick; the checkpoint comes last. */
export const tickRecords = (topics: DispatchTopics, partition: PartitionId, tick: Tick): LogRecord[] => [
  ...tick.runs.map((run) => runRecord(topics, run, tick.next.term)),
  ...skipsRecords(topics, partition, tick),
  {
    topic: topics.checkpoints,
    partition,
    key: checkpointKey(partition),
    value: JSON.stringify(tick.next),
  },
]

/**
 * The runs of a task stay in order: those of one partition of the scheduler go to one of the topic. A tick is then one
 * batch for each queue, and a transaction that hangs holds up what its own partition of the scheduler has to say, not
 * the runs of all others. With a routing key it is the key that picks, over all tasks that have the same.
 */
const runRecord = (topics: DispatchTopics, run: RunCommand, term: number): LogRecord => ({
  topic: topics.runs(run),
  partition: null,
  ...(run.routingKey === null ? { spread: run.partition } : {}),
  key: run.routingKey ?? run.taskId,
  value: runMessageText(run, term),
  headers: runMessageHeaders(run),
})

function skipsRecords(topics: DispatchTopics, partition: PartitionId, tick: Tick): readonly LogRecord[] {
  const { skips, resets, next } = tick
  const records: LogRecord[] = []
  for (let at = 0; at < Math.max(skips.length, resets.length); at += skipsPerRecord) {
    const end = at + skipsPerRecord
    const value: SkipsJson = {
      partition,
      seq: next.seq,
      term: next.term,
      decidedAt: next.evaluatedAt,
      skips: skips.slice(at, end).map(skipJson),
      resets: resets.slice(at, end),
    }
    records.push({ topic: topics.skips, partition, key: `${partition}`, value: JSON.stringify(value) })
  }
  return records
}

export const isCheckpoint = ({ key, partition }: CommittedRecord): boolean => key === checkpointKey(partition)
export const isOwner = ({ key, partition }: CommittedRecord): boolean => key === ownerKey(partition)

export const isMark = ({ key, partition }: CommittedRecord): boolean => key === markKey(partition)

/** Reads a record of `checkpoints` whose key is a mark's. Throws when it is none. */
export function readMark(record: CommittedRecord): string {
  const read = jsonIn(record) as { readonly mark?: unknown } | null
  if (typeof read?.mark !== 'string') throw new Error(`${placeOf(record)} is no mark`)
  return read.mark
}

/** Reads a record of `checkpoints` whose key is a checkpoint's. Throws when it is none. */
export function readCheckpoint(record: CommittedRecord): Checkpoint {
  const checkpoint = jsonIn(record) as Checkpoint | null
  const isWhole =
    Number.isSafeInteger(checkpoint?.seq) &&
    Number.isSafeInteger(checkpoint?.term) &&
    Number.isSafeInteger(checkpoint?.cursor?.at) &&
    typeof checkpoint?.cursor?.taskId === 'string'
  if (checkpoint === null || !isWhole) throw new Error(`${placeOf(record)} is no checkpoint`)
  return checkpoint
}

/** Reads a record of `checkpoints` whose key is an owner's. Throws when it is none. */
export function readOwner(record: CommittedRecord): OwnerRecord {
  const owner = jsonIn(record) as OwnerRecord | null
  if (typeof owner?.nonce !== 'string' || !Number.isSafeInteger(owner.term)) {
    throw new Error(`${placeOf(record)} is no owner record`)
  }
  return owner
}

/** Reads a record of a queue's or an exchange's topic. Throws when it is no run. */
export function readRun(record: CommittedRecord): RunCommand {
  const message = jsonIn(record) as RunMessageJson | null
  if (typeof message?.runId !== 'string') throw new Error(`${placeOf(record)} is no run`)
  return runOfMessage(message)
}

/** Reads a record of `skips`. Throws when it is none. */
export function readSkips(record: CommittedRecord): SkipsRecord {
  const read = jsonIn(record) as SkipsJson | null
  if (!Array.isArray(read?.skips)) throw new Error(`${placeOf(record)} holds no skips`)
  return { ...read, skips: read.skips.map(skipOfJson) }
}

function jsonIn(record: CommittedRecord): unknown {
  try {
    return JSON.parse(record.value)
  } catch (error) {
    throw new Error(`${placeOf(record)} is not JSON`, { cause: error })
  }
}

const placeOf = ({ topic, partition, offset }: CommittedRecord): string =>
  `The record at ${topic}/${partition}/${offset}`
