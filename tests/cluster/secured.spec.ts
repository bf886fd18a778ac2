import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KafkaTransactionLog, parseKafka } from '@almanac/adapters/kafka'
import { openRedis, RedisLeaseStore, RedisMembership, type RedisServers } from '@almanac/adapters/redis'
import { type ServerAccess, systemClock } from '@almanac/adapters/system'
import {
  type EventStoreDoubleServer,
  freePorts,
  type KafkaServer,
  type RedisServer,
  startEventStoreDouble,
  startKafka,
  startRedis,
} from '@almanac/infra'
import { startNode } from '@almanac/scheduler'
import { resolveConfig } from '@almanac/scheduler/service'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { almanac, eventually, type Running, root, start } from '../server-process.js'
import { issue, keyStoreOf, makeAuthority, type Pair } from './certificates.fixture.js'
import { createTopic } from './kafka-fixture.js'
import { memberOf } from './redis.fixture.js'

// Goal: a cluster's servers let in who has the user, the password and the certificate that they ask for, a node says
// which option is wrong when it is not let in, and nobody is told a password. Method: a real broker and a real Redis
// with TLS, users and client certificates, and the double of EventStoreDB with TLS and users; an authority that is made
// here, and another one that has vouched for none of them.

/** With everything that an address, a file of settings or a URL would take for something else. */
const secrets = {
  kafka: 'k4fka-s3cret:/@?%41#&+',
  redis: 'r3dis-s3cret:/@,?%41#&',
  eventstore: 'st0re-s3cret:/@,?%41#&',
} as const
const wrong = 'wr0ng-s3cret:/@'
const cluster = 'secured'

let folder: string
let kafka: KafkaServer
let redis: RedisServer
let eventstore: EventStoreDoubleServer
let redisPort: number
let authority: Pair
let stranger: Pair
let client: Pair
let running: Running | undefined
const file = (name: string) => join(folder, name)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'almanac-secured-'))
  await mkdir(file('eventstore'))
  const names = ['authority', 'stranger']
  const [own, other] = await Promise.all(names.map((name) => makeAuthority(folder, name)))
  if (own === undefined || other === undefined) throw new Error('There is no authority')
  authority = own
  stranger = other
  const server = await issue(folder, 'server', authority)
  client = await issue(folder, 'client', authority)
  await writeFile(file('kafka-password'), `${secrets.kafka}\n`)
  const started = await Promise.all([
    secureKafka(await keyStoreOf(folder, server)),
    secureRedis(server),
    startEventStoreDouble({
      folder: file('eventstore'),
      tls: server,
      users: { almanac: { password: secrets.eventstore, groups: ['$admins'] } },
    }),
  ])
  kafka = started[0]
  redis = started[1]
  eventstore = started[2]
})

afterAll(async () => {
  running?.process.kill('SIGKILL')
  await Promise.all([kafka?.stop(), redis?.stop(), eventstore?.stop()])
  await rm(folder, { recursive: true, force: true })
})

const secureKafka = (keyStoreFile: string) =>
  startKafka({
    folder: file('kafka'),
    listeners: [{ protocol: 'SASL_SSL' }],
    security: { keyStoreFile, users: { almanac: secrets.kafka }, clientAuthoritiesFile: authority.certFile },
    // A connection must tell again who it is within this, or the broker ends it.
    settings: { 'connections.max.reauth.ms': 4_000 },
  })

async function secureRedis({ certFile, keyFile }: Pair): Promise<RedisServer> {
  const [free = 0] = await freePorts(1)
  redisPort = free
  return await startRedis({
    folder: file('redis'),
    settings: {
      'tls-port': redisPort,
      'tls-cert-file': certFile,
      'tls-key-file': keyFile,
      'tls-ca-cert-file': authority.certFile,
      'tls-auth-clients': 'yes',
      user: `almanac on ">${secrets.redis}" ~* &* +@all`,
      requirepass: 'of-the-default-user',
    },
  })
}

