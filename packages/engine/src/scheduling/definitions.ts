import {
  calendarIdOf,
  calendarsOf,
  type Definition,
  definitionOf,
  type Lookups,
  type Position,
  resolveSchedule,
  scheduleIdOf,
  type TaskState,
} from '@almanac/domain'
import {
  type CompileContext,
  compile,
  type Recurrence,
  type Result,
  rememberLast,
  type ScheduleValue,
} from '@almanac/recurrence'
import { findListed, type Page, type ViewStore } from '../ports/view-store.js'

/**
 * Definitions of tasks at the read models' position. Schedules are compiled once for all tasks that have the
 * same value, and remember their last answer: a thousand tasks on one crontab compute its next instant once.
 */
export class Definitions {
  private readonly views: ViewStore
  /** Goes with the state, which the read models keep as long as it is asked for often. */
  private known = new WeakMap<TaskState, Result<Definition>>()
  private readonly compiled = new Map<string, Recurrence>()
  private readonly lookups = new Map<string, Lookups>()

  constructor(views: ViewStore) {
    this.views = views
  }

  /** Must be called when a shared schedule or a calendar has changed. */
  forgetShared(): void {
    this.known = new WeakMap()
    this.compiled.clear()
  }

  of(state: TaskState): Result<Definition> {
    const known = this.known.get(state)
    if (known !== undefined) return known
    const definition = this.resolve(state)
    this.known.set(state, definition)
    return definition
  }

  /**
   * As `of`, without remembering: for tasks that are looked at once, also with what they referred to in the past. Never
   * throws: what is stored may be anything, if an older version let it pass.
   */
  resolve(state: TaskState, lookups = this.lookupsOf(state.namespace)): Result<Definition> {
    const isPast = lookups !== this.lookupsOf(state.namespace)
    try {
      const definition = definitionOf(state, lookups, (value, context) =>
        this.compile(state.namespace, value, context, isPast),
      )
      return definition.ok && !isFiniteDefinition(definition.value)
        ? unplannable('has a number that is none')
        : definition
    } catch (error) {
      return unplannable(error instanceof Error ? error.message : String(error))
    }
  }

  /** Whether the task's schedule refers to the calendar. */
  uses(state: TaskState, calendar: string): boolean {
    const resolved = resolveSchedule(state, this.lookupsOf(state.namespace))
    return resolved.ok && calendarsOf(resolved.value.value).includes(calendar)
  }

  /** What a namespace's tasks could refer to at a position of the past. */
  lookupsAsOf(namespace: string, position: Position): Lookups {
    const { views } = this
    const schedules = (page: Page) => views.listSchedules(namespace, page, position)
    const calendar = (name: string) =>
      findListed(
        (page) => views.listCalendars(namespace, page, position),
        ({ spec }) => spec.name === name,
      )
    return {
      schedule: (name) => findListed(schedules, ({ spec }) => spec.name === name),
      calendar: (name) => calendar(name)?.spec.days,
      calendarChangedAt: (name) => calendar(name)?.changedAt,
    }
  }

  lookupsOf(namespace: string): Lookups {
    let lookups = this.lookups.get(namespace)
    if (lookups === undefined) {
      lookups = {
        schedule: (name) => this.views.schedule(scheduleIdOf(namespace, name)),
        calendar: (name) => {
          const calendar = this.views.calendar(calendarIdOf(namespace, name))
          return calendar?.status === 'active' ? calendar.spec.days : undefined
        },
        calendarChangedAt: (name) => this.views.calendar(calendarIdOf(namespace, name))?.changedAt,
      }
      this.lookups.set(namespace, lookups)
    }
    return lookups
  }

  private compile(
    namespace: string,
    value: ScheduleValue,
    context: CompileContext,
    isPast: boolean,
  ): Result<Recurrence> {
    // An interval's grid hangs on each task's own anchor, and a calendar of the past is not the present one;
    // everything else is the same for all.
    const text = JSON.stringify(value)
    if (text.includes('"interval"') || (isPast && text.includes('"ref"'))) return compile(value, context)
    const key = text.includes('"ref"') ? `${namespace}|${text}` : text
    const known = this.compiled.get(key)
    if (known !== undefined) return { ok: true, value: known }
    const compiled = compile(value, context)
    if (!compiled.ok) return compiled
    if (this.compiled.size >= maxCompiled) this.compiled.clear()
    const remembering = rememberLast(compiled.value)
    this.compiled.set(key, remembering)
    return { ok: true, value: remembering }
  }
}

const maxCompiled = 20_000

const unplannable = (message: string): Result<Definition> => ({
  ok: false,
  error: [{ path: '', code: 'plan_failed', message }],
})

/** A comparison with NaN is false either way: one such number would make a whole partition's order wrong. */
const isFiniteDefinition = ({ since, notBefore, expires, finalAt, jitterMs }: Definition): boolean =>
  [since, notBefore ?? 0, expires ?? 0, finalAt ?? 0, jitterMs].every(Number.isFinite)
