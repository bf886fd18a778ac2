import { type Clock, createStop, PortFault, type Random, type Stop } from '@almanac/engine'
import type { Instant } from '@almanac/recurrence'
import { dispatchTopics } from '../transactions/topics.js'
import type { CommittedRecord, TransactionLog } from '../transactions/transaction-log.js'
import { type ReadRun, readBatch, readSeenRun, type TopicKind } from './read-batch.js'
import type { LedgerBatch, LedgerSink } from './sink.js'
import { TopicProgress } from './topic-progress.js'

/** How topics are read. Every duration is in milliseconds. */
export interface RunLedgerOptions {
  /** Before the names of all topics of the cluster. */
  readonly prefix: string
  /** How often is asked for new queues' topics. */
  readonly discoverEveryMs: number
  /** How long a reader waits after a fault before it begins again; twice as long after each further one. */
  readonly backoffMs: number
  readonly maxBackoffMs: number
  /** Records that are taken in at once: so long nothing else of the process goes on. */
  readonly maxRecords: number
  /** How long a reader waits after each batch, so that what comes meanwhile comes together. */
  readonly gatherMs: number
  /** A topic that gave nothing for so long has been read to its end. */
  readonly idleMs: number
}

export const defaultRunLedgerOptions = {
  discoverEveryMs: 10_000,
  backoffMs: 500,
  maxBackoffMs: 15_000,
  maxRecords: 1_000,
  gatherMs: 0,
  idleMs: 2_000,
} as const satisfies Partial<RunLedgerOptions>

export interface RunLedgerParts {
  readonly log: TransactionLog
  readonly clock: Clock
  readonly random: Random
  readonly sink: LedgerSink
  /** The topics that runs go to, as they are now. */
  readonly runTopics: () => Promise<readonly string[]>
  /**
   * Where to begin in partitions of which the sink has no offset. Left out, or undefined: at the earliest record that
   * is kept.
   */
  readonly beginAt?: (topic: string) => Promise<ReadonlyMap<number, number> | undefined>
  /** @default `readSeenRun` */
  readonly readRun?: ReadRun
  /** Something went wrong and is tried again. */
  readonly onFault: (message: string, fault: unknown) => void
  readonly options: Pick<RunLedgerOptions, 'prefix'> & Partial<RunLedgerOptions>
}

export interface RunLedgerStatus {
  /** Every topic has been read to its end, and none stands still after a fault. */
  readonly isCaughtUp: boolean
  /**
   * How long ago the newest record of the topic that is furthest behind was appended; how long it has been tried, when
   * none was taken in yet. 0: all has been read. Milliseconds.
   */
  readonly behindMs: number
  /** Records that were passed over, by why. */
  readonly passedOver: { readonly [reason: string]: number }
}

/**
 * Keeps a sink up to date with what all nodes have committed and what workers have reported: one reader for each
 * topic, from where the sink is, and again from there after a fault.
 */
export class RunLedger {
  private readonly parts: RunLedgerParts
  private readonly options: RunLedgerOptions
  private readonly readers = new Map<string, Reader>()
  private readonly passedOver = new Map<string, number>()
  private readonly begunAt: Instant
  private onBroken: (fault: unknown) => void = () => {}

  constructor(parts: RunLedgerParts) {
    this.parts = parts
    this.options = { ...defaultRunLedgerOptions, ...parts.options }
    this.begunAt = parts.clock.now()
  }

  /** Reads until `stop`. Rejects only when something is wrong with this program. */
  async run(stop: Stop): Promise<void> {
    const { clock, sink, runTopics, onFault } = this.parts
    const { prefix, discoverEveryMs, backoffMs } = this.options
    const { skips, runEvents, totals } = dispatchTopics(prefix)
    sink.watch(() => this.status().isCaughtUp)
    // Totals first: what they have counted need not be corrected then.
    if (sink.interests.includes('totals')) this.read(totals, 'totals', stop)
    if (sink.interests.includes('skips')) this.read(skips, 'skips', stop)
    const broken = new Promise<never>((_, reject) => {
      this.onBroken = reject
    })
    while (!stop.stopped) {
      let waitMs = discoverEveryMs
      try {
        this.readRuns(await runTopics(), stop)
        this.read(runEvents, 'events', stop)
      } catch (fault) {
        if (!(fault instanceof PortFault)) throw fault
        onFault('looking for the topics of runs', fault)
        waitMs = backoffMs
      }
      await Promise.race([clock.sleep(waitMs, stop), broken])
    }
    await Promise.all([...this.readers.values()].map(({ done }) => done))
  }

  status(): RunLedgerStatus {
    const progress = [...this.readers.values()].map((reader) => reader.progress)
    const behind = progress.flatMap((one) => (one.isAtEnd() ? [] : [one.reachedAt]))
    const isCaughtUp = behind.length === 0 && progress.some(({ kind }) => kind === 'events')
    const since = behind.length === 0 ? this.begunAt : Math.min(...behind.map((at) => at || this.begunAt))
    return {
      isCaughtUp,
      behindMs: isCaughtUp ? 0 : Math.max(0, this.parts.clock.now() - since),
      passedOver: Object.fromEntries([...this.passedOver, ...this.parts.sink.passedOver]),
    }
  }

