import type { Cluster } from '../cluster/cluster.js'
import { runTopics } from '../cluster/node-host.js'

/** Runs are kept as long as their topic says, counted from when they were written: workers may be that late. */
export class RetentionWatch {
  private readonly cluster: Cluster
  private readonly onDeletedEarly: (message: string) => void
  private readonly starts = new Map<string, number>()

  constructor(cluster: Cluster, onDeletedEarly: (message: string) => void) {
    this.cluster = cluster
    this.onDeletedEarly = onDeletedEarly
  }

  /** Looks now and then, as long as the world runs. */
  start(): void {
    for (const topic of runTopics) this.look(topic)
    this.cluster.world.after(everyMs, () => this.start())
  }

  private look(topic: string): void {
    const { kafka } = this.cluster
    const answer = kafka.listOffsets(topic)
    if (!answer.ok) return
    for (const [partition, { logStartOffset }] of answer.value.entries()) {
      const place = `${topic}/${partition}`
      const before = this.starts.get(place) ?? 0
      this.starts.set(place, logStartOffset)
      if (logStartOffset > before) this.deleted(topic, partition, before, logStartOffset)
    }
  }

  private deleted(topic: string, partition: number, from: number, until: number): void {
    const { kafka, shape } = this.cluster
    const oldest = kafka.now - shape.retentionMs
    for (const { partition: place, offset, appendedAt } of kafka.committedDump(topic)) {
      if (place !== partition || offset < from || offset >= until || appendedAt <= oldest) continue
      const keptMs = kafka.now - appendedAt
      this.onDeletedEarly(`${topic}/${partition}/${offset} was deleted after ${keptMs} ms at most`)
      return
    }
  }
}

const everyMs = 15_000
