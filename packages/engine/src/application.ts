import type {
  ApiKey,
  CalendarSpec,
  CalendarState,
  CommandContext,
  Json,
  Marker,
  Member,
  PartitionId,
  Position,
  RecordedEvent,
  Refusal,
  RunRecord,
  RunStatus,
  RunTotals,
  ScheduleSpec,
  ScheduleState,
  SkipReason,
  Subject,
  TaskBackfillRequested,
  TaskSpec,
  TaskState,
} from '@almanac/domain'
import type { Instant, Result, ScheduleValue } from '@almanac/recurrence'
import type { AuditedEvent, AuditFilter, AuditPage, FeedFilter, UndoCommands } from './change-types.js'
import type { RunIntake } from './intake/types.js'
import type { Applied, Outcome } from './outcome.js'
import type { RunFilter } from './ports/run-store.js'
import type { Listed, Page, TaskFilter } from './ports/view-store.js'
import type { WebhookOffice } from './webhook/office.js'

/** Only what the caller says; everything else gets its default. */
export type TaskInput = Pick<TaskSpec, 'name' | 'task' | 'schedule'> & Partial<TaskSpec>

/** What a key is made of, beside what its maker asks for. */
export interface NewKey {
  readonly keyId: string
  readonly secretHash: string
  /** Until it is made, everybody may do everything. */
  readonly isOpen: boolean
}

/** Commands on API keys. They check no right: who asks does. */
export interface KeyCommands {
  /**
   * Makes a key whose secret has this hash. Repeated with its idempotency key it answers the key of the first time,
   * whose secret was another one.
   */
  createKey(context: CommandContext, made: NewKey, input: unknown): Outcome<ApiKey>
  /** For good. Revoking again changes nothing. */
  revokeKey(context: CommandContext, keyId: string): Outcome<ApiKey>
  /** Notes that it was used, at most once a day. */
  useKey(context: CommandContext, keyId: string): Outcome<ApiKey>
}

/** Commands on aggregates. `expected`: the revision the caller has seen (If-Match); undefined: any. */
export interface Commands extends KeyCommands, UndoCommands {
  createTask(context: CommandContext, input: TaskInput, imported?: TaskState['imported']): Outcome<TaskState>
  /** Create or replace by name; `onlyCreate`: leave an existing one untouched and answer it (get-or-create). */
  putTask(
    context: CommandContext,
    input: TaskInput,
    options: { onlyCreate: boolean; expected?: number },
  ): Outcome<TaskState>
  changeTask(
    context: CommandContext,
    taskId: string,
    changes: Partial<TaskSpec>,
    expected?: number,
  ): Outcome<TaskState>
  enableTask(context: CommandContext, taskId: string, expected?: number): Outcome<TaskState>
  disableTask(context: CommandContext, taskId: string, expected?: number): Outcome<TaskState>
  /** One coming occurrence does not run; `isBack`: it does after all. */
  cancelOccurrence(
    context: CommandContext,
    taskId: string,
    at: Instant,
    isBack: boolean,
    expected?: number,
  ): Outcome<TaskState>
  /** One coming occurrence is at another time, which is half a minute ahead at least. */
  moveOccurrence(
    context: CommandContext,
    taskId: string,
    at: Instant,
    to: Instant,
    expected?: number,
  ): Outcome<TaskState>
  /** Nothing runs that comes due before `until`, which lies in the future; then the task goes on by itself. */
  pauseTask(context: CommandContext, taskId: string, until: Instant, expected?: number): Outcome<TaskState>
  deleteTask(context: CommandContext, taskId: string, expected?: number): Outcome<TaskState>
  triggerTask(
    context: CommandContext,
    taskId: string,
    override: { args?: readonly Json[]; kwargs?: { readonly [key: string]: Json } },
  ): Promise<Result<Applied<TaskState> & { readonly runId: string }, Refusal>>
  backfillTask(context: CommandContext, taskId: string, range: TaskBackfillRequested): Outcome<TaskState>
  resetHistory(context: CommandContext, taskId: string): Outcome<TaskState>

