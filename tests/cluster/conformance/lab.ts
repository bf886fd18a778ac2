import type { TransactionBench } from '@almanac/adapters/transactions/contract'
import type { Isolation, Producer, TopicConfig, TopicPartition } from '@almanac/simulator'
import type { Answer, BrokerRequests, ConformanceSubject } from './subject.js'

export const day = 86_400_000

const keptForAWeek: TopicConfig = {
  partitions: 1,
  cleanup: { policy: 'delete', retentionMs: 7 * day },
  timestamps: 'LogAppendTime',
}

/** Of an answer without a value. */
export const ok = 'OK'

const word = <T>(answer: Answer<T>): string => (answer.ok ? ok : answer.error)

/** The transaction before is still being ended, or the broker has just begun. */
const passing = new Set(['CONCURRENT_TRANSACTIONS', 'COORDINATOR_LOAD_IN_PROGRESS', 'NOT_COORDINATOR'])

const stepMs = 10
const patienceMs = 100_000

interface ProduceOptions {
  readonly partition?: number
  /** Default: the next one of this producer and partition. */
  readonly sequence?: number
  /** Default: the value. */
  readonly key?: string
}

/** The subject with what scenarios do with it again and again. */
export class Lab {
  readonly subject: ConformanceSubject
  /** For what goes through the port. */
  readonly bench: TransactionBench
  private readonly sequences = new Map<string, number>()

  constructor(subject: ConformanceSubject, bench: TransactionBench) {
    this.subject = subject
    this.bench = bench
  }

  get broker(): BrokerRequests {
    return this.subject.broker
  }

  pass(ms: number): Promise<void> {
    return this.bench.pass(ms)
  }

  /** An id, or the name of a group, that no other scenario has. */
  id(name: string): string {
    return this.subject.prefix + name
  }

  /** A topic for the requests; the port's bench makes its own. */
  async topic(name: string, changes: Partial<TopicConfig> = {}): Promise<string> {
    const topic = this.id(name)
    await this.subject.createTopic(topic, { ...keptForAWeek, ...changes })
    return topic
  }

  /** Asks until the transaction of an earlier holder has ended. */
  async init(id: string, timeoutMs = 60_000): Promise<Producer> {
    let holder: Producer | undefined
    const answer = await this.patiently(async () => {
      const asked = await this.broker.initProducerId(id, timeoutMs)
      if (asked.ok) holder = asked.value
      return word(asked)
    })
    if (holder === undefined) throw new Error(`${id} can't be taken over: ${answer}`)
    return holder
  }

  /** The first answer, whatever it is. */
  async tryInit(id: string): Promise<string> {
    return word(await this.broker.initProducerId(id, 60_000))
  }

  /** Asks until the producer's transaction before has ended. */
  add(id: string, producer: Producer, topic: string, partition = 0): Promise<string> {
    return this.patiently(() => this.tryAdd(id, producer, topic, partition))
  }

  async tryAdd(id: string, producer: Producer, topic: string, partition = 0): Promise<string> {
    return word(await this.broker.addPartitionsToTxn(id, producer, [{ topic, partition }]))
  }

  async produce(
    id: string,
    producer: Producer,
    topic: string,
    values: readonly string[],
    options: ProduceOptions = {},
  ): Promise<string> {
    return word(await this.append(id, producer, topic, values, options))
  }

  append(
    id: string,
    producer: Producer,
    topic: string,
    values: readonly string[],
    { partition = 0, sequence, key }: ProduceOptions = {},
  ) {
    const name = `${producer.producerId}/${producer.epoch}/${topic}/${partition}`
    const next = this.sequences.get(name) ?? 0
    if (sequence === undefined) this.sequences.set(name, next + values.length)
    return this.broker.produce({
      ...producer,
      transactionalId: id,
      topic,
      partition,
      sequence: sequence ?? next,
      records: values.map((value) => ({
        key: key ?? value,
        value,
        headers: {},
        timestamp: 1_700_000_000_000,
      })),
    })
  }

  /** Asks until the end before has been written everywhere. */
  end(id: string, producer: Producer, commit = true): Promise<string> {
    return this.patiently(async () => word(await this.broker.endTxn(id, producer, commit)))
  }

  /** Opens a transaction with these values, and fails the scenario when that does not work. */
  async open(
    id: string,
    producer: Producer,
    topic: string,
    values: readonly string[],
    options: ProduceOptions = {},
  ) {
    expectOk(await this.add(id, producer, topic, options.partition))
    expectOk(await this.produce(id, producer, topic, values, options))
  }

  /** A whole transaction, until readers of the partition see its end. */
  async write(
    id: string,
    producer: Producer,
    topic: string,
    values: readonly string[],
    options: ProduceOptions = {},
  ) {
    await this.open(id, producer, topic, values, options)
    expectOk(await this.end(id, producer))
    await this.stable(topic, options.partition)
  }

  /** Waits until no transaction holds up the readers of a partition. */
  async stable(topic: string, partition = 0): Promise<void> {
    await this.until(`${topic}/${partition} to be stable`, async () => {
      const { lastStableOffset, highWatermark } = await this.marks(topic, partition)
      return lastStableOffset === highWatermark
    })
  }

  async marks(topic: string, partition = 0) {
    const answer = await this.broker.watermarks({ topic, partition })
    if (!answer.ok) throw new Error(`${topic}/${partition} has no offsets: ${answer.error}`)
    return answer.value
  }

  /** The values of a partition from its beginning, or the error. */
  async read(topic: string, partition = 0, isolation: Isolation = 'read_committed') {
    const place = { topic, partition }
    const { logStartOffset } = await this.marks(topic, partition)
    const values: string[] = []
    for (let offset = logStartOffset; ; ) {
      const answer = await this.broker.fetch(place, offset, isolation)
      if (!answer.ok) throw new Error(`${topic}/${partition} can't be read: ${answer.error}`)
      values.push(...answer.value.records.map(({ value }) => value))
      if (answer.value.nextOffset === offset) return values
      offset = answer.value.nextOffset
    }
  }

  async fetchError(topic: string, offset: number): Promise<string> {
    return word(await this.broker.fetch({ topic, partition: 0 }, offset, 'read_committed'))
  }

  async offsetOf(group: string, place: TopicPartition): Promise<number | string> {
    const answer = await this.broker.offsetFetch(group, place)
    return answer.ok ? answer.value : answer.error
  }

  /** Stages an offset of a group once the transaction before has ended. */
  stage(id: string, producer: Producer, group: string, place: TopicPartition, offset: number) {
    return this.patiently(async () =>
      word(await this.broker.txnOffsetCommit(id, producer, group, place, offset)),
    )
  }

  /** Asks until the answer is not one of those that pass by themselves. */
  private async patiently(ask: () => Promise<string>): Promise<string> {
    let answer = await ask()
    await this.until(`more than ${answer}`, async () => {
      if (!passing.has(answer)) return true
      answer = await ask()
      return !passing.has(answer)
    })
    return answer
  }

  async until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    for (let passed = 0; !(await condition()); passed += stepMs) {
      if (passed > patienceMs) throw new Error(`Waited in vain for ${what}`)
      await this.pass(stepMs)
    }
  }
}

export function expectOk(answer: string): void {
  if (answer !== ok) throw new Error(`It should work, and was refused: ${answer}`)
}
