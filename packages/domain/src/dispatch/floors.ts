import { dispatchInstant, nextOccurrence, type Occurrence, scheduledBefore } from './occurrence.js'
import type { Retired } from './plan.js'
import type { Cursor, Definition, Floor } from './types.js'

/**
 * The floor that a definition needs when it takes the place of `former`, which has decided everything up to the cursor.
 * Without jitter there is nothing to do: what is scheduled at or before the cursor is dispatched there, and no more
 * decided. With jitter the last occurrence before the cursor may be dispatched behind it; it is still open only if the
 * former definition would have dispatched it behind the cursor as well. `former` may be left out when it had no jitter.
 */
export function floorOf(
  definition: Definition,
  cursor: Cursor,
  former: Definition | undefined,
): Floor | undefined {
  if (definition.jitterMs === 0) return undefined
  const { taskId, since } = definition
  const held = heldBack(definition, cursor)
  if (held === undefined) return undefined
  const open = former === undefined ? undefined : heldBack(former, cursor)
  return open?.scheduledAt === held.scheduledAt ? undefined : { taskId, since, ...held }
}

/**
 * The occurrence that `former` still held back at the cursor, when the definition that takes its place dispatches it at
 * or before the cursor: no tick would ever meet it. Undefined: there is none.
 */
export function overdueOf(
  definition: Definition,
  cursor: Cursor,
  former: Definition | undefined,
): Occurrence | undefined {
  const open = former === undefined ? undefined : heldBack(former, cursor)
  if (open === undefined) return undefined
  const { scheduledAt } = open
  if (scheduledBefore(definition, scheduledAt) !== scheduledAt) return undefined
  if (heldBack(definition, cursor)?.scheduledAt === scheduledAt) return undefined
  return { scheduledAt, dispatchAt: dispatchInstant(definition, scheduledAt) }
}

/** The same for a definition that is over before any tick saw it: that one occurrence ends with it. */
export function overdueRetired(
  retired: Retired,
  cursor: Cursor,
  former: Definition | undefined,
): Retired | undefined {
  const overdue = overdueOf(retired.definition, cursor, former)
  if (overdue === undefined) return undefined
  const { scheduledAt } = overdue
  const definition = { ...retired.definition, since: scheduledAt - 1, finalAt: scheduledAt }
  return { ...retired, definition, isUnseen: true }
}

/** The occurrence that is scheduled at or before the cursor and dispatched behind it. There is one at most. */
function heldBack(definition: Definition, cursor: Cursor): Occurrence | undefined {
  const scheduledAt = scheduledBefore(definition, cursor.at)
  if (scheduledAt === undefined) return undefined
  const next = nextOccurrence(definition, cursor)
  return next?.scheduledAt === scheduledAt ? next : undefined
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
