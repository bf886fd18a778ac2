import type { TransactionLogFixture } from '@almanac/adapters/transactions/contract'
import type {
  Appended,
  Batch,
  Isolation,
  Producer,
  TopicConfig,
  TopicPartition,
  Watermarks,
} from '@almanac/simulator'

/** An answer, or the broker's error by Kafka's name. */
export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: string }

export interface FetchedValues {
  readonly records: readonly { readonly offset: number; readonly value: string; readonly timestamp: number }[]
  /** Where a reader goes on, past markers and what was aborted. */
  readonly nextOffset: number
}

/** The requests of Kafka's protocol that the model has, in the versions that kafkajs speaks. */
export interface BrokerRequests {
  initProducerId(transactionalId: string, timeoutMs: number): Promise<Answer<Producer>>
  addPartitionsToTxn(
    transactionalId: string,
    producer: Producer,
    places: readonly TopicPartition[],
  ): Promise<Answer<null>>
  produce(batch: Batch): Promise<Answer<Appended>>
  endTxn(transactionalId: string, producer: Producer, commit: boolean): Promise<Answer<null>>
  /** What there is now, without waiting. */
  fetch(place: TopicPartition, offset: number, isolation: Isolation): Promise<Answer<FetchedValues>>
  watermarks(place: TopicPartition): Promise<Answer<Watermarks>>
  /** AddOffsetsToTxn and TxnOffsetCommit. */
  txnOffsetCommit(
    transactionalId: string,
    producer: Producer,
    group: string,
    place: TopicPartition,
    offset: number,
  ): Promise<Answer<null>>
  /** -1: there is none. */
  offsetFetch(group: string, place: TopicPartition): Promise<Answer<number>>
}

/** A process that is in the middle of a transaction, and can be stopped there. */
export interface NodeInTransaction {
  /** Resolves when the process has sent what it has to, and before it commits. */
  readonly sent: Promise<void>
  /** How the commit ended, or the fault's code. */
  readonly outcome: Promise<string>
  /** It stands still from now until it is thawed, as with SIGSTOP. */
  freeze(): void
  thaw(): void
}

/** A broker, real or modelled, with its clients and its network. Names of topics and ids are its own affair. */
export interface ConformanceSubject {
  readonly broker: BrokerRequests
  /** Clients under the port, with faults of the network between them and the broker. */
  readonly clients: TransactionLogFixture
  /** Before all names, so that scenarios do not meet. */
  readonly prefix: string
  createTopic(name: string, config: TopicConfig): Promise<void>
  /** Takes the id over, sends, waits for a while and commits, in a process of its own. */
  transactAlone(transactionalId: string, topic: string, value: string): NodeInTransaction
  /** Makes a consumer group have a member that reads the topic, where there are members. */
  joinGroup(group: string, topic: string): Promise<void>
  /** All brokers die at once, without any warning. */
  kill(): Promise<void>
  /** They are back, and answer; it takes the subject's own time. */
  restart(): Promise<void>
  /** Resolves when fewer than `written` committed records are left of partition 0, because it has been compacted. */
  compact(topic: string, written: number): Promise<void>
  /** Time that costs are measured with, ms; stands still where time costs nothing. */
  elapsed(): number
  /** Tells of something that is measured and not compared. */
  report(line: string): void
  close(): Promise<void>
}
