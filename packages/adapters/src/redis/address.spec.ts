import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { testTls } from '../eventstore/tls.fixture.js'
import { InvalidRedisAddress, parseRedis } from './address.js'

const folder = mkdtempSync(join(tmpdir(), 'almanac-ca-'))
const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
writeFileSync(files.cert, testTls.certificate)
writeFileSync(files.key, testTls.key)
afterAll(() => rmSync(folder, { recursive: true }))

describe('parseRedis', () => {
  it('reads an address with all that may be in it', () => {
    expect(parseRedis(`rediss://us%40er:p%2Fa%2Cs%25s@redis.example:7000/3?ca=${files.cert}`)).toEqual([
      {
        name: 'redis.example:7000',
        host: 'redis.example',
        port: 7000,
        tls: { ca: testTls.certificate },
        db: 3,
        username: 'us@er',
        password: 'p/a,s%s',
      },
    ])
  })

  it('has defaults for all but the host', () => {
    expect(parseRedis('redis://localhost')).toEqual([
      { name: 'localhost:6379', host: 'localhost', port: 6379, db: 0 },
    ])
    expect(parseRedis('redis://:secret@[::1]:1/')).toEqual([
      { name: '[::1]:1', host: '::1', port: 1, db: 0, password: 'secret' },
    ])
  })

  it('reads several servers', () => {
    const names = parseRedis('redis://a, redis://b ,redis://a:1').map(({ name }) => name)
    expect(names).toEqual(['a:6379', 'b:6379', 'a:1'])
  })

  it.each([
    ['', '(empty): it must begin with redis:// or rediss://'],
    ['redis://a,', '(empty): it must begin'],
    ['localhost:6379', 'localhost:6379: it must begin'],
    ['http://a', 'http://a: it must begin'],
    ['redis://', 'there is no host'],
    ['redis://a:70000', 'not a URL'],
    ['redis://a/x', 'is not the number of a database'],
    ['redis://a#1', 'write # as %23'],
    ['redis://a?ca=/x', 'ca, and a certificate, are only for rediss'],
    ['rediss://a?tls=no', 'there is no setting but ca'],
    ['rediss://a?ca=/nowhere', 'the file "/nowhere" can not be read'],
    ['redis://u@a', 'there is a user without a password'],
    ['redis://u:%zz@a', 'as %25'],
    ['redis://a,redis://b', 'a:6379,b:6379: these are 2 servers: give an odd number'],
    ['redis://a,redis://b,redis://a:6379', 'a:6379: it is there twice'],
  ])('refuses %j', (list, message) => {
    const reading = () => parseRedis(list)
    expect(reading).toThrow(InvalidRedisAddress)
    expect(reading).toThrow(message)
  })

  it('takes from beside the addresses what is in none of them', () => {
    const { certificate, key } = testTls
    const access = { user: 'u', password: 'p,/@' }
    const all = { ...access, caFile: files.cert, certFile: files.cert, keyFile: files.key }
    const read = parseRedis('rediss://a,rediss://b,rediss://c', all)
    expect(read.map(({ username, password, tls }) => ({ username, password, tls }))).toEqual(
      Array(3).fill({ username: 'u', password: 'p,/@', tls: { ca: certificate, cert: certificate, key } }),
    )
    expect(() => parseRedis('redis://:q@a', access)).toThrow('the password is set both in the address and')
    expect(() => parseRedis('redis://a', all)).toThrow('are only for rediss')
  })

  it('does not tell a password', () => {
    for (const list of ['redis://u:secret@a/x', 'redis://u:secret@a:99999', 'http://u:secret@a']) {
      expect(() => parseRedis(list)).toThrow('//...@a')
    }
    const wrong = [
      'secret@a/x',
      'secret@a:99999',
      '/secret@a',
      'x,secret@a',
      'secret,x@a',
      '?secret@a',
      '#secret@a',
    ]
    for (const rest of [...wrong, 'secret', '/secret', 'x,/secret']) {
      expect(() => parseRedis(`redis://u:${rest}`)).toThrow(InvalidRedisAddress)
      expect(() => parseRedis(`redis://u:${rest}`)).not.toThrow('secret')
    }
  })
})
