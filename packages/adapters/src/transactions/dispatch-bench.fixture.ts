import type { Checkpoint, PartitionId } from '@almanac/domain'
import { createStop, ManualClock, SeededRandom } from '@almanac/engine'
import { TransactionalDispatchLog } from './dispatch-log.js'
import type { TransactionalDispatchOptions } from './dispatch-parts.js'
import { MemoryTransactionLog } from './memory-log.fixture.js'
import { readRun } from './records.js'
import { ScriptedLog } from './scripted-log.fixture.js'
import { dispatchTopics } from './topics.js'
import type { LogRecord } from './transaction-log.js'

export const topics = dispatchTopics('test')

interface NodeOfTest {
  readonly dispatch: TransactionalDispatchLog
  readonly log: ScriptedLog
  readonly faults: unknown[]
  readonly seen: { readonly partition: PartitionId; readonly checkpoint: Checkpoint }[]
  readonly serverTimes: {
    readonly serverTime: number
    readonly askedAt: number
    readonly answeredAt: number
  }[]
  stopReading(): void
}

/** One log in memory, and nodes that each have a dispatch log over it. */
export class DispatchBench {
  readonly clock = new ManualClock(1_700_000_000_000)
  readonly memory = new MemoryTransactionLog(this.clock)
  private readonly stops: (() => void)[] = []
  private nodes = 0

  /**
   * `isReading` false: its reader stands still until `run` is called. `hasMarks`: it finds out where the end was when
   * it began.
   */
  node(
    options: Partial<TransactionalDispatchOptions> = {},
    isReading = true,
    hasMarks = false,
    eventLogId?: string,
  ): NodeOfTest {
    const { clock, memory } = this
    const log = new ScriptedLog(memory, (ms) => clock.sleep(ms))
    const faults: unknown[] = []
    const seen: { partition: PartitionId; checkpoint: Checkpoint }[] = []
    const serverTimes: { serverTime: number; askedAt: number; answeredAt: number }[] = []
    const number = ++this.nodes
    const dispatch = new TransactionalDispatchLog({
      log,
      clock,
      random: new SeededRandom(number),
      nodeId: `node-${number}`,
      options: { prefix: 'test', ...options },
      onServerTime: (serverTime, askedAt, answeredAt) =>
        serverTimes.push({ serverTime, askedAt, answeredAt }),
      onCommitted: (partition, checkpoint) => seen.push({ partition, checkpoint }),
      onFault: (_, fault) => faults.push(fault),
      ...(eventLogId === undefined ? {} : { eventLogId }),
      ...(hasMarks ? { marks: { partitions: 64, write: (records) => this.write(records) } } : {}),
    })
    const stop = createStop()
    this.stops.push(() => stop.stop())
    if (isReading) void dispatch.run(stop)
    return { dispatch, log, faults, seen, serverTimes, stopReading: () => stop.stop() }
  }

  /** What marks are written with meets that. */
  marksFault: Error | undefined

  private async write(records: readonly LogRecord[]): Promise<void> {
    if (this.marksFault !== undefined) throw this.marksFault
    for (const record of records) this.memory.append(record, { state: 'committed' })
    this.memory.changedNow()
  }

  /** What the promise comes to, while up to `ms` pass. */
  async during<T>(ms: number, work: Promise<T>): Promise<T> {
    const [result] = await Promise.all([work, this.clock.advance(ms)])
    return result
  }

  /** Run ids that a reader of committed runs has, in order of their places. */
  runIds(): readonly string[] {
    return this.runs().map(({ runId }) => runId)
  }

  runs() {
    return this.memory.committed(topics.isRuns).map(readRun)
  }

  records(topic: string) {
    return this.memory.committed((name) => name === topic)
  }

  async close(): Promise<void> {
    for (const stop of this.stops) stop()
  }
}
