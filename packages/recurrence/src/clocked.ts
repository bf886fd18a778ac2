/** Clocked schedules: one instant. That it fires once only is the task's business, not the schedule's. */

import type { Instant, Recurrence } from './types.js'

/** The one occurrence at `at`. */
export function compileClocked(at: Instant): Recurrence {
  return {
    kind: 'clocked',
    next: (after) => (after < at ? at : undefined),
    previous: (now) => (now >= at ? at : undefined),
    count: (after, until) => (after < at && at <= until ? 1 : 0),
  }
}
