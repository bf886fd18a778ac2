import { type Clock, createStop, outcomeUnknown, type Stop } from '@almanac/engine'
import type { Instant } from '@almanac/recurrence'
import type {
  CommittedRecord,
  LogRecord,
  SendOutcome,
  TransactionLog,
  Transactor,
} from './transaction-log.js'

interface Stored {
  readonly record: CommittedRecord
  /** Of the transaction that it belongs to. */
  readonly transaction: { state: 'open' | 'committed' | 'aborted' }
}

const partitionsOfTopic = 64

/**
 * The smallest log that keeps the port's contract: in this process, without a network. It shows that the contract
 * can be kept, and the dispatch log's specs run on it.
 */
export class MemoryTransactionLog implements TransactionLog {
  /** Faults of the next commit. */
  next: 'fine' | 'answer lost' | 'request lost' = 'fine'
  private readonly clock: Clock
  private readonly topics = new Map<string, Stored[][]>()
  private readonly holders = new Map<string, MemoryTransactor>()
  private readonly waiting = new Set<() => void>()

  constructor(clock: Clock) {
    this.clock = clock
  }

  async takeOver(transactionalId: string): Promise<Transactor> {
    this.holders.get(transactionalId)?.fence()
    const holder = new MemoryTransactor(this)
    this.holders.set(transactionalId, holder)
    return holder
  }

  async *follow(
    topic: string,
    stop: Stop,
    from: ReadonlyMap<number, number> = new Map(),
  ): AsyncIterable<readonly CommittedRecord[]> {
    const next = new Map(from)
    while (!stop.stopped) {
      const batch: CommittedRecord[] = []
      for (const [partition, log] of this.logOf(topic).entries()) {
        let at = next.get(partition) ?? 0
        for (; at < log.length && log[at]?.transaction.state !== 'open'; at++) {
          const stored = log[at]
          if (stored?.transaction.state === 'committed') batch.push(stored.record)
        }
        next.set(partition, at)
      }
      if (batch.length > 0) yield batch
      else await this.changed(stop)
    }
  }

  /** All committed records of the topics whose name fits, as a reader who has come to the end has them. */
  committed(fits: (topic: string) => boolean): readonly CommittedRecord[] {
    return [...this.topics].flatMap(([topic, logs]) =>
      fits(topic)
        ? logs.flatMap((log) =>
            log.flatMap(({ record, transaction }) => (transaction.state === 'committed' ? [record] : [])),
          )
        : [],
    )
  }

  /** Keeps the newest committed record of each key, and all that is open. */
  compact(topic: string): void {
    for (const log of this.logOf(topic)) {
      const newest = new Map(
        log
          .filter(({ transaction }) => transaction.state === 'committed')
          .map(({ record }) => [record.key, record.offset]),
      )
      for (const stored of log) {
        const { state } = stored.transaction
        // What is gone becomes a hole, as aborted records are: places of readers stay valid.
        if (state === 'committed' && newest.get(stored.record.key) !== stored.record.offset) {
          log[stored.record.offset] = { ...stored, transaction: { state: 'aborted' } }
        }
      }
    }
  }

  /** The topic is empty again, as after a disaster. Whoever reads it has to begin again. */
  lose(topic: string): void {
    this.topics.delete(topic)
  }

  append(
    { topic, partition, spread, key, value, headers }: LogRecord,
    transaction: Stored['transaction'],
  ): Instant {
    const logs = this.logOf(topic)
    const byKey = () => [...key].reduce((sum, sign) => sum * 31 + sign.charCodeAt(0), 7)
    const place = partition ?? (spread ?? byKey()) % logs.length
    const log = logs[place]
    if (log === undefined) throw new Error(`No partition ${place} in ${topic}`)
    const appendedAt = this.clock.now()
    const record = {
      topic,
      partition: place,
      offset: log.length,
      key,
      value,
      headers: headers ?? {},
      appendedAt,
    }
    log.push({ record, transaction })
    return appendedAt
  }

  changedNow(): void {
    for (const wake of [...this.waiting]) wake()
  }

  private logOf(topic: string): Stored[][] {
    const known = this.topics.get(topic)
    if (known !== undefined) return known
    const logs = Array.from({ length: partitionsOfTopic }, (): Stored[] => [])
    this.topics.set(topic, logs)
    return logs
  }

  private async changed(stop: Stop): Promise<void> {
    const done = createStop()
    const wake = () => done.stop()
    const forget = stop.onStop(wake)
    this.waiting.add(wake)
    await new Promise<void>((resolve) => done.onStop(resolve))
    this.waiting.delete(wake)
    forget()
  }
}

class MemoryTransactor implements Transactor {
  private readonly log: MemoryTransactionLog
  private isFenced = false
  private transaction: Stored['transaction'] = { state: 'open' }

  constructor(log: MemoryTransactionLog) {
    this.log = log
  }

  async send(records: readonly LogRecord[]): Promise<SendOutcome> {
    if (this.isFenced) return { outcome: 'fenced' }
    let appendedAt = 0
    for (const record of records) appendedAt = this.log.append(record, this.transaction)
    return { outcome: 'sent', appendedAt }
  }

  async commit(): Promise<'committed' | 'fenced'> {
    const fault = this.log.next
    this.log.next = 'fine'
    if (fault === 'request lost') throw outcomeUnknown('The request was lost')
    if (this.isFenced) return 'fenced'
    this.end('committed')
    if (fault === 'answer lost') throw outcomeUnknown('The answer was lost')
    return 'committed'
  }

  async abort(): Promise<void> {
    this.end('aborted')
  }

  fence(): void {
    this.isFenced = true
    this.end('aborted')
  }

  async close(): Promise<void> {}

  private end(state: 'committed' | 'aborted'): void {
    this.transaction.state = state
    this.transaction = { state: 'open' }
    this.log.changedNow()
  }
}
