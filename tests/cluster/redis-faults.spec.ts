import { RedisLeaseStore, RedisMembership, type RedisServers } from '@almanac/adapters/redis'
import type { Member } from '@almanac/domain'
import type { RedisServer } from '@almanac/infra'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  freshPrefix,
  memberOf,
  type OwnServers,
  openFor,
  Relay,
  startServers,
  unavailableSoon,
  until,
} from './redis.fixture.js'

const deadlineMs = 600
const ttlMs = 30_000

let own: OwnServers
let servers: RedisServers
let notices: string[]
let prefix: string
let leases: RedisLeaseStore
let membership: RedisMembership

async function setUp(count: number): Promise<void> {
  own = await startServers(count)
  notices = []
  prefix = freshPrefix()
  servers = await openFor(own.servers, { deadlineMs, notice: (message) => notices.push(message) })
  leases = new RedisLeaseStore(servers, { prefix })
  membership = new RedisMembership(servers, { prefix })
}

async function tearDown(): Promise<void> {
  servers.close()
  await own.close()
}

const server = (n: number): RedisServer => {
  const found = own.servers[n]
  if (found === undefined) throw new Error(`There is no server ${n}.`)
  return found
}

const renew = (nodeId: string, changes: Partial<Member> = {}) =>
  membership.renew(memberOf(nodeId, changes), ttlMs)

const idsSeenBy = async (nodeId: string) => (await renew(nodeId)).members.map((member) => member.nodeId)

async function allUnavailable(): Promise<void> {
  const partitions = Array.from({ length: 64 }, (_, partition) => partition)
  await Promise.all([
    ...partitions.map((partition) => unavailableSoon(leases.acquire(partition, 'a', ttlMs))),
    unavailableSoon(leases.release(1, 'a')),
    unavailableSoon(renew('a')),
    unavailableSoon(membership.leave('a', 'a-first')),
  ])
}

const isBack = () =>
  until(() =>
    leases.acquire(99, 'probe', 1_000).then(
      () => true,
      () => false,
    ),
  )

describe('the only server', () => {
  beforeEach(() => setUp(1))
  afterEach(tearDown)

  it('is killed, and comes back empty', async () => {
    await leases.acquire(1, 'a', ttlMs)
    await renew('a')
    await renew('b')
    await server(0).kill()
    await until(() => !servers.isReady)
    await allUnavailable()
    await server(0).start()
    await isBack()
    expect(await leases.acquire(1, 'b', ttlMs)).toBe('held')
    expect(notices).toEqual([
      expect.stringMatching(/^Redis 127.0.0.1:\d+ can not be reached: /),
      expect.stringMatching(/can be reached again$/),
    ])
  })

  it('stands still, and goes on with what it had', async () => {
    await leases.acquire(1, 'b', ttlMs)
    await renew('b')
    server(0).freeze()
    await allUnavailable()
    await allUnavailable()
    server(0).thaw()
    await isBack()
    expect(await leases.acquire(1, 'c', ttlMs)).toBe('refused')
    expect(await idsSeenBy('c')).toContain('b')
  })

  it('is kept out of by a wrong password, and says so', async () => {
    const url = server(0).url.replace('//', '//nobody:wrong@')
    const stranger = await openFor([{ url }], { deadlineMs })
    const message = await unavailableSoon(new RedisLeaseStore(stranger, { prefix }).acquire(1, 'a', ttlMs))
    expect(message).toContain('WRONGPASS')
    expect(message).not.toContain('nobody')
    stranger.close()
  })

  it('was not there at the start', async () => {
    await server(0).stop()
    servers.close()
    servers = await openFor(own.servers, { deadlineMs })
    leases = new RedisLeaseStore(servers, { prefix })
    membership = new RedisMembership(servers, { prefix })
    await allUnavailable()
    await server(0).start()
    await isBack()
  })

  it('loses its members, and nobody who lives is taken for gone', async () => {
    const other = new RedisMembership(servers, { prefix })
    await renew('a')
    await other.renew(memberOf('b'), ttlMs)
    expect(await idsSeenBy('a')).toEqual(['a', 'b'])
    await servers.all[0]?.eval("return redis.call('flushall')", 0, [])
    expect(await idsSeenBy('a')).toEqual(['a', 'b'])
    expect((await other.renew(memberOf('b'), ttlMs)).members.map(({ nodeId }) => nodeId)).toEqual(['a', 'b'])
    // Who knew nobody before can't know better.
    const stranger = new RedisMembership(servers, { prefix })
    expect((await stranger.renew(memberOf('c'), ttlMs)).members).toHaveLength(3)
  })

  it('swallows everything, and leaves neither timers nor connections when it is given up', async () => {
    const relay = await Relay.to(server(0))
    const before = resources()
    const away = await openFor([relay], { deadlineMs })
    const gone = new RedisLeaseStore(away, { prefix })
    await gone.acquire(1, 'a', ttlMs)
    relay.isBlackHole = true
    await Promise.all(Array.from({ length: 64 }, (_, n) => unavailableSoon(gone.acquire(n, 'a', ttlMs))))
    away.close()
    await unavailableSoon(gone.acquire(1, 'a', ttlMs))
    await relay.close()
    await until(() => resources() <= before)
  })

  it('loses its connections without a word, and is connected to anew', async () => {
    const relay = await Relay.to(server(0))
    servers.close()
    servers = await openFor([relay], { deadlineMs })
    leases = new RedisLeaseStore(servers, { prefix })
    await leases.acquire(1, 'a', ttlMs)
    relay.forgetConnections()
    await unavailableSoon(leases.acquire(1, 'a', ttlMs))
    await isBack()
    expect(await leases.acquire(1, 'b', ttlMs)).toBe('refused')
    await relay.close()
  })
})