  /** A topic that is gone is not read any more. */
  private readRuns(topics: readonly string[], stop: Stop): void {
    for (const [topic, reader] of this.readers) {
      if (reader.progress.kind === 'runs' && !topics.includes(topic)) {
        reader.stop.stop()
        this.readers.delete(topic)
      }
    }
    for (const topic of topics) this.read(topic, 'runs', stop)
  }

  private read(topic: string, kind: TopicKind, until: Stop): void {
    if (this.readers.has(topic) || until.stopped) return
    const stop = createStop()
    const forget = until.onStop(() => stop.stop())
    const progress = new TopicProgress(kind, this.parts.clock, this.options.idleMs)
    const done = this.readAgain(topic, progress, stop)
      .catch((fault: unknown) => this.onBroken(fault))
      .finally(forget)
    this.readers.set(topic, { progress, stop, done })
  }

  private async readAgain(topic: string, progress: TopicProgress, stop: Stop): Promise<void> {
    const { clock, random, onFault } = this.parts
    const { backoffMs, maxBackoffMs } = this.options
    let waitMs = backoffMs
    while (!stop.stopped) {
      try {
        for await (const records of await this.follow(topic, progress, stop)) {
          waitMs = backoffMs
          await this.take(topic, records, progress, stop)
          progress.waits()
        }
        if (!stop.stopped) onFault(`reading ${topic}`, new Error('The log ended'))
      } catch (fault) {
        if (!(fault instanceof PortFault)) throw fault
        onFault(`reading ${topic}`, fault)
      }
      progress.fails()
      await clock.sleep(waitMs * (1 + random.next()), stop)
      waitMs = Math.min(2 * waitMs, maxBackoffMs)
    }
  }

  private async follow(
    topic: string,
    progress: TopicProgress,
    stop: Stop,
  ): Promise<AsyncIterable<readonly CommittedRecord[]>> {
    const { log, sink, beginAt } = this.parts
    const first = (await beginAt?.(topic)) ?? []
    progress.begins()
    return log.follow(topic, stop, new Map([...first, ...sink.offsets(topic)]))
  }

  private async take(
    topic: string,
    records: readonly CommittedRecord[],
    progress: TopicProgress,
    stop: Stop,
  ): Promise<void> {
    const { clock } = this.parts
    const { maxRecords, gatherMs } = this.options
    for (let at = 0; at < records.length && !stop.stopped; at += maxRecords) {
      const part = records.slice(at, at + maxRecords)
      const reachedAt = part.at(-1)?.appendedAt ?? 0
      if (progress.kind === 'events') await this.runsBefore(reachedAt, stop)
      if (stop.stopped) return
      this.apply(topic, part, progress.kind)
      progress.reached(reachedAt)
      // Other work of the process has its turn.
      await clock.sleep(gatherMs, stop)
    }
  }

  private apply(topic: string, records: readonly CommittedRecord[], kind: TopicKind): void {
    const { sink, readRun = readSeenRun } = this.parts
    const pass = (reason: string) => this.passedOver.set(reason, (this.passedOver.get(reason) ?? 0) + 1)
    const read = (some: readonly CommittedRecord[]): LedgerBatch =>
      readBatch(topic, kind, some, readRun, () => pass(`${kind}_unreadable`))
    try {
      sink.apply(read(records))
    } catch (fault) {
      if (fault instanceof PortFault) throw fault
      // Whatever is wrong with one record, those after it are not to wait for ever.
      for (const record of records) {
        const alone = read([record])
        try {
          sink.apply(alone)
        } catch (poison) {
          if (poison instanceof PortFault) throw poison
          pass(`${kind}_poison`)
          this.parts.onFault(`the record at ${topic}/${record.partition}/${record.offset}`, poison)
          sink.apply({ ...alone, runs: [], skips: [], events: [], totals: [] })
        }
      }
    }
  }

  /**
   * What a worker tells of a run stands in another topic than the run. Who reads both from long ago would meet
   * millions of events before their runs, so old events wait until the runs from before them have been read.
   */
  private async runsBefore(appendedAt: Instant, stop: Stop): Promise<void> {
    const { clock } = this.parts
    const { idleMs } = this.options
    const isBehind = ({ progress }: Reader): boolean =>
      progress.kind === 'runs' && progress.reachedAt < appendedAt && !progress.isAtEnd()
    while (!stop.stopped && clock.now() - appendedAt > oldMs && [...this.readers.values()].some(isBehind)) {
      await clock.sleep(idleMs / 4, stop)
    }
  }
}

/** Events that are younger come in no order that matters: sinks keep those of runs that they don't know yet. */
const oldMs = 30_000

interface Reader {
  readonly progress: TopicProgress
  readonly stop: Stop & { stop(): void }
  readonly done: Promise<void>
}
