import type { PartitionId, RecordedEvent } from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'
import type { AnswerRecord, CheckpointSeen, HistoryRecord, MetaRecord, RunRecordSeen } from './types.js'

type OwnerRecord = Extract<HistoryRecord, { kind: 'owner' }>
type SkipRecord = Extract<HistoryRecord, { kind: 'skip' }>
type FaultRecord = Extract<HistoryRecord, { kind: 'fault' }>

/** A history that can't be judged at all. */
export class HistoryError extends Error {
  override readonly name = 'HistoryError'
}

/** The records of a history by kind, those of a log in its order. */
export interface Seen {
  readonly meta: MetaRecord
  readonly events: readonly RecordedEvent[]
  readonly answers: readonly AnswerRecord[]
  readonly runs: readonly RunRecordSeen[]
  readonly skips: readonly SkipRecord[]
  readonly checkpoints: ReadonlyMap<PartitionId, readonly CheckpointSeen[]>
  readonly owners: ReadonlyMap<PartitionId, readonly OwnerRecord[]>
  readonly faults: readonly FaultRecord[]
  readonly healed: readonly Instant[]
  /** The last moment that was watched; null: not told. */
  readonly end: Instant | null
}

/** Sorts records by kind. A log's record that was seen twice counts once. Throws a `HistoryError` without a meta. */
export function seenIn(records: Iterable<HistoryRecord>): Seen {
  let meta: MetaRecord | undefined
  let end: Instant | null = null
  const events: RecordedEvent[] = []
  const answers: AnswerRecord[] = []
  const runs = new Map<string, RunRecordSeen>()
  const skips: SkipRecord[] = []
  const checkpoints = new Map<PartitionId, CheckpointSeen[]>()
  const owners = new Map<PartitionId, OwnerRecord[]>()
  const faults: FaultRecord[] = []
  const healed: Instant[] = []
  for (const record of records) {
    switch (record.kind) {
      case 'meta':
        if (meta !== undefined) throw new HistoryError('there are two meta records: this is two histories')
        meta = record
        break
      case 'event':
        events.push(record.event)
        break
      case 'answer':
        answers.push(record)
        break
      case 'run':
        runs.set(`${record.topic}|${record.partition}|${record.offset}`, record)
        break
      case 'skip':
        skips.push(record)
        break
      case 'checkpoint':
        listOf(checkpoints, record.partition).push(record)
        break
      case 'owner':
        listOf(owners, record.partition).push(record)
        break
      case 'fault':
        faults.push(record)
        break
      case 'healed':
        healed.push(record.at)
        break
      case 'end':
        end = Math.max(end ?? record.at, record.at)
    }
  }
  if (meta === undefined) throw new HistoryError('there is no meta record')
  for (const partition of [...checkpoints.keys(), ...owners.keys()]) {
    if (partition >= meta.partitions) {
      throw new HistoryError(`there is a partition ${partition}, in a cluster of ${meta.partitions}`)
    }
  }
  return {
    meta,
    events,
    answers,
    runs: [...runs.values()].sort(byPlace),
    skips,
    checkpoints: inLogOrder(checkpoints),
    owners: inLogOrder(owners),
    faults: faults.sort((a, b) => a.at - b.at),
    healed: healed.sort((a, b) => a - b),
    end,
  }
}

/** The list of a key, made when there is none. */
export function listOf<K, V>(lists: Map<K, V[]>, key: K): V[] {
  let list = lists.get(key)
  if (list === undefined) {
    list = []
    lists.set(key, list)
  }
  return list
}

const byPlace = (a: RunRecordSeen, b: RunRecordSeen): number =>
  a.topic !== b.topic
    ? a.topic < b.topic
      ? -1
      : 1
    : a.partition !== b.partition
      ? a.partition - b.partition
      : a.offset - b.offset

/** Partition by partition, by offset, each offset once. */
function inLogOrder<R extends { readonly offset: number }>(
  lists: ReadonlyMap<PartitionId, readonly R[]>,
): ReadonlyMap<PartitionId, readonly R[]> {
  const partitions = [...lists.keys()].sort((a, b) => a - b)
  return new Map(
    partitions.map((partition) => {
      const sorted = [...(lists.get(partition) ?? [])].sort((a, b) => a.offset - b.offset)
      return [partition, sorted.filter((record, index) => record.offset !== sorted[index - 1]?.offset)]
    }),
  )
}
