import type { Instant } from '@almanac/recurrence'
import type { Checkpoint } from '../dispatch/types.js'

/** Events of the streams `partition-<p>`: what a partition's owners leave in the event log. */

/** The partition began: occurrences count from there. */
export interface PartitionInitialized {
  readonly at: Instant
}

/**
 * How far the partition was: the mirror of its checkpoint. Recovery starts from the newest one when the dispatch log
 * has lost the checkpoint.
 */
export interface PartitionProgress {
  /** `takeover`: a node has claimed it; `handover`: it was given back; `interval`: time has passed. */
  readonly cause: 'takeover' | 'handover' | 'interval'
  readonly nodeId: string
  readonly term: number
  /** Null: nothing had been decided yet. */
  readonly checkpoint: Checkpoint | null
}

/** The checkpoint was lost, and the partition went on from the mirror. */
export interface PartitionRecovered {
  readonly nodeId: string
  readonly term: number
  readonly checkpoint: Checkpoint
}
