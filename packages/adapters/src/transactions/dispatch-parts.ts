import type { Checkpoint, PartitionId } from '@almanac/domain'
import type { Clock, Random } from '@almanac/engine'
import type { Instant } from '@almanac/recurrence'
import type { LogRecord, TransactionLog } from './transaction-log.js'

/** How ticks are committed. Every duration is in milliseconds. */
export interface TransactionalDispatchOptions {
  /** Before the names of all topics and transactional ids of the cluster. Never changes. */
  readonly prefix: string
  /** A tick that the log dates earlier than its `evaluatedAt` by more than this is not committed. */
  readonly earlyToleranceMs: number
  /**
   * A tick that is not committed within this after it was handed over is taken back, and the claim thrown away: a
   * process that stood still must not commit what was decided long ago.
   */
  readonly commitDeadlineMs: number
  /** A claim that takes longer than this fails. */
  readonly claimDeadlineMs: number
  /** How long the reader of checkpoints waits before it begins again, and up to twice as long. */
  readonly backoffMs: number
  /** Records of one request; bigger ticks are sent in several, in one transaction. */
  readonly maxRecordsPerSend: number
}

export const defaultTransactionalDispatchOptions = {
  earlyToleranceMs: 250,
  commitDeadlineMs: 2_000,
  claimDeadlineMs: 10_000,
  backoffMs: 500,
  maxRecordsPerSend: 1_000,
} as const satisfies Partial<TransactionalDispatchOptions>

/** How a reader marks where the end was when it began. */
export interface ReadMarks {
  /** Of the scheduler. */
  readonly partitions: number
  /**
   * Appends outside of transactions: one that is open in all partitions would hold up all claims. Throws a `PortFault`.
   */
  write(records: readonly LogRecord[]): Promise<void>
}

/** What the dispatch log is made of. */
export interface TransactionalDispatchParts {
  readonly log: TransactionLog
  readonly clock: Clock
  /** Nonces come from it: they must not repeat among nodes. */
  readonly random: Random
  /** In every owner record. */
  readonly nodeId: string
  /**
   * Tells the event log from every other one, and is in every owner record: where the records are of another one,
   * nothing is claimed. Two clusters that share a prefix by mistake would each go on from the other's checkpoints, and
   * both lose occurrences. Absent: not looked at.
   */
  readonly eventLogId?: string
  readonly options: Pick<TransactionalDispatchOptions, 'prefix'> & Partial<TransactionalDispatchOptions>
  /** The log's clock, learnt from a request; `askedAt` and `answeredAt` are elapsed time of this node's clock. */
  readonly onServerTime?: (serverTime: Instant, askedAt: number, answeredAt: number) => void
  /** A newer checkpoint than any before has been seen: another node's, or one's own as soon as it is committed. */
  readonly onCommitted?: (partition: PartitionId, checkpoint: Checkpoint) => void
  /**
   * With it the reader of checkpoints finds out when it has come to the end of what was there, and a partition is not
   * claimed before: such a claim would throw out its owner, and come to nothing. Absent: claims do not wait.
   */
  readonly marks?: ReadMarks
  /** Something went wrong and is tried again, or left to who claims next. */
  readonly onFault: (message: string, fault: unknown) => void
}
