import { compile, type Instant, type Problem, type ScheduleValue } from '@almanac/recurrence'
import { calendarsOf } from '../calendar/calendars-of.js'
import type { Lookups } from '../dispatch/definition.js'
import { invalid, type Refusal, type RefusalCode } from '../refusal.js'
import type { TaskSpec } from './types.js'
import { clockedNeedsOneOff } from './validate.js'

export interface DecisionContext {
  /** The time of the command, not before the stream's last event. */
  readonly at: Instant
  readonly lookups: Lookups
}

/** Why a task with this schedule can't be: what it refers to is missing, or it never fires. */
export function checkSchedule(spec: TaskSpec, { at, lookups }: DecisionContext): Refusal | undefined {
  const { schedule } = spec
  const start = spec.startTime ?? at
  if (!('ref' in schedule)) return checkScheduleValue(schedule, start, lookups, 'schedule')
  const shared = lookups.schedule(schedule.ref)
  if (shared === undefined || shared.status === 'deleted') {
    const message = `there is no shared schedule named ${JSON.stringify(schedule.ref)}`
    return no('schedule_unknown', [{ path: 'schedule.ref', code: 'unknown_schedule', message }])
  }
  if ('clocked' in shared.spec.schedule && !spec.oneOff) return no('invalid', [clockedNeedsOneOff])
  return checkScheduleValue(shared.spec.schedule, start, lookups, 'schedule.ref')
}

/**
 * Why a valid schedule value can't be used: a calendar that it names is missing, or it has no occurrence at
 * or after `start`. A clocked schedule is let through whatever its instant: one that is past fires at once. A
 * solar one is let through at the poles too, where the sun has no rise: 90 is a latitude (CELERY.md section
 * 11, case 4).
 */
export function checkScheduleValue(
  value: ScheduleValue,
  start: Instant,
  lookups: Pick<Lookups, 'calendar'>,
  path: string,
): Refusal | undefined {
  // All of them are asked for, so that whoever answers the lookups learns of all at once.
  for (const name of calendarsOf(value)) lookups.calendar(name)
  const compiled = compile(value, { anchor: start, calendar: lookups.calendar })
  if (!compiled.ok) {
    const isMissing = compiled.error.some((problem) => problem.code === 'unknown_calendar')
    const problems = compiled.error.map((problem) => ({ ...problem, path: `${path}.${problem.path}` }))
    return no(isMissing ? 'calendar_unknown' : 'invalid', problems)
  }
  const { kind } = compiled.value
  if (kind === 'clocked' || kind === 'solar' || compiled.value.next(start - 1) !== undefined) return undefined
  return no('invalid', [
    { path, code: 'never_fires', message: 'never fires: it has no occurrence in 100 years' },
  ])
}

const no = (code: RefusalCode, problems: readonly Problem[]): Refusal => invalid(problems, code).error
