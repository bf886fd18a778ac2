import { KafkaTransactionLog, parseKafka } from '@almanac/adapters/kafka'
import { systemClock } from '@almanac/adapters/system'
import type { CommittedRecord, Transactor } from '@almanac/adapters/transactions'
import { createStop } from '@almanac/engine'
import { Kafka, logLevel } from 'kafkajs'
import { afterEach, describe, expect, inject, it } from 'vitest'
import { createTopic, entries, withAdmin } from './kafka-fixture.js'

const bootstrap = inject('kafka')
const connection = parseKafka(bootstrap)
const clock = systemClock()
const log = new KafkaTransactionLog({ connection, clock, options: { refreshMs: 200 } })
const configEntries = entries({ 'message.timestamp.type': 'LogAppendTime' })

let topics = 0
const newTopic = async (numPartitions = 1): Promise<string> => {
  topics += 1
  const topic = `reader-${process.pid}-${topics}`
  await createTopic(bootstrap, { topic, numPartitions, configEntries })
  return topic
}

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const each of undo.splice(0)) await each()
})

const take = async (id: string): Promise<Transactor> => {
  const holder = await log.takeOver(id)
  undo.push(() => holder.close())
  return holder
}

/** Reads until the test ends. `ended` tells how the reading ended. */
const read = (topic: string, from?: ReadonlyMap<number, number>) => {
  const records: CommittedRecord[] = []
  const stop = createStop()
  const follow = async () => {
    for await (const batch of log.follow(topic, stop, from)) records.push(...batch)
  }
  const ended = follow().then(
    () => 'stopped',
    (fault: { readonly code?: string }) => fault.code ?? String(fault),
  )
  undo.push(
    () => stop.stop(),
    () => ended,
  )
  return { records, ended, stop, values: () => records.map(({ value }) => value) }
}

const until = async (condition: () => boolean) => {
  while (!condition()) await clock.sleep(10)
}

const send = async (holder: Transactor, topic: string, value: string, partition = 0) => {
  expect(await holder.send([{ topic, partition, key: value, value }])).toMatchObject({ outcome: 'sent' })
}

const write = async (holder: Transactor, topic: string, value: string, partition = 0) => {
  await send(holder, topic, value, partition)
  expect(await holder.commit()).toBe('committed')
}

/** Two transactions on one partition: the one that began first is aborted last. */
const abortCrosswise = async (topic: string): Promise<Transactor> => {
  const [one, two] = [await take(`${topic}-1`), await take(`${topic}-2`)]
  await send(one, topic, 'aborted of one')
  await send(two, topic, 'aborted of two')
  await send(one, topic, 'aborted of one, too')
  await two.abort()
  await one.abort()
  await write(two, topic, 'kept')
  return two
}

