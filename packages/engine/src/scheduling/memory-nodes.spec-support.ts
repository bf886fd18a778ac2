import type { Checkpoint, PartitionId, RunCommand, TaskState } from '@almanac/domain'
import type { TaskInput } from '../application.js'
import { ClockGuard } from '../clock-guard.js'
import { memoryDispatchLog } from '../memory/dispatch-log.js'
import { memoryEventLog } from '../memory/event-log.js'
import { ManualClock } from '../memory/manual-clock.js'
import { memoryRunStore } from '../memory/run-store.js'
import { SeededRandom } from '../memory/seeded-random.js'
import { memoryViewStore } from '../memory/view-store.js'
import { Node } from '../node.js'
import type { DispatchLog, Tick } from '../ports/dispatch-log.js'
import type { EventLog, EventPage } from '../ports/event-log.js'
import { Unroutable, unavailable } from '../ports/faults.js'
import { noTelemetry, type Telemetry } from '../ports/telemetry.js'
import type { ViewStore } from '../ports/view-store.js'
import { clusterNodeOptions, type NodeOptions } from './node-parts.js'

export const noon = Date.parse('2026-03-01T12:00:00Z')
export const every = (seconds: number) => ({ interval: { every: seconds, period: 'seconds' } }) as const

/** Real nodes, one after another, over one event log and one dispatch log in memory. */
export class MemoryNodes {
  readonly clock = new ManualClock(noon)
  readonly log = memoryEventLog()
  /** All that was committed, in order. */
  readonly ticks: Tick[] = []
  readonly faults: string[] = []
  readonly fatal: unknown[] = []
  /** So many more ticks can be committed; then the dispatch log is out of reach. */
  commitsLeft = Number.POSITIVE_INFINITY
  /** What nodes tell of themselves goes there. */
  telemetry: Telemetry = noTelemetry
  /** While true, progress can't be mirrored. */
  mirrorIsDown = false
  /** A queue whose topic can't be had. */
  lostQueue: string | undefined
  /** What the next renewals of the membership throw. */
  renewalBug: Error | undefined
  /** The log's head is asked for, and nothing comes for so long; then a fault. Undefined: it is there. */
  headSilentMs: number | undefined
  /** What a server that is behind shows: of whole reads, of reads with a filter, of everything. */
  shown: { readonly upTo: number; readonly of: 'all' | 'filtered' } | undefined
  /** Task states that nodes have asked for, and the most of them without giving others their turn in between. */
  readonly asked = { all: 0, atOnce: 0 }
  private readonly runs = memoryRunStore(new SeededRandom(1))
  private dispatch = memoryDispatchLog(this.runs)
  private count = 0
  private commands = 0

  /** Starts a node that finds nothing on its disk. */
  async start(options: Partial<NodeOptions> = {}): Promise<Node> {
    this.count += 1
    const { clock } = this
    const nodeId = `node-${this.count}`
    const guard = new ClockGuard(clock)
    const node = new Node(
      {
        log: this.watchedLog(),
        dispatchLog: this.watchedDispatch(),
        views: this.watchedViews(),
        runs: this.runs,
        clock,
        random: new SeededRandom(this.count),
        telemetry: this.telemetry,
        cluster: {
          membership: {
            renew: async (member) => {
              if (this.renewalBug !== undefined) throw this.renewalBug
              return { outcome: 'member', members: [member], at: clock.now() }
            },
            leave: async () => {},
          },
          leases: { acquire: async () => 'held', release: async () => {} },
          guard,
        },
      },
      {
        ...clusterNodeOptions,
        nodeId,
        tzVersion: 'test',
        partitions: 1,
        housekeepingMs: 3_600_000,
        ...options,
      },
      {
        onProgress: () => {},
        onFault: (message, fault) => this.faults.push(`${message}: ${String(fault)}`),
        onFatal: (fault) => this.fatal.push(fault),
      },
    )
    await node.start()
    await clock.advance(0)
    return node
  }

  /** Ends it as a crash does: it says nothing of how far it was. */
  async crash(node: Node): Promise<void> {
    this.mirrorIsDown = true
    await node.stop()
    this.mirrorIsDown = false
  }

  /** Whoever owns the partition finds out at its next commit, and claims it anew. */
  async fence(partition: PartitionId): Promise<void> {
    await this.dispatch.claim(partition)
  }

  /** The dispatch log has lost everything: checkpoints and terms. */
  emptyDispatchLog(): void {
    this.dispatch = memoryDispatchLog(this.runs)
  }

