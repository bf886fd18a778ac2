import type { Instant } from '@almanac/recurrence'
import { type Occurrence, occurrenceAfter, occurrenceBefore } from './occurrence.js'
import type { Definition } from './types.js'

/**
 * The oldest occurrence, among those due by `now`, that still runs under the task's catch-up policy; all older
 * ones are misfires. Undefined: none of them runs. Depends on the definition and `now` only.
 */
export function catchUpFrom(definition: Definition, now: Instant, graceMs: number): Occurrence | undefined {
  const { policy, windowSeconds, max } = definition.catchUp
  const newest = occurrenceBefore(definition, now)
  if (newest === undefined) return undefined
  const oldestOnTime = dueSince(definition, now - graceMs, now)
  // On-time occurrences run in any case: window and `max` limit only the missed ones.
  if (policy === 'none') return oldestOnTime
  const windowStart = windowSeconds === null ? undefined : now - windowSeconds * 1000
  const inWindow = (at: Occurrence) => windowStart === undefined || at.dispatchAt >= windowStart
  if (policy === 'latest') return oldestOnTime ?? (inWindow(newest) ? newest : undefined)
  let from = oldestOnTime
  let before = occurrenceBefore(definition, Math.min(now, (from?.scheduledAt ?? now + 1) - 1))
  for (let left = max; left > 0 && before !== undefined && inWindow(before); left -= 1) {
    from = before
    before = occurrenceBefore(definition, before.scheduledAt - 1)
  }
  return from
}

/** The first occurrence dispatched at or after `start` and by `now`. */
function dueSince(definition: Definition, start: Instant, now: Instant): Occurrence | undefined {
  const first = occurrenceAfter(definition, start - 1)
  return first !== undefined && first.dispatchAt <= now ? first : undefined
}
