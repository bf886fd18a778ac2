import {
  evolveTask,
  movedWith,
  occurrenceAfter,
  type RecordedEvent,
  type RunRecord,
  type TaskOccurrenceCancelled,
  type TaskOccurrenceMoved,
  type TaskState,
} from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'
import type { OccurrenceView } from '../application.js'
import type { RecordedSkip, RunFilter, RunReads } from '../ports/run-store.js'
import type { Definitions } from '../scheduling/definitions.js'
import { isPlannable } from '../scheduling/undecided.js'

interface Asked {
  readonly namespace: string
  readonly taskId: string
  readonly from: Instant
  readonly until: Instant
  readonly max: number
  /** Leaves out ranges of skips that began before `from`: whoever goes on there has been told. */
  readonly isContinued: boolean
}

/**
 * What became of each occurrence in a stretch of the past: from the run ledger what was emitted, from the skip
 * ledger what was not and why, and for times when the task was disabled, what its schedule then would have done.
 */
export function pastOccurrences(
  parts: { readonly runs: RunReads; readonly definitions: Definitions },
  asked: Asked,
  events: readonly RecordedEvent[],
): readonly OccurrenceView[] {
  const { namespace, taskId, from, until, max } = asked
  const filter = { taskId, from, until: until + 1 }
  const found: OccurrenceView[] = oldestRuns(parts.runs, namespace, filter, max).map((run) => ({
    at: run.command.scheduledAt,
    outcome: 'emitted',
    reason: null,
    runId: run.command.runId,
    status: run.status,
    count: 1,
    revision: run.command.taskRevision,
  }))
  for (const skip of parts.runs.skips(taskId, from, until)) {
    if (!asked.isContinued || skip.first >= from) found.push(skippedView(skip))
  }
  for (const single of singlesIn(events)) {
    if (single.at >= from && single.at <= until) found.push(single)
  }
  const taken = new Set(found.map((occurrence) => occurrence.at))
  for (const occurrence of whileDisabled(parts.definitions, asked, events)) {
    if (!taken.has(occurrence.at)) found.push(occurrence)
  }
  return found.sort((a, b) => a.at - b.at).slice(0, max)
}

/** One occurrence that somebody cancelled, or moved away. */
export const singleView = (at: Instant, reason: 'cancelled' | 'moved', revision: number): OccurrenceView => ({
  at,
  outcome: 'skipped',
  reason,
  runId: null,
  status: null,
  count: 1,
  revision,
})

/** Single occurrences that somebody cancelled or moved away, and nobody brought back. */
function singlesIn(events: readonly RecordedEvent[]): readonly OccurrenceView[] {
  const cancelled = new Map<Instant, number>()
  const revisions = new Map<Instant, number>()
  let moved: TaskState['moved'] = []
  for (const { type, data, revision } of events) {
    if (type === 'TaskOccurrenceMoved') {
      moved = movedWith(moved, data as TaskOccurrenceMoved)
      for (const { at } of moved) if (!revisions.has(at)) revisions.set(at, revision)
    }
    if (type !== 'TaskOccurrenceCancelled') continue
    const { at, isBack } = data as TaskOccurrenceCancelled
    if (isBack) cancelled.delete(at)
    else cancelled.set(at, revision)
  }
  return [
    ...[...cancelled].map(([at, revision]) => singleView(at, 'cancelled', revision)),
    ...moved.map(({ at }) => singleView(at, 'moved', revisions.get(at) ?? 0)),
  ]
}

/**
 * The runs of a stretch, oldest first: all, or at least `max`. The store lists the newest first, so the stretch is
 * halved until what is in a part fits a page.
 */
function oldestRuns(
  runs: RunReads,
  namespace: string,
  filter: RunFilter & { readonly from: Instant; readonly until: Instant },
  max: number,
): readonly RunRecord[] {
  const found: RunRecord[] = []
  const parts = [{ from: filter.from, until: filter.until }]
  for (let part = parts.pop(); part !== undefined && found.length < max; part = parts.pop()) {
    const { from, until } = part
    const listed = runs.list(namespace, { ...filter, from, until }, { limit: pageSize })
    const middle = Math.floor((from + until) / 2)
    if (listed.nextCursor === null || middle === from) found.push(...[...listed.items].reverse())
    else parts.push({ from: middle, until }, { from, until: middle })
  }
  return found
}

const pageSize = 1_000

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
    const last = Math.min(until, (events[index + 1]?.metadata.at ?? until + 1) - 1)
    if (state === undefined || state.status !== 'active') continue
    const isPaused = isPlannable(state)
    const end = isPaused ? Math.min(last, (state.pausedUntil ?? 0) - 1) : last
    if (end < Math.max(from, event.metadata.at)) continue
    // What would have come in a pause counts from its beginning.
    const definition = definitions.resolve(isPaused ? { ...state, armedAt: event.metadata.at - 1 } : state)
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
