import { RedisMarker, type RedisServers } from '@almanac/adapters/redis'
import { createStop } from '@almanac/engine'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  freshPrefix,
  type OwnServers,
  openFor,
  startServers,
  unavailableSoon,
  until,
} from './redis.fixture.js'

const repeatMs = 200

let own: OwnServers
let servers: RedisServers
let prefix: string
let stop: ReturnType<typeof createStop>
let running: Promise<void>[]

const marker = () => new RedisMarker(servers, { prefix, repeatMs })
const run = (work: (stop: ReturnType<typeof createStop>) => Promise<void>) => running.push(work(stop))
const at = (position: number) => ({ position, at: position * 10 })
const all = async () => Object.fromEntries(await marker().read())

/** What somebody who watches has been told, as `namespace:position`. */
function watched(marker: RedisMarker): string[] {
  const told: string[] = []
  run((end) => marker.watch((namespace, { position }) => told.push(`${namespace}:${position}`), end))
  return told
}

describe.each([1, 3])('the marker on %i servers', (count) => {
  beforeEach(async () => {
    own = await startServers(count)
    servers = await openFor(own.servers, { deadlineMs: 600 })
    prefix = freshPrefix()
    stop = createStop()
    running = []
  })
  afterEach(async () => {
    stop.stop()
    await Promise.all(running)
    servers.close()
    await own.close()
  })

  it('is there for each namespace, and never goes back', async () => {
    expect(await all()).toEqual({})
    await marker().publish(new Map())
    await marker().publish(
      new Map([
        ['a', at(9)],
        ['a name', at(3)],
      ]),
    )
    await marker().publish(new Map([['a', at(8)]]))
    await marker().publish(new Map([['a', { position: 9, at: 0 }]]))
    expect(await all()).toEqual({ a: at(9), 'a name': at(3) })
    await marker().publish(new Map([['a', at(2 ** 53 - 1)]]))
    await marker().publish(new Map([['a', at(2 ** 53 - 2)]]))
    expect(await all()).toMatchObject({ a: { position: 2 ** 53 - 1 } })
  })

  it('is told to who watches: what there is, then each that moves, once', async () => {
    await marker().publish(new Map([['a', at(10)]]))
    // Too seldom to be told by looking again.
    const told = watched(new RedisMarker(servers, { prefix, repeatMs: 600_000 }))
    await until(() => told.length === 1)
    await marker().publish(new Map([['a', at(9)]]))
    await marker().publish(new Map([['a b', at(5)]]))
    await until(() => told.length === 2)
    await marker().publish(new Map([['a', at(11)]]))
    await until(() => told.length === 3)
    expect(told).toEqual(['a:10', 'a b:5', 'a:11'])
  })

  it('is published as it comes, and again when Redis has lost it', async () => {
    const kept = marker()
    run((end) => kept.run(end))
    const told = watched(marker())
    kept.set('a', at(1))
    kept.set('a', at(3))
    kept.set('a', at(2))
    kept.set('b', at(2))
    await until(async () => Object.keys(await all()).length === 2)
    expect(await all()).toEqual({ a: at(3), b: at(2) })
    for (const server of servers.all) await server.eval("return redis.call('flushall')", 0, [])
    await until(async () => Object.keys(await all()).length === 2)
    expect(await all()).toEqual({ a: at(3), b: at(2) })
    await until(() => told.length >= 2)
    expect(told.filter((text) => text !== 'a:1').sort()).toEqual(['a:3', 'b:2'])
  })

  it('waits out an outage, and nobody who watches misses what came meanwhile', async () => {
    const faults: string[] = []
    const kept = new RedisMarker(servers, { prefix, repeatMs, onFault: ({ code }) => faults.push(code) })
    run((end) => kept.run(end))
    kept.set('a', at(1))
    const told = watched(marker())
    await until(() => told.includes('a:1'))
    await Promise.all(own.servers.map((server) => server.kill()))
    kept.set('a', at(2))
    await unavailableSoon(kept.read())
    await unavailableSoon(kept.publish(new Map([['b', at(1)]])))
    await until(() => faults.length > 0)
    await Promise.all(own.servers.map((server) => server.start()))
    await until(() => told.includes('a:2'))
    kept.set('a', at(3))
    await until(() => told.includes('a:3'))
    expect(new Set(faults)).toEqual(new Set(['unavailable']))
  })
})
