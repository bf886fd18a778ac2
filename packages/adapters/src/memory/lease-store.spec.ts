import { ManualClock } from '@almanac/engine'
import { leaseStoreContract } from '@almanac/engine/contracts/lease-store'
import { MemoryLeaseStore } from './lease-store.js'

leaseStoreContract('in memory', async () => {
  const clock = new ManualClock(1_700_000_000_000)
  return {
    leases: new MemoryLeaseStore(clock),
    pass: (ms) => clock.advance(ms),
    stepWall: (ms) => clock.step(clock.now() + ms),
    grainMs: 0,
    close: async () => {},
  }
})
