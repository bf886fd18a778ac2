import type { Instant } from '@almanac/recurrence'
import { definitionOf, type Lookups } from '../dispatch/definition.js'
import { earliest, occurrenceAfter, occurrenceBefore } from '../dispatch/occurrence.js'
import type { TaskSpec, TaskState } from './types.js'

/** How many occurrences a task has when it is armed: creation, enabling, reset. null: no limit. */
export const fullRunsLeft = (spec: TaskSpec): number | null => (spec.oneOff ? 1 : spec.maxRuns)

export const isPaused = ({ pausedUntil }: TaskState, at: Instant): boolean =>
  pausedUntil !== null && pausedUntil > at

/** Fields whose change starts the rhythm anew, from the time of the change. */
export const rhythmFields = ['schedule', 'startTime', 'oneOff', 'maxRuns', 'jitterSeconds'] as const

/**
 * How many occurrences are left after an edit that starts the rhythm anew. What has been dispatched since the
 * task was armed is used up: an edit doesn't make a one-off run twice. A new limit counts in full, and so
 * does a disabled task's, which enabling arms anyway.
 */
export function runsLeftAfterEdit(
  state: TaskState,
  next: TaskSpec,
  lookups: Lookups,
  at: Instant,
): number | null {
  const full = fullRunsLeft(next)
  const newLimit = next.oneOff !== state.spec.oneOff || next.maxRuns !== state.spec.maxRuns
  if (full === null || newLimit || !state.spec.enabled) return full
  return Math.max(0, (state.runsLeft ?? full) - dispatchedSinceArmed(state, lookups, at))
}

/** How many of a task's occurrences were left at an instant at which this was its state; null: no limit. */
export function runsLeftAt(state: TaskState, lookups: Lookups, at: Instant): number | null {
  if (state.runsLeft === null || !state.spec.enabled) return state.runsLeft
  return Math.max(0, state.runsLeft - dispatchedSinceArmed(state, lookups, at))
}

function dispatchedSinceArmed(state: TaskState, lookups: Lookups, at: Instant): number {
  const definition = definitionOf(state, lookups)
  // A task that can't be planned has dispatched nothing.
  if (!definition.ok) return 0
  const last = occurrenceBefore(definition.value, at)
  if (last === undefined) return 0
  return definition.value.recurrence.count(earliest(definition.value), last.scheduledAt)
}

/**
 * True unless the task still has an occurrence after `at`. Asked when the scheduler says that a task is done:
 * it may have decided so with a definition that was changed since.
 */
export function isDone(state: TaskState, lookups: Lookups, at: Instant): boolean {
  const definition = definitionOf(state, lookups)
  if (!definition.ok) return true
  return occurrenceAfter(definition.value, at) === undefined
}
