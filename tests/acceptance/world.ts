import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore, type Store } from '@almanac/adapters/sqlite'
import type { CommandContext, PartitionId, TaskSpec, TaskState } from '@almanac/domain'
import {
  type DispatchLog,
  defaultNodeOptions,
  type EventLog,
  ManualClock,
  Node,
  type NodeOptions,
  type RecordedSkip,
  type RunIntake,
  SeededRandom,
  type TaskInput,
  type TaskView,
  type Tick,
  unavailable,
} from '@almanac/engine'
import type { Instant } from '@almanac/recurrence'

/** Is told of every tick once it is committed. */
export type OnCommitted = (partition: PartitionId, tick: Tick, at: Instant) => void

/** The real node on real SQLite files, with a clock that the test moves: a year passes in seconds. */
export class World {
  readonly clock: ManualClock
  readonly folder: string
  faults: string[] = []
  /** How long each commit of a tick takes, on the world's clock. Milliseconds. */
  commitTakesMs = 0
  /** While true, commits of ticks fail as when the dispatch log can't be reached. */
  dispatchIsDown = false
  /** While true, appends to the event log fail. */
  appendIsDown = false
  followTakesMs = 0
  released = 0
  private readonly options: NodeOptions
  private readonly onCommitted: OnCommitted
  private store: Store | undefined
  private running: Node | undefined
  private commandCount = 0
  private calls = 0
  private underWay = 0

  private constructor(start: string, options: Partial<NodeOptions>, onCommitted: OnCommitted) {
    this.onCommitted = onCommitted
    this.clock = new ManualClock(Date.parse(start), { settle: () => this.settled() })
    this.folder = mkdtempSync(join(tmpdir(), 'almanac-acceptance-'))
    const calm = { partitions: 4, idleCheckpointMs: day, clockWatchMs: day, housekeepingMs: day }
    this.options = { ...defaultNodeOptions, nodeId: 'n1', tzVersion: 'test', ...calm, ...options }
  }

  static async at(
    start: string,
    options: Partial<NodeOptions> = {},
    onCommitted: OnCommitted = () => {},
  ): Promise<World> {
    const world = new World(start, options, onCommitted)
    await world.start()
    return world
  }

  get node(): Node {
    if (this.running === undefined) throw new Error('the node is down')
    return this.running
  }

  /** The event log itself, to plant what no command would append. */
  get log(): EventLog {
    if (this.store === undefined) throw new Error('the node is down')
    return this.store.eventLog
  }

  async start(): Promise<void> {
    const store = openStore({
      folder: this.folder,
      clock: this.clock,
      random: new SeededRandom(this.commandCount + 1),
      onFatal: (error) => this.faults.push(error.message),
      pollMs: day,
    })
    this.store = store
    const runs = this.watched(store.runStore)
    this.running = new Node(
      {
        log: this.watched(this.failing(store.eventLog)),
        dispatchLog: this.watchedDispatch(store.dispatchLog),
        views: store.viewStore,
        runs,
        queue: runs,
        clock: this.clock,
        random: new SeededRandom(this.commandCount + 2),
      },
      this.options,
      {
        onProgress: () => {},
        onFault: (message, fault) => this.faults.push(`${message}: ${String(fault)}`),
        onFatal: (fault) => this.faults.push(String(fault)),
      },
    )
    await this.running.start()
    await this.settled()
  }

  get intake(): RunIntake {
    const { intake } = this.node
    if (intake === null) throw new Error('the node has no work queue')
    return intake
  }

  /** Stops the node; what was committed stays in the folder. */
  async stop(): Promise<void> {
    await this.running?.stop()
    await this.store?.close()
    this.running = undefined
    this.store = undefined
  }

  async end(): Promise<void> {
    await this.stop()
    rmSync(this.folder, { recursive: true, force: true })
    if (this.faults.length > 0) throw new Error(`faults: ${this.faults.join('; ')}`)
  }

  /** Lets time pass up to an instant; everything that falls due on the way happens at its moment. */
  async until(instant: string): Promise<void> {
    await this.clock.advance(Date.parse(instant) - this.clock.now())
  }

  /** The process is down until then: time passes, nothing runs. */
  async downUntil(instant: string): Promise<void> {
    await this.stop()
    await this.clock.advance(Date.parse(instant) - this.clock.now())
    await this.start()
  }

  get context(): CommandContext {
    this.commandCount += 1
    const correlationId = `command ${this.commandCount}`
    return { namespace: 'default', actor: 'test', at: this.clock.now(), correlationId }
  }

  async create(input: Partial<TaskSpec> & Pick<TaskInput, 'schedule'>): Promise<TaskState> {
    const created = await this.node.commands.createTask(this.context, {
      name: 'task',
      task: 'app.task',
      ...input,
    })
    if (!created.ok) throw new Error(JSON.stringify(created.error))
    await this.settled()
    return created.value.state
  }

