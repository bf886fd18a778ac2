import type { CalendarState, ScheduleState } from '@almanac/domain'
import type { CalendarDays, ScheduleValue } from '@almanac/recurrence'
import type { CalendarJson, ScheduleJson } from './http/schedule.js'
import type { JsonObject } from './http/shape.js'
import { isoOf } from './instant-text.js'

export function scheduleJson(state: ScheduleState, scheduleText: string): ScheduleJson {
  return {
    id: state.scheduleId,
    namespace: state.namespace,
    name: state.spec.name,
    schedule: { ...state.spec.schedule },
    scheduleText,
    description: state.spec.description,
    revision: state.revision,
    createdAt: isoOf(state.createdAt),
    dateChanged: isoOf(state.changedAt),
    changedBy: state.changedBy,
  }
}

export function calendarJson(state: CalendarState): CalendarJson {
  return {
    id: state.calendarId,
    namespace: state.namespace,
    name: state.spec.name,
    days: { ...state.spec.days },
    description: state.spec.description,
    revision: state.revision,
    createdAt: isoOf(state.createdAt),
    dateChanged: isoOf(state.changedAt),
    changedBy: state.changedBy,
  }
}

/* Parsed JSON of the right outer shape; the domain checks it field by field before anything is made of it. */
export const domainScheduleValue = (value: JsonObject): ScheduleValue => value as unknown as ScheduleValue
export const domainCalendarDays = (value: JsonObject): CalendarDays => value as unknown as CalendarDays
