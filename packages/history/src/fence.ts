import { queueOf, type RunCommand, sameJson, type TaskState } from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'
import type { Tick } from './chain.js'
import type { Findings } from './findings.js'
import type { Model } from './model.js'
import { lastIndexAt } from './search.js'
import { listOf, type Seen } from './seen.js'
import { dispatchOf, isScheduled } from './timing.js'
import type { RunRecordSeen } from './types.js'

/** From `at` on no run of the task is of a revision before `revision`. */
interface Fence {
  readonly at: Instant
  readonly revision: number
}

/** What was changed decides from its fence on, and each tick uses what held at its position. */
export class Fences {
  private readonly fences = new Map<string, Fence[]>()
  private readonly model: Model
  private readonly findings: Findings

  constructor({ answers, events }: Seen, model: Model, findings: Findings) {
    this.model = model
    this.findings = findings
    const revisions = new Map(events.map(({ position, revision }) => [position, revision]))
    const fenced = answers.filter(({ isFenced }) => isFenced).sort((a, b) => a.answeredAt - b.answeredAt)
    for (const { taskId, position, answeredAt } of fenced) {
      const revision = revisions.get(position)
      if (taskId === null || revision === undefined) continue
      const fences = listOf(this.fences, taskId)
      fences.push({ at: answeredAt, revision: Math.max(revision, fences.at(-1)?.revision ?? 0) })
    }
  }

  check(record: RunRecordSeen, tick: Tick | undefined): void {
    const { appendedAt, run } = record
    // A recovery emits again what was asked for before the change; the run has the same id, workers know it.
    if (run.replayed === true && !isScheduled(record)) return
    const fences = this.fences.get(run.taskId) ?? []
    const fence = fences[lastIndexAt(fences, appendedAt - 1, ({ at }) => at)]
    if (fence !== undefined) {
      this.findings.checked('stale-definition')
      if (run.taskRevision < fence.revision) {
        const late = `${appendedAt - fence.at} ms after revision ${fence.revision} was answered as fenced`
        this.stale(record, `is of revision ${run.taskRevision}, committed ${late}`)
        return
      }
    }
    if (tick !== undefined) this.checkRevision(record, tick)
  }

  private checkRevision(record: RunRecordSeen, tick: Tick): void {
    const { run } = record
    const { position, seq } = tick.checkpoint
    const state = this.model.stateAt(run.taskId, position)
    if (state === undefined) return
    this.findings.checked('stale-definition')
    const known = `tick ${seq} is of position ${position}, where revision ${state.revision} holds`
    if (run.taskRevision > state.revision) {
      const { taskId, partition, runId } = run
      const message = `run ${runId} is of revision ${run.taskRevision}, but ${known}`
      this.findings.violated('unexpected', message, { at: record.appendedAt, taskId, partition, runId })
    } else if (!this.isRevisionRight(record, tick, state)) {
      this.stale(record, `is of revision ${run.taskRevision}, but ${known}`)
    } else {
      const other = differingField(run, state)
      if (other !== undefined) this.stale(record, `has another ${other} than the task; ${known}`)
    }
  }

  private isRevisionRight(record: RunRecordSeen, { before }: Tick, { revision }: TaskState): boolean {
    const { taskRevision, taskId } = record.run
    if (taskRevision === revision || before === null) return true
    const former = this.model.stateAt(taskId, before.position)?.revision ?? -1
    if (taskRevision <= former) return false
    // What was asked for, and what a task had due when it was armed behind the cursor, is of its own event.
    return !isScheduled(record) || dispatchOf(this.model, record, undefined) <= before.cursor.at
  }

  private stale(record: RunRecordSeen, message: string): void {
    const { partition, taskId, runId } = record.run
    const where = { at: record.appendedAt, partition, taskId, runId }
    this.findings.violated('stale-definition', `run ${runId} ${message}`, where)
  }
}

/** A run carries what the task says at the tick's position; a trigger may have its own arguments. */
function differingField(run: RunCommand, { spec }: TaskState): string | undefined {
  if (run.task !== spec.task) return 'task'
  if (run.queue !== queueOf(spec)) return 'queue'
  if (run.kind === 'manual') return undefined
  if (!sameJson(run.args, spec.args)) return 'args'
  return sameJson(run.kwargs, spec.kwargs) ? undefined : 'kwargs'
}
