import {
  type CalendarState,
  canonical,
  evolveCalendar,
  evolveSchedule,
  evolveTask,
  type Position,
  type RecordedEvent,
  type ScheduleState,
  type TaskState,
} from '@almanac/domain'
import type { ViewStore } from '@almanac/engine'

/**
 * Folds the log with the domain alone, and compares with what nodes' read models have: a read model at a position
 * is the fold of the events up to there (DESIGN.md, what must hold, 7). Positions only grow from check to check of
 * one fold, so a long history is folded once.
 */
export class ViewFold {
  private readonly tasks = new Map<string, TaskState>()
  private readonly schedules = new Map<string, ScheduleState>()
  private readonly calendars = new Map<string, CalendarState>()
  private reached: Position = 0

  /** `events`: the whole log in order. */
  upTo(events: readonly RecordedEvent[], position: Position): void {
    for (const event of events.slice(this.reached, position)) this.apply(event)
    this.reached = Math.max(this.reached, position)
  }

  /** What differs, in words; empty when nothing does. `views` is at the position folded to. */
  differences(views: ViewStore): readonly string[] {
    if (views.position() !== this.reached) {
      return [`the read models say position ${views.position()} at ${this.reached}`]
    }
    return [
      ...compare('task', this.tasks, (id) => views.task(id)),
      ...compare('schedule', this.schedules, (id) => views.schedule(id)),
      ...compare('calendar', this.calendars, (id) => views.calendar(id)),
      ...this.listDifferences(views),
    ]
  }

  private apply(event: RecordedEvent): void {
    const { stream } = event
    if (stream.startsWith('task-')) {
      fold(this.tasks, stream.slice('task-00-'.length), (state) => evolveTask(state, event))
    } else if (stream.startsWith('schedule-')) {
      fold(this.schedules, stream.slice('schedule-'.length), (state) => evolveSchedule(state, event))
    } else if (stream.startsWith('calendar-')) {
      fold(this.calendars, stream.slice('calendar-'.length), (state) => evolveCalendar(state, event))
    }
  }

  /** The lists that the scheduler works from. */
  private listDifferences(views: ViewStore): readonly string[] {
    const wanted = [...this.tasks.values()]
      .filter(({ status, spec, quarantine }) => status === 'active' && spec.enabled && quarantine === null)
      .map(({ taskId }) => taskId)
      .sort()
    const listed = views.plannable('', wanted.length + 1).map(({ taskId }) => taskId)
    const isSame = canonical(wanted) === canonical([...listed].sort())
    return isSame ? [] : [`plannable lists ${listed.length} tasks instead of ${wanted.length}`]
  }
}

function fold<S>(states: Map<string, S>, id: string, evolve: (state: S | undefined) => S | undefined): void {
  const next = evolve(states.get(id))
  if (next !== undefined) states.set(id, next)
}

function compare<S>(
  what: string,
  wanted: ReadonlyMap<string, S>,
  found: (id: string) => S | undefined,
): readonly string[] {
  return [...wanted].flatMap(([id, state]) => {
    const there = found(id)
    if (there === state) return []
    const isSame = there !== undefined && canonical(there) === canonical(state)
    return isSame ? [] : [`${what} ${id} is ${canonical(there ?? null)} instead of ${canonical(state)}`]
  })
}
