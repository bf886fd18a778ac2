import { leaseStoreContract } from '@almanac/engine/contracts/lease-store'
import { membershipContract } from '@almanac/engine/contracts/membership'
import { LeaseService, SimLeaseStore, SimMembership } from './index.js'
import { pumpedWorld } from './services.spec-support.js'

const made = () => {
  const { world, process, close } = pumpedWorld()
  const service = new LeaseService(world)
  const { clock } = service
  return {
    leases: new SimLeaseStore(process, service),
    membership: new SimMembership(process, service),
    pass: (ms: number) => process.clock.sleep(ms),
    stepWall: (ms: number) => {
      clock.offsetMs += ms
    },
    wall: () => clock.wall(),
    /** A request is on its way so long at most. */
    grainMs: 2,
    close,
  }
}

leaseStoreContract('simulated', async () => made())
membershipContract('simulated', async () => made())
