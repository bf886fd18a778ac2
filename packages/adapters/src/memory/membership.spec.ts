import { ManualClock } from '@almanac/engine'
import { membershipContract } from '@almanac/engine/contracts/membership'
import { MemoryMembership } from './membership.js'

membershipContract('in memory', async () => {
  const clock = new ManualClock(1_700_000_000_000)
  return {
    membership: new MemoryMembership(clock),
    pass: (ms) => clock.advance(ms),
    stepWall: (ms) => clock.step(clock.now() + ms),
    wall: () => clock.now(),
    grainMs: 0,
    close: async () => {},
  }
})
