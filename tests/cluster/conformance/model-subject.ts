import type { TransactionLogFixture } from '@almanac/adapters/transactions/contract'
import {
  type Batch,
  type Isolation,
  KafkaModel,
  type KafkaTuning,
  type Process,
  type Producer,
  SimProcess,
  SimTransactionLog,
  SimWorld,
  type TopicConfig,
  type TopicPartition,
} from '@almanac/simulator'
import { CommitFaults } from '../../../packages/simulator/src/kafka/commit-faults.spec-support.js'
import type { Answer, BrokerRequests, ConformanceSubject, NodeInTransaction } from './subject.js'

/** The same settings as the real broker of these tests has. */
const tuning: Partial<KafkaTuning> = {
  brokers: 1,
  abortScanMs: 500,
  offsetsRetentionMs: 60_000,
  retentionCheckMs: 500,
  transactionalIdExpirationMs: 30_000,
}

/** Long enough for whatever is done while a process stands still. */
const standstillMs = 4000

let worlds = 0

/** The simulator's model of Kafka, on virtual time. */
export class ModelSubject implements ConformanceSubject {
  readonly prefix = 'c.'
  readonly broker: BrokerRequests
  readonly clients: TransactionLogFixture
  private readonly world: SimWorld
  private readonly kafka: KafkaModel
  private readonly faults = new CommitFaults()
  private processes = 0

  constructor() {
    worlds += 1
    this.world = new SimWorld({ seed: worlds })
    this.kafka = new KafkaModel(this.world, tuning)
    this.broker = new ModelRequests(this.kafka)
    const client = () => new SimTransactionLog(this.faults.over(this.process()), this.kafka)
    this.clients = {
      log: client(),
      otherLog: client,
      pass: (ms) => this.world.runFor(ms),
      prefix: this.prefix,
      createTopic: (name, partitions) => this.createTopic(name, { ...keptForAWeek, partitions }),
      hooks: {
        loseNextCommitAnswer: () => this.faults.lose('answer lost'),
        loseNextCommitRequest: () => this.faults.lose('request lost'),
        holdNextCommit: () => this.faults.hold(),
      },
      close: async () => {},
    }
  }

  async createTopic(name: string, config: TopicConfig): Promise<void> {
    this.kafka.createTopic(name, config)
  }

  transactAlone(transactionalId: string, topic: string, value: string): NodeInTransaction {
    const process = this.process()
    let tellSent = () => {}
    const sent = new Promise<void>((resolve) => {
      tellSent = resolve
    })
    const outcome = inTransaction(process, new SimTransactionLog(process, this.kafka), {
      transactionalId,
      topic,
      value,
      onSent: tellSent,
    })
    // What it is told while it stands still it hears when it goes on: nothing is to be done for that.
    return { sent, outcome, freeze: () => process.pause(standstillMs), thaw: () => {} }
  }

  /** The model's groups have no members. */
  async joinGroup(): Promise<void> {}

  async kill(): Promise<void> {
    this.kafka.crash()
  }

  async restart(): Promise<void> {
    this.kafka.restart()
    await new Promise<void>((resolve) => this.world.after(this.kafka.tuning.loadAfterRestartMs, resolve))
  }

  async compact(): Promise<void> {
    this.kafka.compact(this.kafka.now, 0)
  }

  elapsed(): number {
    return 0
  }

  /** What it costs in virtual time says nothing. */
  report(): void {}

  async close(): Promise<void> {}

  private process(): SimProcess {
    this.processes += 1
    return new SimProcess(this.world, `node-${this.processes}`)
  }
}

const keptForAWeek: Omit<TopicConfig, 'partitions'> = {
  cleanup: { policy: 'delete', retentionMs: 7 * 86_400_000 },
  timestamps: 'LogAppendTime',
}

interface LoneTransaction {
  readonly transactionalId: string
  readonly topic: string
  readonly value: string
  onSent(): void
}

async function inTransaction(
  process: Process,
  log: SimTransactionLog,
  work: LoneTransaction,
): Promise<string> {
  const { transactionalId, topic, value, onSent } = work
  const holder = await log.takeOver(transactionalId)
  await holder.send([{ topic, partition: 0, key: value, value }])
  onSent()
  await process.clock.sleep(200)
  return await holder.commit().catch((fault: { readonly code?: string }) => fault.code ?? String(fault))
}

class ModelRequests implements BrokerRequests {
  private readonly kafka: KafkaModel

  constructor(kafka: KafkaModel) {
    this.kafka = kafka
  }

  async initProducerId(id: string, timeoutMs: number) {
    return this.kafka.initProducerId(id, timeoutMs)
  }

  async addPartitionsToTxn(id: string, producer: Producer, places: readonly TopicPartition[]) {
    return this.kafka.addPartitionsToTxn(id, producer, places)
  }

  async produce(batch: Batch) {
    return this.kafka.produce(batch)
  }

  async endTxn(id: string, producer: Producer, commit: boolean) {
    return this.kafka.endTxn(id, producer, commit)
  }

  async fetch({ topic, partition }: TopicPartition, offset: number, isolation: Isolation) {
    const offsets = [...Array<null>(partition).fill(null), offset]
    const answer = await this.kafka.fetch({ topic, offsets, isolation, maxRecords: 500, maxWaitMs: 0 })
    if (!answer.ok) return answer
    const found = answer.value.find((each) => each.partition === partition)
    return {
      ok: true as const,
      value: { records: found?.records ?? [], nextOffset: found?.nextOffset ?? offset },
    }
  }

  async watermarks({ topic, partition }: TopicPartition) {
    const answer = this.kafka.listOffsets(topic)
    if (!answer.ok) return answer
    const value = answer.value[partition]
    const missing: Answer<never> = { ok: false, error: 'UNKNOWN_TOPIC_OR_PARTITION' }
    return value === undefined ? missing : { ok: true as const, value }
  }

  async txnOffsetCommit(
    id: string,
    producer: Producer,
    group: string,
    place: TopicPartition,
    offset: number,
  ) {
    return this.kafka.txnOffsetCommit(id, producer, group, [{ ...place, offset }])
  }

  async offsetFetch(group: string, place: TopicPartition) {
    return this.kafka.offsetFetch(group, place)
  }
}
