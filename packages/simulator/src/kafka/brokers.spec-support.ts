import { SimWorld } from '../world/index.js'
import {
  type Answer,
  type Batch,
  type Fetched,
  type Isolation,
  KafkaModel,
  type KafkaTuning,
  type Producer,
  type TopicConfig,
} from './index.js'

const day = 86_400_000

export const kept = (partitions = 2, changes: Partial<TopicConfig> = {}): TopicConfig => ({
  partitions,
  cleanup: { policy: 'delete', retentionMs: 7 * day },
  timestamps: 'LogAppendTime',
  ...changes,
})

/** What an answer holds, or its error. */
export const of = <T>(answer: Answer<T>): T | string => (answer.ok ? answer.value : answer.error)

/** The model alone, asked as by a client without a network. Markers take 10 ms unless `tuning` says otherwise. */
export class Brokers {
  readonly world = new SimWorld({ seed: 1 })
  readonly kafka: KafkaModel
  private readonly sequences = new Map<string, number>()

  constructor(tuning: Partial<KafkaTuning> = {}, topic: TopicConfig = kept()) {
    this.kafka = new KafkaModel(this.world, {
      markerMinMs: 10,
      markerMaxMs: 10,
      slowMarkerRate: 0,
      ...tuning,
    })
    this.kafka.createTopic('t', topic)
  }

  pass(ms: number): Promise<void> {
    return this.world.runFor(ms)
  }

  init(id: string, timeoutMs = 10_000): Producer {
    const answer = this.kafka.initProducerId(id, timeoutMs)
    if (!answer.ok) throw new Error(answer.error)
    return answer.value
  }

  /** Asks until the transaction of an earlier holder has ended. */
  async takeOver(id: string): Promise<Producer> {
    for (let tries = 0; tries < 100; tries++) {
      const answer = this.kafka.initProducerId(id, 10_000)
      if (answer.ok) return answer.value
      await this.pass(20)
    }
    throw new Error('The earlier transaction does not end')
  }

  add(id: string, producer: Producer, partition = 0): string | null {
    return of(this.kafka.addPartitionsToTxn(id, producer, [{ topic: 't', partition }]))
  }

  batch(id: string, producer: Producer, values: readonly string[], changes: Partial<Batch> = {}): Batch {
    const partition = changes.partition ?? 0
    const name = `${producer.producerId}/${producer.epoch}/${partition}`
    const sequence = this.sequences.get(name) ?? 0
    if (changes.sequence === undefined) this.sequences.set(name, sequence + values.length)
    return {
      ...producer,
      transactionalId: id,
      topic: 't',
      partition,
      sequence,
      records: values.map((value) => ({ key: value, value, headers: {}, timestamp: this.world.now })),
      ...changes,
    }
  }

  produce(id: string, producer: Producer, values: readonly string[], changes: Partial<Batch> = {}) {
    return of(this.kafka.produce(this.batch(id, producer, values, changes)))
  }

  end(id: string, producer: Producer, commit = true): string | null {
    return of(this.kafka.endTxn(id, producer, commit))
  }

  /** A whole transaction with its markers. */
  async write(id: string, producer: Producer, values: readonly string[], changes: Partial<Batch> = {}) {
    const { partition = 0 } = changes
    const steps = [this.add(id, producer, partition), this.produce(id, producer, values, changes)]
    steps.push(this.end(id, producer))
    const refused = steps.find((step) => typeof step === 'string')
    if (refused !== undefined) throw new Error(`${refused}`)
    await this.pass(20)
  }

  /** The values in a partition from an offset on, or the error. */
  read(partition = 0, isolation: Isolation = 'read_committed', offset?: number): readonly string[] | string {
    const fetched = this.fetch(partition, isolation, offset)
    return typeof fetched === 'string'
      ? fetched
      : fetched.flatMap(({ records }) => records.map(({ value }) => value))
  }

  fetch(partition: number, isolation: Isolation, offset = this.marks(partition).logStartOffset) {
    const offsets = [...Array<null>(partition).fill(null), offset]
    const answer = this.kafka.fetch({ topic: 't', offsets, isolation, maxRecords: 1000, maxWaitMs: 0 })
    if (answer instanceof Promise) throw new Error('A fetch that may not wait waits')
    return of<readonly Fetched[]>(answer)
  }

  marks(partition = 0) {
    const answer = this.kafka.listOffsets('t')
    const marks = answer.ok ? answer.value[partition] : undefined
    if (marks === undefined) throw new Error('no such partition')
    return marks
  }
}
