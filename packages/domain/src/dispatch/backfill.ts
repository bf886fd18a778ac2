import type { Instant, Recurrence } from '@almanac/recurrence'
import type { TaskBackfillRequested } from '../task/types.js'

/** The occurrences that a backfill runs, in the order in which it runs them. */
export function backfilled(
  recurrence: Recurrence,
  { from, until, max, order }: TaskBackfillRequested,
): readonly Instant[] {
  const instants: Instant[] = []
  const isNewestFirst = order === 'newestFirst'
  let next = isNewestFirst ? recurrence.previous(until) : recurrence.next(from - 1)
  while (next !== undefined && next >= from && next <= until && instants.length < max) {
    instants.push(next)
    next = isNewestFirst ? recurrence.previous(next - 1) : recurrence.next(next)
  }
  return instants
}
