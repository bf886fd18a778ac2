import { transactionLogContract } from '@almanac/adapters/transactions/contract'
import { inject } from 'vitest'
import { kafkaFixture } from './kafka-fixture.js'

transactionLogContract('Kafka', () => kafkaFixture({ bootstrap: inject('kafka') }), [])
