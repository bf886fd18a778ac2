import { type KafkaLogOptions, KafkaTransactionLog, parseKafka } from '@almanac/adapters/kafka'
import { systemClock } from '@almanac/adapters/system'
import type { TransactionLog } from '@almanac/adapters/transactions'
import type { TransactionLogFixture, TransactionLogHooks } from '@almanac/adapters/transactions/contract'
import { type ITopicConfig, Kafka, logLevel } from 'kafkajs'

export interface KafkaFixtureOptions {
  /** Host and port of a broker: of itself, or of a proxy before it. */
  readonly bootstrap: string
  readonly options?: Partial<KafkaLogOptions>
  readonly hooks?: TransactionLogHooks
  readonly close?: () => Promise<void>
}

let fixtures = 0

/** The transaction log on a real broker. Every fixture has topics and ids of its own. */
export async function kafkaFixture(parts: KafkaFixtureOptions): Promise<TransactionLogFixture> {
  const { bootstrap, options = {}, hooks = {} } = parts
  fixtures += 1
  const open = (): TransactionLog =>
    new KafkaTransactionLog({ connection: parseKafka(bootstrap), clock: systemClock(), options })
  return {
    log: open(),
    otherLog: open,
    pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    prefix: `${process.pid}-${fixtures}.`,
    createTopic: (topic, partitions) =>
      createTopic(bootstrap, { topic, numPartitions: partitions, configEntries: compacted }),
    hooks,
    close: async () => await parts.close?.(),
  }
}

/** Compacts as soon as there is something new, and what is new as soon as a segment is closed. */
const compacted = entries({
  'message.timestamp.type': 'LogAppendTime',
  'cleanup.policy': 'compact',
  'min.cleanable.dirty.ratio': '0.001',
  'min.compaction.lag.ms': '0',
  'segment.ms': '604800000',
})

export async function createTopic(bootstrap: string, topic: ITopicConfig): Promise<void> {
  await withAdmin(bootstrap, async (admin) => {
    await admin.createTopics({ topics: [topic], waitForLeaders: false })
    // The client's own wait for leaders fails when the broker has not heard of the topic yet.
    const isThere = () => admin.fetchTopicOffsets(topic.topic).catch(() => [])
    while ((await isThere()).length === 0) await new Promise((resolve) => setTimeout(resolve, 20))
  })
}

export async function withAdmin<T>(
  bootstrap: string,
  work: (admin: ReturnType<Kafka['admin']>) => Promise<T>,
): Promise<T> {
  const retry = { initialRetryTime: 50, retries: 20, maxRetryTime: 500, multiplier: 1.5, factor: 0.2 }
  const admin = new Kafka({ brokers: [bootstrap], logLevel: logLevel.NOTHING, retry }).admin()
  await admin.connect()
  try {
    return await work(admin)
  } finally {
    await admin.disconnect()
  }
}

export function entries(settings: Readonly<Record<string, string>>): { name: string; value: string }[] {
  return Object.entries(settings).map(([name, value]) => ({ name, value }))
}
