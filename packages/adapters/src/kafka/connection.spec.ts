import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { testTls } from '../eventstore/tls.fixture.js'
import { type KafkaAccess, parseKafka } from './connection.js'

const folder = mkdtempSync(join(tmpdir(), 'almanac-ca-'))
const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
writeFileSync(files.cert, testTls.certificate)
writeFileSync(files.key, testTls.key)
afterAll(() => rmSync(folder, { recursive: true }))

describe('an address of Kafka', () => {
  it('is one broker or a list of them', () => {
    expect(parseKafka('localhost:9092')).toEqual({ brokers: ['localhost:9092'] })
    expect(parseKafka('a.example:1, b:65535')).toEqual({ brokers: ['a.example:1', 'b:65535'] })
    expect(parseKafka('kafka://10.0.0.1:9093/')).toEqual({ brokers: ['10.0.0.1:9093'] })
  })

  it('needs no port where it is the usual one', () => {
    expect(parseKafka('a,b:1')).toEqual({ brokers: ['a:9092', 'b:1'] })
  })

  it('has user and password, which may be escaped', () => {
    const sasl = { mechanism: 'scram-sha-512', username: 'al', password: 'p@ss:w/o?rd' }
    const credentials = `al:${encodeURIComponent('p@ss:w/o?rd')}`
    expect(parseKafka(`kafka://${credentials}@a:1,b:2?tls=true&sasl=scram-sha-512`)).toEqual({
      brokers: ['a:1', 'b:2'],
      tls: {},
      sasl,
    })
  })

  it('takes user and password without a mechanism for plain', () => {
    expect(parseKafka('kafka://u:p@a:1').sasl).toEqual({ mechanism: 'plain', username: 'u', password: 'p' })
  })

  it('reads the authority from its file, which asks for TLS by itself', () => {
    expect(parseKafka(`kafka://a:1?ca=${files.cert}`).tls).toEqual({ ca: testTls.certificate })
  })

  it('takes from beside the address what is not in it', () => {
    const user = { user: 'u', password: 'p:%@' }
    const sasl = { mechanism: 'scram-sha-256', username: 'u', password: 'p:%@' }
    expect(parseKafka('a:1', { ...user, sasl: 'scram-sha-256' })).toEqual({ brokers: ['a:1'], sasl })
    expect(parseKafka('kafka://u@a:1?sasl=scram-sha-256', { password: 'p:%@' }).sasl).toEqual(sasl)
    const { certificate, key } = testTls
    const all = { caFile: files.cert, certFile: files.cert, keyFile: files.key }
    expect(parseKafka('a:1', all).tls).toEqual({ ca: certificate, cert: certificate, key })
  })

  it.each<[text: string, access: KafkaAccess, why: string]>([
    ['kafka://u:p@a:1', { user: 'v' }, 'the user is set both in the address and beside it'],
    ['kafka://u:p@a:1', { password: 'q' }, 'the password is set both'],
    ['kafka://u:p@a:1?sasl=plain', { sasl: 'plain' }, 'sasl is set both'],
    ['kafka://a:1?ca=/x', { caFile: '/y' }, 'ca is set both'],
    ['a:1', { password: 'p' }, 'needs both a user and a password'],
    ['a:1', { sasl: 'plain' }, 'needs user:password@'],
    ['kafka://a:1?tls=false', { caFile: '/y' }, 'need tls=true'],
    ['a:1', { certFile: '/x' }, 'one of them is missing'],
    ['a:1', { caFile: '/nowhere' }, 'the file "/nowhere" can not be read'],
  ])('refuses %j with %j beside it', (text, access, why) => {
    expect(() => parseKafka(text, access)).toThrow(why)
  })

  it('takes no file for what it is not', () => {
    expect(() => parseKafka('a:1', { caFile: files.key })).toThrow('has no certificate in PEM')
    const pair = { certFile: files.cert, keyFile: files.cert }
    expect(() => parseKafka('a:1', pair)).toThrow('has no key of the certificate in')
  })

  it.each([
    ['', 'empty'],
    ['a:0', '"a:0" is no broker'],
    ['a:70000', '"a:70000" is no broker'],
    ['a:1,,b:2', '"" is no broker'],
    ['a b:1', '"a b:1" is no broker'],
    ['1.2.3:9092', '"1.2.3" is no IP address'],
    ['http://a:1', 'begins with kafka://, not with http://'],
    ['kafka://a:1?ssl=true', 'no option "ssl" in an address; allowed are tls, sasl, ca'],
    ['kafka://a:1?tls=yes', 'option tls is true or false, not "yes"'],
    ['kafka://a:1?sasl=plain', 'option sasl needs user:password@'],
    [
      'kafka://u:p@a:1?sasl=gssapi',
      'option sasl is one of plain, scram-sha-256, scram-sha-512, not "gssapi"',
    ],
    ['kafka://u@a:1', 'option sasl needs both a user and a password'],
    ['kafka://u:%zz@a:1', 'write it as %25'],
    ['kafka://a:1?tls=false&ca=/x', 'the option ca, and a certificate, need tls=true'],
    ['kafka://a:1?ca=/nowhere/ca.pem', 'the file "/nowhere/ca.pem" can not be read'],
  ])('refuses %j and tells why', (text, why) => {
    expect(() => parseKafka(text)).toThrow(why)
  })

  it('never repeats a password in what it refuses', () => {
    const wrong = [
      'secret@a:1?sasl=x',
      'secret@a:0',
      'secret@a:1?x=1',
      'secret?x@a:1',
      'a@x?secret@a:1',
      'secret',
    ]
    for (const rest of [...wrong, 'secret,x']) expect(messageOf(`kafka://u:${rest}`)).not.toContain('secret')
  })
})

function messageOf(text: string): string {
  try {
    parseKafka(text)
  } catch (error) {
    return String(error)
  }
  throw new Error(`${text} was taken`)
}
