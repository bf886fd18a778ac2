import type { PlannedRun, Skip, SkipReason } from '@almanac/domain'
import type { Instant, Zone } from '@almanac/recurrence'
import type { ForecastTask } from './catalog.js'
import { type CheckResult, type Judge, judgeOf } from './checks/judge.js'
import type { WrittenCheck } from './checks/read.js'
import type { Observer } from './cluster.js'
import { DecisionDigest } from './digest.js'
import { type Load, LoadMeter } from './load.js'
import type { ForecastSettings } from './settings.js'

/** What became of one task. Durations are in milliseconds. */
export interface TaskForecast {
  readonly name: string
  readonly queue: string
  readonly scheduleText: string
  readonly runs: number
  /** Of the runs: late ones, that its catch-up policy asked for. */
  readonly catchUps: number
  readonly skipped: number
  readonly first: Instant | null
  readonly last: Instant | null
  /** The longest time between two of its runs, and the run before it. */
  readonly longestGapMs: number
  readonly longestGapFrom: Instant | null
  /** The most that a run was later than its time: jitter, and the time without an owner. */
  readonly worstLatenessMs: number
  /** Why it is planned no more: its schedule threw. */
  readonly broken: string | null
}

export interface Totals {
  readonly runs: number
  readonly catchUps: number
  /** Runs that were emitted after their dispatch instant: their partition had no owner then. */
  readonly late: number
  /** Occurrences that did not run, by reason. */
  readonly skipped: { readonly [reason in SkipReason]?: number }
}

export interface Tallied {
  readonly totals: Totals
  readonly tasks: readonly TaskForecast[]
  /** Runs by node. */
  readonly nodes: readonly number[]
  readonly load: Load
  readonly checks: readonly CheckResult[]
  readonly digest: string
}

interface Sum {
  runs: number
  catchUps: number
  skipped: number
  first: Instant
  last: Instant
  gap: number
  gapFrom: Instant
  lateness: number
  broken: string | null
  readonly queue: number
  readonly judges: readonly Judge[]
}

const reasons: readonly SkipReason[] = [
  'disabled',
  'deleted',
  'superseded',
  'misfire',
  'overlap',
  'expired',
  'quarantined',
]

/** Sums up what the cluster decides, in memory that grows with the tasks and not with the runs. */
export class Tally implements Observer {
  private readonly tasks: readonly ForecastTask[]
  private readonly sums: readonly Sum[]
  private readonly judges: readonly Judge[]
  private readonly load: LoadMeter
  private readonly digest: DecisionDigest
  private readonly nodes: number[]
  private readonly skips = new Map<SkipReason, number>()
  private runs = 0
  private catchUps = 0
  private late = 0

  constructor(
    tasks: readonly ForecastTask[],
    settings: ForecastSettings,
    zone: Zone,
    checks: readonly WrittenCheck[],
  ) {
    const { from, to } = settings
    this.tasks = tasks
    this.judges = checks.map((check) => judgeOf(check, from, zone))
    for (const judge of this.judges) judge.begin(from, tasks)
    const queues = [...new Set(tasks.map(({ queue }) => queue))].sort()
    this.load = new LoadMeter(from, to, zone, settings.nodes, queues)
    this.digest = new DecisionDigest(tasks.map(({ definition }) => definition.taskId))
    this.nodes = new Array<number>(settings.nodes).fill(0)
    this.sums = tasks.map((task) => ({
      ...blankSum,
      queue: queues.indexOf(task.queue),
      judges: this.judges.filter(({ patterns }) => patterns.some(({ matches }) => matches(task))),
    }))
  }

  get counted(): number {
    return this.runs
  }

  emitted(index: number, { scheduledAt, dispatchAt, kind }: PlannedRun, at: Instant, node: number): void {
    const sum = this.sums[index]
    const task = this.tasks[index]
    if (sum === undefined || task === undefined) return
    this.runs += 1
    this.nodes[node] = (this.nodes[node] ?? 0) + 1
    if (at > dispatchAt) this.late += 1
    if (kind === 'catchUp') {
      this.catchUps += 1
      sum.catchUps += 1
    }
    if (sum.runs === 0) sum.first = at
    else if (at - sum.last > sum.gap) {
      sum.gap = at - sum.last
      sum.gapFrom = sum.last
    }
    sum.runs += 1
    sum.last = at
    if (at - scheduledAt > sum.lateness) sum.lateness = at - scheduledAt
    this.digest.add(index, kind === 'catchUp' ? 1 : 0, scheduledAt, at)
    this.load.add(at, node, sum.queue)
    if (sum.judges.length === 0) return
    const run = { task, scheduledAt, at }
    for (const judge of sum.judges) judge.run(run)
  }

  skipped(index: number, skip: Skip): void {
    const sum = this.sums[index]
    const task = this.tasks[index]
    if (sum === undefined || task === undefined) return
    sum.skipped += skip.count
    this.skips.set(skip.reason, (this.skips.get(skip.reason) ?? 0) + skip.count)
    this.digest.add(index, 2 + reasons.indexOf(skip.reason), skip.first, skip.last)
    for (const judge of sum.judges) judge.skipped(task, skip)
  }

  broken(index: number, message: string): void {
    const sum = this.sums[index]
    if (sum !== undefined) sum.broken = message
  }

  result(to: Instant): Tallied {
    for (const judge of this.judges) judge.end(to)
    const { runs, catchUps, late, skips } = this
    const skipped = Object.fromEntries(
      reasons.flatMap((reason) => (skips.has(reason) ? [[reason, skips.get(reason)]] : [])),
    )
    return {
      totals: { runs, catchUps, late, skipped },
      tasks: this.tasks.map((task, index) => taskForecast(task, this.sums[index] ?? blankSum)),
      nodes: this.nodes,
      load: this.load.result(),
      checks: this.judges.map((judge) => judge.result()),
      digest: this.digest.result(),
    }
  }
}

const blankSum = {
  runs: 0,
  catchUps: 0,
  skipped: 0,
  first: 0,
  last: 0,
  gap: 0,
  gapFrom: 0,
  lateness: 0,
  broken: null as string | null,
}

const taskForecast = (task: ForecastTask, sum: typeof blankSum): TaskForecast => ({
  name: task.name,
  queue: task.queue,
  scheduleText: task.scheduleText,
  runs: sum.runs,
  catchUps: sum.catchUps,
  skipped: sum.skipped,
  first: sum.runs === 0 ? null : sum.first,
  last: sum.runs === 0 ? null : sum.last,
  longestGapMs: sum.gap,
  longestGapFrom: sum.gap === 0 ? null : sum.gapFrom,
  worstLatenessMs: sum.lateness,
  broken: sum.broken,
})
