import {
  type Compile,
  calendarIdOf,
  calendarStream,
  calendarsOf,
  type Definition,
  definitionOf,
  type Lookups,
  type Position,
  resolveSchedule,
  scheduleIdOf,
  scheduleStream,
  type TaskState,
} from '@almanac/domain'
import {
  type CompileContext,
  compile,
  type Recurrence,
  type Result,
  type ScheduleValue,
} from '@almanac/recurrence'
import { findListed, type Page, type ViewStore } from '../ports/view-store.js'

/**
 * Definitions of tasks at the read models' position. Schedules are compiled once for all tasks that have the
 * same value, and remember their last answer: a thousand tasks on one crontab compute its next instant once.
 */
export class Definitions {
  private readonly views: ViewStore
  private readonly known = new Map<
    string,
    { readonly state: TaskState; readonly definition: Result<Definition> }
  >()
  private readonly compiled = new Map<string, Recurrence>()
  private readonly lookups = new Map<string, Lookups>()

  constructor(views: ViewStore) {
    this.views = views
  }

  /** Must be called when a shared schedule or a calendar has changed. */
  forgetShared(): void {
    this.known.clear()
    this.compiled.clear()
  }

  of(state: TaskState): Result<Definition> {
    const known = this.known.get(state.taskId)
    if (known !== undefined && known.state.revision === state.revision) return known.definition
    const definition = this.resolve(state)
    if (this.known.size >= maxKnown) this.forgetOldest()
    this.known.set(state.taskId, { state, definition })
    return definition
  }

  /** As `of`, without remembering: for tasks that are looked at once. */
  resolve(state: TaskState, lookups = this.lookupsOf(state.namespace)): Result<Definition> {
    const compiled: Compile = (value, context) => this.compile(state.namespace, value, context)
    return this.guarded(() => definitionOf(state, lookups, compiled))
  }

  /** Never throws: what is stored may be anything, if an older version let it pass. */
  private guarded(define: () => Result<Definition>): Result<Definition> {
    try {
      const definition = define()
      return definition.ok && !isFiniteDefinition(definition.value)
        ? unplannable('has a number that is none')
        : definition
    } catch (error) {
      return unplannable(error instanceof Error ? error.message : String(error))
    }
  }

  /** How a task was planned when what it refers to still was as `former`; undefined when it could not be. */
  before(state: TaskState, former: (current: Lookups) => Lookups): Definition | undefined {
    // What refers to a calendar must not be remembered: it is compiled as it was then.
    const compiled: Compile = (value, context) =>
      JSON.stringify(value).includes('"ref"')
        ? compile(value, context)
        : this.compile(state.namespace, value, context)
    const definition = this.guarded(() =>
      definitionOf(state, former(this.lookupsOf(state.namespace)), compiled),
    )
    return definition.ok ? definition.value : undefined
  }

  /** Whether the task's schedule refers to the calendar. */
  uses(state: TaskState, calendar: string): boolean {
    const resolved = resolveSchedule(state, this.lookupsOf(state.namespace))
    return resolved.ok && calendarsOf(resolved.value.value).includes(calendar)
  }

  /** Whether the task uses the shared schedule or the calendar of that stream. */
  refers(state: TaskState, stream: string): boolean {
    const { namespace } = state
    const { schedule } = state.spec
    if ('ref' in schedule && scheduleStream(scheduleIdOf(namespace, schedule.ref)) === stream) return true
    const resolved = resolveSchedule(state, this.lookupsOf(namespace))
    if (!resolved.ok) return false
    return calendarsOf(resolved.value.value).some(
      (name) => calendarStream(calendarIdOf(namespace, name)) === stream,
    )
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

  private compile(namespace: string, value: ScheduleValue, context: CompileContext): Result<Recurrence> {
    // An interval's grid hangs on each task's own anchor; everything else is the same for all.
    const text = JSON.stringify(value)
    if (text.includes('"interval"')) return compile(value, context)
    const key = text.includes('"ref"') ? `${namespace}|${text}` : text
    const known = this.compiled.get(key)
    if (known !== undefined) return { ok: true, value: known }
    const compiled = compile(value, context)
    if (!compiled.ok) return compiled
    if (this.compiled.size >= maxKnown) this.compiled.clear()
    const remembering = rememberLast(compiled.value)
    this.compiled.set(key, remembering)
    return { ok: true, value: remembering }
  }

  private forgetOldest(): void {
    let left = maxKnown / 10
    for (const key of this.known.keys()) {
      if (left <= 0) return
      this.known.delete(key)
      left -= 1
    }
  }
}

const maxKnown = 20_000

const unplannable = (message: string): Result<Definition> => ({
  ok: false,
  error: [{ path: '', code: 'plan_failed', message }],
})

/** A comparison with NaN is false either way: one such number would make a whole partition's order wrong. */
const isFiniteDefinition = ({ since, notBefore, expires, finalAt, jitterMs }: Definition): boolean =>
  [since, notBefore ?? 0, expires ?? 0, finalAt ?? 0, jitterMs].every(Number.isFinite)

function rememberLast(recurrence: Recurrence): Recurrence {
  let lastAfter = Number.NaN
  let lastNext: number | undefined
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
