import {
  type CalendarDays,
  type Instant,
  type Result,
  type ScheduleValue,
  validateSchedule,
} from '@almanac/recurrence'
import { sameJson } from '../canonical.js'
import type { RecordedEvent } from '../event.js'
import { FieldReader } from '../field-reader.js'
import { accept, type Decision, invalid, refuse } from '../refusal.js'
import { checkScheduleValue } from '../task/schedule-check.js'
import { descriptionRule, nameRule } from '../task/validate.js'
import type { ScheduleEvent, ScheduleSpec, ScheduleState } from './types.js'

/** The state of a shared schedule after one more event. Total, like `evolveTask`. */
export function evolveSchedule(
  state: ScheduleState | undefined,
  event: RecordedEvent,
): ScheduleState | undefined {
  const { type, data } = event as RecordedEvent & ScheduleEvent
  const { at, actor: changedBy, namespace } = event.metadata
  const step = { revision: event.revision, changedAt: at, changedBy, hash: event.hash }
  if (type === 'ScheduleCreated') {
    return { ...data, namespace, status: 'active', createdAt: at, scheduleChangedAt: at, ...step }
  }
  if (state === undefined) return undefined
  const next = { ...state, ...step }
  if (type === 'ScheduleDeleted') return { ...next, status: 'deleted' }
  if (type !== 'ScheduleChanged') return next
  return {
    ...next,
    spec: { ...state.spec, ...data.changes },
    scheduleChangedAt: 'schedule' in data.changes ? at : state.scheduleChangedAt,
  }
}

export type ScheduleCommand =
  | { readonly type: 'create'; readonly scheduleId: string; readonly input: unknown }
  | { readonly type: 'change'; readonly changes: unknown }
  /** `users`: how many tasks use it. */
  | { readonly type: 'delete'; readonly users: number; readonly cascade: boolean }

export interface ScheduleContext {
  readonly at: Instant
  readonly lookups: { readonly calendar: (name: string) => CalendarDays | undefined }
}

/** A deleted schedule's name may be used again: the stream goes on. Never throws on JSON input. */
export function decideSchedule(
  state: ScheduleState | undefined,
  command: ScheduleCommand,
  context: ScheduleContext,
): Decision<ScheduleEvent> {
  const active = state?.status === 'active' ? state : undefined
  if (command.type === 'create') {
    if (active !== undefined) return refuse('already_exists', 'there is a shared schedule of this name')
    const spec = validateScheduleSpec(command.input)
    if (!spec.ok) return invalid(spec.error)
    const refusal = check(spec.value.schedule, context)
    if (refusal !== undefined) return { ok: false, error: refusal }
    return accept({ type: 'ScheduleCreated', data: { scheduleId: command.scheduleId, spec: spec.value } })
  }
  if (active === undefined) return refuse('not_found', 'there is no such shared schedule')
  if (command.type === 'change') return change(active, command.changes, context)
  if (command.users > 0 && !command.cascade) {
    const message =
      command.users === 1
        ? '1 task uses this schedule; cascade deletes it too'
        : `${command.users} tasks use this schedule; cascade deletes them too`
    return refuse('schedule_in_use', message)
  }
  return accept({ type: 'ScheduleDeleted', data: { cascade: command.cascade } })
}

function change(state: ScheduleState, input: unknown, context: ScheduleContext): Decision<ScheduleEvent> {
  const spec = validateScheduleSpec(input, state.spec)
  if (!spec.ok) return invalid(spec.error)
  const { schedule, description } = spec.value
  const changes = {
    ...(sameJson(schedule, state.spec.schedule) ? {} : { schedule }),
    ...(description === state.spec.description ? {} : { description }),
  }
  if (Object.keys(changes).length === 0) return accept()
  const refusal = 'schedule' in changes ? check(schedule, context) : undefined
  return refusal === undefined
    ? accept({ type: 'ScheduleChanged', data: { changes } })
    : { ok: false, error: refusal }
}

const check = (schedule: ScheduleValue, { at, lookups }: ScheduleContext) =>
  checkScheduleValue(schedule, at, lookups, 'schedule')

/** With `current` (a change) the name can't be given; what is left out stays. Never throws. */
export function validateScheduleSpec(input: unknown, current?: ScheduleSpec): Result<ScheduleSpec> {
  const read = FieldReader.of(
    input,
    [...(current === undefined ? ['name'] : []), 'schedule', 'description'],
    '',
  )
  const creating = current === undefined
  const base = current ?? { name: '', schedule: { union: [] }, description: '' }
  if (creating) for (const key of ['name', 'schedule']) read.require(key)
  const value = read.fields.get('schedule')
  const schedule: Result<ScheduleValue> =
    value === undefined ? { ok: true, value: base.schedule } : validateSchedule(value, 'schedule')
  if (!schedule.ok) read.problems.push(...schedule.error)
  return read.result({
    name: read.text('name', nameRule, base.name),
    schedule: schedule.ok ? schedule.value : base.schedule,
    description: read.text('description', descriptionRule, base.description),
  })
}
