import { type Clock, unavailable } from '@almanac/engine'
import type { LogRecord } from '../transactions/index.js'
import { type Calls, doubtful, failed, isUnknownTopic, messageOf } from './calls.js'
import { code, fencedCodes, lastingCodes, leaderPasses } from './codes.js'
import { codeOf, errorOfCode } from './kafkajs.js'
import { partitionOf } from './murmur2.js'
import { encodeBatch, sizeAtMost } from './record-batch.js'
import { type EncodedBatch, type Place, type Produced, produce } from './requests.js'
import { TopicRefused } from './topic-refused.js'
import { WireWriter } from './wire.js'

/** Who writes: learnt from `InitProducerId`, and fenced by the next one that asks. */
export interface Producer {
  readonly producerId: string
  readonly producerEpoch: number
}

export interface AppenderParts {
  readonly calls: Calls
  readonly clock: Clock
  readonly transactionalId: string | null
  readonly producer: Producer
  /** Called for a topic that does not exist: afterwards it should. Absent: such a topic is a fault. */
  readonly createTopic?: (topic: string) => Promise<void>
  readonly requestTimeoutMs: number
}

/** Batches for one request to each leader. They bear their sequence numbers, so that they may be sent again. */
export type Round = readonly EncodedBatch[]

export type Appended = Produced

/** Topics that can't be had, however often it is tried. */
export interface Refused {
  readonly refused: readonly string[]
  readonly message: string
}

/**
 * Counted three times too high for plain text: well below a broker's limit for a batch, which is 1 MB unless the topic
 * has another.
 */
const maxBatchBytes = 1_000_000

/** Writes with the sequence numbers of one producer. One call at a time; after a fault it is good for nothing. */
export class Appender {
  private readonly parts: AppenderParts
  private readonly sequences = new Map<string, number>()
  private readonly writer = new WireWriter()

  constructor(parts: AppenderParts) {
    this.parts = parts
  }

  /** Finds the partitions and encodes. Nothing is sent yet: a fault is `unavailable`. */
  async prepare(records: readonly LogRecord[]): Promise<readonly Round[] | Refused> {
    const topics = new Set<string>()
    for (const { topic } of records) topics.add(topic)
    const refused = await this.learn([...topics])
    if (refused !== undefined) return refused
    const rounds: EncodedBatch[][] = []
    for (const [topic, partitions] of this.byPlace(records)) {
      for (const [partition, theirs] of partitions) {
        let round = 0
        for (const part of partsOf(theirs)) {
          const batch = this.encode({ topic, partition }, part)
          const others = rounds[round]
          if (others === undefined) rounds.push([batch])
          else others.push(batch)
          round += 1
        }
      }
    }
    return rounds
  }

  placesOf(rounds: readonly Round[]): readonly Place[] {
    // Every partition is in the first round.
    return rounds[0] ?? []
  }

  /** Sends until all are appended. */
  async append(round: Round): Promise<readonly Appended[] | 'fenced'> {
    const { calls } = this.parts
    const what = `to append to ${round.map(({ topic, partition }) => `${topic}/${partition}`).join(', ')}`
    const appended: Appended[] = []
    let left = round
    return await calls.retrying<readonly Appended[] | 'fenced'>(
      async () => {
        const { answers, error } = await this.produce(left)
        const done = new Set<string>()
        let why: unknown = error
        for (const answer of answers) {
          if (answer.code === code.none) {
            appended.push(answer)
            done.add(nameOf(answer))
          } else if (fencedCodes.has(answer.code)) {
            return { done: 'fenced' }
          } else if (leaderPasses.has(answer.code)) {
            why = errorOfCode(answer.code)
          } else {
            throw doubtful(what, errorOfCode(answer.code))
          }
        }
        left = left.filter((batch) => !done.has(nameOf(batch)))
        if (left.length === 0) return { done: appended }
        await calls.refresh().catch(() => {})
        return { again: why }
      },
      (why) => doubtful(what, why),
    )
  }

