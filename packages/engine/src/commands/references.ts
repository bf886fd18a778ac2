import {
  type CalendarState,
  calendarIdOf,
  calendarStream,
  type Lookups,
  type ScheduleState,
  scheduleIdOf,
  scheduleStream,
} from '@almanac/domain'
import type { Streams } from './streams.js'

/**
 * A task refers to a schedule, which refers to calendars, before and after an edit: more rounds can't come.
 */
const maxRounds = 8

/**
 * Gives deciders, which can't wait, the shared schedules and calendars that they ask for: what is asked for
 * and not here yet is read from the log, and the decision made again.
 */
export class References {
  private readonly schedules: Streams<ScheduleState>
  private readonly calendars: Streams<CalendarState>

  constructor(schedules: Streams<ScheduleState>, calendars: Streams<CalendarState>) {
    this.schedules = schedules
    this.calendars = calendars
  }

  async with<T>(namespace: string, decide: (lookups: Lookups) => T): Promise<T> {
    const schedules = new Map<string, ScheduleState | undefined>()
    const calendars = new Map<string, CalendarState | undefined>()
    for (let round = 0; round < maxRounds; round++) {
      const missing = { schedules: new Set<string>(), calendars: new Set<string>() }
      const answer = decide({
        schedule: (name) => {
          const state = ask(schedules, missing.schedules, name)
          return state?.status === 'active' ? state : undefined
        },
        calendar: (name) => {
          const state = ask(calendars, missing.calendars, name)
          return state?.status === 'active' ? state.spec.days : undefined
        },
      })
      if (missing.schedules.size + missing.calendars.size === 0) return answer
      for (const name of missing.schedules) {
        const stream = scheduleStream(scheduleIdOf(namespace, name))
        schedules.set(name, (await this.schedules.refresh(stream)).state)
      }
      for (const name of missing.calendars) {
        const stream = calendarStream(calendarIdOf(namespace, name))
        calendars.set(name, (await this.calendars.refresh(stream)).state)
      }
    }
    throw new Error('a decision asks for ever more references')
  }
}

function ask<S>(
  known: ReadonlyMap<string, S | undefined>,
  missing: Set<string>,
  name: string,
): S | undefined {
  if (!known.has(name)) missing.add(name)
  return known.get(name)
}
