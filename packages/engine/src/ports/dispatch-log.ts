import type { Checkpoint, PartitionId, RunCommand, Skip } from '@almanac/domain'

export type CommitOutcome = 'committed' | 'fenced' | 'unknown'

/** One tick's decisions: all of it is committed, or nothing. */
export interface Tick {
  readonly runs: readonly RunCommand[]
  readonly skips: readonly Skip[]
  /** Tasks whose run totals start again from nothing, before this tick's runs are counted. */
  readonly resets: readonly string[]
  readonly next: Checkpoint
}

/** The right to decide for a partition, until somebody else claims it. */
export interface Claim {
  readonly partition: PartitionId
  readonly term: number
  /** The last committed checkpoint, or null when the partition has none yet. */
  readonly checkpoint: Checkpoint | null
  /**
   * `fenced`: a later claim exists, nothing was written. `unknown`: it may or may not be written; throw this
   * claim away and claim again, the new checkpoint tells. A run id that was committed before is never written
   * twice.
   */
  commit(tick: Tick): Promise<CommitOutcome>
  release(): Promise<void>
}

export interface DispatchLog {
  /** Fences every earlier claimant of the partition, then returns its last committed checkpoint. */
  claim(partition: PartitionId): Promise<Claim>
}
