import type { PartitionId } from '@almanac/domain'
import { createStop, PortFault, type Stop } from '@almanac/engine'
import type { TransactionalDispatchParts } from './dispatch-parts.js'
import { markRecord } from './records.js'
import { dispatchTopics } from './topics.js'

/**
 * Knows of which partitions the reader of checkpoints has read all that was there when it began. A mark is appended to
 * each when a reading begins, and met when all before it has been read. Without marks that is never known, and counts
 * as so.
 */
export class ReadToEnd {
  private readonly parts: TransactionalDispatchParts
  private readonly open = new Map<PartitionId, ReturnType<typeof createStop>>()
  private mark = ''

  constructor(parts: TransactionalDispatchParts) {
    this.parts = parts
    for (let partition = 0; partition < (parts.marks?.partitions ?? 0); partition++) this.reopen(partition)
  }

  /** Fires when the partition has been read to its end. */
  of(partition: PartitionId): Stop {
    return this.open.get(partition) ?? over
  }

  /** A reading begins from the earliest record, and goes on until `stop`. Resolves when all marks are appended. */
  async begins(stop: Stop, retryMs: number): Promise<void> {
    const { marks, clock, random, options, onFault } = this.parts
    if (marks === undefined) return
    const mark = random.token(16)
    this.mark = mark
    for (let partition = 0; partition < marks.partitions; partition++) this.reopen(partition)
    const topics = dispatchTopics(options.prefix)
    const records = Array.from({ length: marks.partitions }, (_, partition) =>
      markRecord(topics, partition, mark),
    )
    while (!stop.stopped) {
      try {
        await marks.write(records)
        return
      } catch (fault) {
        if (!(fault instanceof PortFault)) throw fault
        onFault('marking the end of the checkpoints', fault)
        await clock.sleep(retryMs * (1 + random.next()), stop)
      }
    }
  }

  met(partition: PartitionId, mark: string): void {
    if (mark === this.mark) this.open.get(partition)?.stop()
  }

  /** Who waits goes on to wait, for the new reading. */
  private reopen(partition: PartitionId): void {
    if (this.open.get(partition)?.stopped !== false) this.open.set(partition, createStop())
  }
}

const over = createStop()
over.stop()