  createSchedule(context: CommandContext, input: ScheduleInput): Outcome<ScheduleState>
  changeSchedule(
    context: CommandContext,
    scheduleId: string,
    changes: Partial<Omit<ScheduleSpec, 'name'>>,
    expected?: number,
  ): Outcome<ScheduleState>
  /** Refused while tasks use it, unless `cascade`: then they are deleted too. */
  deleteSchedule(context: CommandContext, scheduleId: string, cascade: boolean): Outcome<ScheduleState>

  createCalendar(context: CommandContext, input: CalendarInput): Outcome<CalendarState>
  changeCalendar(
    context: CommandContext,
    calendarId: string,
    changes: Partial<Omit<CalendarSpec, 'name'>>,
    expected?: number,
  ): Outcome<CalendarState>
  deleteCalendar(context: CommandContext, calendarId: string): Outcome<CalendarState>

  /** Appends a `ChangeAnnounced`, so that the marker moves. */
  announceChange(context: CommandContext, note: string): Promise<{ readonly position: Position }>
}

export type ScheduleInput = Pick<ScheduleSpec, 'name' | 'schedule'> & Partial<ScheduleSpec>
export type CalendarInput = Pick<CalendarSpec, 'name' | 'days'> & Partial<CalendarSpec>

/** A task as it is shown: its state with what the schedule and the run ledger add. */
export interface TaskView {
  readonly state: TaskState
  /** The schedule as a value: the shared one's when the task refers to one; null when that is gone. */
  readonly scheduleValue: ScheduleValue | null
  readonly scheduleText: string
  /** Next dispatch; null when disabled, ended or quarantined. */
  readonly nextRunAt: Instant | null
  /** Null in a view of the past: totals are known for now only. */
  readonly totals: RunTotals | null
}

/** One occurrence and what became of it. */
export interface OccurrenceView {
  readonly at: Instant
  /** `due`: in the future, or not decided yet. `none`: the task was not enabled, see `reason`. */
  readonly outcome: 'due' | 'emitted' | 'skipped'
  readonly reason: SkipReason | null
  readonly runId: string | null
  readonly status: RunStatus | null
  /** With a skipped range: how many occurrences it stands for. */
  readonly count: number
  readonly revision: number | null
}

/** Reads. Every read takes `minPosition` first through `waitFor`. */
export interface Queries {
  /** Resolves true when the read models have everything up to `position`; false after `timeoutMs`. */
  waitFor(position: Position, timeoutMs: number): Promise<boolean>
  position(): Position
  /** `asOf` an instant or a position; undefined: now. Position 0 or before the first event: nothing exists. */
  resolveAsOf(asOf: { readonly instant?: Instant; readonly position?: Position }): Position
  task(namespace: string, taskId: string, asOf?: Position): TaskView | undefined
  taskByName(namespace: string, name: string, asOf?: Position): TaskView | undefined
  /** What the schedule and the run ledger add to a state that the caller has. */
  viewOf(state: TaskState): TaskView
  tasks(namespace: string, filter: TaskFilter, page: Page, asOf?: Position): Listed<TaskView>
  schedule(namespace: string, scheduleId: string, asOf?: Position): ScheduleState | undefined
  schedules(namespace: string, page: Page, asOf?: Position): Listed<ScheduleState>
  /** Names of tasks that use it, at most `max`, and how many there are. */
  scheduleUsers(
    namespace: string,
    scheduleName: string,
    max: number,
    asOf?: Position,
  ): { readonly names: readonly string[]; readonly total: number }
  calendar(namespace: string, calendarId: string, asOf?: Position): CalendarState | undefined
  calendars(namespace: string, page: Page, asOf?: Position): Listed<CalendarState>
  /** Events of a task, or of a `kind`, oldest first; empty when there is none of that id in the namespace. */
  history(namespace: string, id: string, kind?: Subject['kind']): Promise<readonly RecordedEvent[]>
  /**
   * Who changed what in a namespace, oldest first, at most `max`. Reads a bounded part of the log: a page may be
   * short, or empty, although more follow.
   */
  audit(
    namespace: string,
    after: Position,
    max: number,
    filter: AuditFilter,
  ): Promise<AuditPage<AuditedEvent>>
  /** Events of a namespace after a position, for the change feed. */
  changes(
    namespace: string,
    after: Position,
    max: number,
    filter?: FeedFilter,
  ): Promise<{ readonly events: readonly RecordedEvent[]; readonly position: Position }>
  marker(namespace: string): Marker | undefined
  /** As this node has it: at most as old as its read models. */
  key(keyId: string): ApiKey | undefined
  /**
   * All keys of all namespaces, those that open nothing any more too, in the order in which they were made. Undefined:
   * they have not been read yet.
   */
  keys(): readonly ApiKey[] | undefined
  /** The coming occurrences of a task after `from`, at most `count`. */
  coming(
    namespace: string,
    taskId: string,
    from: Instant,
    count: number,
  ): readonly OccurrenceView[] | undefined
  /**
   * Occurrences in `[from, until]` with their outcomes, oldest first, at most `max`. `isContinued`: without ranges of
   * skips that began before `from`.
   */
  outcomes(
    namespace: string,
    taskId: string,
    from: Instant,
    until: Instant,
    max: number,
    isContinued?: boolean,
  ): Promise<readonly OccurrenceView[] | undefined>
  /** What a backfill of this range would run. Changes nothing. */
  backfillPreview(namespace: string, taskId: string, range: object): Promise<Result<BackfillPreview, Refusal>>
  run(namespace: string, runId: string): RunRecord | undefined
  runs(namespace: string, filter: RunFilter, page: Page): Listed<RunRecord>
}