  /** The log shows no more than this; undefined: all. */
  show(upTo: number, of: 'all' | 'filtered'): void {
    this.shown = { upTo, of }
  }

  async create(node: Node, input: Partial<TaskInput>): Promise<string> {
    const body = { name: 'task', task: 'app.task', schedule: every(10), ...input } as TaskInput
    const created = await node.commands.createTask(this.context, body)
    if (!created.ok) throw new Error(JSON.stringify(created.error))
    await this.clock.advance(0)
    return created.value.state.taskId
  }

  get context() {
    this.commands += 1
    const correlationId = `command ${this.commands}`
    return { namespace: 'default', actor: 'test', at: this.clock.now(), correlationId }
  }

  get committed(): readonly RunCommand[] {
    return this.ticks.flatMap(({ runs }) => runs)
  }

  /** Seconds since noon of each run that was committed from the n-th tick on; an `R` marks the replayed ones. */
  runsFrom(tick: number): string[] {
    const runs = this.ticks.slice(tick).flatMap((each) => each.runs)
    return runs.map(
      ({ scheduledAt, replayed }) => `${replayed === true ? 'R' : ''}${(scheduledAt - noon) / 1_000}`,
    )
  }

  get lastCheckpoint(): Checkpoint {
    const last = this.ticks.at(-1)
    if (last === undefined) throw new Error('nothing was committed')
    return last.next
  }

  private watchedLog(): EventLog {
    const { log } = this
    const isCut = (isFiltered: boolean) =>
      this.shown !== undefined && (isFiltered || this.shown.of === 'all') ? this.shown.upTo : undefined
    const self = this
    return {
      append: async (stream, expected, events) => {
        if (this.mirrorIsDown && stream.startsWith('partition-')) throw unavailable('down, by the test')
        return log.append(stream, expected, events)
      },
      readStream: log.readStream.bind(log),
      head: async () => {
        if (self.headSilentMs !== undefined) {
          await self.clock.sleep(self.headSilentMs)
          throw unavailable('silent, by the test')
        }
        return Math.min(await log.head(), isCut(false) ?? Number.POSITIVE_INFINITY)
      },
      readAll: async (after, max, filter) =>
        cutPage(await log.readAll(after, max, filter), after, isCut(filter !== undefined)),
      async *follow(after, stop) {
        for await (const page of log.follow(after, stop)) {
          while (page.position > (isCut(false) ?? page.position)) {
            if (stop.stopped) return
            await self.clock.sleep(50, stop)
          }
          if (self.headSilentMs !== undefined) throw unavailable('silent, by the test')
          yield page
        }
      },
    }
  }

  private watchedViews(): ViewStore {
    const views = memoryViewStore()
    let count = 0
    const counted = <T extends readonly TaskState[] | ReadonlyMap<string, TaskState>>(states: T): T => {
      const some = 'size' in states ? states.size : states.length
      count += some
      this.asked.all += some
      this.asked.atOnce = Math.max(this.asked.atOnce, count)
      return states
    }
    const { tasks, plannable, othersTurn } = views
    return Object.assign(views, {
      tasks: (taskIds: readonly string[]) => counted(tasks.call(views, taskIds)),
      plannable: (...asked: Parameters<ViewStore['plannable']>) => counted(plannable.apply(views, asked)),
      othersTurn: () => {
        count = 0
        return othersTurn.call(views)
      },
    })
  }

  private watchedDispatch(): DispatchLog {
    return {
      seen: (partition) => this.dispatch.seen(partition),
      owner: (partition) => this.dispatch.owner(partition),
      probe: () => this.dispatch.probe(),
      claim: async (partition: PartitionId, termAbove) => {
        const claim = await this.dispatch.claim(partition, termAbove)
        const commit = async (tick: Tick) => {
          if (this.commitsLeft <= 0) throw unavailable('down, by the test')
          const lost = tick.runs.filter(({ queue }) => queue === this.lostQueue)
          if (lost.length > 0)
            throw new Unroutable([...new Set(lost.map(({ taskId }) => taskId))], 'no topic')
          const outcome = await claim.commit(tick)
          if (outcome === 'committed') {
            this.commitsLeft -= 1
            this.ticks.push(tick)
          }
          return outcome
        }
        return { ...claim, commit }
      },
    }
  }
}

function cutPage(page: EventPage, after: number, upTo: number | undefined): EventPage {
  if (upTo === undefined || page.position <= upTo) return page
  const events = page.events.filter(({ position }) => position <= upTo)
  return { events, position: Math.max(after, upTo) }
}
