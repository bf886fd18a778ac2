import type { PartitionId } from '@almanac/domain'
import type { Clock, LeaseStore } from '@almanac/engine'

interface Lease {
  readonly holder: string
  /** On the clock's elapsed scale: a step of the wall clock neither ends nor prolongs a lease. */
  readonly until: number
}

/**
 * Leases within this process: for standalone, where the only rivals are in the same process, and for tests.
 */
export class MemoryLeaseStore implements LeaseStore {
  readonly #clock: Clock
  readonly #leases = new Map<PartitionId, Lease>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async acquire(lease: PartitionId, holder: string, ttlMs: number): Promise<'held' | 'refused'> {
    const now = this.#clock.elapsed()
    const current = this.#leases.get(lease)
    if (current !== undefined && current.holder !== holder && now < current.until) return 'refused'
    this.#leases.set(lease, { holder, until: now + ttlMs })
    return 'held'
  }

  async release(lease: PartitionId, holder: string): Promise<void> {
    if (this.#leases.get(lease)?.holder === holder) this.#leases.delete(lease)
  }
}
