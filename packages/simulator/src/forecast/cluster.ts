import {
  type Cursor,
  type Definition,
  genesis,
  nextOccurrence,
  type Plan,
  type PlannedRun,
  partitionOf,
  plan,
  type Skip,
} from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'
import { BusyTasks } from './busy.js'
import type { ForecastTask } from './catalog.js'
import { DueQueue } from './due-queue.js'
import type { Stretch } from './ownership.js'
import type { ForecastSettings } from './settings.js'

/** Is told what the cluster decides, in the order of time. `task` is the place in the list of tasks. */
export interface Observer {
  emitted(task: number, run: PlannedRun, at: Instant, node: number): void
  skipped(task: number, skip: Skip, at: Instant): void
  /** The task's schedule threw: it is planned no more. */
  broken(task: number, message: string): void
}

/** What a partition is planned with: that part of its checkpoint which the next tick depends on. */
interface Partition {
  readonly due: DueQueue
  readonly stretches: readonly Stretch[]
  /** Place of the stretch that holds, or comes after, the last tick. */
  stretch: number
  cursor: Cursor
}

/** Decisions between two reports of progress. */
const reportEvery = 65_536

/**
 * The schedulers of a cluster on virtual time: production's planner, tick by tick, each at the next due instant of
 * its partition, or when the partition has an owner again. Deterministic.
 */
export class Cluster {
  private readonly tasks: readonly ForecastTask[]
  private readonly settings: ForecastSettings
  private readonly observer: Observer
  private readonly busy: BusyTasks
  private readonly places: ReadonlyMap<string, number>
  private readonly partitions: readonly Partition[]
  private readonly agenda: DueQueue
  private decided = 0

  /** `tasks` by their task ids. */
  constructor(
    tasks: readonly ForecastTask[],
    settings: ForecastSettings,
    stretches: readonly (readonly Stretch[])[],
    observer: Observer,
  ) {
    this.tasks = tasks
    this.settings = settings
    this.observer = observer
    this.busy = new BusyTasks(settings.runMs)
    this.places = new Map(tasks.map(({ definition }, index) => [definition.taskId, index]))
    this.agenda = new DueQueue(settings.partitions)
    const members = tasks.map(({ definition }) => partitionOf(definition.taskId, settings.partitions))
    const sizes = new Int32Array(settings.partitions)
    for (const partition of members) sizes[partition] = (sizes[partition] ?? 0) + 1
    const { cursor } = genesis(settings.from)
    this.partitions = stretches.map((owned, index) => ({
      due: new DueQueue(sizes[index] ?? 0),
      stretches: owned,
      stretch: 0,
      cursor,
    }))
    for (const [task, partition] of members.entries()) this.begin(task, this.partitions[partition])
  }

  /** Plays to the end. `onProgress` hears how far time has come, now and then. */
  run(onProgress: (now: Instant) => void): void {
    for (const id of this.partitions.keys()) this.schedule(id)
    let reported = 0
    while (this.agenda.length > 0) {
      const now = this.agenda.peek()
      const id = this.agenda.pop()
      const partition = this.partitions[id]
      if (partition === undefined) continue
      while (this.tick(partition, now));
      this.schedule(id)
      if (this.decided - reported >= reportEvery) {
        reported = this.decided
        onProgress(now)
      }
    }
  }

  /** What was due before the end and is decided by nobody: its partition has no owner at the end. */
  undecided(): number {
    let sum = 0
    for (const { due, cursor } of this.partitions) {
      for (let key = due.peek(); key < this.settings.to; key = due.peek()) {
        const definition = this.tasks[due.pop()]?.definition
        if (definition !== undefined) sum += this.dueOf(definition, cursor)
      }
    }
    return sum
  }

  private dueOf(definition: Definition, cursor: Cursor): number {
    const first = nextOccurrence(definition, cursor)
    const last = Math.min(
      this.settings.to - 1,
      definition.finalAt ?? Number.POSITIVE_INFINITY,
      (definition.expires ?? Number.POSITIVE_INFINITY) - 1,
    )
    return first === undefined ? 0 : definition.recurrence.count(first.scheduledAt - 1, last)
  }

  private begin(task: number, partition: Partition | undefined): void {
    const definition = this.tasks[task]?.definition
    if (definition === undefined || partition === undefined) return
    try {
      const first = nextOccurrence(definition, partition.cursor)
      if (first !== undefined) partition.due.push(first.dispatchAt, task)
    } catch (error) {
      this.observer.broken(task, error instanceof Error ? error.message : String(error))
    }
  }

  /** The partition's next tick: when something is due and somebody owns it. */
  private schedule(id: number): void {
    const partition = this.partitions[id]
    if (partition === undefined) return
    const due = partition.due.peek()
    if (due >= this.settings.to) return
    let owned = partition.stretches[partition.stretch]
    while (owned !== undefined && owned.until <= due) {
      partition.stretch += 1
      owned = partition.stretches[partition.stretch]
    }
    if (owned !== undefined) this.agenda.push(Math.max(due, owned.from), id)
  }

  /** One tick; true when more is due at the same moment. */
  private tick(partition: Partition, now: Instant): boolean {
    const { maxDecisionsPerTick, misfireGraceMs } = this.settings
    const taken: number[] = []
    const definitions: Definition[] = []
    let last = partition.cursor
    while (taken.length < maxDecisionsPerTick && partition.due.peek() <= now) {
      const at = partition.due.peek()
      const task = partition.due.pop()
      const definition = this.tasks[task]?.definition
      if (definition === undefined) break
      taken.push(task)
      definitions.push(definition)
      last = { at, taskId: definition.taskId }
    }
    const isCut = taken.length === maxDecisionsPerTick && partition.due.peek() <= now
    const decided = plan({
      cluster: '',
      cursor: partition.cursor,
      now,
      definitions,
      retired: [],
      armed: [],
      requests: [],
      busy: (taskId) => this.busy.of(taskId, now),
      limits: { maxDecisions: maxDecisionsPerTick, misfireGraceMs },
      identify: () => '',
      ...(isCut ? { horizon: last } : {}),
    })
    this.observe(decided, now, partition.stretches[partition.stretch]?.node ?? 0)
    this.settle(partition, decided, taken)
    return decided.more
  }

  private observe({ runs, skips, poisoned }: Plan, now: Instant, node: number): void {
    const { tasks, places, observer, busy } = this
    for (const skip of skips) observer.skipped(places.get(skip.taskId) ?? 0, skip, now)
    for (const run of runs) {
      const task = places.get(run.taskId) ?? 0
      const definition = tasks[task]?.definition
      if (definition !== undefined && definition.overlap !== 'allow') busy.emitted(definition, now)
      observer.emitted(task, run, now, node)
    }
    for (const [taskId, message] of poisoned) observer.broken(places.get(taskId) ?? 0, message)
    this.decided += runs.length + skips.length
  }

  private settle(partition: Partition, decided: Plan, taken: readonly number[]): void {
    partition.cursor = decided.cursor
    for (const task of taken) {
      const definition = this.tasks[task]?.definition
      const due = definition && decided.next.get(definition.taskId)
      if (typeof due === 'number') partition.due.push(due, task)
    }
  }
}
