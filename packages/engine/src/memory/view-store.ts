import type { CalendarState, Marker, Position, ScheduleState, TaskState } from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'
import type {
  Listed,
  Page,
  SlotFilter,
  TaskFilter,
  Versioned,
  ViewBatch,
  ViewStore,
} from '../ports/view-store.js'
import { byName } from '../ports/view-store.js'
import { compareText, type ListOrder, pageOf } from './lists.js'
import { kindOf, taskTest } from './task-filter.js'
import { TaskIndex } from './task-index.js'
import { Times, Versions } from './versions.js'

export interface MemoryViewStore extends ViewStore {
  /** A copy of now that goes its own way: what a node finds that starts again from an older file. */
  clone(): MemoryViewStore
}

/**
 * Read models that live in this process: for tests and the simulator. States are kept and given out as they are, not
 * copied: whoever would change one breaks the others' view.
 */
export function memoryViewStore(): MemoryViewStore {
  return new ViewsInMemory()
}

class ViewsInMemory implements MemoryViewStore {
  private readonly kept: Kept
  private reached: Position

  constructor(from?: ViewsInMemory) {
    this.kept = {
      tasks: from?.kept.tasks.clone() ?? new Versions(),
      schedules: from?.kept.schedules.clone() ?? new Versions(),
      calendars: from?.kept.calendars.clone() ?? new Versions(),
      index: from?.kept.index.clone() ?? TaskIndex.empty(),
      times: from?.kept.times.clone() ?? new Times(),
      markers: new Map(from?.kept.markers),
    }
    this.reached = from?.reached ?? 0
  }

  clone(): MemoryViewStore {
    return new ViewsInMemory(this)
  }

  position(): Position {
    return this.reached
  }

  /** What has been applied before changes nothing. Nothing in it can fail halfway. */
  apply(batch: ViewBatch): void {
    if (batch.position <= this.reached) return
    const isNew = ({ position }: { readonly position: Position }) => position > this.reached
    const { tasks, schedules, calendars, index, times, markers } = this.kept
    const steps: Place[] = [batch]
    for (const version of batch.tasks.filter(isNew)) {
      index.change(tasks.put(version.state.taskId, version), version.state)
      steps.push(version)
    }
    for (const version of batch.schedules.filter(isNew)) {
      schedules.put(version.state.scheduleId, version)
      steps.push(version)
    }
    for (const version of batch.calendars.filter(isNew)) {
      calendars.put(version.state.calendarId, version)
      steps.push(version)
    }
    for (const { position, at } of steps.sort((a, b) => a.position - b.position)) times.note(position, at)
    for (const [namespace, marker] of batch.markers) markers.set(namespace, marker)
    this.reached = batch.position
  }

  task(taskId: string): TaskState | undefined {
    return this.kept.tasks.get(taskId)
  }

  tasks(taskIds: readonly string[]): ReadonlyMap<string, TaskState> {
    const found = new Map<string, TaskState>()
    for (const taskId of taskIds) {
      const state = this.kept.tasks.get(taskId)
      if (state !== undefined) found.set(taskId, state)
    }
    return found
  }

  taskIdByName(namespace: string, name: string): string | undefined {
    return this.kept.index.idByName(namespace, name)
  }

  listTasks(namespace: string, filter: TaskFilter, page: Page, asOf?: Position): Listed<TaskState> {
    const { tasks, schedules } = this.kept
    const test = taskTest(filter, (kind) => {
      const shared = activeIn(schedules.all(asOf), namespace)
      return new Set(shared.filter(({ spec }) => kindOf(spec.schedule) === kind).map(({ spec }) => spec.name))
    })
    const found = activeIn(tasks.all(asOf), namespace).filter(test)
    const { by, isDescending } = page.order ?? byName
    if (by === 'name') return listed(found, ({ taskId }) => taskId, page, isDescending)
    const sign = isDescending ? -1 : 1
    const order: ListOrder<TaskState, number> = {
      keyType: 'number',
      placeOf: (state) => ({ key: state[by], id: state.taskId }),
      compare: (a, b) => sign * (a.key - b.key || compareText(a.id, b.id)),
    }
    return pageOf(
      found.sort((a, b) => order.compare(order.placeOf(a), order.placeOf(b))),
      order,
      page,
    )
  }

  taskAsOf(taskId: string, asOf: Position): TaskState | undefined {
    return this.kept.tasks.asOf(taskId, asOf)
  }

  plannable(after: string, max: number, only: SlotFilter = everySlot): readonly TaskState[] {
    const { index, tasks } = this.kept
    return index.plannable(after, max, only).flatMap((taskId) => tasks.get(taskId) ?? [])
  }

  /** Jobs that are ready have theirs: nothing else waits in a process that is simulated. */
  async othersTurn(): Promise<void> {}

  tasksUsing(namespace: string, scheduleName: string): readonly string[] {
    return this.kept.index.usersOf(namespace, scheduleName)
  }

  counts() {
    return this.kept.index.counts()
  }

  schedule(scheduleId: string): ScheduleState | undefined {
    return this.kept.schedules.get(scheduleId)
  }

  listSchedules(namespace: string, page: Page, asOf?: Position): Listed<ScheduleState> {
    const states = activeIn(this.kept.schedules.all(asOf), namespace)
    return listed(states, ({ scheduleId }) => scheduleId, page)
  }

  calendar(calendarId: string): CalendarState | undefined {
    return this.kept.calendars.get(calendarId)
  }

  listCalendars(namespace: string, page: Page, asOf?: Position): Listed<CalendarState> {
    const states = activeIn(this.kept.calendars.all(asOf), namespace)
    return listed(states, ({ calendarId }) => calendarId, page)
  }

  marker(namespace: string): Marker | undefined {
    return this.kept.markers.get(namespace)
  }

  positionAt(at: Instant): Position {
    return this.kept.times.positionAt(at)
  }

  close(): void {}
}

interface Kept {
  readonly tasks: Versions<TaskState>
  readonly schedules: Versions<ScheduleState>
  readonly calendars: Versions<CalendarState>
  readonly index: TaskIndex
  readonly times: Times
  readonly markers: Map<string, Marker>
}

type Place = Pick<Versioned<never>, 'position' | 'at'>

const everySlot: SlotFilter = { partition: 0, partitions: 1 }

interface Named {
  readonly namespace: string
  readonly status: string
  readonly spec: { readonly name: string }
}

const activeIn = <S extends Named>(states: Iterable<S>, namespace: string): readonly S[] => {
  const found: S[] = []
  for (const state of states)
    if (state.status === 'active' && state.namespace === namespace) found.push(state)
  return found
}

/** By name, in the order of code points. */
function listed<S extends Named>(
  states: readonly S[],
  idOf: (state: S) => string,
  page: Page,
  isDescending = false,
): Listed<S> {
  const sign = isDescending ? -1 : 1
  const order: ListOrder<S, string> = {
    keyType: 'string',
    placeOf: (state) => ({ key: state.spec.name, id: idOf(state) }),
    compare: (a, b) => sign * (compareText(a.key, b.key) || compareText(a.id, b.id)),
  }
  const sorted = [...states].sort((a, b) => order.compare(order.placeOf(a), order.placeOf(b)))
  return pageOf(sorted, order, page)
}
