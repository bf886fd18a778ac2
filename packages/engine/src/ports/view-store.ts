import type { CalendarState, Marker, PartitionId, Position, ScheduleState, TaskState } from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'

/** The entity states that changed in one batch of events, and the position the batch ends at. */
export interface ViewBatch {
  readonly position: Position
  /** Time of the last event in the batch. */
  readonly at: Instant
  readonly tasks: readonly Versioned<TaskState>[]
  readonly schedules: readonly Versioned<ScheduleState>[]
  readonly calendars: readonly Versioned<CalendarState>[]
  /** Namespaces whose marker moves, with the new marker. */
  readonly markers: ReadonlyMap<string, Marker>
}

/** A state and the position of the event that led to it. Several of one entity come in order. */
export interface Versioned<S> {
  readonly state: S
  readonly position: Position
  readonly at: Instant
}

export interface TaskFilter {
  readonly enabled?: boolean
  readonly name?: string
  readonly task?: string
  readonly queue?: string
  /** `key=value`, or `key` alone: has the label. All must hold. */
  readonly labels?: readonly string[]
  readonly scheduleKind?: string
  /** Name of a shared schedule. */
  readonly scheduleRef?: string
  /** Found anywhere in name, task or description, letter case aside. */
  readonly q?: string
  readonly quarantined?: boolean
}

/** The tasks whose slot belongs to a partition: those with `partitionOf(taskId, partitions) === partition`. */
export interface SlotFilter {
  readonly partition: PartitionId
  /** How many partitions there are, 1 to 256. */
  readonly partitions: number
}

export interface Page {
  /** 1 to 1000 */
  readonly limit: number
  /** Opaque, from the previous page of the same order. */
  readonly cursor?: string
  /** Of lists of tasks. Default: by name. Equal ones by id. */
  readonly order?: TaskOrder
}

/** Names in the order of their code points; the newest last, unless it is turned round. */
export interface TaskOrder {
  readonly by: 'name' | 'createdAt' | 'changedAt'
  readonly isDescending: boolean
}

export const byName: TaskOrder = { by: 'name', isDescending: false }

/** A page cursor that no list of this store has given out: the caller's mistake, neither a fault nor a refusal. */
export class InvalidCursor extends Error {
  constructor() {
    super('This cursor was not given out by this list.')
    this.name = 'InvalidCursor'
  }
}

export interface Listed<T> {
  readonly items: readonly T[]
  readonly nextCursor: string | null
  readonly total: number
}

/**
 * The read models of this node: a local store, so its calls are synchronous. It can be deleted at any time and
 * is rebuilt from the event log. `apply` stores states and position in one transaction.
 */
export interface ViewStore {
  position(): Position
  apply(batch: ViewBatch): void

  task(taskId: string): TaskState | undefined
  tasks(taskIds: readonly string[]): ReadonlyMap<string, TaskState>
  /** Of an active task only. */
  taskIdByName(namespace: string, name: string): string | undefined
  /** Active tasks, by name unless the page says otherwise. `asOf`: as they were at that position. */
  listTasks(namespace: string, filter: TaskFilter, page: Page, asOf?: Position): Listed<TaskState>
  taskAsOf(taskId: string, asOf: Position): TaskState | undefined
  /**
   * Every enabled, active, not quarantined task, in batches; `after` is the last task id of the previous batch. By id,
   * but with `only` in an order of the store's own: those of one partition, without a look at the others.
   */
  plannable(after: string, max: number, only?: SlotFilter): readonly TaskState[]
  /** Ids of active tasks that use a shared schedule. */
  tasksUsing(namespace: string, scheduleName: string): readonly string[]
  /** Active, enabled task counts by namespace. */
  counts(): { readonly tasks: number; readonly enabled: number; readonly quarantined: number }

  schedule(scheduleId: string): ScheduleState | undefined
  listSchedules(namespace: string, page: Page, asOf?: Position): Listed<ScheduleState>
  calendar(calendarId: string): CalendarState | undefined
  listCalendars(namespace: string, page: Page, asOf?: Position): Listed<CalendarState>

  /**
   * Whoever asks very much of a store that answers at once would keep everything else of the process waiting. Between
   * parts of such work this is asked for: it resolves when what else was ready has had its turn.
   */
  othersTurn(): Promise<void>

  marker(namespace: string): Marker | undefined
  /** The last position whose event is at or before `at`; 0 when there is none. */
  positionAt(at: Instant): Position
  close(): void
}

/** Shared schedules and calendars are few: the list as of then is searched. */
export function findListed<S>(
  list: (page: Page) => Listed<S>,
  matches: (state: S) => boolean,
): S | undefined {
  let page: Page = { limit: 1000 }
  for (;;) {
    const listed = list(page)
    const found = listed.items.find(matches)
    if (found !== undefined || listed.nextCursor === null) return found
    page = { limit: 1000, cursor: listed.nextCursor }
  }
}
