import { ManualClock } from '@almanac/engine'
import { MemoryTransactionLog } from './memory-log.fixture.js'
import { transactionLogContract } from './transaction-log.contract.js'

transactionLogContract('memory', async () => {
  const clock = new ManualClock(1_700_000_000_000)
  const log = new MemoryTransactionLog(clock)
  return {
    log,
    otherLog: () => log,
    pass: (ms) => clock.advance(ms),
    hooks: {
      loseNextCommitAnswer: () => {
        log.next = 'answer lost'
      },
      loseNextCommitRequest: () => {
        log.next = 'request lost'
      },
      compact: async (topic) => log.compact(topic),
    },
    close: async () => {},
  }
}, ['loseNextCommitAnswer', 'loseNextCommitRequest', 'compact'])
