import {
  type CalendarCommand,
  type CalendarEvent,
  type CalendarState,
  type CommandContext,
  calendarIdOf,
  calendarStream,
  calendarsOf,
  decideCalendar,
  decideSchedule,
  type RecordedEvent,
  type Refusal,
  type ScheduleCommand,
  type ScheduleEvent,
  type ScheduleState,
  scheduleIdOf,
  scheduleStream,
} from '@almanac/domain'
import type { Result, ScheduleValue } from '@almanac/recurrence'
import type { CalendarInput, ScheduleInput } from '../application.js'
import type { Outcome } from '../outcome.js'
import { unavailable } from '../ports/faults.js'
import type { Listed } from '../ports/view-store.js'
import { applied, tokenOf } from './answers.js'
import { type Handled, handleInTurn, type Work } from './handle.js'
import type { CommandParts } from './parts.js'
import type { Run } from './task-commands.js'

/** The commands on shared schedules and calendars, which are known by their names. */
export class SharedCommands {
  private readonly parts: CommandParts
  private readonly cascade: (event: RecordedEvent) => Promise<number>

  /** `cascade`: what has to follow the deletion of a shared schedule. */
  constructor(parts: CommandParts, cascade: (event: RecordedEvent) => Promise<number>) {
    this.parts = parts
    this.cascade = cascade
  }

  createSchedule(context: CommandContext, input: ScheduleInput): Outcome<ScheduleState> {
    const scheduleId = scheduleIdOf(context.namespace, textOf(input.name))
    return this.onSchedule(context, scheduleId, { type: 'create', scheduleId, input })
  }

  /**
   * Counts the users on read models that have everything up to the call. A task that is given the schedule at
   * the same moment may be missed: it is then quarantined, as any task whose schedule is gone.
   */
  async deleteSchedule(
    context: CommandContext,
    scheduleId: string,
    cascade: boolean,
  ): Outcome<ScheduleState> {
    const { state } = await this.parts.schedules.refresh(scheduleStream(scheduleId))
    const isThere = state?.namespace === context.namespace && state.status === 'active'
    const users = isThere ? await this.scheduleUsers(state) : 0
    const handled = await this.handleSchedule(context, scheduleId, { type: 'delete', users, cascade })
    // A repeated command goes over the tasks again: the first may have died among them.
    if (handled.ok) for (const event of handled.value.events) await this.cascade(event)
    return applied(handled, 'ScheduleCreated')
  }

  /** How many tasks use it, on read models that have everything up to the call. */
  async scheduleUsers({ namespace, spec }: ScheduleState): Promise<number> {
    await this.viewsUpToDate()
    return this.parts.views.tasksUsing(namespace, spec.name).length
  }

  async onSchedule(
    context: CommandContext,
    scheduleId: string,
    command: ScheduleCommand,
    expected?: number,
  ): Outcome<ScheduleState> {
    return applied(await this.handleSchedule(context, scheduleId, command, expected), 'ScheduleCreated')
  }

  /** What is decided on a schedule, with how the decision is run. */
  async onScheduleDecided(
    context: CommandContext,
    scheduleId: string,
    run: Run,
    decide: Work<ScheduleState, ScheduleEvent>['decide'],
  ): Promise<Result<Handled<ScheduleState>, Refusal>> {
    const stream = scheduleStream(scheduleId)
    return handleInTurn(this.parts, this.parts.schedules, { stream, context, decide, ...run })
  }

  private handleSchedule(
    context: CommandContext,
    scheduleId: string,
    command: ScheduleCommand,
    expected?: number,
  ): Promise<Result<Handled<ScheduleState>, Refusal>> {
    const run = { token: tokenOf(context, this.parts.random), expected }
    return this.onScheduleDecided(context, scheduleId, run, (folded, at) => {
      const state = folded.state?.namespace === context.namespace ? folded.state : undefined
      return this.parts.references.with(context.namespace, (lookups) =>
        decideSchedule(state, command, { at, lookups }),
      )
    })
  }

  createCalendar(context: CommandContext, input: CalendarInput): Outcome<CalendarState> {
    const calendarId = calendarIdOf(context.namespace, textOf(input.name))
    return this.onCalendar(context, calendarId, { type: 'create', calendarId, input })
  }

  /** Refused while a task or a shared schedule refers to it; counted as `deleteSchedule` does. */
  async deleteCalendar(context: CommandContext, calendarId: string): Outcome<CalendarState> {
    const { state } = await this.parts.calendars.refresh(calendarStream(calendarId))
    const isThere = state?.namespace === context.namespace && state.status === 'active'
    const users = isThere ? await this.calendarUsers(state) : 0
    return this.onCalendar(context, calendarId, { type: 'delete', users })
  }

  async onCalendar(
    context: CommandContext,
    calendarId: string,
    command: CalendarCommand,
    expected?: number,
  ): Outcome<CalendarState> {
    const run = { token: tokenOf(context, this.parts.random), expected }
    const handled = await this.onCalendarDecided(context, calendarId, run, ({ state }) =>
      decideCalendar(state?.namespace === context.namespace ? state : undefined, command),
    )
    return applied(handled, 'CalendarCreated')
  }

  /** What is decided on a calendar, with how the decision is run. */
  async onCalendarDecided(
    context: CommandContext,
    calendarId: string,
    run: Run,
    decide: Work<CalendarState, CalendarEvent>['decide'],
  ): Promise<Result<Handled<CalendarState>, Refusal>> {
    const stream = calendarStream(calendarId)
    return handleInTurn(this.parts, this.parts.calendars, { stream, context, decide, ...run })
  }

  private async viewsUpToDate(): Promise<void> {
    const { log, waitFor, options } = this.parts
    if (waitFor === undefined) return
    const isThere = await waitFor(await log.head(), options.usersDeadlineMs)
    if (!isThere) throw unavailable('the read models are too far behind to tell who uses this')
  }

  /**
   * How many tasks and schedules refer to it, on read models that have everything up to the call. Only unions and
   * excepts can name calendars, so no other task is looked at.
   */
  async calendarUsers({ namespace, spec: { name } }: CalendarState): Promise<number> {
    await this.viewsUpToDate()
    const { views } = this.parts
    const refers = (value: ScheduleValue): boolean => calendarsOf(value).includes(name)
    const schedules = countIn(
      (cursor) => views.listSchedules(namespace, page(cursor)),
      ({ spec }) => refers(spec.schedule),
    )
    const tasks = ['union', 'except'].map((scheduleKind) =>
      countIn(
        (cursor) => views.listTasks(namespace, { scheduleKind }, page(cursor)),
        ({ spec: { schedule } }) => !('ref' in schedule) && refers(schedule),
      ),
    )
    return tasks.reduce((sum, count) => sum + count, schedules)
  }
}

const page = (cursor: string | null) => (cursor === null ? { limit: 1000 } : { limit: 1000, cursor })

function countIn<T>(list: (cursor: string | null) => Listed<T>, isUser: (item: T) => boolean): number {
  let count = 0
  let cursor: string | null = null
  do {
    const listed: Listed<T> = list(cursor)
    count += listed.items.filter(isUser).length
    cursor = listed.nextCursor
  } while (cursor !== null)
  return count
}

/** A name that is no text is refused by the decider; until then it stands for the empty one. */
const textOf = (name: unknown): string => (typeof name === 'string' ? name : '')