describe('a reader of committed records', () => {
  it('is shown none of two aborted transactions, whichever of them ended first', async () => {
    const topic = await newTopic()
    await abortCrosswise(topic)
    const reader = read(topic)
    await until(() => reader.values().includes('kept'))
    expect(reader.values()).toEqual(['kept'])
  })

  it("is the reason why kafkajs' consumer is not used: it does show them", async () => {
    const seen: string[] = []
    // Which of the two it forgets depends on how the broker cuts its answer: not every time is one shown.
    for (let left = 5; left > 0 && !seen.includes('aborted of one'); left -= 1) {
      const topic = await newTopic()
      await abortCrosswise(topic)
      const kafka = new Kafka({ brokers: [bootstrap], logLevel: logLevel.NOTHING })
      const consumer = kafka.consumer({ groupId: topic, maxWaitTimeInMs: 50 })
      undo.push(() => consumer.disconnect())
      const kept = seen.filter((value) => value === 'kept').length
      await consumer.connect()
      await consumer.subscribe({ topic, fromBeginning: true })
      await consumer.run({ eachMessage: async ({ message }) => void seen.push(String(message.value)) })
      await until(() => seen.filter((value) => value === 'kept').length > kept)
    }
    expect(seen).toContain('aborted of one')
  })

  it('may begin in the middle of transactions that were aborted', async () => {
    const topic = await newTopic()
    await abortCrosswise(topic)
    for (const offset of [1, 2, 3]) {
      const reader = read(topic, new Map([[0, offset]]))
      await until(() => reader.values().length > 0)
      expect(reader.values()).toEqual(['kept'])
    }
  })

  it('takes a send that is more than a request may hold in several, all of one transaction', async () => {
    const topic = await newTopic(2)
    const holder = await take(topic)
    const records = Array.from({ length: 60 }, (_, n) => ({
      topic,
      partition: n % 2,
      key: `${n}`,
      value: `${n} ${'x'.repeat(90_000)}`,
    }))
    const reader = read(topic)
    expect(await holder.send(records)).toMatchObject({ outcome: 'sent' })
    expect(await holder.commit()).toBe('committed')
    await until(() => reader.records.length === 60)
    for (const partition of [0, 1]) {
      const keys = reader.records.filter((one) => one.partition === partition).map(({ key }) => Number(key))
      expect(keys).toEqual(Array.from({ length: 30 }, (_, n) => 2 * n + partition))
    }
  })

  it('finds partitions that are added', async () => {
    const topic = await newTopic()
    const reader = read(topic)
    await write(await take(`${topic}-1`), topic, 'first')
    await until(() => reader.values().includes('first'))
    await withAdmin(bootstrap, (admin) => admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] }))
    await write(await take(`${topic}-2`), topic, 'second', 2)
    await until(() => reader.values().includes('second'))
    expect(reader.values()).toEqual(['first', 'second'])
  })

  it('goes on from the earliest that is kept where retention has taken what it wants', async () => {
    const topic = await newTopic()
    const holder = await take(topic)
    for (const value of ['one', 'two', 'three']) await write(holder, topic, value)
    await withAdmin(bootstrap, async (admin) => {
      await admin.fetchTopicOffsets(topic)
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '4' }] })
    })
    const reader = read(topic, new Map([[0, 0]]))
    await until(() => reader.values().includes('three'))
    expect(reader.values()).toEqual(['three'])
  })

  it('is told by a fault when its topic is made anew, and begins again with what is there', async () => {
    const topic = await newTopic()
    const holder = await take(topic)
    for (const value of ['one', 'two', 'three']) await write(holder, topic, value)
    const reader = read(topic)
    await until(() => reader.values().includes('three'))
    await withAdmin(bootstrap, (admin) => admin.deleteTopics({ topics: [topic] }))
    expect(await reader.ended).toBe('unavailable')
    await createTopic(bootstrap, { topic, numPartitions: 1, configEntries })
    await write(await take(`${topic}-2`), topic, 'new')
    const again = read(topic, new Map([[0, 6]]))
    await until(() => again.values().length > 0)
    expect(again.values()).toEqual(['new'])
  })

  it('is told by a fault that there is no such topic', async () => {
    expect(await read(`reader-${process.pid}-none`).ended).toBe('unavailable')
  })

  it('is told by a fault that there is no broker', async () => {
    const options = { deadlineMs: 500 }
    const nowhere = new KafkaTransactionLog({ connection: parseKafka('127.0.0.1:1'), clock, options })
    const reading = nowhere.follow('t', createStop())[Symbol.asyncIterator]().next()
    await expect(reading).rejects.toMatchObject({ name: 'PortFault', code: 'unavailable' })
    await expect(nowhere.takeOver('a')).rejects.toMatchObject({ name: 'PortFault', code: 'unavailable' })
  })

  it('ends when it is stopped, with whoever left the loop too', async () => {
    const topic = await newTopic()
    const reader = read(topic)
    await clock.sleep(100)
    reader.stop.stop()
    expect(await reader.ended).toBe('stopped')
    await write(await take(topic), topic, 'one')
    for await (const [record] of log.follow(topic, createStop())) {
      expect(record?.value).toBe('one')
      break
    }
  })
})