  /** The refusal of a creation, as `code path path ...`. */
  async refusal(input: object): Promise<string> {
    const before = this.node.queries.position()
    const body = { name: 'task', task: 'app.task', ...input } as TaskInput
    const created = await this.node.commands.createTask(this.context, body)
    await this.settled()
    if (created.ok) return 'accepted'
    if (this.node.queries.position() !== before) throw new Error('a refused command has changed something')
    return [created.error.code, ...(created.error.problems ?? []).map((problem) => problem.path)].join(' ')
  }

  async change(task: TaskState, changes: Partial<TaskSpec>): Promise<void> {
    await this.must(this.node.commands.changeTask(this.context, task.taskId, changes))
  }
  async disable(task: TaskState): Promise<void> {
    await this.must(this.node.commands.disableTask(this.context, task.taskId))
  }
  async enable(task: TaskState): Promise<void> {
    await this.must(this.node.commands.enableTask(this.context, task.taskId))
  }

  async must<T>(outcome: Promise<{ ok: true; value: T } | { ok: false; error: unknown }>): Promise<T> {
    const result = await outcome
    if (!result.ok) throw new Error(JSON.stringify(result.error))
    await this.settled()
    return result.value
  }

  /** Scheduled instants of the runs so far, oldest first; of one task, or of all. */
  runs(task?: TaskState): string[] {
    const filter = task === undefined ? {} : { taskId: task.taskId }
    const listed = this.node.queries.runs('default', filter, { limit: 1000 })
    if (listed.nextCursor !== null) throw new Error('more than 1000 runs')
    return listed.items.map((run) => short(run.command.scheduledAt)).sort()
  }

  /** Emission instants of the runs so far. */
  emitted(task?: TaskState): string[] {
    const filter = task === undefined ? {} : { taskId: task.taskId }
    const listed = this.node.queries.runs('default', filter, { limit: 1000 })
    return listed.items.map((run) => short(run.command.emittedAt)).sort()
  }

  /** The stretches of occurrences of a task that were decided not to run. */
  skips(taskId: string): readonly RecordedSkip[] {
    return this.store?.runStore.skips(taskId, 0, this.clock.now()) ?? []
  }

  view(task: TaskState): TaskView {
    const view = this.node.queries.task('default', task.taskId)
    if (view === undefined) throw new Error('no such task')
    return view
  }

  /** Everything that was woken has run: no call to a port is under way, and nobody wants to make one. */
  async settled(): Promise<void> {
    for (let calm = 0; calm < calmTurns; calm += 1) {
      const before = this.calls
      await new Promise((resolve) => setImmediate(resolve))
      if (this.underWay > 0 || this.calls !== before) calm = 0
    }
  }

  private async *slow(port: EventLog, ...args: Parameters<EventLog['follow']>) {
    for await (const page of port.follow(...args)) {
      if (this.followTakesMs > 0) await this.clock.sleep(this.followTakesMs)
      yield page
    }
  }

  private failing(port: EventLog): EventLog {
    return new Proxy(port, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name)
        if (typeof member !== 'function') return member
        if (name === 'follow') return (...args: Parameters<EventLog['follow']>) => this.slow(port, ...args)
        return (...args: unknown[]) =>
          name === 'append' && this.appendIsDown
            ? Promise.reject(unavailable('down, by the test'))
            : member.apply(target, args)
      },
    })
  }

  /** Counts the calls that answer later, so that `settled` knows when the last one has. */
  private watched<T extends object>(port: T): T {
    return new Proxy(port, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name)
        if (typeof member !== 'function') return member
        return (...args: unknown[]) => {
          const answer: unknown = member.apply(target, args)
          return answer instanceof Promise ? this.counted(answer) : answer
        }
      },
    })
  }

  private watchedDispatch(port: DispatchLog): DispatchLog {
    return {
      seen: (partition) => port.seen(partition),
      owner: (partition) => port.owner(partition),
      probe: () => this.counted(port.probe()),
      claim: async (partition, termAbove) => {
        const claim = this.watched(await this.counted(port.claim(partition, termAbove)))
        const commit = async (tick: Tick) => {
          if (this.commitTakesMs > 0) await this.clock.sleep(this.commitTakesMs)
          if (this.dispatchIsDown) throw unavailable('down, by the test')
          const outcome = await claim.commit(tick)
          if (outcome === 'committed') this.onCommitted(partition, tick, this.clock.now())
          return outcome
        }
        return new Proxy(claim, {
          get: (it, name) => {
            if (name === 'release') this.released += 1
            return name === 'commit' ? commit : Reflect.get(it, name)
          },
        })
      },
    }
  }

  private async counted<T>(call: Promise<T>): Promise<T> {
    this.calls += 1
    this.underWay += 1
    try {
      return await call
    } finally {
      this.underWay -= 1
    }
  }
}

/** What production does every second or minute is done daily here, so that a year passes quickly. */
const day = 86_400_000

/** So many turns of the event loop without a call mean that everything waits for time to pass. */
const calmTurns = 6

const short = (instant: Instant): string => new Date(instant).toISOString().replace('.000Z', 'Z')
