import {
  type CommittedRecord,
  type DispatchTopics,
  isCheckpoint,
  isMark,
  isOwner,
  readCheckpoint,
  readOwner,
  readRun,
  readSkips,
  type TransactionLog,
} from '@almanac/adapters/transactions'
import { createStop } from '@almanac/engine'
import type { HistoryRecord } from '@almanac/history'

interface CollectorParts {
  /** Reaches the broker by a way of its own, which no fault spoils. */
  readonly log: TransactionLog
  readonly topics: DispatchTopics
  readonly runTopics: readonly string[]
  /** Of every topic. */
  readonly partitions: number
  readonly onRecord: (record: HistoryRecord) => void
  /** A record that no reader can make sense of. */
  readonly onUnreadable: (message: string) => void
}

/**
 * Reads everything that the broker commits for the cluster while it is written, before anything is compacted, as
 * records of a history.
 */
export class Collector {
  records = 0
  private readonly parts: CollectorParts
  private readonly stop = createStop()
  /** The next offset of each partition, by topic. */
  private readonly next = new Map<string, Map<number, number>>()
  private readonly marks = new Set<string>()
  private running: readonly Promise<void>[] = []

  constructor(parts: CollectorParts) {
    this.parts = parts
  }

  start(): void {
    const { topics, runTopics } = this.parts
    this.running = [topics.checkpoints, topics.skips, ...runTopics].map((topic) => this.read(topic))
  }

  /** Appends a mark to every partition, when nobody else writes any more, and reads up to it: that was all. */
  async finish(): Promise<void> {
    const { topics, runTopics, log, partitions } = this.parts
    const places = [topics.checkpoints, topics.skips, ...runTopics].flatMap((topic) =>
      Array.from({ length: partitions }, (_, partition) => ({ topic, partition })),
    )
    const transactor = await log.takeOver('chaos-marks')
    await transactor.send(places.map((place) => ({ ...place, key: markKey, value: '{}' })))
    if ((await transactor.commit()) !== 'committed') throw new Error('the marks were not committed')
    await transactor.close()
    const until = performance.now() + readingMs
    const missing = () => places.filter(({ topic, partition }) => !this.marks.has(`${topic}/${partition}`))
    while (missing().length > 0) {
      if (performance.now() > until) {
        throw new Error(
          `not read to the end: ${missing().map(({ topic, partition }) => `${topic}/${partition}`)}`,
        )
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    await this.close()
  }

  /** Reads no more. */
  async close(): Promise<void> {
    this.stop.stop()
    await Promise.all(this.running)
  }

  /** Begins again whenever the broker is gone, where it was. */
  private async read(topic: string): Promise<void> {
    const next = new Map<number, number>()
    this.next.set(topic, next)
    while (!this.stop.stopped) {
      try {
        for await (const batch of this.parts.log.follow(topic, this.stop, next)) {
          for (const record of batch) this.take(record, next)
        }
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 200))
      }
    }
  }

  private take(record: CommittedRecord, next: Map<number, number>): void {
    const { topic, partition, offset, key } = record
    if (offset < (next.get(partition) ?? 0)) return
    next.set(partition, offset + 1)
    if (key === markKey) {
      this.marks.add(`${topic}/${partition}`)
      return
    }
    this.records += 1
    try {
      for (const seen of this.seenIn(record)) this.parts.onRecord(seen)
    } catch (error) {
      this.parts.onUnreadable(error instanceof Error ? error.message : String(error))
    }
  }

  private seenIn(record: CommittedRecord): readonly HistoryRecord[] {
    const { topic, partition, offset, appendedAt } = record
    const { topics } = this.parts
    if (topic === topics.skips) {
      const { partition: owned, seq, skips } = readSkips(record)
      return skips.map((skip) => ({ kind: 'skip', partition: owned, seq, skip }))
    }
    if (topic !== topics.checkpoints) {
      return [{ kind: 'run', topic, partition, offset, appendedAt, run: readRun(record) }]
    }
    if (isCheckpoint(record)) {
      return [{ kind: 'checkpoint', partition, offset, appendedAt, checkpoint: readCheckpoint(record) }]
    }
    if (isMark(record)) return []
    if (!isOwner(record))
      throw new Error(`${topic}/${partition}/${offset} is neither checkpoint nor owner nor mark`)
    const { nodeId, term } = readOwner(record)
    return [{ kind: 'owner', partition, offset, appendedAt, nodeId, term }]
  }
}

const markKey = 'chaos:mark'
const readingMs = 60_000
