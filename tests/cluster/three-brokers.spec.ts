import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KafkaTransactionLog, parseKafka } from '@almanac/adapters/kafka'
import { systemClock } from '@almanac/adapters/system'
import { createStop, PortFault } from '@almanac/engine'
import { type KafkaServer, startKafkaCluster } from '@almanac/infra'
import { ConfigResourceTypes } from 'kafkajs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { withAdmin } from './kafka-fixture.js'
import { TestCluster } from './nodes.fixture.js'

// Goal: on three brokers, set up as in production, one that dies costs seconds and no run, two that are away stop the
// ticks, and all that was due meanwhile is made up for. Method: real brokers are killed while two nodes tick every
// second; a reader of the queue's topic, which sees what was committed, has the runs.

const taskCount = 8
const clock = systemClock()
/** More than the brokers need to find that one is gone, with a machine that has other things to do. */
const patience = { timeout: 60_000, interval: 100 }

let folder: string
let brokers: readonly KafkaServer[]
let nodes: TestCluster
let bootstrap: string
/** By task the instants of its runs, in the order in which they were committed. */
const runs = new Map<string, number[]>()
const stop = createStop()
let reading: Promise<void>

const broker = (nth: number): KafkaServer => {
  const found = brokers[nth]
  if (found === undefined) throw new Error(`There is no broker ${nth}`)
  return found
}
const log = () =>
  new KafkaTransactionLog({ connection: parseKafka(bootstrap), clock, options: { deadlineMs: 3_000 } })

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'almanac-brokers-'))
  brokers = await startKafkaCluster({ folder, heapMb: 384 })
  bootstrap = brokers.map((one) => one.bootstrap).join()
  // Three copies are the default, and two of them for each commit.
  nodes = new TestCluster({ kafka: bootstrap, replication: '3', partitions: '8', 'lease-ttl-seconds': '4' })
  await Promise.all([nodes.start('a'), nodes.start('b')])
  reading = read()
}, 120_000)

afterAll(async () => {
  stop.stop()
  await reading
  await nodes.close()
  await Promise.all(brokers.map((one) => one.kill()))
  await rm(folder, { recursive: true, force: true })
}, 60_000)

/** Begins again where it was after a fault: what it has been shown stays, and is not shown twice. */
async function read(): Promise<void> {
  const next = new Map<number, number>()
  while (!stop.stopped) {
    try {
      for await (const batch of log().follow(`${nodes.name}.queue.default`, stop, next)) {
        for (const { partition, offset, value } of batch) {
          next.set(partition, offset + 1)
          const { taskId, scheduledAt } = JSON.parse(value ?? '') as { taskId: string; scheduledAt: string }
          runs.set(taskId, [...(runs.get(taskId) ?? []), Date.parse(scheduledAt)])
        }
      }
    } catch {
      await clock.sleep(100, stop)
    }
  }
}

/** How far all tasks have come. */
const reached = (): number =>
  runs.size < taskCount ? 0 : Math.min(...[...runs.values()].map((instants) => instants.at(-1) ?? 0))

/** Every second from the first run to the last one, each once. */
function expectWhole(): void {
  for (const instants of runs.values()) {
    const first = instants[0] ?? Number.NaN
    expect(instants).toEqual(instants.map((_, nth) => first + 1_000 * nth))
  }
  expect(runs.size).toBe(taskCount)
}

const settingOf = async (topic: string, name: string) =>
  withAdmin(broker(0).bootstrap, async (admin) => {
    const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames: [name] }]
    const [found] = (await admin.describeConfigs({ includeSynonyms: false, resources })).resources
    return found?.configEntries[0]?.configValue
  })

it('has three copies of all topics, the state of transactions too, and two of them for each commit', async () => {
  const schedule = { interval: { every: 1, period: 'seconds' } }
  const catchUp = { policy: 'all', windowSeconds: 600, max: 1_000 }
  const made = Array.from({ length: taskCount }, (_, nth) =>
    nodes.tasks('a', '?wait=fenced', { body: { name: `task-${nth}`, task: 'x', schedule, catchUp } }),
  )
  for (const { status } of await Promise.all(made)) expect(status).toBe(201)
  await expect.poll(reached, patience).toBeGreaterThan(0)
  const own = ['checkpoints', 'queue.default', 'skips', 'run-events', 'totals'].map(
    (topic) => `${nodes.name}.${topic}`,
  )
  const { topics } = await withAdmin(broker(0).bootstrap, (admin) =>
    admin.fetchTopicMetadata({ topics: [...own, '__transaction_state'] }),
  )
  const copies = topics.flatMap(({ partitions }) => partitions.map(({ replicas }) => replicas.length))
  expect(new Set(copies)).toEqual(new Set([3]))
  for (const { name } of topics)
    expect([name, await settingOf(name, 'min.insync.replicas')]).toEqual([name, '2'])
})

it('goes on when a broker is killed: nothing lost, nothing twice', async () => {
  await broker(0).kill()
  const killedAt = Date.now()
  await expect.poll(reached, patience).toBeGreaterThan(killedAt + 2_000)
  expectWhole()
})

it('commits nothing while two of three are away, and makes up for it when one is back', async () => {
  await broker(1).kill()
  // Which of its codes it is depends on who has been asked: the broker that is left, or one that is gone.
  await expect(log().takeOver(`${nodes.name}-another`)).rejects.toBeInstanceOf(PortFault)
  const before = structuredClone(runs)
  await clock.sleep(1_500)
  expect(runs).toEqual(before)
  await broker(0).start()
  const backAt = Date.now()
  await expect.poll(reached, patience).toBeGreaterThan(backAt)
  expectWhole()
})
