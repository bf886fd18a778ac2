import type { LogRecord, SendOutcome, Transactor } from '@almanac/adapters/transactions'
import { outcomeUnknown, unavailable } from '@almanac/engine'
import type { Instant } from '@almanac/recurrence'
import { type BrokerCalls, coordinatorPasses, fencedErrors, refusal } from './broker-calls.js'
import type { KafkaModel } from './model.js'
import type {
  Answer,
  Appended,
  Batch,
  KafkaError,
  ProducedRecord,
  Producer,
  TopicPartition,
} from './protocol.js'

type Fenced = { readonly outcome: 'fenced' }
const fenced: Fenced = { outcome: 'fenced' }

const leaderPasses: ReadonlySet<KafkaError> = new Set<KafkaError>(['NOT_ENOUGH_REPLICAS'])

const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`

export interface TransactorParts {
  readonly calls: BrokerCalls
  readonly kafka: KafkaModel
  readonly transactionalId: string
  readonly producer: Producer
  timestampOf(record: LogRecord): Instant
}

/** A transactional producer, as kafkajs has it: one request at a time to each broker, and no way back from an error. */
export class SimTransactor implements Transactor {
  private readonly parts: TransactorParts
  /** The partitions of the open transaction. */
  private readonly added = new Set<string>()
  private readonly sequences = new Map<string, number>()
  private state: 'good' | 'fenced' | 'over' = 'good'
  private isClosed = false

  constructor(parts: TransactorParts) {
    this.parts = parts
  }

  send(records: readonly LogRecord[]): Promise<SendOutcome> {
    return this.attempt<SendOutcome, Fenced>(fenced, async () => {
      const batches = this.batchesOf(records)
      if ((await this.join(batches)) === 'fenced') return fenced
      const leaders = this.byLeader(batches)
      const outcomes = await Promise.all(
        [...leaders].map(([leader, theirs]) => this.produce(`leader-${leader}`, theirs)),
      )
      let appendedAt = Number.NEGATIVE_INFINITY
      for (const outcome of outcomes) {
        if (outcome.outcome !== 'sent') return outcome
        appendedAt = Math.max(appendedAt, outcome.appendedAt)
      }
      // What a topic with `CreateTime` answers tells nothing of the broker's clock.
      return {
        outcome: 'sent',
        appendedAt: appendedAt < 0 ? this.parts.calls.process.clock.now() : appendedAt,
      }
    })
  }

  /** One batch a partition, in the order of the records. */
  private batchesOf(records: readonly LogRecord[]): readonly Batch[] {
    const { transactionalId, producer, timestampOf } = this.parts
    const { producerId, epoch } = producer
    const batches = new Map<string, Batch & { readonly records: ProducedRecord[] }>()
    for (const record of records) {
      const { topic, partition } = this.placeOf(record)
      const name = `${topic}/${partition}`
      const sequence = this.sequences.get(name) ?? 0
      let batch = batches.get(name)
      if (batch === undefined) {
        batch = { transactionalId, producerId, epoch, topic, partition, sequence, records: [] }
        batches.set(name, batch)
      }
      const { key, value, headers = {} } = record
      batch.records.push({ key, value, headers, timestamp: timestampOf(record) })
      this.sequences.set(name, sequence + 1)
    }
    return [...batches.values()]
  }

  private placeOf({ topic, partition, spread, key }: LogRecord): TopicPartition {
    const partitions = this.parts.kafka.partitionsOf(topic)
    if (partitions === undefined) throw refusal('Metadata', 'UNKNOWN_TOPIC_OR_PARTITION')
    return { topic, partition: partition ?? (spread ?? hash(key)) % partitions }
  }

  private byLeader(batches: readonly Batch[]): ReadonlyMap<number, readonly Batch[]> {
    const leaders = new Map<number, Batch[]>()
    for (const batch of batches) {
      const leader = this.parts.kafka.leaderOf(batch)
      const theirs = leaders.get(leader)
      if (theirs === undefined) leaders.set(leader, [batch])
      else theirs.push(batch)
    }
    return leaders
  }

  /** Makes the partitions that are new a part of the transaction. */
  private async join(batches: readonly Batch[]): Promise<'joined' | 'fenced'> {
    const { calls, kafka, transactionalId, producer } = this.parts
    const places = batches
      .map(({ topic, partition }) => ({ topic, partition }))
      .filter((place) => !this.added.has(nameOf(place)))
    if (places.length === 0) return 'joined'
    const answer = await calls.retrying(coordinatorPasses, () =>
      this.write('AddPartitionsToTxn', 'coordinator', () =>
        kafka.addPartitionsToTxn(transactionalId, producer, places),
      ),
    )
    if (!answer.ok) {
      if (fencedErrors.has(answer.error)) return 'fenced'
      throw refusal('AddPartitionsToTxn', answer.error)
    }
    for (const place of places) this.added.add(nameOf(place))
    return 'joined'
  }

  /** All batches for one leader in one request; those it asks for again, again. */
  private async produce(leader: string, batches: readonly Batch[]): Promise<SendOutcome> {
    const { calls, kafka } = this.parts
    let left = batches
    let appendedAt = -1
    const answer = await calls.retrying<null>(leaderPasses, async () => {
      const answers = await this.write('Produce', leader, () => left.map((batch) => kafka.produce(batch)))
      left = left.filter((_, index) => {
        const one: Answer<Appended> | undefined = answers[index]
        if (one?.ok === true) appendedAt = Math.max(appendedAt, one.value.logAppendTime)
        return one?.ok === false && leaderPasses.has(one.error)
      })
      const refused = answers.find((one) => !one.ok && !leaderPasses.has(one.error))
      if (refused?.ok === false) return refused
      return left.length === 0 ? { ok: true, value: null } : { ok: false, error: 'NOT_ENOUGH_REPLICAS' }
    })
    if (answer.ok) return { outcome: 'sent', appendedAt }
    if (fencedErrors.has(answer.error)) return fenced
    throw refusal('Produce', answer.error)
  }

  commit(): Promise<'committed' | 'fenced'> {
    return this.attempt<'committed' | 'fenced', 'fenced'>('fenced', async () =>
      (await this.end(true)) === 'ended' ? 'committed' : 'fenced',
    )
  }

  async abort(): Promise<void> {
    await this.attempt<'ended' | 'fenced', 'fenced'>('fenced', () => this.end(false))
  }

  /** Not retried, as in kafkajs: who does not know the outcome takes over anew. */
  private async end(commit: boolean): Promise<'ended' | 'fenced'> {
    if (this.added.size === 0) return 'ended'
    const { kafka, transactionalId, producer } = this.parts
    const answer = await this.write('EndTxn', 'coordinator', () =>
      kafka.endTxn(transactionalId, producer, commit),
    )
    if (!answer.ok) {
      if (fencedErrors.has(answer.error)) return 'fenced'
      throw outcomeUnknown(`EndTxn was refused: ${answer.error}`)
    }
    this.added.clear()
    return 'ended'
  }

  async close(): Promise<void> {
    this.isClosed = true
  }

  /** A producer has connections of its own. */
  private write<T>(label: string, connection: string, serve: () => T): Promise<T> {
    const { calls, transactionalId } = this.parts
    return calls.write(label, `${connection} ${transactionalId}`, serve)
  }

  /** After a fault or a fence nothing is tried any more. */
  private async attempt<T, F extends T>(whenFenced: F, work: () => Promise<T>): Promise<T> {
    if (this.state === 'fenced') return whenFenced
    if (this.state === 'over' || this.isClosed) throw unavailable('This transactor is over: take over anew.')
    this.state = 'over'
    const result = await work()
    this.state = result === whenFenced ? 'fenced' : 'good'
    return result
  }
}

/** FNV-1a: the same for the same key, on every node. */
function hash(key: string): number {
  let sum = 0x811c9dc5
  for (let index = 0; index < key.length; index += 1) {
    sum = Math.imul(sum ^ key.charCodeAt(index), 0x01000193)
  }
  return sum >>> 0
}