export interface BackfillPreview {
  /** Occurrences in the range. */
  readonly total: number
  /** Of these the backfill would run so many. */
  readonly runs: number
  /** In the order in which they would run, with what became of each so far; null: nothing that is known. */
  readonly items: readonly {
    readonly at: Instant
    readonly outcome: 'emitted' | 'skipped' | null
    readonly reason: SkipReason | null
    readonly status: RunStatus | null
  }[]
}

export interface PartitionStatus {
  readonly partition: PartitionId
  readonly owner: string | null
  readonly term: number | null
  readonly seq: number | null
  readonly position: Position | null
  /** Instant up to which everything is decided. */
  readonly cursorAt: Instant | null
  readonly evaluatedAt: Instant | null
  /** Tasks that wait for their next instant; null: another node's partition. */
  readonly tasks: number | null
  /** Null: nothing is, or another node's partition. */
  readonly nextDueAt: Instant | null
}

/** Whether the partition is owned by the node whose status this is, at this moment. */
export const isOwnedHere = ({ tasks }: PartitionStatus): boolean => tasks !== null

export interface NodeStatus {
  readonly nodeId: string
  readonly cluster: string
  readonly engineVersion: string
  readonly startedAt: Instant
  readonly now: Instant
  readonly ready: boolean
  /** Why not ready; null when ready. */
  readonly problem: string | null
  readonly head: Position
  readonly viewPosition: Position
  /** All live nodes, as they last told of themselves, this one included; empty: there is one only. */
  readonly members: readonly Member[]
  readonly partitions: readonly PartitionStatus[]
  readonly counters: { readonly [name: string]: number }
  readonly tasks: { readonly tasks: number; readonly enabled: number; readonly quarantined: number }
  readonly runs: { readonly [status in RunStatus]?: number }
}

/** Whose runs a change decides: a task's own, or those of all tasks that use a shared schedule or a calendar. */
export type Affected = { readonly kind: 'task'; readonly taskId: string } | SharedDefinition

/** A schedule or a calendar that tasks refer to by its name. */
export interface SharedDefinition {
  readonly kind: 'schedule' | 'calendar'
  readonly namespace: string
  readonly name: string
}

/** What a service needs of a running node. */
export interface Application {
  readonly commands: Commands
  readonly queries: Queries
  /** Null: workers read runs elsewhere, from the topics of a cluster. */
  readonly intake: RunIntake | null
  /** Null: this node serves none. */
  readonly webhooks: WebhookOffice | null
  status(): NodeStatus
  /**
   * Resolves true once no run can be committed any more that was decided without the change at `position`; false
   * after `timeoutMs`: the change is stored all the same, and will be used.
   */
  fenced(affected: readonly Affected[], position: Position, timeoutMs: number): Promise<boolean>
}
