import { RedisLeaseStore, RedisMembership, type RedisServers } from '@almanac/adapters/redis'
import { PortFault } from '@almanac/engine'
import { Redis } from 'ioredis'
import Redlock, { ExecutionError, type LockClient, ResourceLockedError } from 'redlock'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  freshPrefix,
  memberOf,
  type OwnServers,
  openFor,
  pass,
  Relay,
  startServers,
  unavailableSoon,
  until,
} from './redis.fixture.js'

/** What the package does when it is left alone, and what the lease store makes of it, on the same server. */
let own: OwnServers
let relay: Relay
let key: string
let client: Redis
let servers: RedisServers
let leases: RedisLeaseStore

beforeAll(async () => {
  own = await startServers(1)
})
afterAll(() => own.close())

beforeEach(async () => {
  const [server] = own.servers
  if (server === undefined) throw new Error('There is no server.')
  relay = await Relay.to(server)
  key = freshPrefix()
  client = new Redis(relay.url, { replyMapping: 'legacy' })
  client.on('error', () => {})
  await client.ping()
  servers = await openFor([relay], { deadlineMs: 1_000 })
  leases = new RedisLeaseStore(servers, { prefix: freshPrefix() })
})
afterEach(async () => {
  Date.now = realNow
  client.disconnect()
  servers.close()
  await relay.close()
})

const realNow = Date.now
const stepWall = (ms: number) => {
  Date.now = () => realNow.call(Date) + ms
}

/** Asks once the server can be reached again; a refusal is the end. */
async function holds(holder: string): Promise<boolean> {
  try {
    const answer = await leases.acquire(1, holder, 60_000)
    expect(answer).toBe('held')
    return true
  } catch (fault) {
    if (!(fault instanceof PortFault)) throw fault
    return false
  }
}

describe('an answer after the time of the lease', () => {
  it('is a lock for redlock, and no lease', async () => {
    relay.answersAfterMs = 400
    const lock = await new Redlock([client as unknown as LockClient], { retryCount: 0 }).acquire([key], 200)
    expect(lock.expiration).toBeLessThan(Date.now())
    expect(await unavailableSoon(leases.acquire(1, 'a', 200))).toContain('not answered in time')
  })
})

describe('a server that swallows everything', () => {
  it('keeps redlock waiting, and not the lease store', async () => {
    relay.isBlackHole = true
    let isOver = false
    const over = () => {
      isOver = true
    }
    void new Redlock([client as unknown as LockClient]).acquire([key], 1_000).then(over, over)
    await unavailableSoon(leases.acquire(1, 'a', 10_000))
    await unavailableSoon(leases.release(1, 'a'))
    await pass(1_000)
    expect(isOver).toBe(false)
  })

  it('is not sent later what has failed meanwhile', async () => {
    const prefix = freshPrefix()
    await new RedisMembership(servers, { prefix }).renew(memberOf('b'), 60_000)
    relay.isBlackHole = true
    await unavailableSoon(new RedisMembership(servers, { prefix }).renew(memberOf('late'), 60_000))
    relay.isBlackHole = false
    await until(() => holds('a'))
    const { members } = await new RedisMembership(servers, { prefix }).renew(memberOf('b'), 60_000)
    expect(members).toEqual([memberOf('b')])
  })
})

describe('a step of the wall clock', () => {
  it('ends a lock or makes it eternal for redlock, and changes nothing for a lease', async () => {
    const redlock = new Redlock([client as unknown as LockClient], { retryCount: 0 })
    const lock = await redlock.acquire([key], 10_000)
    expect(await leases.acquire(1, 'a', 10_000)).toBe('held')
    stepWall(3_600_000)
    await expect(redlock.extend(lock, 10_000)).rejects.toThrow('already-expired')
    expect(await leases.acquire(1, 'a', 10_000)).toBe('held')
    stepWall(-3_600_000)
    expect(lock.expiration - Date.now()).toBeGreaterThan(3_600_000)
    expect(await leases.acquire(1, 'b', 10_000)).toBe('refused')
  })
})

describe('an attempt whose answer was lost', () => {
  it('keeps redlock out by its own key, and is gone on with by the holder of a lease', async () => {
    const impatient = new Redis(relay.url, { replyMapping: 'legacy', commandTimeout: 300 })
    impatient.on('error', () => {})
    await impatient.ping()
    const redlock = new Redlock([impatient as unknown as LockClient], { retryCount: 5, retryDelay: 300 })
    await (await redlock.acquire([key], 1_000)).release()
    await leases.release(1, 'a')
    relay.answersAfterMs = 700
    const locking = redlock.acquire([key], 60_000).catch((error) => error)
    const asking = unavailableSoon(leases.acquire(1, 'a', 60_000))
    await pass(100)
    relay.answersAfterMs = 0
    const error = await locking
    expect(error).toBeInstanceOf(ExecutionError)
    const votes = await error.attempts.at(-1)
    expect([...votes.votesAgainst.values()]).toEqual([expect.any(ResourceLockedError)])
    impatient.disconnect()

    await asking
    await until(() => holds('a'))
    expect(await leases.acquire(1, 'b', 60_000)).toBe('refused')
  })
})

describe('giving back what is over', () => {
  it('fails with redlock, and is nothing with leases', async () => {
    const redlock = new Redlock([client as unknown as LockClient], { retryCount: 0 })
    const lock = await redlock.acquire([key], 50)
    await leases.acquire(1, 'a', 50)
    await pass(100)
    await expect(redlock.release(lock)).rejects.toThrow('unable to achieve a quorum')
    await leases.release(1, 'a')
  })
})

describe('a holder that is started again under its name', () => {
  it('is kept out by redlock, and has its lease', async () => {
    await new Redlock([client as unknown as LockClient], { retryCount: 0 }).acquire([key], 60_000)
    await leases.acquire(1, 'a', 60_000)
    await expect(
      new Redlock([client as unknown as LockClient], { retryCount: 0 }).acquire([key], 60_000),
    ).rejects.toThrow()
    const again = await openFor([relay])
    const prefix = freshPrefix()
    await new RedisLeaseStore(servers, { prefix }).acquire(1, 'a', 60_000)
    expect(await new RedisLeaseStore(again, { prefix }).acquire(1, 'a', 60_000)).toBe('held')
    again.close()
  })
})

describe('a server that has forgotten', () => {
  it('grants a lease to a second holder while the first believes in it: the term keeps that harmless', async () => {
    expect(await leases.acquire(1, 'a', 60_000)).toBe('held')
    await client.flushall()
    expect(await leases.acquire(1, 'b', 60_000)).toBe('held')
    expect(await leases.acquire(1, 'a', 60_000)).toBe('refused')
  })
})
