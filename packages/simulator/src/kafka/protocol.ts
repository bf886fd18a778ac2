import type { Instant } from '@almanac/recurrence'

/** The broker's error codes that clients of this model meet, by Kafka's names. */
export type KafkaError =
  | 'BROKER_NOT_AVAILABLE'
  | 'CONCURRENT_TRANSACTIONS'
  | 'COORDINATOR_LOAD_IN_PROGRESS'
  | 'INVALID_PRODUCER_EPOCH'
  | 'INVALID_PRODUCER_ID_MAPPING'
  | 'INVALID_TXN_STATE'
  | 'NOT_COORDINATOR'
  | 'NOT_ENOUGH_REPLICAS'
  | 'OFFSET_OUT_OF_RANGE'
  | 'OUT_OF_ORDER_SEQUENCE_NUMBER'
  | 'UNKNOWN_TOPIC_OR_PARTITION'

export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: KafkaError }

/** An answer with nothing in it. */
export type Done = Answer<null>

export const succeed = <T>(value: T): Answer<T> => ({ ok: true, value })
export const refuse = (error: KafkaError): { readonly ok: false; readonly error: KafkaError } => ({
  ok: false,
  error,
})
export const done: Done = succeed(null)

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** What a topic is configured with; times in ms. */
export interface TopicConfig {
  /** How many; never changes. */
  readonly partitions: number
  /** What is removed: records that are too old, or older records of the same key unless they are too young. */
  readonly cleanup:
    | { readonly policy: 'delete'; readonly retentionMs: number }
    | { readonly policy: 'compact'; readonly minCompactionLagMs: number }
  /** Whose time a record carries, and retention goes by: the broker's, or what the producer says. */
  readonly timestamps: 'LogAppendTime' | 'CreateTime'
}

export type Isolation = 'read_committed' | 'read_uncommitted'

export interface Producer {
  readonly producerId: number
  readonly epoch: number
}

export interface ProducedRecord {
  readonly key: string
  readonly value: string
  readonly headers: { readonly [name: string]: string }
  /** The producer's own time; kept only where the topic says `CreateTime`. */
  readonly timestamp: Instant
}

/** One batch of a producer for one partition. */
export interface Batch extends Producer, TopicPartition {
  readonly transactionalId: string
  /** Of its first record; counts up by one a record, for each epoch and partition from 0. */
  readonly sequence: number
  readonly records: readonly ProducedRecord[]
}

export interface Appended {
  readonly baseOffset: number
  /** -1 where the topic says `CreateTime`, as Kafka answers. */
  readonly logAppendTime: Instant
}

/** What a batch's transaction has come to in one partition. */
export interface Span {
  readonly firstOffset: number
  state: 'open' | 'committed' | 'aborted'
}

/** A record in a partition's log. */
export interface LoggedRecord extends ProducedRecord, Producer {
  readonly kind: 'record'
  readonly offset: number
  readonly sequence: number
  /** By the broker's clock, whatever the topic's timestamps are. */
  readonly appendedAt: Instant
  readonly span: Span
}

/** Where a transaction ended in a partition. */
export interface Marker extends Producer {
  readonly kind: 'marker'
  readonly offset: number
  readonly appendedAt: Instant
  readonly commit: boolean
}

export type Entry = LoggedRecord | Marker

/** A record that was committed once, for the checker. */
export interface DumpedRecord extends LoggedRecord, TopicPartition {
  /** Counts how often the topic has been created: offsets start again with each. */
  readonly incarnation: number
}

export interface FetchRequest {
  readonly topic: string
  /** The next offset wanted, by partition; null: not fetched. */
  readonly offsets: readonly (number | null)[]
  readonly isolation: Isolation
  /** Records of one partition in one answer at most. */
  readonly maxRecords: number
  /** When there is nothing, the broker waits this long for something, ms. */
  readonly maxWaitMs: number
}

/** What a fetch found in one partition. */
export interface Fetched {
  readonly partition: number
  readonly records: readonly LoggedRecord[]
  /** Where to go on; past markers and what was aborted. */
  readonly nextOffset: number
}

export interface Watermarks {
  readonly logStartOffset: number
  readonly lastStableOffset: number
  readonly highWatermark: number
}

/**
 * How the broker behaves. Times in ms. Faults may change the fields while the world runs; what is under way keeps
 * what it was drawn with.
 */
export interface KafkaTuning {
  brokers: number
  /** Each marker is written this long after its transaction's end was decided. */
  markerMinMs: number
  markerMaxMs: number
  /** Chance that a marker takes `slowMarkerMs` longer: a busy partition leader. In [0, 1]. */
  slowMarkerRate: number
  slowMarkerMs: number
  /** How often transactions that took too long are looked for. */
  abortScanMs: number
  /** A transactional id that is idle for this long is forgotten. */
  transactionalIdExpirationMs: number
  /** A group's offset is forgotten this long after it was committed. */
  offsetsRetentionMs: number
  /** The highest epoch of a producer id, used to fence its last holder. An int16's highest in Kafka. */
  lastEpoch: number
  /** Whether a partition leader asks the coordinator before a batch opens a transaction (Kafka 3.6 and later). */
  verifiesTransactions: boolean
  retentionCheckMs: number
  compactionCheckMs: number
  /** Share of a compacted log's old records that must be new since the last compaction. In [0, 1]. */
  minDirtyRatio: number
  /** After a restart the coordinator reads its state for this long. */
  loadAfterRestartMs: number
  /** The brokers' wall clock less true time. */
  clockOffsetMs: number
}

export const defaultTuning: Readonly<KafkaTuning> = {
  brokers: 3,
  markerMinMs: 1,
  markerMaxMs: 15,
  slowMarkerRate: 0.01,
  slowMarkerMs: 300,
  abortScanMs: 10_000,
  transactionalIdExpirationMs: 7 * 86_400_000,
  offsetsRetentionMs: 7 * 86_400_000,
  lastEpoch: 32_767,
  verifiesTransactions: true,
  retentionCheckMs: 300_000,
  compactionCheckMs: 60_000,
  minDirtyRatio: 0.5,
  loadAfterRestartMs: 1000,
  clockOffsetMs: 0,
}
