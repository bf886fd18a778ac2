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

/** Everything that the broker has ever committed for the cluster, as records of a history. */
export function committedHistory(
  kafka: KafkaModel,
  topics: DispatchTopics,
  runTopics: readonly string[],
): readonly HistoryRecord[] {
  const records = (topic: string) => kafka.committedDump(topic).map(asCommitted)
  return [
    ...records(topics.checkpoints).flatMap(checkpointOrOwner),
    ...records(topics.skips).flatMap((record) => {
      const { partition, seq, skips } = readSkips(record)
      return skips.map((skip) => ({ kind: 'skip', partition, seq, skip }) as const)
    }),
    ...runTopics.flatMap(records).map((record) => {
      const { topic, partition, offset, appendedAt } = record
      return { kind: 'run', topic, partition, offset, appendedAt, run: readRun(record) } as const
    }),
  ]
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
