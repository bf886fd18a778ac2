import {
  type CommittedRecord,
  type DispatchTopics,
  isCheckpoint,
  isOwner,
  readCheckpoint,
  readOwner,
  readRun,
  readSkips,
} from '@almanac/adapters/transactions'
import type { RecordedEvent } from '@almanac/domain'
import type { HistoryRecord } from '@almanac/history'
import type { DumpedRecord, KafkaModel } from '../kafka/index.js'

/**
 * Everything that the broker has ever committed for the cluster, as records of a history. What can't be read is told.
 */
export function committedHistory(
  kafka: KafkaModel,
  topics: DispatchTopics,
  runTopics: readonly string[],
  onUnreadable: (message: string) => void,
): readonly HistoryRecord[] {
  const read = (topic: string, reader: (record: CommittedRecord) => readonly HistoryRecord[]) =>
    kafka.committedDump(topic).flatMap((record) => {
      try {
        return reader(asCommitted(record))
      } catch (error) {
        onUnreadable(error instanceof Error ? error.message : String(error))
        return []
      }
    })
  return [
    ...read(topics.checkpoints, checkpointOrOwner),
    ...read(topics.skips, skipsIn),
    ...runTopics.flatMap((topic) => read(topic, runIn)),
  ]
}

function skipsIn(record: CommittedRecord): readonly HistoryRecord[] {
  const { partition, seq, skips } = readSkips(record)
  return skips.map((skip) => ({ kind: 'skip', partition, seq, skip }))
}

function runIn(record: CommittedRecord): readonly HistoryRecord[] {
  const { topic, partition, offset, appendedAt } = record
  return [{ kind: 'run', topic, partition, offset, appendedAt, run: readRun(record) }]
}

export const eventHistory = (events: readonly RecordedEvent[]): readonly HistoryRecord[] =>
  events.map((event) => ({ kind: 'event', event }))

function checkpointOrOwner(record: CommittedRecord): readonly HistoryRecord[] {
  const { partition, offset, appendedAt } = record
  if (isCheckpoint(record)) {
    return [{ kind: 'checkpoint', partition, offset, appendedAt, checkpoint: readCheckpoint(record) }]
  }
  if (!isOwner(record)) return []
  const { nodeId, term } = readOwner(record)
  return [{ kind: 'owner', partition, offset, appendedAt, nodeId, term }]
}

const asCommitted = ({ topic, partition, offset, key, value, headers, appendedAt }: DumpedRecord) => ({
  topic,
  partition,
  offset,
  key,
  value,
  headers,
  appendedAt,
})