const kafkaAddress = () => `localhost:${kafka.listeners[0]?.port}`
const redisAddress = () => `rediss://localhost:${redisPort}`

/** All that is right, as environment variables: the user of the event store stands in its address. */
const right = (): Record<string, string> => ({
  ALMANAC_CLUSTER: cluster,
  ALMANAC_NODE: 'a',
  ALMANAC_PORT: '0',
  ALMANAC_PARTITIONS: '8',
  ALMANAC_REPLICATION: '1',
  ALMANAC_LOG_LEVEL: 'debug',
  ALMANAC_DATA: file('data'),
  ALMANAC_EVENTSTORE:
    `esdb://almanac:${encodeURIComponent(secrets.eventstore)}@localhost:${eventstore.port}` +
    `?tls=true&tlsCAFile=${authority.certFile}`,
  ALMANAC_KAFKA: kafkaAddress(),
  ALMANAC_KAFKA_USER: 'almanac',
  ALMANAC_KAFKA_PASSWORD_FILE: file('kafka-password'),
  ALMANAC_KAFKA_SASL: 'scram-sha-512',
  ALMANAC_KAFKA_CA: authority.certFile,
  ALMANAC_KAFKA_CERT: client.certFile,
  ALMANAC_KAFKA_KEY: client.keyFile,
  ALMANAC_REDIS: redisAddress(),
  ALMANAC_REDIS_USER: 'almanac',
  ALMANAC_REDIS_PASSWORD: secrets.redis,
  ALMANAC_REDIS_CA: authority.certFile,
  ALMANAC_REDIS_CERT: client.certFile,
  ALMANAC_REDIS_KEY: client.keyFile,
})

/** The password itself, and what it becomes in an address, in JSON, and in what is sent. */
const formsOf = (secret: string): readonly string[] => [
  secret,
  encodeURIComponent(secret),
  encodeURI(secret),
  JSON.stringify(secret).slice(1, -1),
  Buffer.from(`almanac:${secret}`).toString('base64'),
  Buffer.from(secret).toString('base64'),
  // What is left of it when it is cut at the first sign that means something.
  secret.slice(0, secret.indexOf(':')),
]

function expectNoSecret(text: string): void {
  expect(text.length).toBeGreaterThan(0)
  const told = [...Object.values(secrets), wrong].flatMap(formsOf).filter((form) => text.includes(form))
  expect(told).toEqual([])
}

async function withRedis<T>(work: (servers: RedisServers) => Promise<T>): Promise<T> {
  const access: ServerAccess = {
    user: 'almanac',
    password: secrets.redis,
    caFile: authority.certFile,
    ...client,
  }
  const servers = await openRedis({ url: redisAddress(), access, clock: systemClock() })
  try {
    return await work(servers)
  } finally {
    servers.close()
  }
}

