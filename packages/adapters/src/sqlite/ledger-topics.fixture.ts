import type { RunCommand } from '@almanac/domain'
import { runMessageJson } from '@almanac/protocol'
import { readBatch, readSeenRun, type TopicKind } from '../ledger/read-batch.js'
import type { LedgerBatch } from '../ledger/sink.js'
import type { CommittedRecord } from '../transactions/transaction-log.js'

/** A run with everything that a test does not care about. */
export const ledgerRun = (runId: string, changes: Partial<RunCommand> = {}): RunCommand => ({
  runId,
  namespace: 'default',
  taskId: 'task-1',
  taskName: 'Nightly',
  task: 'reports.nightly',
  args: [1],
  kwargs: {},
  headers: {},
  queue: 'default',
  exchange: null,
  routingKey: null,
  priority: null,
  scheduledAt: 1_000,
  emittedAt: 1_005,
  expiresAt: null,
  kind: 'scheduled',
  overlap: 'allow',
  maxAttempts: 1,
  taskRevision: 1,
  partition: 0,
  seq: 1,
  ...changes,
})

/** Topics as they are in a broker, with retention and compaction, for ledgers that read them piece by piece. */
export class LedgerTopics {
  private readonly topics = new Map<string, CommittedRecord[][]>()
  private readonly ends = new Map<string, number>()
  now = 1_000_000

  append(topic: string, partition: number, key: string, value: string): number {
    const log = this.log(topic, partition)
    const place = `${topic}/${partition}`
    const offset = this.ends.get(place) ?? 0
    log.push({ topic, partition, offset, key, value, headers: {}, appendedAt: this.now })
    this.ends.set(place, offset + 1)
    return offset
  }

  appendRun(topic: string, partition: number, run: RunCommand, term = 1): number {
    return this.append(topic, partition, run.taskId, JSON.stringify(runMessageJson(run, term)))
  }

  appendSkips(partition: number, skips: object): number {
    return this.append(
      'p.skips',
      partition,
      `${partition}`,
      JSON.stringify({ partition, skips: [], ...skips }),
    )
  }

  /** The broker's own records, which nobody sees, take offsets too. */
  leaveHole(topic: string, partition: number, offsets: number): void {
    const place = `${topic}/${partition}`
    this.ends.set(place, (this.ends.get(place) ?? 0) + offsets)
  }

  /** At most `max` records from where the reader is; undefined: there are none. */
  read(
    topic: string,
    kind: TopicKind,
    from: ReadonlyMap<number, number>,
    max: number,
  ): LedgerBatch | undefined {
    const records = this.partitions(topic).flatMap((log, partition) =>
      log.filter(({ offset }) => offset >= (from.get(partition) ?? 0)).slice(0, max),
    )
    if (records.length === 0) return undefined
    return readBatch(topic, kind, records.slice(0, max), readSeenRun, (_, record, fault) => {
      throw new Error(`${record.topic}/${record.offset} can not be read`, { cause: fault })
    })
  }

  records(topic: string, partition: number): readonly CommittedRecord[] {
    return this.log(topic, partition)
  }

  /** Retention: everything before the offset is gone. */
  trim(topic: string, partition: number, before: number): void {
    const log = this.log(topic, partition)
    log.splice(0, log.findIndex(({ offset }) => offset >= before) >>> 0)
  }

  compact(topic: string): void {
    for (const log of this.partitions(topic)) {
      const newest = new Map(log.map(({ key, offset }) => [key, offset]))
      const kept = log.filter(({ key, offset }) => newest.get(key) === offset)
      log.splice(0, log.length, ...kept)
    }
  }

  private log(topic: string, partition: number): CommittedRecord[] {
    const logs = this.partitions(topic)
    while (logs.length <= partition) logs.push([])
    return logs[partition] ?? []
  }

  private partitions(topic: string): CommittedRecord[][] {
    const known = this.topics.get(topic)
    if (known !== undefined) return known
    const logs: CommittedRecord[][] = []
    this.topics.set(topic, logs)
    return logs
  }
}