  private async produce(batches: Round): Promise<{ answers: readonly Produced[]; error: unknown }> {
    const { calls, transactionalId, requestTimeoutMs } = this.parts
    const leaders = new Map<number, EncodedBatch[]>()
    for (const batch of batches) {
      const leader = calls.leaderOf(batch)
      if (leader === undefined) continue
      const theirs = leaders.get(leader)
      if (theirs === undefined) leaders.set(leader, [batch])
      else theirs.push(batch)
    }
    let error: unknown = new Error('no broker leads the partition')
    const answers = await Promise.all(
      [...leaders].map(async ([leader, theirs]) => {
        try {
          return await calls.ask(leader, produce(transactionalId, theirs, requestTimeoutMs))
        } catch (fault) {
          error = fault
          return []
        }
      }),
    )
    return { answers: answers.flat(), error }
  }

  private async learn(topics: readonly string[]): Promise<Refused | undefined> {
    const { calls } = this.parts
    const what = `about ${topics.join(', ')}`
    const created = new Set<string>()
    return await calls.retrying<Refused | undefined>(
      async () => {
        try {
          await calls.learn(topics)
          return { done: undefined }
        } catch (error) {
          if (codeOf(error) === undefined) return { again: error }
          const refused = await this.lookAtEach(topics, created)
          return refused === undefined ? { again: error } : { done: refused }
        }
      },
      (why) => failed(what, why),
    )
  }

  /** Makes those that are missing. Once each: it takes a while until every broker knows of it. */
  private async lookAtEach(topics: readonly string[], created: Set<string>): Promise<Refused | undefined> {
    const refused: string[] = []
    let message = ''
    for (const topic of topics) {
      try {
        await this.lookAt(topic, created)
      } catch (fault) {
        if (!(fault instanceof TopicRefused)) throw fault
        refused.push(topic)
        message = fault.message
      }
    }
    return refused.length === 0 ? undefined : { refused, message }
  }

  private async lookAt(topic: string, created: Set<string>): Promise<void> {
    const { calls, createTopic } = this.parts
    try {
      await calls.learn([topic])
    } catch (error) {
      if (lastingCodes.has(codeOf(error) ?? code.none)) {
        throw new TopicRefused(`The topic ${topic} is refused: ${messageOf(error)}`, error)
      }
      if (!isUnknownTopic(error)) return
      if (createTopic === undefined) throw unavailable(`The topic ${topic} does not exist`, error)
      if (!created.has(topic)) await createTopic(topic)
      created.add(topic)
    }
  }

  private byPlace(records: readonly LogRecord[]): ReadonlyMap<string, ReadonlyMap<number, LogRecord[]>> {
    const places = new Map<string, Map<number, LogRecord[]>>()
    const counts = new Map<string, number>()
    for (const record of records) {
      const { topic } = record
      let partitions = places.get(topic)
      if (partitions === undefined) {
        partitions = new Map()
        places.set(topic, partitions)
        counts.set(topic, this.parts.calls.partitionsOf(topic))
      }
      const count = counts.get(topic) ?? 0
      const partition = placeIn(record, count)
      if (!(partition < count)) throw unavailable(`The topic ${topic} has no partition ${partition}`)
      const theirs = partitions.get(partition)
      if (theirs === undefined) partitions.set(partition, [record])
      else theirs.push(record)
    }
    return places
  }

  private encode(place: Place, records: readonly LogRecord[]): EncodedBatch {
    const { producer, transactionalId, clock } = this.parts
    const name = nameOf(place)
    const sequence = this.sequences.get(name) ?? 0
    // The numbers go round at 2^31.
    this.sequences.set(name, (sequence + records.length) % 2 ** 31)
    const writer = {
      id: Number(producer.producerId),
      epoch: producer.producerEpoch,
      isTransactional: transactionalId !== null,
    }
    return { ...place, bytes: encodeBatch(records, writer, sequence, clock.now(), this.writer) }
  }
}

/** As many records as fit in a batch, again and again. One that is too big by itself is the broker's to refuse. */
function* partsOf(records: readonly LogRecord[]): Generator<readonly LogRecord[]> {
  let from = 0
  let bytes = 0
  for (const [index, record] of records.entries()) {
    const size = sizeAtMost(record)
    if (bytes + size > maxBatchBytes && index > from) {
      yield records.slice(from, index)
      from = index
      bytes = 0
    }
    bytes += size
  }
  yield from === 0 ? records : records.slice(from)
}

function placeIn({ partition, spread, key }: LogRecord, count: number): number {
  if (partition !== null) return partition
  return spread === undefined ? partitionOf(key, count) : spread % count
}

const nameOf = ({ topic, partition }: Place): string => `${topic}/${partition}`
