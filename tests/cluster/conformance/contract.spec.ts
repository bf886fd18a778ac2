import { transactionLogContract } from '@almanac/adapters/transactions/contract'
import { afterAll, beforeAll } from 'vitest'
import { kafkaFixture } from '../kafka-fixture.js'
import { RealBroker } from './real-subject.js'

let real: RealBroker
beforeAll(async () => {
  real = await RealBroker.start()
})
afterAll(() => real.stop())

transactionLogContract(
  'Kafka through the proxy',
  async () =>
    kafkaFixture({
      bootstrap: real.bootstrap,
      options: { requestTimeoutMs: 1500, transactionTimeoutMs: 8000 },
      hooks: {
        ...real.hooks,
        restart: async () => {
          await real.server.kill()
          await real.server.start()
        },
        serverTimeoutMs: 9000,
      },
      close: async () => real.proxy.heal(),
    }),
  ['loseNextCommitAnswer', 'loseNextCommitRequest', 'holdNextCommit', 'restart', 'serverTimeoutMs'],
)
