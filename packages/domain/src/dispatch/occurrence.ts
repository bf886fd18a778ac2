import type { Instant } from '@almanac/recurrence'
import { digestOf } from '../ids.js'
import type { Cursor, Definition } from './types.js'

/** An occurrence of a task: when it is due by its schedule, and when it is dispatched (jitter included). */
export interface Occurrence {
  readonly scheduledAt: Instant
  readonly dispatchAt: Instant
}

/** Sorts after every task id: a cursor `(t, lastTaskId)` has decided everything at `t`. */
export const lastTaskId = '~'

export const compareCursor = (aAt: Instant, aId: string, bAt: Instant, bId: string): number =>
  aAt !== bAt ? aAt - bAt : aId < bId ? -1 : aId > bId ? 1 : 0

/** The first occurrence of the task behind the cursor, or undefined when none is left. */
export function nextOccurrence(definition: Definition, cursor: Cursor): Occurrence | undefined {
  // At the cursor's own instant, tasks up to its task id are decided and those behind it are not.
  const after = definition.taskId <= cursor.taskId ? cursor.at : cursor.at - 1
  return occurrenceAfter(definition, after)
}

/** The first occurrence whose dispatch is strictly after `after`. */
export function occurrenceAfter(definition: Definition, after: Instant): Occurrence | undefined {
  const floor = earliest(definition)
  if (definition.jitterMs > 0) {
    // A delayed dispatch may lie behind `after` although its occurrence does not. Only the last occurrence can
    // (a dispatch never passes the next occurrence), so one look back is enough.
    const last = definition.recurrence.previous(after)
    if (last !== undefined && last > floor && counts(definition, last)) {
      const dispatchAt = dispatchInstant(definition, last)
      if (dispatchAt > after) return { scheduledAt: last, dispatchAt }
    }
  }
  const next = definition.recurrence.next(Math.max(after, floor))
  if (next === undefined || !counts(definition, next)) return undefined
  return { scheduledAt: next, dispatchAt: dispatchInstant(definition, next) }
}

/** Whether the task has an occurrence at this very instant, whenever it is dispatched. */
export const isOccurrence = (definition: Definition, at: Instant): boolean =>
  at > earliest(definition) && counts(definition, at) && definition.recurrence.next(at - 1) === at

/** The last instant of the schedule at or before `at` that counts, whenever it is dispatched. */
export function scheduledBefore(definition: Definition, at: Instant): Instant | undefined {
  const last = definition.recurrence.previous(lastCounting(definition, at))
  return last !== undefined && last > earliest(definition) ? last : undefined
}

const lastCounting = ({ finalAt, expires }: Definition, at: Instant): Instant =>
  Math.min(at, finalAt ?? at, expires === null ? at : expires - 1)

/** The last occurrence dispatched at or before `at`, or undefined. */
export function occurrenceBefore(definition: Definition, at: Instant): Occurrence | undefined {
  const floor = earliest(definition)
  const end = lastCounting(definition, at)
  let candidate = definition.recurrence.previous(end)
  // With jitter the newest occurrence may be dispatched only later; then it is the one before.
  if (candidate !== undefined && candidate > floor && dispatchInstant(definition, candidate) > at) {
    candidate = definition.recurrence.previous(candidate - 1)
  }
  if (candidate === undefined || candidate <= floor) return undefined
  return { scheduledAt: candidate, dispatchAt: dispatchInstant(definition, candidate) }
}

/** Occurrences count strictly after this instant. */
export const earliest = (definition: Definition): Instant =>
  definition.notBefore === null ? definition.since : Math.max(definition.since, definition.notBefore - 1)

const counts = (definition: Definition, at: Instant): boolean =>
  (definition.expires === null || at < definition.expires) &&
  (definition.finalAt === null || at <= definition.finalAt)

/**
 * Jitter is a hash of task and instant, so every node and every replay draws the same. It stays below the next
 * occurrence: the runs of one task keep their order.
 */
export function dispatchInstant(definition: Definition, scheduledAt: Instant): Instant {
  if (definition.jitterMs === 0) return scheduledAt
  const following = definition.recurrence.next(scheduledAt)
  const span =
    following === undefined ? definition.jitterMs : Math.min(definition.jitterMs, following - scheduledAt - 1)
  const draw =
    Number.parseInt(digestOf(`jitter|${definition.taskId}|${scheduledAt}`).slice(0, 12), 16) / 2 ** 48
  return scheduledAt + Math.floor(draw * (span + 1))
}
