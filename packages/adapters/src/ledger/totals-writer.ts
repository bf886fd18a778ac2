import { type PartitionId, partitionOf } from '@almanac/domain'
import { type Clock, PortFault, type Stop } from '@almanac/engine'
import type { Instant } from '@almanac/recurrence'
import { dispatchTopics } from '../transactions/topics.js'
import type { RecordWriter } from './record-writer.js'
import { type TaskTotals, totalsText } from './totals.js'

/** A ledger that knows which of its totals the topic lacks. */
export interface TotalsSource {
  /**
   * Of those that it has lacked since `until` or longer the ones that are wanted, the oldest first. None as long as the
   * topic has not been read.
   */
  unwritten(
    until: Instant,
    max: number,
    isWanted: (taskId: string, since: Instant) => boolean,
  ): readonly TaskTotals[]
  /** They are on their way; they are unwritten again if they have not come back from the topic by then. */
  wrote(taskIds: readonly string[], now: Instant): void
}

/** When totals are written. Every duration is in milliseconds. */
export interface TotalsWriterOptions {
  /** Before the names of all topics of the cluster. */
  readonly prefix: string
  /** Of the scheduler. */
  readonly partitions: number
  /** The totals of a task are written at most once in so long. */
  readonly everyMs: number
  /** What the owner of a task's partition has not written for so long, anybody writes. */
  readonly strangerMs: number
  /** Records that are written at once. */
  readonly maxRecords: number
}

export const defaultTotalsWriterOptions = {
  everyMs: 10_000,
  strangerMs: 60_000,
  maxRecords: 1_000,
} as const satisfies Partial<TotalsWriterOptions>

export interface TotalsWriterParts {
  readonly source: TotalsSource
  readonly writer: RecordWriter
  readonly clock: Clock
  /** Whether this node owns the partition. That two may think so does no harm: each record is true by itself. */
  readonly isOwner: (partition: PartitionId) => boolean
  /** Something went wrong and is tried again. */
  readonly onFault: (message: string, fault: unknown) => void
  readonly options: Pick<TotalsWriterOptions, 'prefix' | 'partitions'> & Partial<TotalsWriterOptions>
}

/** Writes run totals to their topic, so that they outlive the topics of runs and the file of any node. */
export class TotalsWriter {
  private readonly parts: TotalsWriterParts
  private readonly options: TotalsWriterOptions

  constructor(parts: TotalsWriterParts) {
    this.parts = parts
    this.options = { ...defaultTotalsWriterOptions, ...parts.options }
  }

  /** Writes now and then until `stop`, and once more then. */
  async run(stop: Stop): Promise<void> {
    const { clock } = this.parts
    while (!stop.stopped) {
      await clock.sleep(this.options.everyMs / 2, stop)
      await this.attempt(clock.now() - (stop.stopped ? 0 : this.options.everyMs))
    }
  }

  /** What the topic has lacked since `until`; answers how many were written. */
  async write(until: Instant): Promise<number> {
    const { source, writer, clock, isOwner } = this.parts
    const { prefix, partitions, strangerMs, maxRecords } = this.options
    const topic = dispatchTopics(prefix).totals
    let written = 0
    for (;;) {
      const now = clock.now()
      const isWanted = (taskId: string, since: Instant) =>
        isOwner(partitionOf(taskId, partitions)) || since <= now - strangerMs
      const found = source.unwritten(until, maxRecords, isWanted)
      if (found.length === 0) return written
      await writer.write(
        found.map((totals) => ({ topic, partition: null, key: totals.taskId, value: totalsText(totals) })),
      )
      // Later than `until`, so that the next round does not find them again.
      const at = Math.max(now, until + 1)
      source.wrote(
        found.map(({ taskId }) => taskId),
        at,
      )
      written += found.length
    }
  }

  private async attempt(until: Instant): Promise<void> {
    try {
      await this.write(until)
    } catch (fault) {
      if (!(fault instanceof PortFault)) throw fault
      this.parts.onFault('writing run totals', fault)
    }
  }
}
