import type { Random } from '@almanac/engine'
import type { Instant } from '@almanac/recurrence'
import type { World } from '../world/types.js'
import { Coordinator } from './coordinator.js'
import { GroupOffsets } from './group-offsets.js'
import {
  type Answer,
  type Appended,
  type Batch,
  type Done,
  type DumpedRecord,
  defaultTuning,
  done,
  type Fetched,
  type FetchRequest,
  type KafkaError,
  type KafkaTuning,
  type Producer,
  refuse,
  succeed,
  type TopicConfig,
  type TopicPartition,
  type Watermarks,
} from './protocol.js'
import { Topic } from './topic.js'

export type FetchAnswer = Answer<readonly Fetched[]>

/**
 * Kafka's brokers as one state machine in the world's time: topics, transactions, group offsets, housekeeping. Its
 * methods are the requests, as the brokers would answer them; the network is not its business. Whatever it has
 * answered is durable.
 */
export class KafkaModel {
  readonly tuning: KafkaTuning
  private readonly world: World
  private readonly random: Random
  private readonly topics = new Map<string, Topic>()
  /** Deleted topics, for the dump. */
  private readonly deleted: Topic[] = []
  private readonly coordinator: Coordinator
  private readonly offsets = new GroupOffsets()
  private up = true

  constructor(world: World, tuning: Partial<KafkaTuning> = {}) {
    this.world = world
    this.random = world.fork('kafka')
    this.tuning = { ...defaultTuning, ...tuning }
    this.coordinator = new Coordinator({
      tuning: this.tuning,
      random: this.random,
      now: () => this.now,
      trueNow: () => world.now,
      after: (ms, action) => world.after(ms, action),
      writeMarker: (place, producer, commit) => {
        this.topics.get(place.topic)?.mark(place.partition, producer, commit, this.now)
      },
      endOffsets: (group, producer, commit) => this.endOffsets(group, producer, commit),
    })
    this.every('abortScanMs', () => this.coordinator.scan())
    this.every('retentionCheckMs', () => this.retain(this.now))
    this.every('compactionCheckMs', () => this.compact(this.now))
  }

  /** The brokers' wall clock. */
  get now(): Instant {
    return this.world.now + this.tuning.clockOffsetMs
  }

  get isUp(): boolean {
    return this.up
  }

  private every(period: 'abortScanMs' | 'retentionCheckMs' | 'compactionCheckMs', action: () => void): void {
    this.world.after(this.tuning[period], () => {
      if (this.up) action()
      this.every(period, action)
    })
  }

  createTopic(name: string, config: TopicConfig): void {
    if (this.topics.has(name)) throw new Error(`The topic ${name} exists`)
    const incarnation = 1 + this.deleted.filter((topic) => topic.name === name).length
    this.topics.set(name, new Topic(name, config, incarnation))
  }

  /** With all that is in it; offsets start again when it is created anew. */
  deleteTopic(name: string): void {
    const topic = this.topics.get(name)
    if (topic === undefined) return
    this.topics.delete(name)
    this.deleted.push(topic)
    topic.refuseAll('UNKNOWN_TOPIC_OR_PARTITION')
  }

  /** Deletes all records of a topic; offsets go on. */
  emptyTopic(name: string): void {
    this.topics.get(name)?.empty()
  }

  /** As metadata tells; undefined: there is no such topic. */
  partitionsOf(topic: string): number | undefined {
    return this.topics.get(topic)?.partitions.length
  }

  /** The broker that leads a partition, counted from 0. */
  leaderOf({ partition }: TopicPartition): number {
    return partition % this.tuning.brokers
  }

  initProducerId(transactionalId: string, timeoutMs: number): Answer<Producer> {
    return this.up
      ? this.coordinator.initProducerId(transactionalId, timeoutMs)
      : refuse('BROKER_NOT_AVAILABLE')
  }

  addPartitionsToTxn(transactionalId: string, producer: Producer, places: readonly TopicPartition[]): Done {
    if (!this.up) return refuse('BROKER_NOT_AVAILABLE')
    if (places.some((place) => this.logOf(place) === undefined)) return refuse('UNKNOWN_TOPIC_OR_PARTITION')
    return this.coordinator.addPartitions(transactionalId, producer, places)
  }

  produce(batch: Batch): Answer<Appended> {
    if (!this.up) return refuse('BROKER_NOT_AVAILABLE')
    const topic = this.topics.get(batch.topic)
    const log = topic?.partitions[batch.partition]
    if (topic === undefined || log === undefined) return refuse('UNKNOWN_TOPIC_OR_PARTITION')
    if (this.tuning.verifiesTransactions && !log.isOpen(batch)) {
      const verified = this.coordinator.verify(batch.transactionalId, batch, batch)
      if (!verified.ok) return refuse(asLeaderSays(verified.error))
    }
    const appended = log.append(batch, this.now)
    topic.wake(batch.partition)
    return appended
  }

  endTxn(transactionalId: string, producer: Producer, commit: boolean): Done {
    return this.up
      ? this.coordinator.endTxn(transactionalId, producer, commit)
      : refuse('BROKER_NOT_AVAILABLE')
  }

