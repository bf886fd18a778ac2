import { dispatchInstant } from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'
import type { Chain, Tick } from './chain.js'
import type { Findings } from './findings.js'
import type { Model } from './model.js'
import type { Seen } from './seen.js'
import type { HistoryReport, RunRecordSeen } from './types.js'

/**
 * From when on nothing is broken: the last `healed` and the time to recover. With neither faults nor `healed` that is
 * always, with a fault that was not healed never.
 */
export function quietFrom({ meta, faults, healed }: Seen): Instant {
  const last = healed.at(-1)
  const isBroken = faults.some(({ at }) => last === undefined || at > last)
  if (isBroken) return Number.POSITIVE_INFINITY
  return last === undefined ? Number.NEGATIVE_INFINITY : last + meta.recoveryMs
}

/** What was due by a schedule: these have a dispatch instant that was known before. */
export const isScheduled = ({ run }: RunRecordSeen): boolean =>
  run.kind === 'scheduled' || run.kind === 'catchUp'

/** When the run was due: its instant by the schedule, and the task's jitter. */
export function dispatchOf(model: Model, { run }: RunRecordSeen, tick: Tick | undefined): Instant {
  const state = model.stateOf(run.taskId, run.taskRevision)
  if (state === undefined || state.spec.jitterSeconds === 0) return run.scheduledAt
  const definition = model.definition(state, tick?.checkpoint.position ?? Number.POSITIVE_INFINITY)
  return definition === null ? run.scheduledAt : dispatchInstant(definition, run.scheduledAt)
}

const lastAppendOf = ({ seen, runs }: Tick): Instant =>
  runs.reduce((last, { appendedAt }) => Math.max(last, appendedAt), seen.appendedAt)

/** Never early, and not late while nothing is broken. */
export class Timing {
  private readonly seen: Seen
  private readonly model: Model
  private readonly findings: Findings
  private readonly quietFrom: Instant
  private readonly counts = new Array<number>(bounds.length + 1).fill(0)
  private latest = 0

  constructor(seen: Seen, model: Model, findings: Findings) {
    this.seen = seen
    this.model = model
    this.findings = findings
    this.quietFrom = quietFrom(seen)
  }

  check(record: RunRecordSeen, tick: Tick | undefined): void {
    if (!isScheduled(record)) return
    const { appendedAt, run } = record
    const { earlyToleranceMs, lateToleranceMs } = this.seen.meta
    const dispatchAt = dispatchOf(this.model, record, tick)
    const lateness = appendedAt - dispatchAt
    this.count(lateness)
    const where = { at: appendedAt, partition: run.partition, taskId: run.taskId, runId: run.runId }
    this.findings.checked('early')
    // Nothing of a tick is visible before the last of it is written, and by that the dispatch log judges.
    const writtenAt = Math.max(appendedAt, tick === undefined ? 0 : lastAppendOf(tick))
    if (writtenAt < dispatchAt - earlyToleranceMs) {
      const earlyMs = dispatchAt - writtenAt
      this.findings.violated('early', `run ${run.runId} was committed ${earlyMs} ms before its time`, where)
    }
    // What was missed while all was well is late as well; after a stop that is no fault it is not.
    const isJudged = run.kind === 'scheduled' || this.seen.healed.length > 0
    if (!isJudged || appendedAt <= this.quietFrom) return
    this.findings.checked('late')
    const due = Math.max(dispatchAt, this.quietFrom)
    if (appendedAt > due + lateToleranceMs) {
      this.findings.violated('late', `run ${run.runId} was committed ${lateness} ms after its time`, where)
    }
  }

  /** What was missed while nothing was broken was late, too. */
  checkMisfires({ checkpoint, skips, partition }: Tick): void {
    if (this.seen.healed.length === 0) return
    for (const { reason, first, taskId } of skips) {
      if (reason !== 'misfire' || first <= this.quietFrom) continue
      this.findings.checked('late')
      const lateness = checkpoint.evaluatedAt - first
      const state = this.model.stateAt(taskId, checkpoint.position)
      const jitter = (state?.spec.jitterSeconds ?? 0) * 1000
      if (lateness <= this.seen.meta.lateToleranceMs + jitter) continue
      const message = `an occurrence was missed: it was decided ${lateness} ms after its time`
      this.findings.violated('late', message, { at: first, partition, taskId })
    }
  }

  private count(lateness: number): void {
    const index = bounds.findIndex((bound) => lateness <= bound)
    const place = index < 0 ? bounds.length : index
    this.counts[place] = (this.counts[place] ?? 0) + 1
    this.latest = Math.max(this.latest, lateness)
  }

  /** Buckets with their upper bounds; the last bound is the latest run's. */
  get lateness(): HistoryReport['lateness'] {
    return this.counts
      .map((runs, index) => ({ upToMs: bounds[index] ?? this.latest, runs }))
      .filter(({ runs }, index) => index < bounds.length || runs > 0)
  }
}

const bounds = [
  0, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000, 3_600_000,
]

/** Runs of one task stand in the order of their instants, in each partition of a topic. `runs`: in log order. */
export function checkOrder(runs: readonly RunRecordSeen[], findings: Findings): void {
  const last = new Map<string, RunRecordSeen>()
  for (const record of runs) {
    const { run, topic, partition } = record
    if (!isScheduled(record) || run.replayed === true) continue
    findings.checked('out-of-order')
    const key = `${run.taskId}|${partition}|${topic}`
    const before = last.get(key)
    if (before !== undefined && before.run.scheduledAt > run.scheduledAt) {
      findings.violated(
        'out-of-order',
        `run ${run.runId} stands behind run ${before.run.runId}, which is of a later instant`,
        { at: record.appendedAt, partition: run.partition, taskId: run.taskId, runId: run.runId },
      )
    } else last.set(key, record)
  }
}

/** Which tick each run was given to. */
export function ticksByRun(chains: readonly Chain[]): ReadonlyMap<RunRecordSeen, Tick> {
  const ticks = new Map<RunRecordSeen, Tick>()
  for (const chain of chains)
    for (const tick of chain.ticks) for (const run of tick.runs) ticks.set(run, tick)
  return ticks
}
