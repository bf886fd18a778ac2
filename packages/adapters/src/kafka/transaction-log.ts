import type { Clock, Stop } from '@almanac/engine'
import type { CommittedRecord, TransactionLog, Transactor } from '../transactions/index.js'
import { Appender } from './appender.js'
import { type CallOptions, Calls, failed } from './calls.js'
import type { KafkaConnection } from './connection.js'
import { type OnLog, WireClient } from './kafkajs.js'
import { TopicReader } from './reader.js'
import { beProducer, KafkaTransactor } from './transactor.js'

/** How the brokers are used. Every duration is in milliseconds. */
export interface KafkaLogOptions extends CallOptions {
  /** The broker ends a transaction that is open for longer, and fences its holder. */
  readonly transactionTimeoutMs: number
  /** A request that is not answered within this is given up. */
  readonly requestTimeoutMs: number
  readonly connectTimeoutMs: number
  /** How long a broker keeps a reader waiting when there is nothing. What comes meanwhile is answered at once. */
  readonly maxWaitMs: number
  /** A topic of which a partition could not be read for this long is not followed any more: it is a fault. */
  readonly unreadableMs: number
  /** How often a reader looks for partitions that are new. */
  readonly refreshMs: number
}

export const defaultKafkaLogOptions: KafkaLogOptions = {
  deadlineMs: 10_000,
  initialRetryMs: 2,
  maxRetryMs: 50,
  transactionTimeoutMs: 10_000,
  requestTimeoutMs: 5_000,
  connectTimeoutMs: 2_000,
  maxWaitMs: 500,
  unreadableMs: 10_000,
  refreshMs: 10_000,
}

export interface KafkaLogParts {
  readonly connection: KafkaConnection
  readonly clock: Clock
  readonly options?: Partial<KafkaLogOptions>
  /** Called for a topic that does not exist when something is sent to it; absent: that is a fault. */
  readonly createTopic?: (topic: string) => Promise<void>
  /** What the client library has to say. */
  readonly onLog?: OnLog
}

/** `TransactionLog` on Kafka. Every transactor and every reader has connections of its own. */
export class KafkaTransactionLog implements TransactionLog {
  private readonly parts: KafkaLogParts
  private readonly options: KafkaLogOptions

  constructor(parts: KafkaLogParts) {
    this.parts = parts
    this.options = { ...defaultKafkaLogOptions, ...parts.options }
  }

  async takeOver(transactionalId: string): Promise<Transactor> {
    const { clock, createTopic } = this.parts
    const { transactionTimeoutMs, requestTimeoutMs } = this.options
    const calls = this.open()
    try {
      const producer = await beProducer(calls, transactionalId, transactionTimeoutMs)
      const appender = new Appender({
        calls,
        clock,
        transactionalId,
        producer,
        requestTimeoutMs,
        ...(createTopic && { createTopic }),
      })
      return new KafkaTransactor({ calls, transactionalId, producer, appender })
    } catch (fault) {
      calls.close()
      throw fault
    }
  }

  async *follow(
    topic: string,
    stop: Stop,
    from: ReadonlyMap<number, number> = new Map(),
  ): AsyncGenerator<readonly CommittedRecord[], void, undefined> {
    const calls = this.open()
    try {
      const { options } = this
      const reader = new TopicReader(topic, calls, this.parts.clock, {
        ...options,
        retryMs: options.maxRetryMs,
      })
      yield* reader.read(from, stop)
    } catch (fault) {
      throw failed(`for what is in ${topic}`, fault)
    } finally {
      calls.close()
    }
  }

  private open(): Calls {
    const { connection, clock, onLog = () => {} } = this.parts
    return new Calls(new WireClient(connection, this.options, onLog), clock, this.options)
  }
}
