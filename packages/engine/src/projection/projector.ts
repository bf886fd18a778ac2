import {
  type CalendarState,
  evolveCalendar,
  evolveSchedule,
  evolveTask,
  type Marker,
  type Position,
  type RecordedEvent,
  type ScheduleState,
  type TaskState,
} from '@almanac/domain'
import type { Clock, Stop } from '../ports/clock.js'
import type { EventLog, EventPage } from '../ports/event-log.js'
import { PortFault, unavailable } from '../ports/faults.js'
import type { Telemetry } from '../ports/telemetry.js'
import type { Versioned, ViewStore } from '../ports/view-store.js'
import { createStop } from '../stop.js'
import { projected } from '../telemetry/projected.js'

/** One applied event of a task, schedule or calendar, with what it changed. */
export type Change =
  | {
      readonly kind: 'task'
      readonly event: RecordedEvent
      readonly before: TaskState | undefined
      readonly after: TaskState
    }
  | {
      readonly kind: 'schedule'
      readonly event: RecordedEvent
      readonly before: ScheduleState | undefined
      readonly after: ScheduleState
    }
  | {
      readonly kind: 'calendar'
      readonly event: RecordedEvent
      readonly before: CalendarState | undefined
      readonly after: CalendarState
    }
  | { readonly kind: 'other'; readonly event: RecordedEvent }

interface ProjectorParts {
  readonly log: EventLog
  readonly views: ViewStore
  readonly clock: Clock
  /** Called after each applied page, in the same turn: read models and listener never differ. */
  readonly onChanges: (changes: readonly Change[], position: Position) => void
  /** The log or the views can't be reached; tried again. */
  readonly onFault: (message: string, fault: unknown) => void
  readonly retryMs: number
  readonly telemetry: Telemetry
}

/**
 * Folds the event log into the read models, page by page, in one loop. The position is stored with the rows, so
 * a crash repeats nothing and loses nothing.
 */
export class Projector {
  private readonly parts: ProjectorParts
  private readonly waiters = new Set<{ readonly position: Position; readonly reached: () => void }>()
  /** When following began to fail, on elapsed time; undefined: it does not. */
  private cutOffAt: number | undefined

  constructor(parts: ProjectorParts) {
    this.parts = parts
  }

  position(): Position {
    return this.parts.views.position()
  }

  /** How long the log has been out of reach; 0: it is not, as far as this node has seen. Milliseconds. */
  cutOffMs(): number {
    return this.cutOffAt === undefined ? 0 : this.parts.clock.elapsed() - this.cutOffAt
  }

  /** Applies all that the log has now, or ends with `stop`; `onProgress` is told after each page. */
  async catchUp(onProgress: (position: Position, head: Position) => void, stop: Stop): Promise<void> {
    const { log } = this.parts
    let head: Position | undefined
    await this.persist(stop, async () => {
      head ??= await log.head()
      while (this.position() < head && !stop.stopped) {
        const page = await log.readAll(this.position(), pageSize)
        // A server that is behind has answered.
        if (page.position <= this.position()) throw unavailable(`the log ends before position ${head}`)
        this.apply(page)
        onProgress(this.position(), head)
      }
      this.cutOffAt = undefined
      return 'done'
    })
  }

  /** Applies what comes, until `stop`. */
  async run(stop: Stop): Promise<void> {
    await this.persist(stop, async () => {
      const { log, clock, telemetry } = this.parts
      if (this.cutOffAt !== undefined) {
        // A log in which nothing happens shows no page, and so not that it is there again.
        await log.head()
        this.cutOffAt = undefined
      }
      for await (const page of log.follow(this.position(), stop)) {
        const begunAt = clock.elapsed()
        const events = this.apply(page)
        projected(telemetry, clock, events, clock.elapsed() - begunAt)
      }
      return 'again'
    })
  }

  /** Goes on after faults of the ports, from where the views are: what they have stored they have stored whole. */
  private async persist(stop: Stop, work: () => Promise<'done' | 'again'>): Promise<void> {
    while (!stop.stopped) {
      try {
        if ((await work()) === 'done') return
      } catch (fault) {
        if (!(fault instanceof PortFault)) throw fault
        this.cutOffAt ??= this.parts.clock.elapsed()
        this.parts.onFault('following the event log', fault)
        await this.parts.clock.sleep(this.parts.retryMs, stop)
      }
    }
  }

