import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type OptionSources, parseFlags } from '@almanac/adapters/system'
import { afterAll, describe, expect, it } from 'vitest'
import { resolveConfig } from './config.js'
import { options } from './options.js'

const defaults = {
  host: '127.0.0.1',
  port: 7420,
  data: './.almanac',
  partitions: 64,
  cluster: 'almanac',
  node: null,
  region: null,
  misfireGraceSeconds: 2,
  runRetentionDays: 7,
  check: 'quick',
  acceptLoss: false,
  accessLog: false,
  telemetry: 'metrics',
  logLevel: 'info',
  operationsPort: null,
  role: 'all',
  weight: 1,
  homeRegions: new Map(),
  leaseTtlSeconds: 10,
  topicPrefix: null,
  webhookTargets: { http: false, ports: [443], allow: [] },
  webhookKeyFile: null,
  replication: 3,
  queues: ['default'],
  recovery: 'replay',
  servers: null,
  callers: {
    isLocal: true,
    bootstrap: null,
    jwt: null,
    rates: { caller: 1_000, namespace: 5_000 },
  },
}

const problemsOf = (sources: OptionSources): readonly string[] => {
  const resolved = resolveConfig(sources)
  return resolved.ok ? [] : resolved.problems
}
const file = (text: string) => ({ file: { path: 'almanac.json', text } })