describe('a node that is not let in', () => {
  it.each<[what: string, changes: () => Record<string, string>, option: string]>([
    ['Kafka: a wrong password', () => kafkaPassword(wrong), 'ALMANAC_KAFKA_PASSWORD'],
    [
      'Kafka: a wrong password by PLAIN',
      () => ({ ...kafkaPassword(wrong), ALMANAC_KAFKA_SASL: 'plain' }),
      'ALMANAC_KAFKA_PASSWORD',
    ],
    ['Kafka: a user that is not known', () => ({ ALMANAC_KAFKA_USER: 'nobody' }), 'ALMANAC_KAFKA_USER'],
    ['Kafka: another mechanism', () => ({ ALMANAC_KAFKA_SASL: 'scram-sha-256' }), 'ALMANAC_KAFKA_SASL'],
    ['Kafka: another authority', () => ({ ALMANAC_KAFKA_CA: stranger.certFile }), 'ALMANAC_KAFKA_CA'],
    [
      'Kafka: no certificate of the node',
      () => ({ ALMANAC_KAFKA_CERT: '', ALMANAC_KAFKA_KEY: '' }),
      'ALMANAC_KAFKA_CERT',
    ],
    ['Redis: a wrong password', () => ({ ALMANAC_REDIS_PASSWORD: wrong }), 'ALMANAC_REDIS_PASSWORD'],
    ['Redis: no user', () => ({ ALMANAC_REDIS_USER: '', ALMANAC_REDIS_PASSWORD: '' }), 'ALMANAC_REDIS_USER'],
    ['Redis: another authority', () => ({ ALMANAC_REDIS_CA: stranger.certFile }), 'ALMANAC_REDIS_CA'],
    ['the event store: a wrong password', () => eventstoreBy(wrong), 'ALMANAC_EVENTSTORE_PASSWORD'],
    ['the event store: no user', () => eventstoreBy(undefined), 'ALMANAC_EVENTSTORE_USER'],
    [
      'the event store: another authority',
      () => eventstoreBy(secrets.eventstore, stranger),
      'ALMANAC_EVENTSTORE_CA',
    ],
  ])('does not start, and says which option it is. %s', async (what, changes, option) => {
    const own = { ALMANAC_DATA: file(`data of ${what}`), ALMANAC_LOG_LEVEL: 'error' }
    const resolved = resolveConfig({ env: { ...right(), ...own, ...changes() } })
    if (!resolved.ok || resolved.config.servers === null) throw new Error(JSON.stringify(resolved))
    const { servers } = resolved.config
    const started = startNode({ ...resolved.config, servers })
    const problem = await started.then(
      async (node) => {
        await node.stop()
        return new Error('It has started')
      },
      (error: unknown) => error,
    )
    expect(problem).toMatchObject({ name: 'StartProblem', message: expect.stringContaining(option) })
    expectNoSecret(causesOf(problem))
    expect(await membersBeside('observer')).toEqual([])
  })
})

const membersBeside = (nodeId: string) =>
  withRedis(async (servers) => {
    const membership = new RedisMembership(servers, { prefix: cluster })
    const own = memberOf(nodeId)
    const renewal = await membership.renew(own, 10_000)
    await membership.leave(nodeId, own.instance)
    if (renewal.outcome !== 'member') throw new Error(renewal.outcome)
    return renewal.members.map((member) => member.nodeId).filter((other) => other !== nodeId)
  })

const kafkaPassword = (password: string) => ({
  ALMANAC_KAFKA_PASSWORD_FILE: '',
  ALMANAC_KAFKA_PASSWORD: password,
})

const eventstoreBy = (password: string | undefined, vouching: Pair = authority): Record<string, string> => ({
  ALMANAC_EVENTSTORE: `esdb://localhost:${eventstore.port}`,
  ALMANAC_EVENTSTORE_CA: vouching.certFile,
  ...(password === undefined
    ? {}
    : { ALMANAC_EVENTSTORE_USER: 'almanac', ALMANAC_EVENTSTORE_PASSWORD: password }),
})

/** All that somebody could print of it. */
function causesOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return `${error.stack}\n${JSON.stringify(error)}\n${causesOf(error.cause)}`
}

it('Redis lets nobody in who shows no certificate, or one that it does not trust', async () => {
  const known = { user: 'almanac', password: secrets.redis, caFile: authority.certFile }
  const foreign = await issue(folder, 'foreign', stranger)
  for (const access of [known, { ...known, ...foreign }]) {
    const servers = await openRedis({ url: redisAddress(), access, clock: systemClock() })
    const leases = new RedisLeaseStore(servers, { prefix: 'x' })
    // Whether the reason is heard is a matter of luck: the end of the connection may come before it.
    await expect(leases.acquire(0, 'x', 1_000)).rejects.toMatchObject({ code: 'unavailable' })
    servers.close()
  }
})

