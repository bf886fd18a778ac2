import type { PartitionId } from '@almanac/domain'

/** Who should own a partition. A lease saves work; the term keeps safety. */
export interface LeaseStore {
  /** Takes or extends the lease for `ttlMs`, counted from when the call was made. */
  acquire(lease: PartitionId, holder: string, ttlMs: number): Promise<'held' | 'refused'>
  /** Gives it back; does nothing when somebody else holds it. */
  release(lease: PartitionId, holder: string): Promise<void>
}
