import { occurrenceAfter, scheduledBefore } from './occurrence.js'
import type { Cursor, Definition, Floor } from './types.js'

/**
 * The floor that a definition needs when it takes the place of one that has decided everything up to the cursor.
 * Without jitter there is nothing to do: what is scheduled at or before the cursor is dispatched there, and no more
 * decided. With jitter the last occurrence before the cursor may be dispatched behind it.
 */
export function floorOf(definition: Definition, cursor: Cursor): Floor | undefined {
  if (definition.jitterMs === 0) return undefined
  const { taskId, since } = definition
  const scheduledAt = scheduledBefore(definition, cursor.at)
  if (scheduledAt === undefined) return undefined
  const next = occurrenceAfter(definition, cursor.at - 1)
  if (next === undefined || next.scheduledAt > scheduledAt) return undefined
  return { taskId, since, scheduledAt, dispatchAt: next.dispatchAt }
}

/** The floors that still say something behind the cursor. */
export const floorsBehind = (floors: readonly Floor[], cursor: Cursor): readonly Floor[] =>
  floors.filter(({ dispatchAt }) => dispatchAt >= cursor.at)

/** The definition with what is settled left out. */
export function raised(definition: Definition, floors: readonly Floor[]): Definition {
  let { since } = definition
  for (const floor of floors) {
    if (floor.taskId === definition.taskId && definition.since >= floor.since) {
      since = Math.max(since, floor.scheduledAt)
    }
  }
  return since === definition.since ? definition : { ...definition, since }
}
