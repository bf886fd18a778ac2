import type {
  CalendarState,
  CommandContext,
  Conflict,
  FieldDiff,
  Position,
  RecordedEvent,
  Refusal,
  ScheduleState,
  Subject,
  TaskState,
} from '@almanac/domain'
import type { Instant, Result } from '@almanac/recurrence'
import type { Outcome } from './outcome.js'

export interface UndoOptions {
  /** Also fields that were changed again since: what others made of them is lost. */
  readonly force: boolean
  /** The revision that the caller has seen (If-Match); undefined: any. */
  readonly expected?: number | undefined
}

export interface UndoPreview {
  readonly undone: RecordedEvent
  /** What would be set, from the present value to the former one; empty: all is back already. */
  readonly changes: readonly FieldDiff[]
  /** What was changed again since, and forbids the undo unless it is forced. */
  readonly conflicts: readonly Conflict[]
}

/** What became of one event that was to be taken back. `unchanged`: all of it was back already. */
export type UndoneEvent = { readonly event: RecordedEvent } & (
  | { readonly outcome: 'undone' | 'unchanged'; readonly position: Position }
  | { readonly outcome: 'refused'; readonly refusal: Refusal }
)

/**
 * Takes back the change that made the event of a revision, by a new event. Refused with `undo_conflict` when its fields
 * were changed again since, unless forced; with `not_undoable` for what is no change of a specification. What is back
 * already is answered as it is.
 */
export interface UndoCommands {
  /** A creation is taken back by deleting, a deletion by restoring the task under its id and name. */
  undoTask(
    context: CommandContext,
    taskId: string,
    revision: number,
    options: UndoOptions,
  ): Outcome<TaskState>
  undoSchedule(
    context: CommandContext,
    scheduleId: string,
    revision: number,
    options: UndoOptions,
  ): Outcome<ScheduleState>
  undoCalendar(
    context: CommandContext,
    calendarId: string,
    revision: number,
    options: UndoOptions,
  ): Outcome<CalendarState>
  /**
   * Takes back all these events of one request, newest first, what tasks refer to before them. Each stands or falls
   * alone, and is answered in the order given. Repeatable: what is back already stays as it is.
   */
  undoRequest(
    context: CommandContext,
    events: readonly RecordedEvent[],
    options: Pick<UndoOptions, 'force'>,
  ): Promise<readonly UndoneEvent[]>
  /** What it would do now. Changes nothing. */
  previewUndo(namespace: string, subject: Subject, revision: number): Promise<Result<UndoPreview, Refusal>>
}

/** What an event is about, as far as it concerns people. */
export type EventSubject = 'task' | 'schedule' | 'calendar' | 'key' | 'webhook' | 'cluster'

/** All that is given must hold. */
export interface AuditFilter {
  readonly actor?: string
  readonly kinds?: readonly EventSubject[]
  readonly types?: readonly string[]
  readonly taskId?: string
  readonly correlationId?: string
  /** Instants of the events, both inclusive. */
  readonly from?: Instant
  readonly to?: Instant
}

/** What a feed tells; left out: everything. */
export type FeedFilter = Pick<AuditFilter, 'kinds' | 'taskId'>

export interface AuditedEvent {
  readonly event: RecordedEvent
  /** The specification of its subject before it; undefined: there was none, or it is not known. */
  readonly before: object | undefined
}

export interface AuditPage<E = RecordedEvent> {
  readonly events: readonly E[]
  /** The position to go on after; null: that was all. */
  readonly next: Position | null
  /** Everything up to here has been looked at. */
  readonly position: Position
}
