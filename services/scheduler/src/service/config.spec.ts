import type { OptionSources } from '@almanac/adapters/system'
import { describe, expect, it } from 'vitest'
import { resolveConfig } from './config.js'

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
  replication: 3,
  queues: ['default'],
  recovery: 'replay',
  servers: null,
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
    'refuses to listen on %s',
    (host) => {
      expect(problemsOf({ flags: { host } })[0]).toContain('loopback only')
    },
  )

  it.each(['localhost', '::1', '127.0.0.1'])('listens on %s', (host) => {
    expect(resolveConfig({ flags: { host } }).ok).toBe(true)
  })

  it('is a node of a cluster with all three servers, and nothing with some of them', () => {
    const env = { ALMANAC_EVENTSTORE: 'esdb://a', ALMANAC_KAFKA: 'b:1', ALMANAC_REDIS: 'redis://c' }
    const servers = { eventstore: 'esdb://a', kafka: 'b:1', redis: 'redis://c' }
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
})
