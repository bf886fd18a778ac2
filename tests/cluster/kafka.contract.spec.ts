import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { transactionLogContract } from '@almanac/adapters/transactions/contract'
import { type KafkaServer, startKafka } from '@almanac/infra'
import { afterAll } from 'vitest'
import { compact, kafkaFixture } from './kafka-fixture.js'

/** A broker of its own, since it is killed. */
let started: Promise<KafkaServer> | undefined
let folder = ''

const start = async (): Promise<KafkaServer> => {
  folder = await mkdtemp(join(tmpdir(), 'almanac-kafka-'))
  const settings = {
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': 500,
    'log.cleaner.backoff.ms': 200,
  }
  return await startKafka({ folder, settings })
}

afterAll(async () => {
  await (await started)?.kill()
  await rm(folder, { recursive: true, force: true })
})

transactionLogContract('Kafka', async () => {
  started ??= start()
  const broker = await started
  const { bootstrap } = broker
  const fixture = kafkaFixture({
    bootstrap,
    options: { transactionTimeoutMs: 6_000 },
    hooks: {
      compact: (topic) => compact(bootstrap, fixture.log, topic),
      restart: async () => {
        await broker.kill()
        await broker.start()
      },
      serverTimeoutMs: 7_500,
    },
  })
  return fixture
}, ['compact', 'restart', 'serverTimeoutMs'])
