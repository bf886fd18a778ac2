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
  /** The broker has had the offset that the reading began at. */
  hasBegun: boolean
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
  /** Partitions that do not have the offset where they should be gone on with. */
  private readonly fromEarliest = new Set<number>()
  /** Nodes that have not answered yet. */
  private readonly asked = new Set<number>()
  private readonly answers: Answer[] = []
  private onAnswer = () => {}
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
    await unlessStopped(this.begin(from, stop), stop)
    while (!stop.stopped) {
      await unlessStopped(this.refreshIfDue(from), stop)
      const answer = this.ask() ? await this.nextAnswer(stop) : nobody
      if (answer === undefined) return
      const { records, why } = this.take(answer)
      if (records.length > 0) yield records
      if (why === undefined) continue
      this.refuseUnreadable(why)
      await unlessStopped(this.recover(from, stop), stop)
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
    const isGiven = (partition: number) => from.has(partition) && !this.fromEarliest.has(partition)
    const first = await list(
      this.calls,
      this.topic,
      fresh.filter((partition) => !isGiven(partition)),
      earliest,
    )
    for (const partition of fresh) {
      const offset = first.get(partition) ?? from.get(partition) ?? 0
      const reading = new PartitionReading(this.topic, partition, offset)
      this.places.set(partition, { reading, readAt: this.clock.elapsed(), hasBegun: false })
    }
  }

  private async refreshIfDue(from: ReadonlyMap<number, number>): Promise<void> {
    if (this.clock.elapsed() - this.refreshedAt < this.options.refreshMs) return
    this.refreshedAt = this.clock.elapsed()
    await this.refresh(from)
  }

  /** What can't be reached is noticed where it is read. */
  private async refresh(from: ReadonlyMap<number, number>): Promise<void> {
    try {
      await this.calls.refresh()
      await this.locate(from)
    } catch (error) {
      if (isUnknownTopic(error)) throw unavailable(`The topic ${this.topic} has been deleted`, error)
    }
  }

  private async recover(from: ReadonlyMap<number, number>, stop: Stop): Promise<void> {
    await this.refresh(from)
    await this.clock.sleep(this.options.retryMs, stop)
  }

  /** Asks every leader that is not being asked. False: there is nobody to wait for. */
  private ask(): boolean {
    const { calls, topic, options } = this
    const leaders = new Map<number, { partition: number; offset: number }[]>()
    for (const [partition, { reading }] of this.places) {
      const { offset } = reading
      const leader = calls.leaderOf({ topic, partition })
      if (leader === undefined || this.asked.has(leader)) continue
      const theirs = leaders.get(leader)
      if (theirs === undefined) leaders.set(leader, [{ partition, offset }])
      else theirs.push({ partition, offset })
    }
    const { maxWaitMs, requestTimeoutMs } = options
    for (const [node, from] of leaders) {
      const call = fetch({ topic, from, maxWaitMs, maxBytes, maxBytesOfPartition }, requestTimeoutMs)
      this.asked.add(node)
      calls.ask(node, call).then(
        (fetched) => this.answered({ node, fetched, error: undefined }),
        (error: unknown) => this.answered({ node, fetched: [], error: error ?? new Error('no answer') }),
      )
    }
    return this.asked.size > 0
  }

  private answered(answer: Answer): void {
    this.answers.push(answer)
    this.onAnswer()
  }

  /** Undefined: it was stopped. Each wait is one of its own, or what was read would hang on to what is waited for. */
  private async nextAnswer(stop: Stop): Promise<Answer | undefined> {
    while (this.answers.length === 0 && !stop.stopped) {
      let forget = () => {}
      await new Promise<void>((resolve) => {
        this.onAnswer = resolve
        forget = stop.onStop(resolve)
      })
      forget()
    }
    if (stop.stopped) return undefined
    const answer = this.answers.shift()
    if (answer !== undefined) this.asked.delete(answer.node)
    return answer
  }

  /** `why` is set when leaders have to be asked for anew. */
  private take({ fetched, error }: Answer): { readonly records: CommittedRecord[]; readonly why: unknown } {
    const records: CommittedRecord[] = []
    let why = error
    for (const one of fetched) {
      const place = this.places.get(one.partition)
      if (place === undefined) continue
      if (one.code === code.none) {
        place.readAt = this.clock.elapsed()
        place.hasBegun = true
        for (const record of place.reading.take(one)) records.push(record)
      } else if (one.code === code.offsetOutOfRange && !place.hasBegun) {
        // Retention has taken it, or the topic has been made anew since somebody noted the offset.
        this.places.delete(one.partition)
        this.fromEarliest.add(one.partition)
        why = errorOfCode(one.code)
      } else if (readerPasses.has(one.code)) {
        why = errorOfCode(one.code)
      } else {
        const refusal = errorOfCode(one.code)
        const at = `${this.topic}/${one.partition} at ${place.reading.offset}`
        throw unavailable(`${at} can not be read: ${refusal.message}`, refusal)
      }
    }
    return { records, why }
  }

  private refuseUnreadable(why: unknown): void {
    const now = this.clock.elapsed()
    for (const [partition, { readAt }] of this.places) {
      if (now - readAt <= this.options.unreadableMs) continue
      throw unavailable(`${this.topic}/${partition} can not be read: ${messageOf(why)}`, why)
    }
  }
}

/** There is no partition with a leader. */
const nobody: Answer = { node: -1, fetched: [], error: new Error('no partition has a leader') }

/** Waits for the work, but no longer than until `stop`: then it may end as it likes. */
function unlessStopped(work: Promise<void>, stop: Stop): Promise<void> {
  return new Promise((resolve, reject) => {
    const forget = stop.onStop(resolve)
    work.then(resolve, reject).finally(forget)
  })
}

const earliest = -2
const readCommitted = 1

/** Of each partition the offset at a time, or at one of its ends. Throws when a leader refuses. */
async function list(
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
