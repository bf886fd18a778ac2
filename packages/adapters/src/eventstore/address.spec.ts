import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AccessRefused } from '../system/index.js'
import { InvalidEventStoreAddress, parseEventStore } from './address.js'
import { Bench, event, idsOf } from './event-log.fixture.js'
import { testTls } from './tls.fixture.js'

const plain = { discover: false, tls: {}, keepAliveIntervalMs: 10_000, keepAliveTimeoutMs: 10_000 }

describe('an address', () => {
  it.each([
    ['esdb://localhost', { name: 'localhost:2113', hosts: [{ address: 'localhost', port: 2113 }] }],
    ['esdb://[::1]:1', { name: '[::1]:1', hosts: [{ address: '[::1]', port: 1 }] }],
    ['esdb://h:1?tls=false', { tls: undefined }],
    ['esdb://h:1/?TLS=false', { tls: undefined }],
    ['kurrentdb://h:1', {}],
    ['esdb+discover://h:1', { discover: true }],
    ['esdb://a:1,b:2', { name: 'a:1,b:2', discover: true }],
    ['esdb://me:p%40ss%3A%2F@h:1', { username: 'me', password: 'p@ss:/' }],
    [
      'esdb://h?keepAliveInterval=20000&keepAliveTimeout=5',
      { keepAliveIntervalMs: 20_000, keepAliveTimeoutMs: 5 },
    ],
  ])('%s is read', (text, expected) => {
    const { tls, ...rest } = { ...plain, ...expected }
    const address = parseEventStore(text)
    expect(address).toMatchObject(rest)
    expect(address.tls).toEqual(tls)
  })

  it.each([
    ['', 'must look like'],
    ['http://h', 'begin with esdb://'],
    ['esdb://', 'must look like'],
    ['esdb://h:99999', 'no port'],
    ['esdb://h:x', 'no host'],
    ['esdb://me@h', 'a user and a password belong together'],
    ['esdb://me:a:b@h', '%3A'],
    ['esdb://me:%@h', '%25'],
    ['esdb://me:pw@h?tls=false', 'sent to nobody'],
    ['esdb://h?tls=no', 'true or false'],
    ['esdb://h?tls=true&tls=true', 'twice'],
    ['esdb://h?tlsVerifyCert=false', 'no setting tlsVerifyCert'],
    ['esdb://h?keepAliveInterval=50', 'at least 10000'],
    ['esdb://h?tlsCAFile=/no/such/file', 'the file "/no/such/file" can not be read'],
    ['esdb://h?tls=false&tlsCAFile=/etc/hosts', 'only for tls=true'],
    ['esdb://h?userCertFile=/etc/hosts', 'a certificate and its key belong together'],
  ])('%s is refused', (text, why) => {
    expect(() => parseEventStore(text)).toThrow(why)
  })

  it('takes from beside it what is not in it', () => {
    const access = { user: 'me', password: 'p:@/' }
    const wanted = { username: 'me', password: 'p:@/' }
    expect(parseEventStore('esdb://a,b', access)).toMatchObject(wanted)
    expect(parseEventStore('esdb://me@a', { password: 'p:@/' })).toMatchObject(wanted)
    expect(() => parseEventStore('esdb://you@a', access)).toThrow('the user is set both in the address and')
    expect(() => parseEventStore('esdb://a?tls=false', access)).toThrow('sent to nobody')
    expect(() => parseEventStore('esdb://a', { caFile: '/nowhere' })).toThrow('"/nowhere" can not be read')
  })

  it('is not told with its password', () => {
    const wrong = [
      'secret@h?nonsense=1',
      'secret',
      'x?secret@h?y=1',
      'a@x?secret@h',
      'x/secret@h:0',
      'x,secret',
    ]
    for (const rest of wrong) {
      expect(() => parseEventStore(`esdb://me:${rest}`)).toThrow(InvalidEventStoreAddress)
      expect(() => parseEventStore(`esdb://me:${rest}`)).not.toThrow('secret')
    }
    expect(parseEventStore('esdb://me:secret@h').name).not.toContain('secret')
  })
})

describe('TLS and users', () => {
  const users = {
    admin: { password: 'changeit', groups: ['$admins'] },
    almanac: { password: 'p:w/1' },
  }
  let bench: Bench
  let folder: string
  beforeEach(async () => {
    bench = new Bench()
    folder = await mkdtemp(join(tmpdir(), 'almanac-tls-'))
    writeFileSync(join(folder, 'ca.pem'), testTls.certificate)
  })
  afterEach(async () => {
    await bench.close()
    await rm(folder, { recursive: true })
  })
  const secure = async () => {
    const double = await bench.double({ host: 'localhost', tls: testTls, users })
    const address = (user: string) =>
      `esdb://${user}localhost:${double.port}?tlsCAFile=${join(folder, 'ca.pem')}`
    return { double, address }
  }

  it('an administrator may do all', async () => {
    const { address } = await secure()
    const log = bench.log(address('admin:changeit@'))
    expect(await log.append('s', 'none', [event('a')])).toMatchObject({ outcome: 'appended' })
    expect(idsOf((await log.readAll(0, 10)).events)).toEqual(['a'])
  })

  it.each([
    ['nobody', ''],
    ['a wrong password', 'admin:wrong@'],
  ])('%s is let in nowhere: unavailable, and said why', async (_who, user) => {
    const { address, double } = await secure()
    const log = bench.log(address(user))
    const refused = { code: 'unavailable', problem: 'credentials' }
    await expect(log.append('s', 'none', [event('a')])).rejects.toMatchObject(refused)
    await expect(log.readAll(0, 10)).rejects.toThrow('does not let this user in')
    expect(double.log.lastRevisionOf('almanac.s')).toBe(-1)
  })

  it('a user who is no administrator needs the right to read $all', async () => {
    const { address, double } = await secure()
    const log = bench.log(address('almanac:p%3Aw%2F1@'))
    expect(await log.append('s', 'none', [event('a')])).toMatchObject({ outcome: 'appended' })
    await expect(log.head()).rejects.toThrow('Access Denied')
    const acl = Buffer.from(JSON.stringify({ $acl: { $r: ['$admins', 'almanac'] } }))
    const metadata = {
      id: crypto.randomUUID(),
      type: '$metadata',
      isJson: true,
      data: acl,
      metadata: Buffer.alloc(0),
    }
    await double.log.append('$$$all', -2, [metadata])
    expect(await log.head()).toBeGreaterThan(0)
  })

  it('a server that is not trusted is not spoken to', async () => {
    const { double } = await secure()
    const log = bench.log(`esdb://admin:changeit@localhost:${double.port}`)
    const appending = log.append('s', 'none', [event('a')])
    await expect(appending).rejects.toBeInstanceOf(AccessRefused)
    await expect(appending).rejects.toMatchObject({ code: 'unavailable', problem: 'certificate' })
    expect(double.log.lastRevisionOf('almanac.s')).toBe(-1)
  })
})
