import { type RecordedEvent, requestedRunIdOf, runIdOf, runsDigest } from '@almanac/domain'
import type { Chain, Tick } from './chain.js'
import type { Findings } from './findings.js'
import type { Model } from './model.js'
import { listOf, type Seen } from './seen.js'
import type { RunRecordSeen } from './types.js'

/** Gives every run and skip to the tick that it names; those that name none are told. */
export function attach({ runs, skips }: Seen, chains: readonly Chain[], findings: Findings): void {
  const bySeq = new Map<string, Tick[]>()
  for (const { ticks } of chains) {
    for (const tick of ticks) listOf(bySeq, `${tick.partition}|${tick.checkpoint.seq}`).push(tick)
  }
  const isKnown = (partition: number, seq: number) => chains[partition]?.missing.has(seq) === true
  for (const record of runs) {
    const { partition, seq, taskId, runId } = record.run
    const tick = tickOf(record, bySeq.get(`${partition}|${seq}`) ?? [])
    if (tick !== undefined) tick.runs.push(record)
    else if (!isKnown(partition, seq)) {
      const message = `run ${runId} names tick ${seq} of partition ${partition}, which was not committed`
      findings.violated('incomplete-tick', message, { at: record.appendedAt, partition, taskId, runId })
    }
  }
  for (const { partition, seq, skip } of skips) {
    const ticks = bySeq.get(`${partition}|${seq}`) ?? []
    const tick = ticks.find((one) => skippedIn(one) + skip.count <= one.checkpoint.skipped) ?? ticks.at(-1)
    if (tick !== undefined) tick.skips.push(skip)
    else if (!isKnown(partition, seq)) {
      const message = `a skip names tick ${seq} of partition ${partition}, which was not committed`
      findings.violated('incomplete-tick', message, { partition, taskId: skip.taskId, at: skip.first })
    }
  }
}

const skippedIn = ({ skips }: Tick): number => skips.reduce((sum, { count }) => sum + count, 0)

/** After a recovery numbers repeat: a run belongs to the tick that was committed with it, so at about its time. */
function tickOf({ appendedAt }: RunRecordSeen, ticks: readonly Tick[]): Tick | undefined {
  const [first] = ticks
  if (first === undefined || ticks.length < 2) return first
  const distance = (tick: Tick) => Math.abs(tick.seen.appendedAt - appendedAt)
  return ticks.reduce((best, tick) => (distance(tick) < distance(best) ? tick : best), first)
}

/** All or nothing: what a checkpoint says that it decided is there, and nothing else that names it. */
export function checkComplete(tick: Tick, findings: Findings): boolean {
  findings.checked('incomplete-tick')
  const { checkpoint, partition, runs } = tick
  const digest = runsDigest(runs.map(({ run }) => run.runId))
  const skipped = skippedIn(tick)
  const faults = [
    ...(runs.length === checkpoint.runs ? [] : [`has ${checkpoint.runs} runs and ${runs.length} are there`]),
    ...(runs.length !== checkpoint.runs || digest === checkpoint.digest
      ? []
      : ['has other runs than are there']),
    ...(skipped === checkpoint.skipped
      ? []
      : [`skipped ${checkpoint.skipped} occurrences and records of ${skipped} are there`]),
  ]
  if (faults.length === 0) return true
  const message = `tick ${checkpoint.seq} of partition ${partition} ${faults.join(', ')}`
  findings.violated('incomplete-tick', message, { at: tick.seen.appendedAt, partition })
  return false
}

/** No run twice, but for those that a recovery had to repeat, and says so. */
export function checkDoubled(
  runs: readonly RunRecordSeen[],
  chains: readonly Chain[],
  findings: Findings,
): void {
  const earlier = new Map<string, RunRecordSeen>()
  const inTime = [...runs].sort(
    (a, b) => a.appendedAt - b.appendedAt || Number(a.run.replayed) - Number(b.run.replayed),
  )
  for (const record of inTime) {
    findings.checked('doubled')
    const { run } = record
    const first = earlier.get(run.runId)
    if (first === undefined) {
      earlier.set(run.runId, record)
      continue
    }
    if (run.replayed === true && chains[run.partition]?.isRecovered === true) continue
    const message =
      `run ${run.runId} was committed twice: at ${placeOf(first)} with tick ${first.run.seq}, ` +
      `and at ${placeOf(record)} with tick ${run.seq}`
    const { taskId, partition, runId } = run
    findings.violated('doubled', message, { at: record.appendedAt, partition, taskId, runId })
  }
}

const placeOf = ({ topic, partition, offset }: RunRecordSeen): string => `${topic}/${partition}/${offset}`

/** A run is of a task that exists, in the task's partition, and its id says what it claims. */
export class Identities {
  private readonly requests = new Map<string, RecordedEvent[]>()
  private readonly cluster: string
  private readonly model: Model
  private readonly findings: Findings

  constructor(cluster: string, model: Model, findings: Findings) {
    this.cluster = cluster
    this.model = model
    this.findings = findings
    for (const { taskId, versions } of model.tasks.values()) {
      const requests = versions.map(({ event }) => event).filter(isRequest)
      if (requests.length > 0) this.requests.set(taskId, requests)
    }
  }

  check({ appendedAt, run }: RunRecordSeen): void {
    this.findings.checked('unexpected')
    const { taskId, partition, runId } = run
    const task = this.model.tasks.get(taskId)
    const fault =
      task === undefined
        ? 'is of a task that no event knows'
        : task.partition !== partition
          ? `was decided by partition ${partition}, the task belongs to ${task.partition}`
          : task.namespace !== run.namespace
            ? `says namespace ${run.namespace}, the task is in ${task.namespace}`
            : this.isIdRight(run)
              ? undefined
              : `has an id that is not of a ${run.kind} run at its instant`
    if (fault === undefined) return
    const where = { at: appendedAt, partition, taskId, runId }
    this.findings.violated('unexpected', `run ${runId} ${fault}`, where)
  }

  private isIdRight({ kind, namespace, taskId, scheduledAt, runId }: RunRecordSeen['run']): boolean {
    if (kind === 'scheduled' || kind === 'catchUp') {
      return runIdOf(this.cluster, namespace, taskId, scheduledAt) === runId
    }
    const type = kind === 'manual' ? 'TaskTriggered' : 'TaskBackfillRequested'
    return (this.requests.get(taskId) ?? []).some(
      (event) =>
        event.type === type &&
        requestedRunIdOf(this.cluster, namespace, taskId, scheduledAt, event.id) === runId,
    )
  }
}

const isRequest = ({ type }: RecordedEvent): boolean =>
  type === 'TaskTriggered' || type === 'TaskBackfillRequested'
