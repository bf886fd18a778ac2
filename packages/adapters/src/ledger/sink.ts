import type { PartitionId, RunCommand, Skip } from '@almanac/domain'
import type { RunEvent } from '@almanac/protocol'
import type { Instant } from '@almanac/recurrence'
import type { TaskTotals, TickMark } from './totals.js'

/** Where a record stood in its topic. */
export interface Place {
  /** The log's partition, not the scheduler's. */
  readonly partition: number
  readonly offset: number
  /** By the log's clock. */
  readonly appendedAt: Instant
}

export interface SeenRun extends Place {
  readonly run: RunCommand
  /** The tick that it was committed with. */
  readonly mark: TickMark
  /** The record's value, as it was. */
  readonly text: string
}

/** What one tick, or a part of a big one, decided not to run. */
export interface SeenSkips extends Place {
  readonly owner: PartitionId
  readonly mark: TickMark
  readonly decidedAt: Instant
  readonly skips: readonly Skip[]
  /** Tasks whose run totals start again from nothing, before the tick's runs are counted. */
  readonly resets: readonly string[]
}

export interface SeenEvent extends Place {
  readonly event: RunEvent
}

/** What was read of one topic, in the order of its partitions. */
export interface LedgerBatch {
  readonly topic: string
  readonly runs: readonly SeenRun[]
  readonly skips: readonly SeenSkips[]
  readonly events: readonly SeenEvent[]
  readonly totals: readonly TaskTotals[]
  /** The offset after the last record of each partition that the batch holds some of, read or passed over. */
  readonly next: ReadonlyMap<number, number>
}

/** Which topics a ledger is made of, beside those of runs and run events. */
export type LedgerInterest = 'skips' | 'totals'

/** Where what is read of the topics is kept. */
export interface LedgerSink {
  readonly interests: readonly LedgerInterest[]
  /**
   * Takes in a batch together with the offsets that follow it: after a crash both are there or neither. What it holds
   * twice or late is passed over and counted. Throws a `PortFault` when nothing of it was taken in.
   */
  apply(batch: LedgerBatch): void
  /** The next offset that is wanted of each partition of the topic; empty: everything. */
  offsets(topic: string): ReadonlyMap<number, number>
  /** Told when reading begins, how to learn whether every topic has been read to its end. */
  watch(isCaughtUp: () => boolean): void
  /** What was passed over, by why. */
  readonly passedOver: ReadonlyMap<string, number>
}
