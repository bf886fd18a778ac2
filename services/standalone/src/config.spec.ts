import { describe, expect, it } from 'vitest'
import { type ConfigSources, resolveConfig } from './config.js'

const defaults = {
  host: '127.0.0.1',
  port: 7420,
  data: './.almanac',
  partitions: 64,
  cluster: 'almanac',
  node: 'standalone',
  region: null,
  misfireGraceSeconds: 2,
  runRetentionDays: 7,
  check: 'quick',
  acceptLoss: false,
  accessLog: false,
}

const problemsOf = (sources: ConfigSources): readonly string[] => {
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

  it.each(['EVENTSTORE', 'KAFKA', 'REDIS'])('tells that ALMANAC_%s comes later', (product) => {
    expect(problemsOf({ env: { [`ALMANAC_${product}`]: 'x://y' } })[0]).toContain('no cluster mode yet')
  })
})
