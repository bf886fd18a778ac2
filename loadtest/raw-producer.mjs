// The ceiling of everything that ends in Kafka: kafkajs' plain producer, with messages that are there already.

import kafkajs from 'kafkajs'

/** Messages a second: `flights` sends of `batch` messages under way at once, acks of all, one warm-up batch. */
export async function rawRate(bootstrap, topic, messages, { batch, flights }) {
  const producer = clientOf(bootstrap).producer({
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  })
  await producer.connect()
  const send = (part) => producer.send({ topic, acks: -1, messages: part })
  await send(messages.slice(0, batch))
  let at = 0
  const began = performance.now()
  const flight = async () => {
    while (at < messages.length) {
      const part = messages.slice(at, at + batch)
      at += batch
      await send(part)
    }
  }
  await Promise.all(Array.from({ length: flights }, flight))
  const rate = messages.length / ((performance.now() - began) / 1_000)
  await producer.disconnect()
  return rate
}

/** The best of several numbers of sends under way. */
export async function bestRawRate(bootstrap, topic, messages, batch) {
  let best = { rate: 0, flights: 0 }
  for (const flights of [1, 2, 4, 8]) {
    const rate = await rawRate(bootstrap, topic, messages, { batch, flights })
    if (rate > best.rate) best = { rate, flights }
  }
  return best
}

/** A topic like those of runs that no node reads. */
export async function makeRawTopic(bootstrap, topic, numPartitions) {
  const admin = clientOf(bootstrap).admin()
  await admin.connect()
  const configEntries = [{ name: 'message.timestamp.type', value: 'LogAppendTime' }]
  await admin.createTopics({
    topics: [{ topic, numPartitions, replicationFactor: 1, configEntries }],
    waitForLeaders: true,
  })
  await admin.disconnect()
}

const clientOf = (bootstrap) =>
  new kafkajs.Kafka({ brokers: [bootstrap], logLevel: kafkajs.logLevel.NOTHING })
