import type { Instant } from '@almanac/recurrence'
import { definitionOf } from '../dispatch/definition.js'
import { isOccurrence } from '../dispatch/occurrence.js'
import { accept, type Decision, invalid, refuse } from '../refusal.js'
import { backFromMove, moveOccurrence } from './moving.js'
import { checkInstant, occurrenceProblems } from './requests.js'
import type { DecisionContext } from './schedule-check.js'
import type { TaskEvent, TaskOccurrenceCancelled, TaskState } from './types.js'

/** How many cancelled occurrences a task remembers. */
export const maxCancelled = 100

export function cancelledWith(
  cancelled: readonly Instant[],
  { at, isBack }: TaskOccurrenceCancelled,
): readonly Instant[] {
  const others = cancelled.filter((one) => one !== at)
  return isBack ? others : [...others, at].sort((a, b) => a - b).slice(-maxCancelled)
}

/** Only what is still to come can be cancelled, and only so much that none is forgotten before its time. */
export function cancelOccurrence(
  state: TaskState,
  { at: input, isBack }: { readonly at: unknown; readonly isBack: boolean },
  context: DecisionContext,
): Decision<TaskEvent> {
  const checked = checkInstant(input, 'at')
  if (!checked.ok) return invalid(checked.error)
  const at = checked.value
  const { lookups, at: now } = context
  if (at <= now) return invalid([occurrenceProblems.past])
  const back = isBack ? backFromMove(state, at) : undefined
  if (back !== undefined) return moveOccurrence(state, back, context)
  if (state.cancelled.includes(at) !== isBack) return accept()
  const data = { at, isBack }
  if (isBack) return accept({ type: 'TaskOccurrenceCancelled', data })
  const definition = definitionOf(state, lookups)
  if (!definition.ok || !isOccurrence(definition.value, at)) return invalid([occurrenceProblems.none])
  if (state.cancelled.filter((one) => one > now).length >= maxCancelled) {
    return refuse(
      'nothing_to_do',
      `${maxCancelled} coming occurrences are cancelled already: pause the task instead`,
    )
  }
  return accept({ type: 'TaskOccurrenceCancelled', data })
}
