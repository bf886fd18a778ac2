import { type Instant, nthAfter, type Recurrence } from '@almanac/recurrence'
import type { MovedOccurrence, TaskState } from '../task/types.js'

type Said = Pick<TaskState, 'cancelled' | 'moved' | 'runsLeft'>

/** A task's occurrences with what was said of single ones, and the last that its limit lets run; null: no limit. */
export interface Occurrences {
  readonly recurrence: Recurrence
  readonly finalAt: Instant | null
}

/** `after`: where the occurrences begin that count for the limit. */
export function withSingles(whole: Recurrence, said: Said, after: Instant): Occurrences {
  const { cancelled, moved, runsLeft } = said
  if (moved.length === 0) {
    const recurrence = cancelled.length === 0 ? whole : without(whole, cancelled)
    return { recurrence, finalAt: runsLeft === null ? null : finalOf(recurrence, after, runsLeft) }
  }
  // By the limit each moved one is what it was: that it is later or earlier now lets no other run in its place.
  const final = runsLeft === null ? null : finalOf(counted(whole, said, after), after, runsLeft)
  const isIn = (at: Instant) => final === null || at <= final
  const more = moved.filter((one) => !isCancelled(one, cancelled) && isIn(one.at <= after ? one.to : one.at))
  const left = without(final === null ? whole : until(whole, final), [
    ...cancelled,
    ...moved.map(({ at }) => at),
  ])
  const recurrence = withMore(
    left,
    more.map(({ to }) => to),
  )
  if (final === null) return { recurrence, finalAt: null }
  const latest = Math.max(final, ...more.map(({ to }) => to))
  return { recurrence, finalAt: recurrence.previous(latest) ?? after }
}

const isCancelled = ({ at, to }: MovedOccurrence, cancelled: readonly Instant[]): boolean =>
  cancelled.includes(at) || cancelled.includes(to)

/** Each moved occurrence where the schedule has it, unless that is before what counts. */
function counted(whole: Recurrence, { cancelled, moved }: Said, after: Instant): Recurrence {
  const isOver = (one: MovedOccurrence) => one.to <= after || isCancelled(one, cancelled)
  const over = moved.filter(isOver).map(({ at }) => at)
  const late = moved.filter((one) => one.at <= after && !isOver(one)).map(({ to }) => to)
  return withMore(without(whole, [...cancelled, ...over]), late)
}

/** Undefined occurrences are not reached: fewer than the limit are left. */
function finalOf(recurrence: Recurrence, after: Instant, runsLeft: number): Instant | null {
  return runsLeft <= 0 ? after : (nthAfter(recurrence, after, runsLeft) ?? null)
}

/** The recurrence up to an instant. */
function until(recurrence: Recurrence, last: Instant): Recurrence {
  const next = (after: Instant): Instant | undefined => {
    const at = recurrence.next(after)
    return at === undefined || at > last ? undefined : at
  }
  return {
    kind: recurrence.kind,
    next,
    previous: (at) => recurrence.previous(Math.min(at, last)),
    count: (after, end) => (after >= last ? 0 : recurrence.count(after, Math.min(end, last))),
  }
}

/** The recurrence without single occurrences. One that it no longer has anyway changes nothing. */
function without(recurrence: Recurrence, instants: readonly Instant[]): Recurrence {
  const gone = new Set(instants)
  const next = (after: Instant): Instant | undefined => {
    let at = recurrence.next(after)
    while (at !== undefined && gone.has(at)) at = recurrence.next(at)
    return at
  }
  const previous = (end: Instant): Instant | undefined => {
    let at = recurrence.previous(end)
    while (at !== undefined && gone.has(at)) at = recurrence.previous(at - 1)
    return at
  }
  const isGone = (at: Instant) => recurrence.next(at - 1) === at
  const count = (after: Instant, end: Instant): number =>
    recurrence.count(after, end) - [...gone].filter((at) => at > after && at <= end && isGone(at)).length
  return { kind: recurrence.kind, next, previous, count }
}

/** The recurrence with single occurrences beside its own. */
function withMore(recurrence: Recurrence, instants: readonly Instant[]): Recurrence {
  const more = [...new Set(instants)].sort((a, b) => a - b)
  const next = (after: Instant): Instant | undefined => {
    const own = recurrence.next(after)
    const other = more.find((at) => at > after)
    return own === undefined || other === undefined ? (own ?? other) : Math.min(own, other)
  }
  const previous = (end: Instant): Instant | undefined => {
    const own = recurrence.previous(end)
    const other = more.filter((at) => at <= end).at(-1)
    return own === undefined || other === undefined ? (own ?? other) : Math.max(own, other)
  }
  const isOwn = (at: Instant) => recurrence.next(at - 1) === at
  const count = (after: Instant, end: Instant): number =>
    recurrence.count(after, end) + more.filter((at) => at > after && at <= end && !isOwn(at)).length
  return { kind: recurrence.kind, next, previous, count }
}
