import type { PartitionId } from '@almanac/domain'
import type { Stop } from '../ports/clock.js'

/** How the time of an owner ended. `failed`: the partition could not be claimed or filled, or a port failed. */
export type TenureEnd = 'released' | 'fenced' | 'unknown' | 'failed'

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
  /** Tells how it ended: the partition is given back, tried again soon, or left to others for a while. */
  end(partition: PartitionId, how: TenureEnd): Promise<void>
  /** A tick has come to an end: `parked` ones show that something this node needs is out of reach. */
  ticked(partition: PartitionId, isParked: boolean): void
}
