import { RedisRateLimiter, type RedisServers } from '@almanac/adapters/redis'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { freshPrefix, type OwnServers, openFor, startServers, until } from './redis.fixture.js'

let own: OwnServers
let one: RedisServers
let two: RedisServers
let prefix: string
beforeAll(async () => {
  own = await startServers(1)
  one = await openFor(own.servers)
  two = await openFor(own.servers)
})
afterAll(async () => {
  one.close()
  two.close()
  await own.close()
})
beforeEach(() => {
  prefix = freshPrefix()
})

const nodes = () => [one, two].map((servers) => new RedisRateLimiter(servers, { prefix }))
const rate = { perSecond: 0.5, burst: 40 }

describe('a rate that nodes share', () => {
  it('is one rate for all of them', async () => {
    const limiters = nodes()
    const asked = Array.from({ length: 100 }, (_, n) => limiters[n % 2]?.take('caller|k', rate) ?? -1)
    const waits = await Promise.all(asked)
    // One more comes every two seconds, and this takes none.
    expect(waits.filter((ms) => ms === 0).length).toBeGreaterThanOrEqual(40)
    expect(waits.filter((ms) => ms === 0).length).toBeLessThanOrEqual(42)
    for (const ms of waits.filter((each) => each > 0)) expect(ms).toBeLessThanOrEqual(2_000)
    expect(await limiters[0]?.take('caller|other', rate)).toBe(0)
  })

  it('is taken some in advance, so that not every request asks', async () => {
    const [limiter] = nodes()
    const fast = { perSecond: 1_000, burst: 1_000 }
    expect(await limiter?.take('caller|k', fast)).toBe(0)
    const next = Array.from({ length: 19 }, () => limiter?.take('caller|k', fast))
    expect(next.every((answer) => answer === 0)).toBe(true)
  })

  it("is each node's own while Redis is away, and is shared again when it is back", {
    timeout: 60_000,
  }, async () => {
    const [limiter] = nodes()
    const [server] = own.servers
    await server?.kill()
    const waits = []
    for (let n = 0; n < 45; n += 1) waits.push(await limiter?.take('caller|k', rate))
    expect(waits.filter((ms) => ms === 0)).toHaveLength(40)
    await server?.start()
    await until(() => one.isReady)
    // Redis has begun anew, and knows of no use.
    expect(await limiter?.take('caller|k', rate)).toBe(0)
  })
})
