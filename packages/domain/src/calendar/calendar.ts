import { type CalendarDays, parseCalendar, type Result } from '@almanac/recurrence'
import { sameJson } from '../canonical.js'
import type { RecordedEvent } from '../event.js'
import { FieldReader } from '../field-reader.js'
import { accept, type Decision, invalid, refuse } from '../refusal.js'
import { descriptionRule, nameRule } from '../task/validate.js'
import type { CalendarEvent, CalendarSpec, CalendarState } from './types.js'

/** The state of a shared calendar after one more event. Total, like `evolveTask`. */
export function evolveCalendar(
  state: CalendarState | undefined,
  event: RecordedEvent,
): CalendarState | undefined {
  const { type, data } = event as RecordedEvent & CalendarEvent
  const { at, actor: changedBy, namespace } = event.metadata
  const step = { revision: event.revision, changedAt: at, changedBy, hash: event.hash }
  if (type === 'CalendarCreated') return { ...data, namespace, status: 'active', createdAt: at, ...step }
  if (state === undefined) return undefined
  const next = { ...state, ...step }
  if (type === 'CalendarDeleted') return { ...next, status: 'deleted' }
  return type === 'CalendarChanged' ? { ...next, spec: { ...state.spec, ...data.changes } } : next
}

export type CalendarCommand =
  | { readonly type: 'create'; readonly calendarId: string; readonly input: unknown }
  | { readonly type: 'change'; readonly changes: unknown }
  /** `users`: how many tasks and shared schedules refer to it. */
  | { readonly type: 'delete'; readonly users: number }

/** A deleted calendar's name may be used again: the stream goes on. Never throws on JSON input. */
export function decideCalendar(
  state: CalendarState | undefined,
  command: CalendarCommand,
): Decision<CalendarEvent> {
  const active = state?.status === 'active' ? state : undefined
  if (command.type === 'create') {
    if (active !== undefined) return refuse('already_exists', 'there is a calendar of this name')
    const spec = validateCalendarSpec(command.input)
    if (!spec.ok) return invalid(spec.error)
    return accept({ type: 'CalendarCreated', data: { calendarId: command.calendarId, spec: spec.value } })
  }
  if (active === undefined) return refuse('not_found', 'there is no such calendar')
  if (command.type === 'change') return change(active, command.changes)
  if (command.users > 0) {
    const users =
      command.users === 1 ? '1 task or schedule refers' : `${command.users} tasks and schedules refer`
    return refuse('calendar_in_use', `${users} to this calendar`)
  }
  return accept({ type: 'CalendarDeleted', data: {} })
}

function change(state: CalendarState, input: unknown): Decision<CalendarEvent> {
  const spec = validateCalendarSpec(input, state.spec)
  if (!spec.ok) return invalid(spec.error)
  const { days, description } = spec.value
  const changes = {
    ...(sameJson(days, state.spec.days) ? {} : { days }),
    ...(description === state.spec.description ? {} : { description }),
  }
  return Object.keys(changes).length === 0 ? accept() : accept({ type: 'CalendarChanged', data: { changes } })
}

/** With `current` (a change) the name can't be given; what is left out stays. Never throws. */
export function validateCalendarSpec(input: unknown, current?: CalendarSpec): Result<CalendarSpec> {
  const read = FieldReader.of(input, [...(current === undefined ? ['name'] : []), 'days', 'description'], '')
  const base = current ?? { name: '', days: {}, description: '' }
  if (current === undefined) for (const key of ['name', 'days']) read.require(key)
  const value = read.fields.get('days')
  const days: Result<CalendarDays> =
    value === undefined ? { ok: true, value: base.days } : parseCalendar(value, 'days')
  if (!days.ok) read.problems.push(...days.error)
  return read.result({
    name: read.text('name', nameRule, base.name),
    days: days.ok ? days.value : base.days,
    description: read.text('description', descriptionRule, base.description),
  })
}
