import { afterEach, beforeEach, describe } from 'vitest'
import { fencingContract } from './fencing.contract.js'
import { recoveryContract } from './recovery.contract.js'
import { type HookName, TransactionBench, type TransactionLogFixture } from './transaction-bench.contract.js'
import { visibilityContract } from './visibility.contract.js'

export {
  type HookName,
  TransactionBench,
  type TransactionLogFixture,
  type TransactionLogHooks,
} from './transaction-bench.contract.js'

/**
 * What every transaction log keeps, be it a broker or a model of one: the dispatch log's safety rests on this and on
 * nothing else. Numbers such as E7 are those of the experiments with real brokers that a scenario comes from. A
 * scenario that needs a hook exists only when `hooks` names it.
 */
export const transactionLogContract = (
  name: string,
  factory: () => Promise<TransactionLogFixture>,
  hooks: readonly HookName[] = [],
): void => {
  describe(`transaction log: ${name}`, () => {
    let bench: TransactionBench
    beforeEach(async () => {
      bench = new TransactionBench(await factory())
    })
    afterEach(() => bench.close())

    describe('visibility', () => visibilityContract(() => bench))
    describe('fence', () => fencingContract(() => bench))
    describe('recovery', () => recoveryContract(() => bench, new Set(hooks)))
  })
}
