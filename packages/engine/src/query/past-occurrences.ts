import { evolveTask, occurrenceAfter, type RecordedEvent, type TaskState } from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'
import type { OccurrenceView } from '../application.js'
import type { RecordedSkip, RunStore } from '../ports/run-store.js'
import type { Definitions } from '../scheduling/definitions.js'
import { isPlannable } from '../scheduling/undecided.js'

interface Asked {
  readonly namespace: string
  readonly taskId: string
  readonly from: Instant
  readonly until: Instant
  readonly max: number
}

/**
 * What became of each occurrence in a stretch of the past: from the run ledger what was emitted, from the skip
 * ledger what was not and why, and for times when the task was disabled, what its schedule then would have done.
 */
export function pastOccurrences(
  parts: { readonly runs: RunStore; readonly definitions: Definitions },
  asked: Asked,
  events: readonly RecordedEvent[],
): readonly OccurrenceView[] {
  const { namespace, taskId, from, until, max } = asked
  const filter = { taskId, from, until: until + 1 }
  const runs = parts.runs.list(namespace, filter, { limit: Math.min(max, 1000) }).items
  const found: OccurrenceView[] = runs.map((run) => ({
    at: run.command.scheduledAt,
    outcome: 'emitted',
    reason: null,
    runId: run.command.runId,
    status: run.status,
    count: 1,
    revision: run.command.taskRevision,
  }))
  for (const skip of parts.runs.skips(taskId, from, until)) found.push(skippedView(skip))
  const taken = new Set(found.map((occurrence) => occurrence.at))
  for (const occurrence of whileDisabled(parts.definitions, asked, events)) {
    if (!taken.has(occurrence.at)) found.push(occurrence)
  }
  return found.sort((a, b) => a.at - b.at).slice(0, max)
}

const skippedView = (skip: RecordedSkip): OccurrenceView => ({
  at: skip.first,
  outcome: 'skipped',
  reason: skip.reason,
  runId: null,
  status: null,
  count: skip.count,
  revision: skip.revision,
})

function* whileDisabled(
  definitions: Definitions,
  { from, until, max }: Asked,
  events: readonly RecordedEvent[],
): Generator<OccurrenceView> {
  let state: TaskState | undefined
  let left = max
  for (const [index, event] of events.entries()) {
    state = evolveTask(state, event)
    const end = Math.min(until, (events[index + 1]?.metadata.at ?? until + 1) - 1)
    if (state === undefined || state.status !== 'active' || isPlannable(state)) continue
    if (end < from) continue
    const definition = definitions.resolve(state)
    if (!definition.ok) continue
    const reason = state.quarantine === null ? 'disabled' : 'quarantined'
    const start = Math.max(from - 1, event.metadata.at - 1)
    for (let next = occurrenceAfter(definition.value, start); next !== undefined; ) {
      if (next.scheduledAt > end || left === 0) break
      left -= 1
      const { revision } = state
      yield {
        at: next.scheduledAt,
        outcome: 'skipped',
        reason,
        runId: null,
        status: null,
        count: 1,
        revision,
      }
      next = occurrenceAfter(definition.value, next.dispatchAt)
    }
  }
}
