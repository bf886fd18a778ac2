import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseKafka } from './connection.js'

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
    const file = join(mkdtempSync(join(tmpdir(), 'almanac-ca-')), 'ca.pem')
    writeFileSync(file, 'PEM')
    expect(parseKafka(`kafka://a:1?ca=${file}`).tls).toEqual({ ca: 'PEM' })
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
    ['kafka://a:1?tls=false&ca=/x', 'option ca needs tls=true'],
    ['kafka://a:1?ca=/nowhere/ca.pem', '"/nowhere/ca.pem" of the option ca can not be read'],
  ])('refuses %j and tells why', (text, why) => {
    expect(() => parseKafka(text)).toThrow(why)
  })

  it('never repeats a password in what it refuses', () => {
    for (const text of ['kafka://u:secret@a:1?sasl=x', 'kafka://u:secret@a:0', 'kafka://u:secret@a:1?x=1']) {
      expect(messageOf(text)).not.toContain('secret')
    }
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
