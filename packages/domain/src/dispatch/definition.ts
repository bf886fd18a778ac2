import {
  type CalendarDays,
  compile,
  type Instant,
  type Problem,
  type Recurrence,
  type Result,
  type ScheduleValue,
} from '@almanac/recurrence'
import { calendarsOf } from '../calendar/calendars-of.js'
import type { ScheduleState } from '../schedule/types.js'
import type { TaskState } from '../task/types.js'
import { withSingles } from './singles.js'
import type { Definition } from './types.js'

/** What a task refers to, looked up by whoever holds the read models. */
export interface Lookups {
  readonly schedule: (name: string) => ScheduleState | undefined
  readonly calendar: (name: string) => CalendarDays | undefined
  /** When the calendar last changed: what it says now holds from then on. */
  readonly calendarChangedAt?: (name: string) => Instant | undefined
}

/** Compiles a schedule value; callers may pass one that remembers, so that a thousand tasks compile once. */
export type Compile = typeof compile

/**
 * Resolves a task to what the planner needs. Enabled or not: whether it is planned is the caller's business.
 * Fails with the reasons when the task can't be planned (unknown shared schedule or calendar, never fires).
 */
export function definitionOf(
  state: TaskState,
  lookups: Lookups,
  compiled: Compile = compile,
): Result<Definition> {
  const resolved = resolveSchedule(state, lookups)
  if (!resolved.ok) return resolved
  const { value, since } = resolved.value
  const context = { anchor: state.anchor, calendar: lookups.calendar }
  const recurrence = compiled(value, context)
  if (!recurrence.ok) return recurrence
  const { startTime, expires, catchUp, overlap, jitterSeconds } = state.spec
  const changes = calendarsOf(value).map((name) => lookups.calendarChangedAt?.(name) ?? since)
  const whole =
    'clocked' in value
      ? clockedNotBefore(recurrence.value, Math.max(since + 1, startTime ?? since + 1))
      : recurrence.value
  const first = startTime === null ? since : Math.max(since, startTime - 1)
  const { recurrence: effective, finalAt } = withSingles(whole, state, first)
  return {
    ok: true,
    value: {
      taskId: state.taskId,
      namespace: state.namespace,
      revision: state.revision,
      recurrence: effective,
      since: Math.max(since, ...changes),
      notBefore: startTime,
      expires,
      finalAt,
      catchUp,
      overlap,
      jitterMs: Math.round(jitterSeconds * 1000),
    },
  }
}

/** The schedule as a value, and the instant after which its occurrences count for this task. */
export function resolveSchedule(
  state: TaskState,
  lookups: Pick<Lookups, 'schedule'>,
): Result<{ readonly value: ScheduleValue; readonly since: Instant }> {
  const { schedule } = state.spec
  // What is stored may be anything, if an older version let it pass.
  if (typeof schedule !== 'object' || schedule === null) {
    return { ok: false, error: [{ path: 'schedule', code: 'not_an_object', message: 'is not an object' }] }
  }
  if (!('ref' in schedule)) return { ok: true, value: { value: schedule, since: state.armedAt } }
  const shared = lookups.schedule(schedule.ref)
  if (shared === undefined || shared.status === 'deleted')
    return { ok: false, error: [unknownSchedule(schedule.ref)] }
  const since = Math.max(state.armedAt, shared.scheduleChangedAt)
  return { ok: true, value: { value: shared.spec.schedule, since } }
}

const unknownSchedule = (name: string): Problem => ({
  path: 'schedule.ref',
  code: 'unknown_schedule',
  message: `there is no shared schedule named "${name}"`,
})

/**
 * A clocked instant that lies before the task was armed (or may start) still fires once, at once: it is moved
 * to the first instant that counts (CELERY.md 2.4, acceptance case 14).
 */
function clockedNotBefore(clocked: Recurrence, earliest: Instant): Recurrence {
  const at = Math.max(clocked.next(-1) ?? earliest, earliest)
  return {
    kind: 'clocked',
    next: (after) => (after < at ? at : undefined),
    previous: (until) => (until >= at ? at : undefined),
    count: (after, until) => (after < at && at <= until ? 1 : 0),
  }
}
