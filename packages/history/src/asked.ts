import {
  type Cursor,
  type Definition,
  type Position,
  type Request,
  type Retired,
  requestedRunIdOf,
  type TaskBackfillRequested,
  type TaskTriggered,
} from '@almanac/domain'
import { type Era, endedAsOf } from './eras.js'
import type { Model } from './model.js'

/** What events leave to the first tick that has their position. */
export interface Asked {
  readonly retired: readonly Retired[]
  readonly armed: readonly Definition[]
  readonly requests: readonly Request[]
}

/**
 * `begun`: by task, the eras that began between two checkpoints. What they refer to is looked up as it was at each
 * event; with `position` as it is there: an owner that applies several events at once does that.
 */
export function askedBy(
  model: Model,
  begun: ReadonlyMap<string, readonly Era[]>,
  cursor: Cursor,
  position?: Position,
): Asked {
  const retired: Retired[] = []
  const armed: Definition[] = []
  const requests: Request[] = []
  for (const together of begun.values()) {
    // Of a task that no tick had planned before, all of what is over already is undecided.
    const isUnseen = together[0]?.wasPlanned === false
    for (const era of together) {
      const { ended, isOwn, at } = era
      if (ended !== null) {
        const definition =
          position === undefined || !isOwn ? ended.definition : endedAsOf(model, ended, position)
        if (definition !== null) retired.push({ definition, until: at, reason: ended.reason, isUnseen })
      }
      const request = requestOf(model, era, position)
      if (request !== null) requests.push(request)
    }
    const last = together.at(-1)
    if (last !== undefined && together.some((era) => isArmedBehind(era, together, cursor))) {
      const definition = position === undefined ? last.definition : model.definition(last.state, position)
      if (definition !== null && last.definition !== null) armed.push(definition)
    }
  }
  return { retired, armed, requests }
}

/**
 * Ticks have passed the time at which the task was armed, and decided nothing of it then. `together`: its eras of the
 * same tick.
 */
export const isArmedBehind = (
  { isArmed, state }: Era,
  together: readonly Era[] | undefined,
  cursor: Cursor,
): boolean => isArmed && together?.[0]?.wasPlanned !== true && state.armedAt < cursor.at

/** The run that the era's event asked for; null: it asked for none. */
export function requestOf(model: Model, era: Era, position = era.from): Request | null {
  const { event, state, at, isOwn } = era
  if (!isOwn) return null
  const { taskId, namespace, revision } = state
  const request = { taskId, namespace, revision, eventId: event.id }
  if (event.type === 'TaskTriggered') {
    const { args, kwargs } = event.data as TaskTriggered
    const override = { ...(args === undefined ? {} : { args }), ...(kwargs === undefined ? {} : { kwargs }) }
    return { ...request, kind: 'manual', instants: [at], override }
  }
  if (event.type !== 'TaskBackfillRequested') return null
  const { from, until, max, order } = event.data as TaskBackfillRequested
  const recurrence = model.definition(state, position)?.recurrence
  const instants: number[] = []
  let next = recurrence?.next(from - 1)
  while (next !== undefined && next <= until) {
    instants.push(next)
    next = recurrence?.next(next)
  }
  if (order === 'newestFirst') instants.reverse()
  return { ...request, kind: 'backfill', instants: instants.slice(0, max) }
}

export const runIdsOf = (cluster: string, { namespace, taskId, instants, eventId }: Request): string[] =>
  instants.map((at) => requestedRunIdOf(cluster, namespace, taskId, at, eventId))
