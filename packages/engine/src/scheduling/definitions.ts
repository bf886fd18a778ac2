import {
  calendarIdOf,
  type Definition,
  definitionOf,
  type Lookups,
  type ScheduleState,
  scheduleIdOf,
  type TaskState,
} from '@almanac/domain'
import {
  type CompileContext,
  compile,
  type Recurrence,
  type Result,
  type ScheduleValue,
} from '@almanac/recurrence'
import type { ViewStore } from '../ports/view-store.js'

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
  resolve(state: TaskState): Result<Definition> {
    return definitionOf(state, this.lookupsOf(state.namespace), (value, context) =>
      this.compile(state.namespace, value, context),
    )
  }

  /** How a task was planned when its shared schedule still was `shared`; undefined when it was not. */
  before(state: TaskState, shared: ScheduleState | undefined): Definition | undefined {
    if (shared === undefined) return undefined
    const lookups = { ...this.lookupsOf(state.namespace), schedule: () => shared }
    const definition = definitionOf(state, lookups)
    return definition.ok ? definition.value : undefined
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
