import type { Problem } from '@almanac/recurrence'
import { definitionOf } from '../dispatch/definition.js'
import { isOccurrence } from '../dispatch/occurrence.js'
import { accept, type Decision, invalid, refuse } from '../refusal.js'
import { checkInstant, occurrenceProblems } from './requests.js'
import type { DecisionContext } from './schedule-check.js'
import type { MovedOccurrence, TaskEvent, TaskOccurrenceMoved, TaskState } from './types.js'

/** How many moved occurrences a task remembers. */
export const maxMoved = 100

/**
 * How far ahead the new time must be. A tick that is under way must not pass it before it knows of the move: the
 * occurrence would be at neither time.
 */
export const moveLeadMs = 30_000

/** One that was moved before is moved on; one that is back where the schedule has it is no longer moved. */
export function movedWith(
  moved: readonly MovedOccurrence[],
  { at, to }: TaskOccurrenceMoved,
): readonly MovedOccurrence[] {
  const former = moved.find((one) => one.to === at)
  const origin = former?.at ?? at
  const others = moved.filter((one) => one !== former)
  if (origin === to) return others
  return [...others, { at: origin, to }].sort((a, b) => a.to - b.to).slice(-maxMoved)
}

/** Only what is still to come can be moved, to where nothing of the task is yet. */
export function moveOccurrence(
  state: TaskState,
  asked: { readonly at: unknown; readonly to: unknown },
  context: DecisionContext,
): Decision<TaskEvent> {
  const [from, target] = [checkInstant(asked.at, 'at'), checkInstant(asked.to, 'to')]
  if (!from.ok) return invalid(from.error)
  if (!target.ok) return invalid(target.error)
  const [at, to] = [from.value, target.value]
  if (at === to) return accept()
  const problem = problemOf(state, { at, to }, context)
  if (problem !== undefined) return invalid([problem])
  if (state.moved.filter((one) => one.to > context.at).length >= maxMoved) {
    return refuse(
      'nothing_to_do',
      `${maxMoved} coming occurrences are moved already: change the schedule instead`,
    )
  }
  return accept({ type: 'TaskOccurrenceMoved', data: { at, to } })
}

function problemOf(
  state: TaskState,
  { at, to }: TaskOccurrenceMoved,
  { lookups, at: now }: DecisionContext,
): Problem | undefined {
  if (at <= now) return occurrenceProblems.past
  if (to < now + moveLeadMs) {
    const message = `must be at least ${moveLeadMs / 1_000} s ahead; to run it now, cancel it and trigger the task`
    return { path: 'to', code: 'too_soon', message }
  }
  const definition = definitionOf(state, lookups)
  if (!definition.ok || !isOccurrence(definition.value, at)) return occurrenceProblems.none
  const { recurrence, notBefore, expires } = definition.value
  if (recurrence.kind === 'clocked') {
    return {
      path: 'at',
      code: 'only_one',
      message: 'is the only one of a clocked schedule: change that instead',
    }
  }
  if ((notBefore !== null && to < notBefore) || (expires !== null && to >= expires)) {
    return { path: 'to', code: 'out_of_range', message: 'must be from startTime on, and before expires' }
  }
  if (isOccurrence(definition.value, to)) {
    return { path: 'to', code: 'taken', message: 'is an occurrence of the task already' }
  }
  return state.cancelled.includes(to)
    ? {
        path: 'to',
        code: 'cancelled',
        message: 'is an occurrence that is cancelled: restore it, and cancel the other',
      }
    : undefined
}

/** Moves one back to where the schedule has it; undefined: it was not moved. */
export const backFromMove = (state: TaskState, at: unknown): TaskOccurrenceMoved | undefined => {
  const moved = state.moved.find((one) => one.at === at)
  return moved && { at: moved.to, to: moved.at }
}
