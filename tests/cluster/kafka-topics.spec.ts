import { KafkaTopics, KafkaTransactionLog, parseKafka } from '@almanac/adapters/kafka'
import { systemClock } from '@almanac/adapters/system'
import { ConfigResourceTypes } from 'kafkajs'
import { describe, expect, inject, it } from 'vitest'
import { createTopic, entries, withAdmin } from './kafka-fixture.js'

const bootstrap = inject('kafka')
const connection = parseKafka(bootstrap)
const clock = systemClock()

let prefixes = 0
const fresh = (changes: { readonly partitions?: number; readonly replication?: number } = {}) => {
  prefixes += 1
  const prefix = `topics-${process.pid}-${prefixes}`
  const options = { prefix, partitions: 3, replication: 1, ...changes }
  return { prefix, options, topics: new KafkaTopics({ connection, clock, options }) }
}

const settingsOf = (name: string) =>
  withAdmin(bootstrap, async (admin) => {
    const resources = [{ type: ConfigResourceTypes.TOPIC, name }]
    const [found] = (await admin.describeConfigs({ includeSynonyms: false, resources })).resources
    return Object.fromEntries(
      found?.configEntries.map(({ configName, configValue }) => [configName, configValue]) ?? [],
    )
  })

const partitionsOf = (topic: string) =>
  withAdmin(bootstrap, async (admin) => (await admin.fetchTopicOffsets(topic)).length)

const safe = { 'message.timestamp.type': 'LogAppendTime', 'unclean.leader.election.enable': 'false' }

