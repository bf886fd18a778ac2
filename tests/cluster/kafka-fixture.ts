import { type KafkaLogOptions, KafkaTransactionLog, parseKafka } from '@almanac/adapters/kafka'
import { systemClock } from '@almanac/adapters/system'
import type { CommittedRecord, TransactionLog } from '@almanac/adapters/transactions'
import type { TransactionLogFixture, TransactionLogHooks } from '@almanac/adapters/transactions/contract'
import { createStop } from '@almanac/engine'
import { ConfigResourceTypes, type ITopicConfig, Kafka, logLevel } from 'kafkajs'

export interface KafkaFixtureOptions {
  /** Host and port of a broker: of itself, or of a proxy before it. */
  readonly bootstrap: string
  readonly options?: Partial<KafkaLogOptions>
  readonly hooks?: TransactionLogHooks
  readonly close?: () => Promise<void>
}

let fixtures = 0

/** The transaction log on a real broker. Every fixture has topics and ids of its own. */
export function kafkaFixture(parts: KafkaFixtureOptions): TransactionLogFixture {
  const { bootstrap, options = {}, hooks = {} } = parts
  fixtures += 1
  const open = (): TransactionLog =>
    new KafkaTransactionLog({ connection: parseKafka(bootstrap), clock: systemClock(), options })
  return {
    log: open(),
    otherLog: open,
    pass: (ms) => settled(ms).then(() => {}),
    prefix: `${process.pid}-${fixtures}.`,
    createTopic: (topic, partitions) =>
      createTopic(bootstrap, { topic, numPartitions: partitions, configEntries: entries(compactedSettings) }),
    hooks,
    close: async () => await parts.close?.(),
  }
}

const settled = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/**
 * Closes the segments of a topic, and waits until the broker has compacted them: until no key is there twice, as far
 * as anybody sees it, and for a while in any case.
 */
export async function compact(bootstrap: string, log: TransactionLog, topic: string): Promise<void> {
  await setSegmentMs(bootstrap, topic, 50)
  await settled(100)
  // A segment is closed when something is appended: by a transaction that nobody sees.
  const holder = await log.takeOver(`${topic}.compaction`)
  const partitions = await withAdmin(bootstrap, (admin) => admin.fetchTopicOffsets(topic))
  const records = partitions.map(({ partition }) => ({ topic, partition, key: 'close', value: 'segment' }))
  await holder.send(records)
  await holder.abort()
  await holder.close()
  await setSegmentMs(bootstrap, topic, 604_800_000)
  await settled(1_500)
  while (hasTwice(await whatIsThere(log, topic))) await settled(200)
}

function hasTwice(records: readonly CommittedRecord[]): boolean {
  const keys = records.map(({ partition, key }) => `${partition} ${key}`)
  return new Set(keys).size < keys.length
}

/** All that a reader is shown until nothing comes for a while. */
async function whatIsThere(log: TransactionLog, topic: string): Promise<readonly CommittedRecord[]> {
  const records: CommittedRecord[] = []
  const stop = createStop()
  let timer = setTimeout(() => stop.stop(), 500)
  for await (const batch of log.follow(topic, stop)) {
    records.push(...batch)
    clearTimeout(timer)
    timer = setTimeout(() => stop.stop(), 300)
  }
  return records
}

async function setSegmentMs(bootstrap: string, topic: string, ms: number): Promise<void> {
  const configEntries = entries({ ...compactedSettings, 'segment.ms': `${ms}` })
  await withAdmin(bootstrap, (admin) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }],
    }),
  )
}

/** Compacts as soon as there is something new, and what is new as soon as a segment is closed. */
const compactedSettings = {
  'message.timestamp.type': 'LogAppendTime',
  'cleanup.policy': 'compact',
  'min.cleanable.dirty.ratio': '0.001',
  'min.compaction.lag.ms': '0',
}

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
