import { type Clock, PortFault, type Stop, unavailable } from '@almanac/engine'
import type { CommittedRecord } from '../transactions/index.js'
import { type Calls, failed, isUnknownTopic, messageOf } from './calls.js'
import { code, readerPasses } from './codes.js'
import { errorOfCode } from './kafkajs.js'
import { PartitionReading } from './partition-reading.js'
import { type Fetched, fetch } from './requests.js'

export interface ReaderOptions {
  /** How long a broker keeps a reader waiting when there is nothing. */
  readonly maxWaitMs: number
  /** A partition that could not be read for this long ends the reading with a fault. */
  readonly unreadableMs: number
  readonly requestTimeoutMs: number
  /** How often it looks for partitions that are new. */
  readonly refreshMs: number
  readonly retryMs: number
}

const maxBytes = 10_485_760
const maxBytesOfPartition = 1_048_576

/** Where the reading of a partition stands. */
interface Place {
  readonly reading: PartitionReading
  /** When the partition was last read, even if there was nothing new: elapsed time. */
  readAt: number
}

interface Answer {
  readonly node: number
  readonly fetched: readonly Fetched[]
  readonly error: unknown
}

/**
 * Reads a topic from its leaders without a consumer group: nothing to join, to balance or to leave behind, and no
 * reader is ever given another offset than the one that it asked for.
 */
export class TopicReader {
  private readonly topic: string
  private readonly calls: Calls
  private readonly clock: Clock
  private readonly options: ReaderOptions
  private readonly places = new Map<number, Place>()
  private readonly waiting = new Map<number, Promise<Answer>>()
  private refreshedAt = 0

  constructor(topic: string, calls: Calls, clock: Clock, options: ReaderOptions) {
    this.topic = topic
    this.calls = calls
    this.clock = clock
    this.options = options
  }

  async *read(
    from: ReadonlyMap<number, number>,
    stop: Stop,
  ): AsyncGenerator<readonly CommittedRecord[], void, undefined> {
    let forget = () => {}
    const stopped = new Promise<undefined>((resolve) => {
      forget = stop.onStop(() => resolve(undefined))
    })
    try {
      yield* this.untilStopped(from, stop, stopped)
    } finally {
      forget()
    }
  }

  private async *untilStopped(
    from: ReadonlyMap<number, number>,
    stop: Stop,
    stopped: Promise<undefined>,
  ): AsyncGenerator<readonly CommittedRecord[], void, undefined> {
    await Promise.race([this.begin(from, stop), stopped])
    while (!stop.stopped) {
      await Promise.race([this.refreshIfDue(from), stopped])
      const isAsking = this.ask()
      // No partition has a leader at present.
      if (!isAsking) await Promise.race([this.recover(), stopped])
      const answer = await Promise.race([...this.waiting.values(), stopped])
      if (stop.stopped || answer === undefined) continue
      this.waiting.delete(answer.node)
      const batch = this.take(answer)
      if (batch.records.length > 0) yield batch.records
      if (batch.why !== undefined) await Promise.race([this.recover(), stopped])
      this.refuseUnreadable(batch.why)
    }
  }

  /** Finds out where each partition begins. */
  private async begin(from: ReadonlyMap<number, number>, stop: Stop): Promise<void> {
    const what = `where ${this.topic} begins`
    await this.calls.retrying<true>(
      async () => {
        try {
          await this.calls.learn([this.topic])
          await this.locate(from)
          return { done: true }
        } catch (error) {
          if (isUnknownTopic(error)) throw unavailable(`The topic ${this.topic} does not exist`, error)
          if (error instanceof PortFault) throw error
          await this.calls.refresh().catch(() => {})
          return { again: error }
        }
      },
      (why) => failed(what, why),
      stop,
    )
    this.refreshedAt = this.clock.elapsed()
  }

  /** Gives a place to every partition that has none yet. */
  private async locate(from: ReadonlyMap<number, number>): Promise<void> {
    const count = this.calls.partitionsOf(this.topic)
    const all = Array.from({ length: count }, (_, partition) => partition)
    const fresh = all.filter((partition) => !this.places.has(partition))
    if (fresh.length === 0) return
    const first = await list(this.calls, this.topic, fresh, earliest)
    const last = await list(this.calls, this.topic, fresh, latest)
    for (const partition of fresh) {
      const begin = first.get(partition) ?? 0
      const wanted = from.get(partition)
      // Before the earliest: retention has taken it. Behind the end: the topic has been made anew.
      const isThere = wanted !== undefined && wanted >= begin && wanted <= (last.get(partition) ?? 0)
      const reading = new PartitionReading(this.topic, partition, isThere ? wanted : begin)
      this.places.set(partition, { reading, readAt: this.clock.elapsed() })
    }
  }

