import { outcomeUnknown, unavailable } from '@almanac/engine'
import type { Instant } from '@almanac/recurrence'
import type { LogRecord, SendOutcome, Transactor } from '../transactions/index.js'
import type { Appended, Appender } from './appender.js'
import { type Calls, doubtful, failed, refused, type Try } from './calls.js'
import { code, coordinatorPasses, fencedCodes } from './codes.js'
import { addPartitionsToTxn, endTxn, initProducerId, type Place, type Producer } from './requests.js'

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
        const answer = await calls.askCoordinator(transactionalId, initProducerId(transactionalId, timeoutMs))
        wasAsked = true
        if (answer.code === code.none) return { done: answer }
        // The transaction of an earlier holder is being ended meanwhile.
        if (!coordinatorPasses.has(answer.code)) throw refused(what, answer.code)
        if (answer.code !== code.concurrentTransactions) calls.forgetCoordinator()
        return { again: answer.code }
      } catch (error) {
        return againUnlessRefused(calls, error)
      }
    },
    (why) => (wasAsked ? doubtful(what, why) : failed(what, why)),
  )
}

function againUnlessRefused<T>(calls: Calls, error: unknown): Try<T> {
  if (isFault(error)) throw error
  calls.forgetCoordinator()
  return { again: error }
}

const isFault = (error: unknown): boolean => error instanceof Error && error.name === 'PortFault'

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
    const outcome = await calls.retrying<'joined' | 'fenced'>(
      async () => {
        try {
          const answer = await calls.askCoordinator(
            transactionalId,
            addPartitionsToTxn(transactionalId, producer, fresh),
          )
          if (answer === code.none) return { done: 'joined' }
          if (fencedCodes.has(answer)) return { done: 'fenced' }
          // The coordinator may hear of a new topic later than the producer.
          const passes = coordinatorPasses.has(answer) || answer === code.unknownTopicOrPartition
          if (!passes) throw refused(what, answer)
          if (answer === code.notCoordinator) calls.forgetCoordinator()
          return { again: answer }
        } catch (error) {
          return againUnlessRefused(calls, error)
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
        const answer = await calls
          .askCoordinator(transactionalId, endTxn(transactionalId, producer, isCommit))
          .catch((error: unknown) => {
            throw doubtful(what, error)
          })
        if (answer === code.none) return { done: 'ended' }
        if (fencedCodes.has(answer)) return { done: 'fenced' }
        if (!coordinatorPasses.has(answer)) throw doubtful(what, answer)
        if (answer !== code.concurrentTransactions) calls.forgetCoordinator()
        return { again: answer }
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

const nameOf = ({ topic, partition }: Place): string => `${topic}/${partition}`
