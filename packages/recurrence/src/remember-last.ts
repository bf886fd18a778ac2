import type { Instant, Recurrence } from './types.js'

/** Answers the same question again from memory: a thousand tasks on one crontab compute its next instant once. */
export function rememberLast(recurrence: Recurrence): Recurrence {
  let lastAfter = Number.NaN
  let lastNext: Instant | undefined
  return {
    kind: recurrence.kind,
    next: (after) => {
      if (after !== lastAfter) {
        lastNext = recurrence.next(after)
        lastAfter = after
      }
      return lastNext
    },
    previous: (at) => recurrence.previous(at),
    count: (after, until) => recurrence.count(after, until),
  }
}
