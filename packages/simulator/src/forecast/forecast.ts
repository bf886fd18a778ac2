import { type Instant, zone } from '@almanac/recurrence'
import type { Catalog, ForecastTask, LeftOut } from './catalog.js'
import type { CheckResult } from './checks/judge.js'
import type { WrittenCheck } from './checks/read.js'
import { Cluster } from './cluster.js'
import type { Load } from './load.js'
import { type Ownership, ownershipOf } from './ownership.js'
import { type ForecastSettings, nodeName, type Outage } from './settings.js'
import { Tally, type TaskForecast, type Totals } from './tally.js'

/** What a cluster would do. Instants are epoch ms. */
export interface Forecast {
  readonly settings: ForecastSettings
  readonly totals: Totals & {
    /** Occurrences that nobody has decided at the end: their partition has no owner then. */
    readonly undecided: number
  }
  readonly nodes: readonly NodeForecast[]
  readonly tasks: readonly TaskForecast[]
  readonly leftOut: readonly LeftOut[]
  readonly outages: readonly OutageForecast[]
  readonly load: Load
  readonly checks: readonly CheckResult[]
  /** 16 hex digits over every decision: equal when the same ran, and the same was skipped, at the same moments. */
  readonly digest: string
}

export interface NodeForecast {
  readonly name: string
  readonly runs: number
  /** Partitions at the beginning. */
  readonly partitions: number
  /** Partitions that came to it later, from nodes that went or by its own return. */
  readonly taken: number
}

export interface OutageForecast extends Outage {
  /** Partitions that lost their owner. */
  readonly partitions: number
  /** The longest time that one of them had none; null: to the end. */
  readonly longestWithoutOwnerMs: number | null
}

/** More runs than this are refused: nobody waits that long. */
export const maxForecastRuns = 1_000_000_000

/** About how many runs it will be, without outages: quickly, for progress and limits. */
export function expectedRuns({ tasks }: Catalog, { from, to }: ForecastSettings): number {
  return tasks.reduce((sum, task) => sum + expectedOf(task, from, to), 0)
}

/** The tasks that run most often, with about how many runs each. */
export function busiestTasks({ tasks }: Catalog, { from, to }: ForecastSettings, count: number) {
  return tasks
    .map((task) => ({ name: task.name, runs: expectedOf(task, from, to) }))
    .sort((a, b) => b.runs - a.runs)
    .slice(0, count)
}

function expectedOf({ definition }: ForecastTask, from: Instant, to: Instant): number {
  const { recurrence, since, notBefore, expires, finalAt } = definition
  const first = Math.max(from - 1, since, (notBefore ?? 0) - 1)
  const last = Math.min(to - 1, finalAt ?? to, (expires ?? to) - 1)
  try {
    return last <= first ? 0 : recurrence.count(first, last)
  } catch {
    // Told as broken when it is planned.
    return 0
  }
}

export interface ForecastProgress {
  /** How far time has come. */
  readonly now: Instant
  readonly runs: number
}

/**
 * Plays the tasks on a cluster of virtual nodes, from one due instant to the next: production's planner decides each
 * tick. The same catalogue, settings and checks give the same forecast.
 */
export function forecast(
  catalog: Catalog,
  settings: ForecastSettings,
  checks: readonly WrittenCheck[],
  onProgress: (progress: ForecastProgress) => void = () => undefined,
): Forecast {
  const at = zone(settings.timezone)
  if (at === undefined) throw new RangeError(`unknown time zone ${settings.timezone}`)
  const tasks = [...catalog.tasks].sort((a, b) => (a.definition.taskId < b.definition.taskId ? -1 : 1))
  const ownership = ownershipOf(settings)
  const tally = new Tally(tasks, settings, at, checks)
  const cluster = new Cluster(tasks, settings, ownership.stretches, tally)
  cluster.run((now) => onProgress({ now, runs: tally.counted }))
  const undecided = cluster.undecided()
  const { totals, nodes, ...rest } = tally.result(settings.to)
  return {
    settings,
    totals: { ...totals, undecided },
    nodes: nodes.map((runs, index) => ({ name: nodeName(index), runs, ...sharesOf(ownership, index) })),
    leftOut: catalog.leftOut,
    outages: outagesWithLosses(ownership),
    ...rest,
  }
}

const sharesOf = ({ stretches }: Ownership, node: number) => ({
  partitions: stretches.filter(([first]) => first?.node === node).length,
  taken: stretches.reduce(
    (sum, [, ...later]) => sum + later.filter((stretch) => stretch.node === node).length,
    0,
  ),
})

function outagesWithLosses({ outages, losses }: Ownership): readonly OutageForecast[] {
  return outages.map((outage) => {
    // Of outages that overlap, the first one takes the partitions away.
    const own = losses.filter(
      ({ node, at }) => at === outage.from && (outage.node === null || outage.node === node),
    )
    const gaps = own.map(({ at, takenAt }) => (takenAt === null ? Number.POSITIVE_INFINITY : takenAt - at))
    const longest = Math.max(0, ...gaps)
    return {
      ...outage,
      partitions: own.length,
      longestWithoutOwnerMs: longest === Number.POSITIVE_INFINITY ? null : longest,
    }
  })
}
