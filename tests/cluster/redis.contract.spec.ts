import { RedisLeaseStore, RedisMembership } from '@almanac/adapters/redis'
import { leaseStoreContract } from '@almanac/engine/contracts/lease-store'
import { membershipContract } from '@almanac/engine/contracts/membership'
import { afterAll, beforeAll, describe } from 'vitest'
import { freshPrefix, type OwnServers, openFor, pass, startServers } from './redis.fixture.js'

/** A step of this process' clock: nobody can step the server's here. Nothing may be judged by either. */
class SteppedWall {
  private readonly own = Date.now
  private stepped = 0

  readonly step = (ms: number): void => {
    this.stepped += ms
    Date.now = () => this.own.call(Date) + this.stepped
  }

  readonly server = (): number => this.own.call(Date)

  restore(): void {
    Date.now = this.own
  }
}

/** Redis ends a time within a few milliseconds; the rest is for timers of this process on a busy machine. */
const grainMs = 40

describe.each([1, 3])('with %i servers', (count) => {
  let own: OwnServers
  beforeAll(async () => {
    own = await startServers(count)
  })
  afterAll(() => own.close())

  leaseStoreContract(`redis, ${count}`, async () => {
    const servers = await openFor(own.servers)
    const wall = new SteppedWall()
    return {
      leases: new RedisLeaseStore(servers, { prefix: freshPrefix() }),
      pass,
      stepWall: wall.step,
      grainMs,
      close: async () => {
        wall.restore()
        servers.close()
      },
    }
  })

  membershipContract(`redis, ${count}`, async () => {
    const servers = await openFor(own.servers)
    const wall = new SteppedWall()
    return {
      membership: new RedisMembership(servers, { prefix: freshPrefix() }),
      pass,
      stepWall: wall.step,
      wall: wall.server,
      grainMs,
      close: async () => {
        wall.restore()
        servers.close()
      },
    }
  })
})
