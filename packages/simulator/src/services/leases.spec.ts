import { leaseStoreContract } from '@almanac/engine/contracts/lease-store'
import { membershipContract } from '@almanac/engine/contracts/membership'
import { describe, expect, it } from 'vitest'
import { SimProcess, SimWorld } from '../world/index.js'
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

const member = (nodeId: string, instance = `${nodeId}-1`) => ({
  nodeId,
  instance,
  region: '',
  weight: 1,
  engineVersion: '1',
  tzVersion: '2025b',
})

describe('faults of the lease service', () => {
  const failing = () => {
    const world = new SimWorld({ seed: 1 })
    const process = new SimProcess(world, 'a')
    const service = new LeaseService(world)
    const leases = new SimLeaseStore(process, service)
    const membership = new SimMembership(process, service)
    const run = async <T>(promise: Promise<T>): Promise<T | string> => {
      const answer = promise.catch(({ code }: { code: string }) => code)
      await world.runFor(5_000)
      return answer
    }
    return { world, service, leases, membership, run }
  }

  it('grants everything to everybody when it lies', async () => {
    const { service, leases, membership, run } = failing()
    service.faults.isLying = true
    expect(await run(leases.acquire(1, 'a', 60_000))).toBe('held')
    expect(await run(leases.acquire(1, 'b', 60_000))).toBe('held')
    expect(await run(membership.renew(member('n', 'x'), 60_000))).toMatchObject({ outcome: 'member' })
    expect(await run(membership.renew(member('n', 'y'), 60_000))).toMatchObject({ outcome: 'member' })
  })

  it('forgets leases and members', async () => {
    const { service, leases, membership, run } = failing()
    await run(leases.acquire(1, 'a', 60_000))
    await run(membership.renew(member('n'), 60_000))
    service.flush()
    expect(await run(leases.acquire(1, 'b', 60_000))).toBe('held')
    expect(await run(membership.renew(member('m'), 60_000))).toMatchObject({ members: [member('m')] })
  })

  it('grants what is over when the answer comes, while it is frozen', async () => {
    const { world, service, leases, run } = failing()
    service.faults.frozenMs = 1_500
    let heldAt = 0
    leases.acquire(1, 'a', 1_000).then(
      () => {
        heldAt = world.now - world.start
      },
      () => {},
    )
    await world.runFor(1_200)
    service.faults.frozenMs = 0
    expect(await run(leases.acquire(1, 'b', 1_000))).toBe('held')
    expect(heldAt).toBeGreaterThanOrEqual(1_500)
  })

  it('is unavailable when it does not answer or is down, and forgets by a restart', async () => {
    const { world, service, leases, run } = failing()
    await run(leases.acquire(1, 'a', 600_000))
    world.network.link('a', 'leases').cut = 'silent'
    expect(await run(leases.acquire(1, 'b', 600_000))).toBe('unavailable')
    world.network.heal()
    expect(await run(leases.acquire(1, 'b', 600_000))).toBe('refused')
    service.restart(6_000)
    expect(await run(leases.acquire(1, 'b', 600_000))).toBe('unavailable')
    await world.runFor(2_000)
    expect(await run(leases.acquire(1, 'b', 600_000))).toBe('held')
  })

  it('lets leases end by its own clock', async () => {
    const { service, leases, run } = failing()
    service.clock.driftPpm = 1_000_000
    await run(leases.acquire(1, 'a', 9_000))
    expect(await run(leases.acquire(1, 'b', 9_000))).toBe('held')
  })
})