describe('the configuration', () => {
  it('is complete without a word', () => {
    expect(resolveConfig({})).toEqual({ ok: true, config: defaults })
  })

  it('takes flags before environment before file before default', () => {
    const text = JSON.stringify({ port: 1, data: 'file', cluster: 'file', accessLog: true })
    const env = { ALMANAC_PORT: '2', ALMANAC_DATA: 'env', ALMANAC_CHECK: '' }
    const flags = { port: '3' }
    expect(resolveConfig({ ...file(text), env, flags })).toEqual({
      ok: true,
      config: { ...defaults, port: 3, data: 'env', cluster: 'file', accessLog: true },
    })
  })

  it('leaves the environment of other programs alone', () => {
    expect(resolveConfig({ env: { ALMANAC_URL: 'http://x', PATH: '/' } }).ok).toBe(true)
  })

  it('names the nearest option for an unknown key, and the source of every wrong value, all at once', () => {
    const problems = problemsOf({
      ...file('{"prt":1,"host":7,"region":null}'),
      env: { ALMANAC_PORT: '1e3', ALMANAC_MISFIRE_GRACE_SECONDS: '0' },
      flags: { partitions: '257', cluster: 'Big Cluster' },
    })
    expect(problems).toEqual([
      'almanac.json: prt is not an option; did you mean port?',
      'almanac.json: host must be a text, not 7',
      'ALMANAC_PORT must be a whole number from 0 to 65535, not "1e3"',
      'ALMANAC_MISFIRE_GRACE_SECONDS must be a number from 0.1 to 3600 (seconds), not 0',
      '--partitions must be a whole number from 1 to 256, not 257',
      '--cluster must be 1 to 63 of a-z, 0-9, -, not "Big Cluster"',
    ])
  })

  it.each(['[]', 'null', '{"port":1,"port":2}', '{', ''])('refuses the file %j', (text) => {
    expect(problemsOf(file(text))).toHaveLength(1)
  })

  it.each(['0.0.0.0', '::', '192.168.1.5', 'example.org', 'localhost.example.org'])(
    'knows that others can reach %s',
    (host) => {
      const resolved = resolveConfig({ flags: { host } })
      expect(resolved.ok && resolved.config.callers.isLocal).toBe(false)
    },
  )

  it.each(['localhost', '::1', '127.0.0.1'])('listens on %s', (host) => {
    const resolved = resolveConfig({ flags: { host } })
    expect(resolved.ok && resolved.config.callers.isLocal).toBe(true)
  })

  it('is a node of a cluster with all three servers, and nothing with some of them', () => {
    const env = { ALMANAC_EVENTSTORE: 'esdb://a', ALMANAC_KAFKA: 'b:1', ALMANAC_REDIS: 'redis://c' }
    const access = { eventstore: {}, kafka: {}, redis: {} }
    const servers = { eventstore: 'esdb://a', kafka: 'b:1', redis: 'redis://c', access }
    expect(resolveConfig({ env })).toEqual({ ok: true, config: { ...defaults, servers } })
    expect(problemsOf({ env: { ...env, ALMANAC_KAFKA: '' } })).toEqual([
      'ALMANAC_EVENTSTORE and ALMANAC_REDIS are set, so this is a node of a cluster: set ALMANAC_KAFKA too, or none ' +
        'of them to run standalone.',
    ])
    expect(problemsOf({ env: { ALMANAC_REDIS: 'x' } })[0]).toContain('ALMANAC_REDIS is set')
  })

  it('reads lists of queues and of home regions', () => {
    const flags = { queues: 'default, mail ,', 'home-regions': '0-1=eu,5=us' }
    const homeRegions = new Map([
      [0, 'eu'],
      [1, 'eu'],
      [5, 'us'],
    ])
    expect(resolveConfig({ flags })).toMatchObject({ config: { queues: ['default', 'mail'], homeRegions } })
    expect(problemsOf({ flags: { 'home-regions': 'eu' } })[0]).toContain('0-31=eu')
  })

  describe('of how servers are entered', () => {
    const folder = mkdtempSync(join(tmpdir(), 'almanac-config-'))
    const file = (name: string, text: string) => {
      writeFileSync(join(folder, name), text)
      return join(folder, name)
    }
    afterAll(() => rmSync(folder, { recursive: true }))
    const servers = { ALMANAC_EVENTSTORE: 'esdb://a', ALMANAC_KAFKA: 'b:1', ALMANAC_REDIS: 'redis://c' }

    it('is kept with the servers, and nowhere else; a line break at the end of a file is no part of it', () => {
      const resolved = resolveConfig({
        env: {
          ...servers,
          ALMANAC_KAFKA_PASSWORD_FILE: file('kafka', 'se cret\n'),
          ALMANAC_REDIS_PASSWORD_FILE: file('redis', 'other\r\n'),
        },
        flags: { 'kafka-user': 'k', 'kafka-sasl': 'scram-sha-512', 'eventstore-password': 'p\n' },
        file: { path: 'almanac.json', text: '{"eventstoreUser":"e"}' },
      })
      const access = {
        eventstore: { user: 'e', password: 'p\n' },
        kafka: { user: 'k', password: 'se cret', sasl: 'scram-sha-512' },
        redis: { password: 'other' },
      }
      expect(resolved).toMatchObject({ config: { servers: { access } } })
      const config = resolved.ok ? resolved.config : undefined
      expect(JSON.stringify({ ...config, servers: null })).not.toMatch(/se cret|other|scram/)
    })

    it('is refused with the name of the option, and without what it was set to', () => {
      const problems = problemsOf({
        env: {
          ...servers,
          ALMANAC_KAFKA_PASSWORD: 'secret',
          ALMANAC_KAFKA_PASSWORD_FILE: file('twice', 'secret'),
          ALMANAC_REDIS_PASSWORD_FILE: join(folder, 'nowhere'),
          ALMANAC_EVENTSTORE_PASSWORD_FILE: file('empty', '\n'),
          ALMANAC_KAFKA_CA: file('ca', 'no certificate'),
          ALMANAC_REDIS_CERT: file('cert', 'no certificate'),
          ALMANAC_KAFKA_SASL: 'gssapi',
        },
        file: { path: 'f', text: '{"kafka":7777,"redisPassword":7777}' },
      })
      expect(problems).toEqual([
        'f: kafka must be a text',
        'f: redisPassword must be a text',
        'ALMANAC_KAFKA_SASL must be one of plain, scram-sha-256, scram-sha-512, not "gssapi"',
        `ALMANAC_EVENTSTORE_PASSWORD_FILE: the file "${join(folder, 'empty')}" is empty.`,
        'ALMANAC_KAFKA_PASSWORD_FILE and ALMANAC_KAFKA_PASSWORD are both set: one of them is enough.',
        `ALMANAC_KAFKA_CA, ALMANAC_KAFKA_CERT, ALMANAC_KAFKA_KEY: the file "${join(folder, 'ca')}" has no ` +
          'certificate in PEM.',
        `ALMANAC_REDIS_PASSWORD_FILE: the file "${join(folder, 'nowhere')}" can not be read.`,
        'ALMANAC_REDIS_CA, ALMANAC_REDIS_CERT, ALMANAC_REDIS_KEY: a certificate and its key belong together, and one ' +
          'of them is missing.',
      ])
      expect(problemsOf({ env: { ALMANAC_KAFKA_USER: 'u' } })).toEqual([
        'ALMANAC_KAFKA_USER is set, and ALMANAC_KAFKA is not.',
      ])
    })

    it('is not repeated when its flag is misspelt', () => {
      expect(parseFlags(options, ['--kafka-pasword=secret'])).toBe(
        '--kafka-pasword is not an option; did you mean --kafka-password?',
      )
    })
  })
})
