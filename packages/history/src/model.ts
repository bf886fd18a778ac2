import {
  type CalendarState,
  calendarIdOf,
  calendarsOf,
  type Definition,
  definitionOf,
  evolveCalendar,
  evolveSchedule,
  evolveTask,
  type Lookups,
  type PartitionId,
  type Position,
  partitionOf,
  type RecordedEvent,
  resolveSchedule,
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
import { lastIndexAt } from './search.js'

/** A state, from its event's position on. */
export interface Version<S> {
  readonly position: Position
  readonly event: RecordedEvent
  readonly state: S
}

export interface TaskLine {
  readonly taskId: string
  readonly namespace: string
  readonly partition: PartitionId
  /** In the order of their positions; a stream's unreadable beginning has none. */
  readonly versions: readonly Version<TaskState>[]
}

/** What the events say that held at each position: an account of its own, apart from the engine's read models. */
export class Model {
  readonly tasks: ReadonlyMap<string, TaskLine>
  private readonly schedules = new Map<string, Version<ScheduleState>[]>()
  private readonly calendars = new Map<string, Version<CalendarState>[]>()
  /** By namespace: where a shared schedule or calendar changed. */
  private readonly sharedChanges = new Map<string, Position[]>()
  private readonly lookups = new Map<string, Lookups>()
  private readonly compiled = new Map<string, Result<Recurrence>>()
  private readonly definitions = new WeakMap<TaskState, Map<number, Definition | null>>()
  private readonly sharing = new WeakMap<TaskState, boolean>()

  constructor(events: readonly RecordedEvent[], partitions: number) {
    const tasks = new Map<string, { line: TaskLine; versions: Version<TaskState>[] }>()
    for (const event of events) {
      const { stream } = event
      if (stream.startsWith('task-')) foldTask(tasks, event, partitions)
      else if (stream.startsWith('schedule-')) this.foldShared(this.schedules, event, evolveSchedule)
      else if (stream.startsWith('calendar-')) this.foldShared(this.calendars, event, evolveCalendar)
    }
    this.tasks = new Map([...tasks].map(([taskId, { line }]) => [taskId, line]))
  }

  /** The task's state at a position; undefined before its first event. */
  stateAt(taskId: string, position: Position): TaskState | undefined {
    const versions = this.tasks.get(taskId)?.versions ?? []
    return versions[lastIndexAt(versions, position, positionOf)]?.state
  }

  stateOf(taskId: string, revision: number): TaskState | undefined {
    const versions = this.tasks.get(taskId)?.versions ?? []
    const found = versions[lastIndexAt(versions, revision, ({ state }) => state.revision)]?.state
    return found?.revision === revision ? found : undefined
  }

  /** How the task is planned by a state of it and what it refers to at a position; null: it can't be. */
  definition(state: TaskState, position: Position): Definition | null {
    const index = this.isSharing(state) ? this.sharedIndex(state.namespace, position) : 0
    let known = this.definitions.get(state)
    if (known === undefined) {
      known = new Map()
      this.definitions.set(state, known)
    }
    let definition = known.get(index)
    if (definition === undefined) {
      definition = this.resolve(state, position, index)
      known.set(index, definition)
    }
    return definition
  }

  /** True when the task refers to something that may change without an event of its own. */
  isSharing(state: TaskState): boolean {
    let isSharing = this.sharing.get(state)
    if (isSharing === undefined) {
      isSharing = JSON.stringify(state.spec.schedule).includes('"ref"')
      this.sharing.set(state, isSharing)
    }
    return isSharing
  }

  /** Changes of what the task of this state refers to, at positions in `(after, until)`. */
  sharedChangesOf(state: TaskState, after: Position, until: Position): readonly RecordedEvent[] {
    if (!this.isSharing(state)) return []
    const { namespace, spec } = state
    const ofSchedule =
      'ref' in spec.schedule
        ? (this.schedules.get(scheduleIdOf(namespace, spec.schedule.ref)) ?? []).filter(within(after, until))
        : []
    const ofCalendars = [...this.calendars.values()]
      .flatMap((versions) => versions.filter(within(after, until)))
      .filter(
        ({
          state: {
            namespace: its,
            spec: { name },
          },
          position,
        }) => (its === namespace ? [position - 1, position].some((at) => this.uses(state, name, at)) : false),
      )
    return [...ofSchedule, ...ofCalendars].sort((a, b) => a.position - b.position).map(({ event }) => event)
  }

  private uses(state: TaskState, calendar: string, position: Position): boolean {
    const resolved = resolveSchedule(state, this.lookupsAt(state.namespace, position))
    return resolved.ok && calendarsOf(resolved.value.value).includes(calendar)
  }

  private resolve(state: TaskState, position: Position, index: number): Definition | null {
    try {
      const definition = definitionOf(state, this.lookupsAt(state.namespace, position), (value, context) =>
        this.compile(`${state.namespace}|${index}`, value, context),
      )
      return definition.ok && isSound(definition.value) ? definition.value : null
    } catch {
      return null
    }
  }

  private compile(shared: string, value: ScheduleValue, context: CompileContext): Result<Recurrence> {
    const text = JSON.stringify(value)
    const anchor = text.includes('"interval"') ? context.anchor : ''
    const key = `${text.includes('"ref"') ? shared : ''}|${anchor}|${text}`
    let compiled = this.compiled.get(key)
    if (compiled === undefined) {
      compiled = compile(value, context)
      this.compiled.set(key, compiled)
    }
    return compiled
  }

  private lookupsAt(namespace: string, position: Position): Lookups {
    const key = `${this.sharedIndex(namespace, position)}|${namespace}`
    let lookups = this.lookups.get(key)
    if (lookups === undefined) {
      const calendar = (name: string) => at(this.calendars.get(calendarIdOf(namespace, name)), position)
      lookups = {
        schedule: (name) => at(this.schedules.get(scheduleIdOf(namespace, name)), position),
        calendar: (name) => {
          const state = calendar(name)
          return state?.status === 'active' ? state.spec.days : undefined
        },
        calendarChangedAt: (name) => calendar(name)?.changedAt,
      }
      this.lookups.set(key, lookups)
    }
    return lookups
  }

  private sharedIndex(namespace: string, position: Position): number {
    return lastIndexAt(this.sharedChanges.get(namespace) ?? [], position, (change) => change)
  }

  private foldShared<S extends { readonly namespace: string }>(
    streams: Map<string, Version<S>[]>,
    event: RecordedEvent,
    evolve: (state: S | undefined, event: RecordedEvent) => S | undefined,
  ): void {
    const id = event.stream.slice(event.stream.indexOf('-') + 1)
    const versions = streams.get(id) ?? []
    const state = evolve(versions.at(-1)?.state, event)
    if (state === undefined) return
    versions.push({ position: event.position, event, state })
    streams.set(id, versions)
    const changes = this.sharedChanges.get(state.namespace) ?? []
    changes.push(event.position)
    this.sharedChanges.set(state.namespace, changes)
  }
}

/** Only these have occurrences that are due. */
export const isPlannable = (state: TaskState): boolean =>
  state.status === 'active' && state.spec.enabled && state.quarantine === null

function foldTask(
  tasks: Map<string, { line: TaskLine; versions: Version<TaskState>[] }>,
  event: RecordedEvent,
  partitions: number,
): void {
  const taskId = event.stream.slice('task-00-'.length)
  let task = tasks.get(taskId)
  const state = evolveGuarded(task?.versions.at(-1)?.state, event)
  if (state === undefined) return
  if (task === undefined) {
    const versions: Version<TaskState>[] = []
    const { namespace } = state
    task = { versions, line: { taskId, namespace, partition: partitionOf(taskId, partitions), versions } }
    tasks.set(taskId, task)
  }
  task.versions.push({ position: event.position, event, state })
}

/** An event that can't be folded stops its task alone, as one that can't be read does. */
function evolveGuarded(state: TaskState | undefined, event: RecordedEvent): TaskState | undefined {
  try {
    return evolveTask(state, event)
  } catch {
    return evolveTask(state, { ...event, type: `${event.type}@unreadable` })
  }
}

const positionOf = ({ position }: { readonly position: Position }): Position => position

const within =
  (after: Position, until: Position) =>
  ({ position }: { readonly position: Position }): boolean =>
    position > after && position < until

const at = <S>(versions: readonly Version<S>[] | undefined, position: Position): S | undefined =>
  versions?.[lastIndexAt(versions, position, positionOf)]?.state

const isSound = ({ since, notBefore, expires, finalAt, jitterMs }: Definition): boolean =>
  [since, notBefore ?? 0, expires ?? 0, finalAt ?? 0, jitterMs].every(Number.isFinite)