  /** Resolves true once everything up to `position` is applied, false after `timeoutMs`, or when `stop` fires. */
  async waitFor(position: Position, timeoutMs: number, stop?: Stop): Promise<boolean> {
    if (this.position() >= position) return true
    const done = createStop()
    const waiter = { position, reached: () => done.stop() }
    this.waiters.add(waiter)
    const forget = stop?.onStop(() => done.stop())
    await this.parts.clock.sleep(timeoutMs, done)
    forget?.()
    this.waiters.delete(waiter)
    return this.position() >= position
  }

  /** Returns what is new of the page. */
  private apply(page: EventPage): readonly RecordedEvent[] {
    const known = this.position()
    if (page.position <= known) return []
    const batch = new Batch(this.parts.views)
    // A subscription that begins anew may show again what has been applied.
    const events = page.events.filter((event) => event.position > known)
    for (const event of events) batch.add(event)
    const last = events.at(-1)
    this.parts.views.apply({
      position: page.position,
      at: last === undefined ? 0 : last.metadata.at,
      tasks: batch.tasks,
      schedules: batch.schedules,
      calendars: batch.calendars,
      markers: batch.markers,
    })
    this.parts.onChanges(batch.changes, page.position)
    for (const waiter of [...this.waiters]) if (waiter.position <= page.position) waiter.reached()
    return events
  }
}

const pageSize = 2_000

/** An event that can't be folded stops its task alone, as one that can't be read does. */
function evolveGuarded(before: TaskState | undefined, event: RecordedEvent): TaskState | undefined {
  try {
    return evolveTask(before, event)
  } catch {
    return evolveTask(before, { ...event, type: `${event.type}@unreadable` })
  }
}

/** The states that a page of events leads to. */
class Batch {
  readonly tasks: Versioned<TaskState>[] = []
  readonly schedules: Versioned<ScheduleState>[] = []
  readonly calendars: Versioned<CalendarState>[] = []
  readonly markers = new Map<string, Marker>()
  readonly changes: Change[] = []
  private readonly newest = new Map<string, TaskState | ScheduleState | CalendarState>()
  private readonly views: ViewStore

  constructor(views: ViewStore) {
    this.views = views
  }

  add(event: RecordedEvent): void {
    const { stream } = event
    if (stream.startsWith('task-')) this.addTask(event, stream.slice('task-00-'.length))
    else if (stream.startsWith('schedule-')) this.addSchedule(event, stream.slice('schedule-'.length))
    else if (stream.startsWith('calendar-')) this.addCalendar(event, stream.slice('calendar-'.length))
    else if (event.type === 'ChangeAnnounced') this.mark(event)
    else this.changes.push({ kind: 'other', event })
  }

  private addTask(event: RecordedEvent, id: string): void {
    const before = this.before<TaskState>(event, () => this.views.task(id))
    const after = evolveGuarded(before, event)
    if (after === undefined) return
    this.newest.set(event.stream, after)
    this.tasks.push({ state: after, position: event.position, at: event.metadata.at })
    this.changes.push({ kind: 'task', event, before, after })
    if (event.type !== 'TaskAbandoned') this.mark(event)
  }

  private addSchedule(event: RecordedEvent, id: string): void {
    const before = this.before<ScheduleState>(event, () => this.views.schedule(id))
    const after = evolveSchedule(before, event)
    if (after === undefined) return
    this.newest.set(event.stream, after)
    this.schedules.push({ state: after, position: event.position, at: event.metadata.at })
    this.changes.push({ kind: 'schedule', event, before, after })
    this.mark(event)
  }

  private addCalendar(event: RecordedEvent, id: string): void {
    const before = this.before<CalendarState>(event, () => this.views.calendar(id))
    const after = evolveCalendar(before, event)
    if (after === undefined) return
    this.newest.set(event.stream, after)
    this.calendars.push({ state: after, position: event.position, at: event.metadata.at })
    this.changes.push({ kind: 'calendar', event, before, after })
    this.mark(event)
  }

  /** The state before the event: of this page, else of the read models. A stream's first event has none. */
  private before<S>(event: RecordedEvent, stored: () => S | undefined): S | undefined {
    if (event.revision === 0) return undefined
    return (this.newest.get(event.stream) as S | undefined) ?? stored()
  }

  private mark(event: RecordedEvent): void {
    const { namespace, at } = event.metadata
    this.markers.set(namespace, { position: event.position, at })
  }
}
