import { outcomeUnknown, unavailable } from '@almanac/engine'
import type { Instant } from '@almanac/recurrence'
import type { LogRecord, SendOutcome, Transactor } from '../transactions/index.js'
import type { Appended, Appender, Producer } from './appender.js'
import { type Calls, doubtful, failed, refused } from './calls.js'
import { code, coordinatorPasses, fencedCodes } from './codes.js'
import { codeOf } from './kafkajs.js'
import { byTopic, type Place } from './requests.js'

type Fenced = { readonly outcome: 'fenced' }
const fenced: Fenced = { outcome: 'fenced' }

export interface TransactorParts {
  /** Of a client that this transactor alone has. */
  readonly calls: Calls
  readonly transactionalId: string
  readonly producer: Producer
  readonly appender: Appender
}

/** Becomes the holder of the id: whoever held it is fenced, and their open transaction has ended. */
export function beProducer(calls: Calls, transactionalId: string, timeoutMs: number): Promise<Producer> {
  const what = `for ${transactionalId}`
  let wasAsked = false
  return calls.retrying<Producer>(
    async () => {
      try {
        const coordinator = await calls.coordinatorOf(transactionalId)
        wasAsked = true
        return { done: await coordinator.initProducerId({ transactionalId, transactionTimeout: timeoutMs }) }
      } catch (error) {
        return again(calls, what, error)
      }
    },
    (why) => (wasAsked ? doubtful(what, why) : failed(what, why)),
  )
}

/** What came to nothing may be tried again, unless the broker refuses it for good. */
function again(calls: Calls, what: string, error: unknown): { readonly again: unknown } {
  const refusal = codeOf(error)
  // A transaction of an earlier holder, or the last one of this, is still being ended.
  if (refusal === code.concurrentTransactions) return { again: error }
  if (refusal !== undefined && !coordinatorPasses.has(refusal)) throw refused(what, error)
  calls.forgetCoordinator()
  return { again: error }
}

/** One holder of a transactional id, over the brokers' own protocol. */
export class KafkaTransactor implements Transactor {
  private readonly parts: TransactorParts
  /** The partitions of the open transaction. */
  private readonly joined = new Set<string>()
  private state: 'good' | 'fenced' | 'over' = 'good'

  constructor(parts: TransactorParts) {
    this.parts = parts
  }

  send(records: readonly LogRecord[]): Promise<SendOutcome> {
    return this.attempt<SendOutcome, Fenced>(fenced, async () => {
      const { appender } = this.parts
      const rounds = await appender.prepare(records)
      if ('refused' in rounds) {
        return { outcome: 'refused', topics: rounds.refused, message: rounds.message }
      }
      if ((await this.join(appender.placesOf(rounds))) === 'fenced') return fenced
      let appendedAt: Instant = 0
      for (const round of rounds) {
        const appended = await appender.append(round)
        if (appended === 'fenced') return fenced
        appendedAt = Math.max(appendedAt, lastOf(appended))
      }
      return { outcome: 'sent', appendedAt }
    })
  }

  commit(): Promise<'committed' | 'fenced'> {
    return this.attempt<'committed' | 'fenced', 'fenced'>('fenced', async () =>
      (await this.end(true)) === 'ended' ? 'committed' : 'fenced',
    )
  }

  async abort(): Promise<void> {
    await this.attempt<'ended' | 'fenced', 'fenced'>('fenced', () => this.end(false))
  }

  async close(): Promise<void> {
    if (this.state === 'good') this.state = 'over'
    this.parts.calls.close()
  }

  /** Makes the partitions that are new a part of the transaction. */
  private async join(places: readonly Place[]): Promise<'joined' | 'fenced'> {
    const { calls, transactionalId, producer } = this.parts
    const fresh = places.filter((place) => !this.joined.has(nameOf(place)))
    if (fresh.length === 0) return 'joined'
    const what = `to open a transaction of ${transactionalId}`
    const topics = [...byTopic(fresh)].map(([topic, theirs]) => ({
      topic,
      partitions: theirs.map(({ partition }) => partition),
    }))
    const outcome = await calls.retrying<'joined' | 'fenced'>(
      async () => {
        try {
          const coordinator = await calls.coordinatorOf(transactionalId)
          await coordinator.addPartitionsToTxn({ transactionalId, ...producer, topics })
          return { done: 'joined' }
        } catch (error) {
          return isFenced(error) ? { done: 'fenced' } : again(calls, what, error)
        }
      },
      (why) => failed(what, why),
    )
    if (outcome === 'joined') for (const place of fresh) this.joined.add(nameOf(place))
    return outcome
  }

  /** Asked again only when the broker says that nothing was done: an answer that is lost is an unknown outcome. */
  private async end(isCommit: boolean): Promise<'ended' | 'fenced'> {
    if (this.joined.size === 0) return 'ended'
    const { calls, transactionalId, producer } = this.parts
    const what = `to ${isCommit ? 'commit' : 'abort'} a transaction of ${transactionalId}`
    const outcome = await calls.retrying<'ended' | 'fenced'>(
      async () => {
        try {
          const coordinator = await calls.coordinatorOf(transactionalId)
          await coordinator.endTxn({ transactionalId, ...producer, transactionResult: isCommit })
          return { done: 'ended' }
        } catch (error) {
          if (isFenced(error)) return { done: 'fenced' }
          if (codeOf(error) === undefined) throw doubtful(what, error)
          return again(calls, what, error)
        }
      },
      (why) => doubtful(what, why),
    )
    if (outcome === 'ended') this.joined.clear()
    return outcome
  }

  /** After a fault or a fence nothing is tried any more. */
  private async attempt<T, F extends T>(whenFenced: F, work: () => Promise<T>): Promise<T> {
    if (this.state === 'fenced') return whenFenced
    if (this.state === 'over') throw unavailable('This transactor is over: take over anew')
    this.state = 'over'
    const result = await work()
    this.state = result === whenFenced ? 'fenced' : 'good'
    return result
  }
}

function lastOf(appended: readonly Appended[]): Instant {
  let last = 0
  for (const { topic, logAppendTime } of appended) {
    if (logAppendTime < 0) {
      throw outcomeUnknown(
        `The topic ${topic} keeps the times of producers: it needs message.timestamp.type=LogAppendTime`,
      )
    }
    last = Math.max(last, logAppendTime)
  }
  return last
}

const isFenced = (error: unknown): boolean => fencedCodes.has(codeOf(error) ?? code.none)

const nameOf = ({ topic, partition }: Place): string => `${topic}/${partition}`
