import { type Clock, type PortFault, unavailable } from '@almanac/engine'
import type { RecordWriter } from '../ledger/index.js'
import type { LogRecord } from '../transactions/index.js'
import { Appender, type Producer } from './appender.js'
import { type CallOptions, Calls, doubtful, failed } from './calls.js'
import type { KafkaConnection } from './connection.js'
import { codeOf, type OnLog, WireClient } from './kafkajs.js'
import { defaultKafkaLogOptions } from './transaction-log.js'

/** Every duration is in milliseconds. */
export interface KafkaRecordWriterOptions extends CallOptions {
  readonly requestTimeoutMs: number
  readonly connectTimeoutMs: number
  /** Records of one flight: what comes while it is under way waits for the next. */
  readonly maxRecordsPerFlight: number
  /** Records that wait. More are refused as `unavailable`. */
  readonly maxWaitingRecords: number
}

export const defaultKafkaRecordWriterOptions: KafkaRecordWriterOptions = {
  ...defaultKafkaLogOptions,
  maxRecordsPerFlight: 2_000,
  maxWaitingRecords: 100_000,
}

export interface KafkaRecordWriterParts {
  readonly connection: KafkaConnection
  readonly clock: Clock
  readonly options?: Partial<KafkaRecordWriterOptions>
  /** What the client library has to say. */
  readonly onLog?: OnLog
}

interface Waiting {
  readonly records: readonly LogRecord[]
  readonly resolve: () => void
  readonly reject: (fault: unknown) => void
}

interface Open {
  readonly calls: Calls
  readonly appender: Appender
}

/**
 * Writes outside of transactions with an idempotent producer, one flight at a time: what several callers write while
 * one is under way goes with the next, so that the load itself makes the batches.
 */
export class KafkaRecordWriter implements RecordWriter {
  private readonly parts: KafkaRecordWriterParts
  private readonly options: KafkaRecordWriterOptions
  private waiting: Waiting[] = []
  private waitingRecords = 0
  private isFlying = false
  private isClosed = false
  private open: Open | undefined

  constructor(parts: KafkaRecordWriterParts) {
    this.parts = parts
    this.options = { ...defaultKafkaRecordWriterOptions, ...parts.options }
  }

  write(records: readonly LogRecord[]): Promise<void> {
    if (this.isClosed) return Promise.reject(unavailable('The writer has been closed'))
    if (records.length === 0) return Promise.resolve()
    if (this.waitingRecords + records.length > this.options.maxWaitingRecords) {
      return Promise.reject(unavailable(`${this.waitingRecords} records wait to be written already`))
    }
    return new Promise((resolve, reject) => {
      this.waiting.push({ records, resolve, reject })
      this.waitingRecords += records.length
      if (!this.isFlying) void this.fly()
    })
  }

  /** What has not been written is refused. */
  async close(): Promise<void> {
    this.isClosed = true
    this.open?.calls.close()
  }

  private async fly(): Promise<void> {
    this.isFlying = true
    while (this.waiting.length > 0) {
      const flight = this.nextFlight()
      try {
        if (this.isClosed) throw unavailable('The writer has been closed')
        await this.append(flight.flatMap(({ records }) => records))
        for (const { resolve } of flight) resolve()
      } catch (fault) {
        // Its sequence numbers are not known any more.
        this.open?.calls.close()
        this.open = undefined
        for (const { reject } of flight) reject(fault)
      }
    }
    this.isFlying = false
  }

  private nextFlight(): readonly Waiting[] {
    let count = 0
    let records = 0
    for (const one of this.waiting) {
      if (count > 0 && records + one.records.length > this.options.maxRecordsPerFlight) break
      records += one.records.length
      count += 1
    }
    this.waitingRecords -= records
    return this.waiting.splice(0, count)
  }

  private async append(records: readonly LogRecord[]): Promise<void> {
    this.open ??= await this.begin()
    const { appender } = this.open
    const rounds = await appender.prepare(records)
    if ('refused' in rounds) throw unavailable(rounds.message)
    for (const round of rounds) {
      const appended = await appender.append(round)
      if (appended === 'fenced') throw doubtful('to append', new Error('the producer is not known any more'))
    }
  }

  private async begin(): Promise<Open> {
    const { connection, clock, onLog = () => {} } = this.parts
    const calls = new Calls(new WireClient(connection, this.options, onLog), clock, this.options)
    try {
      const producer = await idempotentProducer(calls)
      const { requestTimeoutMs } = this.options
      const appender = new Appender({ calls, clock, transactionalId: null, producer, requestTimeoutMs })
      return { calls, appender }
    } catch (fault) {
      calls.close()
      throw fault
    }
  }
}

const idempotentProducer = (calls: Calls): Promise<Producer> => {
  const late = (why: unknown): PortFault => failed('for the id of a producer', why)
  return calls.retrying<Producer>(async () => {
    try {
      const broker = await calls.anyBroker()
      return { done: await broker.initProducerId({ transactionTimeout: 0 }) }
    } catch (error) {
      // A broker that has just started has no ids to give yet.
      if (codeOf(error) === undefined) await calls.refresh().catch(() => {})
      return { again: error }
    }
  }, late)
}