describe("a cluster's topics", () => {
  it('are made with the settings that safety rests on', async () => {
    const { prefix, topics } = fresh()
    await topics.provision(['default', 'mail:urgent'])
    expect(await settingsOf(`${prefix}.checkpoints`)).toMatchObject({
      ...safe,
      'cleanup.policy': 'compact',
      'min.compaction.lag.ms': '86400000',
      'min.insync.replicas': '1',
    })
    expect(await settingsOf(`${prefix}.run-events`)).toMatchObject({ 'compression.type': 'uncompressed' })
    expect(await settingsOf(`${prefix}.totals`)).toMatchObject({ ...safe, 'cleanup.policy': 'compact' })
    for (const kept of ['skips', 'run-events', 'queue.default', 'queue.mail..curgent']) {
      expect(await settingsOf(`${prefix}.${kept}`)).toMatchObject({
        ...safe,
        'cleanup.policy': 'delete',
        'retention.ms': '604800000',
      })
    }
    expect(await partitionsOf(`${prefix}.checkpoints`)).toBe(3)
    expect(await partitionsOf(`${prefix}.queue.default`)).toBe(3)
  })

  it('may be made by several nodes at once, and again', async () => {
    const { prefix, options } = fresh()
    const nodes = Array.from({ length: 5 }, () => new KafkaTopics({ connection, clock, options }))
    await Promise.all(nodes.map((node) => node.provision(['default'])))
    await nodes[0]?.provision(['default', 'more'])
    expect(await nodes[1]?.runTopics()).toEqual([`${prefix}.queue.default`, `${prefix}.queue.more`])
  })

  it('of queues and exchanges are listed, and no others', async () => {
    const [mine, other] = [fresh(), fresh()]
    await mine.topics.provision(['b', 'a'])
    await other.topics.provision(['c'])
    await mine.topics.createRunTopic(`${mine.prefix}.exchange.x`)
    expect(await mine.topics.runTopics()).toEqual([
      `${mine.prefix}.exchange.x`,
      `${mine.prefix}.queue.a`,
      `${mine.prefix}.queue.b`,
    ])
    await expect(mine.topics.createRunTopic(`${mine.prefix}.else`)).rejects.toMatchObject({
      code: 'unavailable',
      message: `The topic ${mine.prefix}.else does not exist, and is none of a queue or an exchange`,
    })
  })

  it('that are otherwise than they have to be are refused, each by its name', async () => {
    const { prefix, topics } = fresh()
    const wrong = entries({ 'message.timestamp.type': 'CreateTime', 'cleanup.policy': 'delete' })
    await createTopic(bootstrap, {
      topic: `${prefix}.checkpoints`,
      numPartitions: 4,
      configEntries: wrong,
    })
    await createTopic(bootstrap, {
      topic: `${prefix}.queue.few`,
      numPartitions: 2,
      configEntries: entries(safe),
    })
    await createTopic(bootstrap, {
      topic: `${prefix}.queue.many`,
      numPartitions: 9,
      configEntries: entries(safe),
    })
    await expect(topics.provision(['few', 'many'])).rejects.toMatchObject({
      name: 'TopicMismatch',
      problems: [
        `${prefix}.checkpoints: partitions: wanted 3, found 4`,
        `${prefix}.queue.few: partitions: wanted at least 3, found 2`,
        `${prefix}.checkpoints: message.timestamp.type: wanted LogAppendTime, found CreateTime`,
        `${prefix}.checkpoints: cleanup.policy: wanted compact, found delete`,
      ],
    })
  })

  it('of a new queue that is there otherwise is a fault, not the end of who writes to it', async () => {
    const { prefix, topics } = fresh()
    const topic = `${prefix}.queue.wrong`
    await createTopic(bootstrap, { topic, numPartitions: 3 })
    await expect(topics.createRunTopic(topic)).rejects.toMatchObject({
      name: 'PortFault',
      code: 'unavailable',
    })
  })

  it('that need more brokers than there are tell so', async () => {
    const { prefix, topics } = fresh({ replication: 3 })
    await expect(topics.provision()).rejects.toMatchObject({
      name: 'TopicMismatch',
      message: expect.stringContaining(
        `${prefix}.checkpoints shall have 3 copies of each partition (replication)`,
      ),
    })
  })

  it('can not be made where no broker is', async () => {
    const { options } = fresh()
    const topics = new KafkaTopics({ connection: parseKafka('127.0.0.1:1'), clock, options })
    await expect(topics.provision()).rejects.toMatchObject({ name: 'PortFault', code: 'unavailable' })
  })

  it('tell the offsets at a time', async () => {
    const { prefix, topics } = fresh({ partitions: 2 })
    await topics.provision(['q'])
    const topic = `${prefix}.queue.q`
    const holder = await new KafkaTransactionLog({ connection, clock }).takeOver(`${prefix}.writer`)
    const send = async (value: string) => {
      const sent = await holder.send([{ topic, partition: 0, key: 'k', value }])
      expect(await holder.commit()).toBe('committed')
      return sent.outcome === 'sent' ? sent.appendedAt : Number.NaN
    }
    await send('early')
    await clock.sleep(20)
    const at = await send('late')
    expect(await topics.offsetsAt(topic, at)).toEqual(
      new Map([
        [0, 2],
        [1, 0],
      ]),
    )
    expect((await topics.offsetsAt(topic, at + 60_000)).get(0)).toBe(4)
    await holder.close()
  })

  it('of a new queue come into being when a task first names it', async () => {
    const { prefix, topics } = fresh()
    await topics.provision()
    const createTopic = (topic: string) => topics.createRunTopic(topic)
    const log = new KafkaTransactionLog({ connection, clock, createTopic })
    const holder = await log.takeOver(`${prefix}.partition-0`)
    const record = { topic: `${prefix}.queue.new`, partition: null, key: 'k', value: 'v' }
    const checkpoint = { topic: `${prefix}.checkpoints`, partition: 0, key: 'c', value: 'v' }
    expect((await holder.send([record, checkpoint])).outcome).toBe('sent')
    expect(await holder.commit()).toBe('committed')
    const other = { ...record, topic: `${prefix}.nobodys` }
    await expect(holder.send([other])).rejects.toMatchObject({ name: 'PortFault', code: 'unavailable' })
    await holder.close()
  })

  it("that keep the producers' times are told of when they are written to", async () => {
    const { prefix } = fresh()
    const topic = `${prefix}.queue.times`
    await createTopic(bootstrap, { topic, numPartitions: 1 })
    const holder = await new KafkaTransactionLog({ connection, clock }).takeOver(`${prefix}.writer`)
    await expect(holder.send([{ topic, partition: 0, key: 'k', value: 'v' }])).rejects.toMatchObject({
      name: 'PortFault',
      message: expect.stringContaining(`${topic} keeps the times of producers`),
    })
    await holder.close()
  })
})