  /**
   * What there is in a topic, partition by partition; partitions with nothing new are left out. When none has
   * anything, the answer comes when one has, or after `maxWaitMs` with nothing. One partition out of range refuses
   * them all.
   */
  fetch(request: FetchRequest): FetchAnswer | Promise<FetchAnswer> {
    if (!this.up) return refuse('BROKER_NOT_AVAILABLE')
    return this.topics.get(request.topic)?.fetch(request, this.world) ?? refuse('UNKNOWN_TOPIC_OR_PARTITION')
  }

  /** By partition. What kafkajs calls `high` is the last stable offset. */
  listOffsets(topic: string): Answer<readonly Watermarks[]> {
    if (!this.up) return refuse('BROKER_NOT_AVAILABLE')
    const found = this.topics.get(topic)
    if (found === undefined) return refuse('UNKNOWN_TOPIC_OR_PARTITION')
    return succeed(found.partitions.map((log) => log.watermarks()))
  }

  /** AddOffsetsToTxn and TxnOffsetCommit in one. No generation is checked: Kafka does not ask for one. */
  txnOffsetCommit(
    transactionalId: string,
    producer: Producer,
    group: string,
    offsets: readonly (TopicPartition & { readonly offset: number })[],
  ): Done {
    if (!this.up) return refuse('BROKER_NOT_AVAILABLE')
    const added = this.coordinator.addGroup(transactionalId, producer, group)
    if (!added.ok) return added
    for (const place of offsets) this.offsets.stage(group, producer, place, place.offset)
    return done
  }

  /** The group's committed offset; -1 when it has none, or none any more. */
  offsetFetch(group: string, place: TopicPartition): Answer<number> {
    if (!this.up) return refuse('BROKER_NOT_AVAILABLE')
    this.offsets.expire(this.now, this.tuning.offsetsRetentionMs)
    return succeed(this.offsets.fetch(group, place))
  }

  /** They can be fetched only a little after their marker: the group coordinator leaves it to another thread. */
  private endOffsets(group: string, producer: Producer, commit: boolean): void {
    const apply = this.offsets.end(group, producer, commit, this.now)
    this.world.after(this.random.next() * this.tuning.markerMaxMs, apply)
  }

  /** Deletes what is older than its topic's retention. The model does so itself now and then. */
  retain(now: Instant): void {
    for (const topic of this.topics.values()) topic.retain(now)
  }

  /** Compacts where enough is new. The model does so itself now and then. */
  compact(now: Instant, minDirtyRatio = this.tuning.minDirtyRatio): void {
    for (const { partitions } of this.topics.values()) {
      for (const log of partitions) log.compact(now, minDirtyRatio)
    }
  }

  /** A broker takes over the coordinator of one transactional id, or of all: nobody answers for so long, ms. */
  moveCoordinator(transactionalId: string | 'all', forMs: number): void {
    if (this.up) this.coordinator.move(transactionalId, forMs)
  }

  /** All brokers are killed. What they have answered is durable; transactions stay as they are. */
  crash(): void {
    if (!this.up) return
    this.up = false
    this.coordinator.halt()
    for (const topic of this.topics.values()) topic.refuseAll('BROKER_NOT_AVAILABLE')
  }

  /** They come back; the coordinator reads its state first. */
  restart(): void {
    if (this.up) return
    this.up = true
    this.coordinator.load(this.tuning.loadAfterRestartMs)
  }

  /**
   * A foreign producer opens a transaction in a partition and never ends it, and no coordinator knows of it. The
   * returned function aborts it, as an operator would.
   */
  hangTransaction({ topic, partition }: TopicPartition): () => void {
    const producer = { producerId: this.coordinator.newProducerId(), epoch: 0 }
    const record = { key: 'foreign', value: 'foreign', headers: {}, timestamp: this.now }
    const batch = {
      ...producer,
      topic,
      partition,
      transactionalId: 'foreign',
      sequence: 0,
      records: [record],
    }
    const home = this.topics.get(topic)
    home?.partitions[partition]?.append(batch, this.now)
    home?.wake(partition)
    return () => home?.mark(partition, producer, false, this.now)
  }

  /**
   * Every record of a topic that was ever committed, by incarnation of the topic, partition and offset: also those
   * that have been compacted, retained away or deleted since.
   */
  committedDump(topic: string): readonly DumpedRecord[] {
    const present = this.topics.get(topic)
    const earlier = this.deleted.filter(({ name }) => name === topic)
    return [...earlier, ...(present === undefined ? [] : [present])].flatMap(({ incarnation, partitions }) =>
      partitions.flatMap((log) =>
        log.committed().map((record) => ({ ...record, topic, partition: log.partition, incarnation })),
      ),
    )
  }

  private logOf({ topic, partition }: TopicPartition) {
    return this.topics.get(topic)?.partitions[partition]
  }
}

/** What a partition leader makes of the coordinator's refusal; what may pass, it asks to try again. */
function asLeaderSays(error: KafkaError): KafkaError {
  switch (error) {
    case 'INVALID_PRODUCER_EPOCH':
    case 'INVALID_PRODUCER_ID_MAPPING':
    case 'INVALID_TXN_STATE':
      return error
    default:
      return 'NOT_ENOUGH_REPLICAS'
  }
}