it('by PLAIN too a transaction is committed', async () => {
  const access = { user: 'almanac', password: secrets.kafka, caFile: authority.certFile, ...client }
  const connection = parseKafka(kafkaAddress(), { ...access, sasl: 'plain' })
  await createTopic(kafka.bootstrap, { topic: 'plain', numPartitions: 1, configEntries: [appendTime] })
  const holder = await new KafkaTransactionLog({ connection, clock: systemClock() }).takeOver('plain')
  const sent = await holder.send([{ topic: 'plain', partition: 0, key: 'k', value: 'v' }])
  expect([sent.outcome, await holder.commit()]).toEqual(['sent', 'committed'])
  await holder.close()
})

const appendTime = { name: 'message.timestamp.type', value: 'LogAppendTime' }

interface Task {
  readonly id: string
  readonly totalRunCount: number
}

describe('a node with all that it needs', () => {
  let url: string

  it('starts, takes leases and commits its ticks', async () => {
    running = start(`${root}services/scheduler/bin/almanac-node.js`, [], right())
    const [, address = ''] = await running.says(/is running at (\S+?):? /)
    url = address
    const body = { name: 'every-second', task: 'x', schedule: { interval: { every: 1, period: 'seconds' } } }
    const made = await fetch(`${url}/v1/namespaces/default/tasks?wait=fenced`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    expect([made.status, made.headers.get('almanac-fence')]).toEqual([201, 'fenced'])
    const held = await withRedis(async (servers) => {
      const leases = new RedisLeaseStore(servers, { prefix: cluster })
      const answers = Array.from({ length: 8 }, (_, partition) => leases.acquire(partition, 'b', 1_000))
      return await Promise.all(answers)
    })
    expect(held).toEqual(Array(8).fill('refused'))
  })

  it('goes on beyond the time after which connections have to tell who they are again', async () => {
    const { id, totalRunCount } = await task()
    // 4 s of the broker's setting, and some.
    await eventually(task, (seen) => seen.totalRunCount >= totalRunCount + 6)
    const runs = await ask<{ readonly scheduledAt: string }>(`/v1/namespaces/default/runs?task=${id}`)
    const instants = runs.map(({ scheduledAt }) => Date.parse(scheduledAt)).sort()
    const first = instants[0] ?? Number.NaN
    expect(instants).toEqual(instants.map((_, nth) => first + 1_000 * nth))
    const lines = running?.output() ?? ''
    expect(lines.split('\n').filter((line) => line.includes('"level":"warn"'))).toEqual([])
  })

  it('tells nobody a password', async () => {
    const doctor = await almanac(url, 'doctor')
    expect(doctor).toMatchObject({ code: 0 })
    const pages = ['/v1/cluster', '/metrics', '/readyz', '/livez', '/openapi.json']
    const answers = await Promise.all(pages.map(async (page) => (await fetch(url + page)).text()))
    const status = await almanac(url, 'cluster', 'status')
    for (const text of [doctor.output, status.output, ...answers]) expectNoSecret(text)
    running?.process.kill('SIGTERM')
    expect(await running?.ended).toBe(0)
    expectNoSecret(running?.output() ?? '')
  })

  it('says on its command line what is wrong, and ends', async () => {
    const refused = start(`${root}services/scheduler/bin/almanac-node.js`, [], {
      ...right(),
      ...kafkaPassword(wrong),
    })
    expect(await refused.ended).toBe(1)
    expect(refused.output()).toMatch(/Kafka refuses this user: .*ALMANAC_KAFKA_PASSWORD_FILE/)
    expectNoSecret(refused.output())
  })

  const ask = async <Item>(path: string): Promise<readonly Item[]> => {
    const { items } = (await (await fetch(url + path)).json()) as { readonly items: readonly Item[] }
    return items
  }
  const task = async (): Promise<Task> => {
    const [first] = await ask<Task>('/v1/namespaces/default/tasks')
    if (first === undefined) throw new Error('There is no task')
    return first
  }
})
