import type { PartitionId } from '@almanac/domain'
import type { Clock, Stop } from '../ports/clock.js'
import { createStop } from '../stop.js'

/**
 * How the time of an owner ended. `failed`: the partition could not be claimed or filled, or a port failed.
 * `halted`: its checkpoint is lost, and the configuration says that a person has to look first.
 */
export type TenureEnd = 'released' | 'fenced' | 'unknown' | 'failed' | 'halted'

/**
 * Says when this node should own a partition. It saves work and spreads load; who may write is the dispatch log's
 * term alone, so that an answer that is wrong costs work and not safety.
 */
export interface Tenure {
  /** True when this node starts with all partitions: they are opened together. */
  readonly ownsAll: boolean
  /**
   * Resolves once the node should own the partition, with a stop that fires when it should let go; undefined when
   * `stop` fires first.
   */
  begin(partition: PartitionId, stop: Stop): Promise<Stop | undefined>
  /**
   * Whether the owner may tick just now. False after its process stood still for longer than its lease: then it is
   * worth asking first. It waits, and keeps what it has.
   */
  holds(partition: PartitionId): boolean
  /** Tells how it ended: the partition is given back, tried again soon, or left to others for a while. */
  end(partition: PartitionId, how: TenureEnd): Promise<void>
  /** A tick has come to an end: `parked` ones show that something this node needs is out of reach. */
  ticked(partition: PartitionId, isParked: boolean): void
}

/** The only node there is: every partition is its own, always; what went wrong is tried again after a pause. */
export class SoleTenure implements Tenure {
  readonly ownsAll = true
  private readonly clock: Clock
  private readonly retryMs: number
  private readonly failed = new Set<PartitionId>()

  constructor(clock: Clock, retryMs: number) {
    this.clock = clock
    this.retryMs = retryMs
  }

  async begin(partition: PartitionId, stop: Stop): Promise<Stop | undefined> {
    if (this.failed.delete(partition)) await this.clock.sleep(this.retryMs, stop)
    return stop.stopped ? undefined : createStop()
  }

  holds(): boolean {
    return true
  }

  async end(partition: PartitionId, how: TenureEnd): Promise<void> {
    if (how !== 'released') this.failed.add(partition)
  }

  ticked(): void {}
}
