import { describe, expect, it } from 'vitest'
import { type AllowEntry, parseAllowEntry, Targets } from './targets.js'

const allowing = (...texts: string[]): readonly AllowEntry[] =>
  texts.map((text) => {
    const entry = parseAllowEntry(text)
    if (entry === undefined) throw new Error(`${text} is no entry`)
    return entry
  })
const strict = new Targets({ http: false, ports: [443, 8443], allow: [] })
const open = (...texts: string[]) => new Targets({ http: true, ports: [80, 443], allow: allowing(...texts) })

describe('an address that is written down', () => {
  it.each([
    'https://example.com/hook?x=1',
    'https://example.com:8443/',
    'https://EXAMPLE.com./hook',
    'https://8.8.8.8/hook',
    'https://[2606:4700::1111]/',
    'https://[::ffff:8.8.8.8]/',
    'https://xn--bcher-kva.example/',
  ])('%s is taken', (url) => {
    expect(strict.problemOf(url)).toBeUndefined()
  })

  it.each<[string, RegExp]>([
    ['example.com/hook', /absolute/],
    ['//example.com/hook', /absolute/],
    ['https:example.com', /absolute/],
    ['file:///etc/passwd', /absolute/],
    ['ftp://example.com/', /absolute/],
    ['gopher://example.com/', /absolute/],
    ['javascript:alert(1)', /absolute/],
    ['https://', /absolute/],
    ['http://example.com/', /https/],
    ['https://user:pass@example.com/', /user/],
    ['https://user@example.com/', /user/],
    ['https://example.com/#x', /fragment/],
    ['https://example.com:22/', /port 22/],
    ['https://example.com:80/', /port 80/],
    ['https://localhost/', /public/],
    ['https://LOCALHOST./', /public/],
    ['https://a.localhost/', /public/],
  ])('%s is refused', (url, problem) => {
    expect(strict.problemOf(url)).toMatch(problem)
  })

  it.each([
    '127.0.0.1',
    '127.1',
    '127.0.0.1.',
    '2130706433',
    '0x7f000001',
    '0x7f.1',
    '0177.0.0.1',
    '017700000001',
    '%31%32%37.0.0.1',
    '１２７.0.0.1',
    '①②⑦.0.0.1',
    '127。0。0。1',
    '0',
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '100.100.100.200',
    '168.63.129.16',
    '169.254.169.254',
    '0xa9fea9fe',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.192',
    '192.168.1.1',
    '198.18.0.1',
    '203.0.113.9',
    '224.0.0.1',
    '239.255.255.250',
    '240.0.0.1',
    '255.255.255.255',
    '[::]',
    '[::1]',
    '[0:0:0:0:0:0:0:1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::ffff:169.254.169.254]',
    '[0:0:0:0:0:ffff:a9fe:a9fe]',
    '[::127.0.0.1]',
    '[64:ff9b::7f00:1]',
    '[64:ff9b:1::1]',
    '[fe80::1]',
    '[fec0::1]',
    '[fc00::1]',
    '[fd00:ec2::254]',
    '[ff02::1]',
    '[100::1]',
    '[2001::1]',
    '[2001:db8::1]',
    '[2002:7f00:1::]',
    '[3fff::1]',
    '[4000::1]',
  ])('a machine that is not public is refused as %s', (host) => {
    expect(strict.problemOf(`https://${host}/`)).toMatch(/public/)
  })
})

describe('what is allowed beyond', () => {
  it('is named by its network, on any port or on one', () => {
    const targets = open('10.0.0.0/8', '[::1]:9000', '127.0.0.1:8080')
    expect(targets.problemOf('http://10.9.8.7:5000/')).toBeUndefined()
    expect(targets.problemOf('http://11.9.8.7:5000/')).toMatch(/port/)
    expect(targets.problemOf('http://192.168.1.1/')).toMatch(/public/)
    expect(targets.problemOf('http://127.0.0.1:8080/')).toBeUndefined()
    expect(targets.problemOf('http://[::ffff:127.0.0.1]:8080/')).toBeUndefined()
    expect(targets.problemOf('http://127.0.0.1:8081/')).toMatch(/public/)
    expect(targets.problemOf('http://[::1]:9000/')).toBeUndefined()
  })

  it('is named by its host, whatever its address', () => {
    const targets = open('hooks.internal', '*.corp.example:8080')
    expect(targets.problemOf('http://hooks.internal:1234/')).toBeUndefined()
    expect(targets.problemAt('hooks.internal', 1234, '10.0.0.1')).toBeUndefined()
    expect(targets.problemAt('HOOKS.internal.', 1234, '10.0.0.1')).toBeUndefined()
    expect(targets.problemAt('other.internal', 80, '10.0.0.1')).toMatch(/public/)
    expect(targets.problemOf('http://a.b.corp.example:8080/')).toBeUndefined()
    expect(targets.problemOf('http://corp.example:8080/')).toMatch(/port/)
    expect(targets.problemAt('evilcorp.example', 8080, '10.0.0.1')).toMatch(/public/)
  })

  it.each([
    '',
    'http://x',
    'a b',
    '10.0.0.0/33',
    '127.1',
    '0x7f000001',
    'host:0',
    'host:70000',
    '*',
    '*.',
    '[::1',
  ])('%s is no entry', (text) => {
    expect(parseAllowEntry(text)).toBeUndefined()
  })
})

it('an address that was public when it was written down is checked when it is called', () => {
  expect(strict.problemOf('https://rebinding.example/')).toBeUndefined()
  for (const machine of ['127.0.0.1', '::ffff:10.0.0.1', 'fe80::1%eth0', '64:ff9b::a00:1', 'garbage']) {
    expect(strict.problemAt('rebinding.example', 443, machine)).toBeTruthy()
  }
  expect(strict.problemAt('rebinding.example', 443, '93.184.216.34')).toBeUndefined()
})