  private async refreshIfDue(from: ReadonlyMap<number, number>): Promise<void> {
    if (this.clock.elapsed() - this.refreshedAt < this.options.refreshMs) return
    this.refreshedAt = this.clock.elapsed()
    try {
      await this.calls.refresh()
      await this.locate(from)
    } catch (error) {
      if (isUnknownTopic(error)) throw unavailable(`The topic ${this.topic} has been deleted`, error)
      // What can't be reached is noticed where it is read.
    }
  }

  /** Asks every leader that is not being asked. False: there is nobody to wait for. */
  private ask(): boolean {
    const { calls, topic, options } = this
    const leaders = new Map<number, { partition: number; offset: number }[]>()
    for (const [partition, { reading }] of this.places) {
      const { offset } = reading
      const leader = calls.leaderOf({ topic, partition })
      if (leader === undefined || this.waiting.has(leader)) continue
      const theirs = leaders.get(leader)
      if (theirs === undefined) leaders.set(leader, [{ partition, offset }])
      else theirs.push({ partition, offset })
    }
    const { maxWaitMs, requestTimeoutMs } = options
    for (const [node, from] of leaders) {
      const call = fetch({ topic, from, maxWaitMs, maxBytes, maxBytesOfPartition }, requestTimeoutMs)
      const answer = calls.ask(node, call).then(
        (fetched): Answer => ({ node, fetched, error: undefined }),
        (error: unknown): Answer => ({ node, fetched: [], error: error ?? new Error('no answer') }),
      )
      this.waiting.set(node, answer)
    }
    return this.waiting.size > 0
  }

  /** `why` is set when leaders have to be asked for anew. */
  private take({ fetched, error }: Answer): { readonly records: CommittedRecord[]; readonly why: unknown } {
    const { topic } = this
    const records: CommittedRecord[] = []
    let why = error
    for (const one of fetched) {
      const place = this.places.get(one.partition)
      if (place === undefined) continue
      if (one.code === code.none) {
        place.readAt = this.clock.elapsed()
        for (const record of place.reading.take(one)) records.push(record)
      } else if (readerPasses.has(one.code)) {
        why = errorOfCode(one.code)
      } else {
        const at = `${topic}/${one.partition} at ${place.reading.offset}`
        const refusal = errorOfCode(one.code)
        throw unavailable(`${at} can not be read: ${refusal.message}`, refusal)
      }
    }
    return { records, why }
  }

  private async recover(): Promise<void> {
    await this.calls.refresh().catch(() => {})
    await this.clock.sleep(this.options.retryMs)
  }

  private refuseUnreadable(why: unknown): void {
    const now = this.clock.elapsed()
    for (const [partition, { readAt }] of this.places) {
      // While nobody asks for more it is not read either.
      if (why === undefined || now - readAt <= this.options.unreadableMs) continue
      throw unavailable(`${this.topic}/${partition} can not be read: ${messageOf(why)}`, why)
    }
  }
}

export const earliest = -2
/** The first offset that readers of committed records can't see yet. */
export const latest = -1
const readCommitted = 1

/**
 * For each partition the offset of the first record at or after a time, -1 if there is none; or one of the two ends.
 * Throws when a leader refuses.
 */
export async function list(
  calls: Calls,
  topic: string,
  partitions: readonly number[],
  timestamp: number,
): Promise<ReadonlyMap<number, number>> {
  const leaders = new Map<number, { partition: number; timestamp: number }[]>()
  for (const partition of partitions) {
    const leader = calls.leaderOf({ topic, partition })
    if (leader === undefined) throw new Error(`nobody leads ${topic}/${partition}`)
    const theirs = leaders.get(leader)
    if (theirs === undefined) leaders.set(leader, [{ partition, timestamp }])
    else theirs.push({ partition, timestamp })
  }
  const offsets = new Map<number, number>()
  for (const [leader, theirs] of leaders) {
    const broker = await calls.node(leader)
    const topics = [{ topic, partitions: theirs }]
    const { responses } = await broker.listOffsets({ isolationLevel: readCommitted, topics })
    for (const { partition, offset } of responses.flatMap(({ partitions }) => partitions)) {
      offsets.set(partition, Number(offset))
    }
  }
  return offsets
}
