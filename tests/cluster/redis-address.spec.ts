import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { RedisLeaseStore, RedisMarker, RedisMembership, type RedisServers } from '@almanac/adapters/redis'
import { createStop } from '@almanac/engine'
import { freePorts, type RedisServer, startRedis } from '@almanac/infra'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { freshPrefix, memberOf, openFor, unavailableSoon } from './redis.fixture.js'

const prefix = freshPrefix()

/** What a node needs, and nothing that reaches beyond its own keys. */
const commands = ['-@all', '+@read', '+@write', '+@scripting', '+@connection', '+@pubsub', '+time', '+info']

/** A server that lets in one user, by TLS too. */
let folder: string
let server: RedisServer
let tlsPort: number
const file = (name: string) => join(folder, name)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'almanac-redis-'))
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  const files = ['-keyout', file('key.pem'), '-out', file('cert.pem')]
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  await promisify(execFile)('openssl', ['req', ...kind, ...files, ...names])
  const [free = 0] = await freePorts(1)
  tlsPort = free
  server = await startRedis({
    folder,
    settings: {
      'tls-port': tlsPort,
      'tls-cert-file': file('cert.pem'),
      'tls-key-file': file('key.pem'),
      'tls-auth-clients': 'no',
      user: `node on >pass,word ~{${prefix}}:* &{${prefix}}:* ${commands.join(' ')}`,
      requirepass: 'other',
    },
  })
})
afterAll(async () => {
  await server.stop()
  await rm(folder, { recursive: true, force: true })
})

async function withServer<T>(url: string, work: (servers: RedisServers) => Promise<T>): Promise<T> {
  const servers = await openFor([{ url }], { deadlineMs: 1_000 })
  try {
    return await work(servers)
  } finally {
    servers.close()
  }
}

it('is reached by user and password, over TLS with its own certificate, in another database', async () => {
  const acquire = (holder: string) => (servers: RedisServers) =>
    new RedisLeaseStore(servers, { prefix }).acquire(1, holder, 60_000)
  const user = 'node:pass%2Cword@'
  const tls = `rediss://${user}localhost:${tlsPort}`
  const ca = `ca=${file('cert.pem')}`
  expect(await withServer(`redis://${user}127.0.0.1:${server.port}`, acquire('plain'))).toBe('held')
  expect(await withServer(`${tls}?${ca}`, acquire('tls'))).toBe('refused')
  expect(await withServer(`${tls}/3?${ca}`, acquire('tls'))).toBe('held')
  expect(await withServer(`redis://${user}127.0.0.1:${server.port}/3`, acquire('plain'))).toBe('refused')
})

it('needs no right beyond the keys of its cluster', async () => {
  await withServer(`redis://node:pass%2Cword@127.0.0.1:${server.port}`, async (servers) => {
    const membership = new RedisMembership(servers, { prefix })
    expect((await membership.renew(memberOf('a'), 60_000)).outcome).toBe('member')
    await membership.leave('a', 'a-first')
    const marker = new RedisMarker(servers, { prefix })
    const stop = createStop()
    const heard = new Promise((resolve) => void marker.watch((_, { position }) => resolve(position), stop))
    await marker.publish(new Map([['default', { position: 7, at: 1 }]]))
    expect(await heard).toBe(7)
    stop.stop()
    const others = new RedisLeaseStore(servers, { prefix: freshPrefix() })
    expect(await unavailableSoon(others.acquire(1, 'a', 60_000))).toContain('NOPERM')
  })
})

it.each([
  [
    'a certificate that nobody vouches for',
    () => `rediss://node:pass%2Cword@localhost:${tlsPort}`,
    /certificate/,
  ],
  ['no password', () => server.url, /NOAUTH/],
])('is kept away from by %s, and says so', async (_, url, message) => {
  const asking = (servers: RedisServers) =>
    unavailableSoon(new RedisLeaseStore(servers, { prefix: freshPrefix() }).acquire(1, 'a', 60_000))
  expect(await withServer(url(), asking)).toMatch(message)
})