/** What keeps this process alive: timers and sockets. */
const resources = (): number =>
  process.getActiveResourcesInfo().filter((name) => /Timeout|TCPSocket|TCPConnect/.test(name)).length

describe('one of three', () => {
  beforeEach(() => setUp(3))
  afterEach(tearDown)

  it.each(['kill', 'freeze'] as const)('is lost by %s: all goes on', async (how) => {
    await leases.acquire(1, 'a', ttlMs)
    await renew('b')
    await server(2)[how]()
    for (let round = 0; round < 3; round += 1) {
      expect(await leases.acquire(1, 'a', ttlMs)).toBe('held')
      expect(await leases.acquire(1, 'b', ttlMs)).toBe('refused')
      expect(await idsSeenBy('a')).toEqual(['a', 'b'])
    }
    await leases.release(1, 'a')
    expect(await leases.acquire(1, 'b', ttlMs)).toBe('held')
    await membership.leave('b', 'b-first')
    expect(await idsSeenBy('a')).toEqual(['a'])
  })

  it('is empty after a restart: leases and members stay', async () => {
    await leases.acquire(1, 'a', ttlMs)
    await renew('a')
    await renew('b')
    await server(0).kill()
    await server(0).start()
    await until(() => servers.all.every(({ isReady }) => isReady))
    expect(await leases.acquire(1, 'b', ttlMs)).toBe('refused')
    expect(await idsSeenBy('a')).toEqual(['a', 'b'])
    const stranger = new RedisMembership(servers, { prefix })
    const { outcome, members } = await stranger.renew(memberOf('b', { instance: 'b-second' }), ttlMs)
    expect(outcome).toBe('taken')
    expect(members).toEqual([memberOf('a'), memberOf('b')])
  })

  it('keeps no lease for somebody who was refused by the others', async () => {
    await leases.acquire(1, 'a', ttlMs)
    await server(0).kill()
    await server(0).start()
    await until(() => servers.all.every(({ isReady }) => isReady))
    expect(await leases.acquire(1, 'b', ttlMs)).toBe('refused')
    expect(await leases.acquire(1, 'a', ttlMs)).toBe('held')
    await server(1).kill()
    expect(await leases.acquire(1, 'a', ttlMs)).toBe('held')
  })

  it('has missed something: what the others show counts', async () => {
    await renew('b', { weight: 1 })
    server(0).freeze()
    await renew('b', { weight: 0 })
    server(0).thaw()
    await until(() => servers.all.every(({ isReady }) => isReady))
    const { members } = await renew('a')
    expect(members).toEqual([memberOf('a'), memberOf('b', { weight: 0 })])
  })

  it('is with a rival: it gets what it got back', async () => {
    await renew('a')
    await server(0).kill()
    await server(0).start()
    await until(() => servers.all.every(({ isReady }) => isReady))
    const rival = new RedisMembership(servers, { prefix })
    expect((await rival.renew(memberOf('a', { instance: 'rival' }), ttlMs)).outcome).toBe('taken')
    await server(1).kill()
    // Two are left, and both have it.
    const { outcome, members } = await renew('a')
    expect(outcome).toBe('member')
    expect(members).toEqual([memberOf('a')])
  })
})

describe('two of three', () => {
  beforeEach(() => setUp(3))
  afterEach(tearDown)

  it('are lost: nothing is granted, and all goes on when one is back', async () => {
    await leases.acquire(1, 'b', ttlMs)
    await renew('b')
    await server(0).kill()
    server(1).freeze()
    await allUnavailable()
    await unavailableSoon(leases.acquire(1, 'b', ttlMs))
    server(1).thaw()
    await isBack()
    expect(await leases.acquire(1, 'c', ttlMs)).toBe('refused')
    expect(await leases.acquire(1, 'b', ttlMs)).toBe('held')
    expect(await idsSeenBy('c')).toContain('b')
  })

  it('are lost, and one comes back empty: the third still knows the holder that could not be heard', async () => {
    await leases.acquire(1, 'b', ttlMs)
    await server(0).kill()
    server(1).freeze()
    await unavailableSoon(leases.acquire(1, 'b', ttlMs))
    await server(0).start()
    server(1).thaw()
    await until(() => servers.all.every(({ isReady }) => isReady))
    expect(await leases.acquire(1, 'c', ttlMs)).toBe('refused')
    expect(await leases.acquire(1, 'b', ttlMs)).toBe('held')
  })
})
