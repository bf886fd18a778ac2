import { describe, expect, it } from 'vitest'
import { type ClusterLayout, layoutOf, portsOf } from './layout.js'
import { type ClusterOptions, parseOptions } from './options.js'

const optionsOf = (...argv: string[]): ClusterOptions => {
  const parsed = parseOptions(argv)
  if (parsed.kind !== 'options') throw new Error(JSON.stringify(parsed))
  return parsed.options
}

const layoutFor = (...argv: string[]): ClusterLayout => layoutOf(optionsOf(...argv), '/data')

describe('options of npm run cluster', () => {
  it.each([
    [['--nodes', '0'], '--nodes must be a whole number from 1 to 9, not 0.'],
    [['--nodes', '8', '--api', '2'], '--nodes and --api come to 10; at most 9 together.'],
    [['--redis', '2'], '--redis must be 1, 3, 5, 7 or 9 servers to start, or redis://host:port, not 2.'],
    [['--event-log', 'memory'], '--event-log must be double, sqlite, or esdb://host:port, not memory.'],
    [['--port', '80'], '--port must be a whole number from 1024 to 65000, not 80.'],
    [['--node', '3'], "Unknown option '--node'. --help lists the options."],
  ])('refuses %j', (argv, problem) => {
    expect(parseOptions(argv)).toEqual({ kind: 'problems', problems: [problem] })
  })

  it('tells every problem at once', () => {
    expect(parseOptions(['--nodes', 'x', '--lease-ttl', '1'])).toMatchObject({
      problems: [expect.stringContaining('--nodes'), expect.stringContaining('--lease-ttl')],
    })
  })

  it('asks for help', () => {
    expect(parseOptions(['-h'])).toEqual({ kind: 'help' })
  })
})

describe('layout of a cluster', () => {
  it('gives each process ports and a folder of its own', () => {
    const ports = portsOf(layoutFor('--nodes', '5', '--api', '4', '--redis', '9')).map(({ port }) => port)

    expect(ports).toHaveLength(1 + 9 + 1 + 9 * 2)
    expect(new Set(ports).size).toBe(ports.length)
  })

  it('tells the nodes where everything is', () => {
    const { nodes } = layoutFor('--redis', '3', '--api', '1', '--partitions', '16', '--port', '8000')

    expect(nodes.map(({ url }) => url)).toEqual([
      'http://127.0.0.1:8000',
      'http://127.0.0.1:8001',
      'http://127.0.0.1:8002',
      'http://127.0.0.1:8003',
    ])
    expect(nodes[3]?.env).toEqual({
      ALMANAC_ROLE: 'api',
      ALMANAC_NODE: 'api-1',
      ALMANAC_HOST: '127.0.0.1',
      ALMANAC_PORT: '8003',
      ALMANAC_OPERATIONS_PORT: '8043',
      ALMANAC_DATA: '/data/api-1/data',
      ALMANAC_CLUSTER: 'local',
      ALMANAC_PARTITIONS: '16',
      ALMANAC_EVENTSTORE: 'esdb://127.0.0.1:8030?tls=false',
      ALMANAC_KAFKA: '127.0.0.1:8010',
      ALMANAC_REDIS: 'redis://127.0.0.1:8020,redis://127.0.0.1:8021,redis://127.0.0.1:8022',
      ALMANAC_REPLICATION: '1',
      ALMANAC_QUEUES: 'default',
      ALMANAC_LEASE_TTL_SECONDS: '10',
      ALMANAC_WEBHOOK_KEY_FILE: '/data/webhook.key',
      ALMANAC_WEBHOOK_ALLOW: '127.0.0.1',
      ALMANAC_WEBHOOK_HTTP: 'true',
    })
  })

  it('starts no server that is there already', () => {
    const layout = layoutFor(
      '--kafka',
      'a:1,b:2',
      '--redis',
      'redis://c',
      '--event-log',
      'esdb://d?tls=false',
    )

    expect([layout.kafka, layout.redis, layout.double]).toEqual([null, [], null])
    expect(layout.addresses).toEqual({ kafka: 'a:1,b:2', redis: 'redis://c', eventLog: 'esdb://d?tls=false' })
    expect(layout.nodes[0]?.env).not.toHaveProperty('ALMANAC_REPLICATION')
  })

  it('shares one file of SQLite when there is no server for the event log', () => {
    const { double, addresses } = layoutFor('--event-log', 'sqlite')

    expect(double).toBeNull()
    expect(addresses.eventLog).toBe('sqlite:/data/event-log')
  })
})
