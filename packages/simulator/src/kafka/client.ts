import type { CommittedRecord, LogRecord, TransactionLog, Transactor } from '@almanac/adapters/transactions'
import { outcomeUnknown, PortFault, type Stop, unavailable } from '@almanac/engine'
import type { Instant } from '@almanac/recurrence'
import type { Process } from '../world/types.js'
import { BrokerCalls, type CallSettings, coordinatorPasses, refusal } from './broker-calls.js'
import type { FetchAnswer, KafkaModel } from './model.js'
import type { Fetched, LoggedRecord } from './protocol.js'
import { SimTransactor } from './transactor.js'

export interface SimTransactionLogOptions extends Partial<CallSettings> {
  /** The broker ends a transaction that is open for longer, and fences its holder. Default 10 000 ms. */
  readonly transactionTimeoutMs?: number
  /** How long a broker keeps a reader waiting when there is nothing. Default 1000 ms. */
  readonly maxWaitMs?: number
  /** Records of a partition in one answer at most. Default 500. */
  readonly maxRecords?: number
  /** The time a record carries where its topic lets producers say it. Default: now, by the process' clock. */
  readonly timestampOf?: (record: LogRecord) => Instant
}

const defaultSettings: CallSettings = {
  service: 'kafka',
  requestTimeoutMs: 5000,
  deadlineMs: 10_000,
  initialRetryMs: 20,
  maxRetryMs: 500,
}

/** A client of the brokers in one process, as an adapter over kafkajs behaves. */
export class SimTransactionLog implements TransactionLog {
  private readonly process: Process
  private readonly kafka: KafkaModel
  private readonly calls: BrokerCalls
  private readonly options: SimTransactionLogOptions

  constructor(process: Process, kafka: KafkaModel, options: SimTransactionLogOptions = {}) {
    this.process = process
    this.kafka = kafka
    this.options = options
    this.calls = new BrokerCalls(process, { ...defaultSettings, ...options })
  }

  async takeOver(transactionalId: string): Promise<Transactor> {
    const { kafka, calls } = this
    const { transactionTimeoutMs = 10_000 } = this.options
    const { timestampOf = () => this.process.clock.now() } = this.options
    const answer = await calls.retrying(coordinatorPasses, () =>
      calls.write('InitProducerId', `coordinator ${transactionalId}`, () =>
        kafka.initProducerId(transactionalId, transactionTimeoutMs),
      ),
    )
    if (answer.ok) {
      return new SimTransactor({ calls, kafka, transactionalId, producer: answer.value, timestampOf })
    }
    // Earlier holders are fenced by now, but what they have left open is not ended.
    if (answer.error === 'CONCURRENT_TRANSACTIONS') {
      throw outcomeUnknown(`The transaction of an earlier holder of ${transactionalId} does not end.`)
    }
    throw refusal('InitProducerId', answer.error)
  }

  async *follow(
    topic: string,
    stop: Stop,
    from: ReadonlyMap<number, number> = new Map(),
  ): AsyncGenerator<readonly CommittedRecord[], void, undefined> {
    const earliest = await untilStopped(this.begin(topic), stop)
    const offsets = earliest?.map((offset, partition) => Math.max(offset, from.get(partition) ?? 0))
    while (offsets !== undefined && !stop.stopped) {
      const fetched = await untilStopped(this.fetch(topic, offsets, stop), stop)
      if (fetched === undefined) return
      const batch: CommittedRecord[] = []
      for (const { partition, records, nextOffset } of fetched) {
        offsets[partition] = nextOffset
        for (const record of records) batch.push(committed(topic, partition, record))
      }
      if (batch.length > 0) yield batch
    }
  }

  /** The earliest offsets that are kept, by partition. */
  private async begin(topic: string): Promise<number[]> {
    const answer = await this.calls.read('ListOffsets', `reader ${topic}`, 0, () =>
      this.kafka.listOffsets(topic),
    )
    if (!answer.ok) throw refusal('ListOffsets', answer.error)
    return answer.value.map(({ logStartOffset }) => logStartOffset)
  }

  /** Tries again from the same place until the deadline, since to begin again is to read everything. */
  private async fetch(topic: string, from: readonly number[], stop: Stop): Promise<readonly Fetched[]> {
    const { clock } = this.process
    const { deadlineMs, initialRetryMs, maxRetryMs } = this.calls.settings
    const since = clock.elapsed()
    for (let waitMs = initialRetryMs; ; waitMs = Math.min(2 * waitMs, maxRetryMs)) {
      const answer = await this.ask(topic, [...from])
      if (answer.ok) return answer.value
      const isLost = answer.error !== undefined && answer.error !== 'BROKER_NOT_AVAILABLE'
      if (isLost) throw refusal('Fetch', answer.error)
      if (clock.elapsed() - since > deadlineMs) throw unavailable(`The topic ${topic} can't be read.`)
      await clock.sleep(waitMs, stop)
      if (stop.stopped) return []
    }
  }

  /** `error` is undefined when no answer came. */
  private async ask(
    topic: string,
    offsets: readonly number[],
  ): Promise<FetchAnswer | { readonly ok: false; readonly error: undefined }> {
    const { maxWaitMs = 1000, maxRecords = 500 } = this.options
    try {
      return await this.calls.read('Fetch', `reader ${topic}`, maxWaitMs, () =>
        this.kafka.fetch({ topic, offsets, isolation: 'read_committed', maxRecords, maxWaitMs }),
      )
    } catch (error) {
      if (!(error instanceof PortFault)) throw error
      return { ok: false, error: undefined }
    }
  }
}

const committed = (
  topic: string,
  partition: number,
  { offset, key, value, headers, timestamp }: LoggedRecord,
): CommittedRecord => ({ topic, partition, offset, key, value, headers, appendedAt: timestamp })

/** Undefined as soon as `stop` fires. */
async function untilStopped<T>(work: Promise<T>, stop: Stop): Promise<T | undefined> {
  let forget = () => {}
  const stopped = new Promise<undefined>((resolve) => {
    forget = stop.onStop(() => resolve(undefined))
  })
  try {
    return await Promise.race([work, stopped])
  } finally {
    forget()
  }
}
