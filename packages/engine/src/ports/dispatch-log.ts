import type { Checkpoint, PartitionId, RunCommand, Skip } from '@almanac/domain'

export type CommitOutcome = 'committed' | 'fenced' | 'unknown' | 'early'

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
  /**
   * The last committed checkpoint, or null when the dispatch log has none: in a new partition, and when it has
   * been lost.
   */
  readonly checkpoint: Checkpoint | null
  /**
   * `fenced`: a later claim exists, nothing was written. `unknown`: it may or may not be written; throw this
   * claim away and claim again, the new checkpoint tells. `early`: by the dispatch log's own clock `evaluatedAt`
   * has not come yet; nothing was written, the claim is still good. Throws a `PortFault` when surely nothing was
   * written and the claim is still good: `Unroutable` when it would be so again as long as some tasks' runs are in
   * it. A tick is never written twice.
   */
  commit(tick: Tick): Promise<CommitOutcome>
  release(): Promise<void>
}

/** Who has claimed a partition. */
export interface PartitionOwner {
  readonly nodeId: string
  readonly term: number
}

export interface DispatchLog {
  /**
   * Fences every earlier claimant of the partition, then returns its last committed checkpoint. The term is above
   * all earlier ones, and above `termAbove`: what a lost log no longer knows. Throws a `PortFault` when the
   * partition could not be claimed; it may have been fenced all the same.
   */
  claim(partition: PartitionId, termAbove?: number): Promise<Claim>
  /** The newest committed checkpoint that has been seen here; null: none yet. Local, may be behind. */
  seen(partition: PartitionId): Checkpoint | null
  /** The newest claimant that has been seen here; null: none yet, or they are not told apart. Local. */
  owner(partition: PartitionId): PartitionOwner | null
  /** Resolves when the log answers and could be written; throws `unavailable` when not. Changes nothing. */
  probe(): Promise<void>
}
