import {
  accept,
  type CalendarState,
  type CommandContext,
  calendarStream,
  type Decision,
  decideCalendar,
  decideSchedule,
  decideTask,
  evolveCalendar,
  evolveSchedule,
  evolveTask,
  type LookBack,
  lookBack,
  type RecordedEvent,
  type Refusal,
  type Revision,
  refuse,
  type ScheduleState,
  type Subject,
  scheduleStream,
  type TaskState,
  taskStream,
  type Undoable,
  type Undoing,
  type UndoShared,
  undoConflict,
  undoOfShared,
  undoOfTask,
} from '@almanac/domain'
import type { Instant, Result } from '@almanac/recurrence'
import type { UndoOptions, UndoPreview } from '../change-types.js'
import { tokenOf } from './answers.js'
import type { Handled } from './handle.js'
import type { CommandParts } from './parts.js'
import type { SharedCommands } from './shared-commands.js'
import type { Folded } from './streams.js'
import type { TaskCommands } from './task-commands.js'

type Evolve<S> = (state: S | undefined, event: RecordedEvent) => S | undefined
type Owned = Undoable & { readonly namespace: string }

const noSuchChange = () => refuse('not_found', 'there is no change of this revision')

/**
 * Takes changes back, each by a new event in the same stream whose causation is the one that is taken back. It sets
 * exactly the fields that the change set; those that were changed again since forbid it (`undo_conflict`, which names
 * them), unless it is forced. What is back already changes nothing. An undo is a change like any other, and can be
 * taken back too.
 *
 * A command that made several events, such as an edit that also enables, is taken back event by event, the last first.
 * For a bulk operation do the same with all events of its correlation id: those of schedules and calendars that were
 * deleted before those of tasks, since a task is not restored before what it refers to.
 */
export class StreamUndo {
  private readonly parts: CommandParts
  private readonly tasks: TaskCommands
  private readonly shared: SharedCommands

  constructor(parts: CommandParts, tasks: TaskCommands, shared: SharedCommands) {
    this.parts = parts
    this.tasks = tasks
    this.shared = shared
  }

  async undoTask(
    context: CommandContext,
    taskId: string,
    revision: Revision,
    options: UndoOptions,
  ): Promise<Result<Handled<TaskState>, Refusal>> {
    const past = new Past(this.parts, context.namespace, taskStream(taskId), revision, evolveTask)
    const look = await past.now()
    if (look === undefined) return noSuchChange()
    const decide = async (folded: Folded<TaskState>, at: Instant) => {
      const present = await past.at(folded)
      if (present === undefined) return noSuchChange()
      return this.parts.references.with(context.namespace, (lookups) =>
        settled(undoOfTask(present, lookups), options, (command) =>
          decideTask(present.current, command, { at, lookups }),
        ),
      )
    }
    const run = this.runOf(context, look.undone, options)
    return this.tasks.runDecided(context, taskId, run, decide)
  }

  async undoSchedule(
    context: CommandContext,
    scheduleId: string,
    revision: Revision,
    options: UndoOptions,
  ): Promise<Result<Handled<ScheduleState>, Refusal>> {
    const stream = scheduleStream(scheduleId)
    const past = new Past(this.parts, context.namespace, stream, revision, evolveSchedule)
    const look = await past.now()
    if (look === undefined) return noSuchChange()
    const users = isCreation(look) ? await this.shared.scheduleUsers(look.current) : 0
    const decide = async (folded: Folded<ScheduleState>, at: Instant) => {
      const present = await past.at(folded)
      if (present === undefined) return noSuchChange()
      return this.parts.references.with(context.namespace, (lookups) =>
        settled(undoOfShared(present), options, (command) =>
          decideSchedule(present.current, scheduleCommand(command, scheduleId, users), { at, lookups }),
        ),
      )
    }
    const run = this.runOf(context, look.undone, options)
    return this.shared.onScheduleDecided(context, scheduleId, run, decide)
  }

  async undoCalendar(
    context: CommandContext,
    calendarId: string,
    revision: Revision,
    options: UndoOptions,
  ): Promise<Result<Handled<CalendarState>, Refusal>> {
    const stream = calendarStream(calendarId)
    const past = new Past(this.parts, context.namespace, stream, revision, evolveCalendar)
    const look = await past.now()
    if (look === undefined) return noSuchChange()
    const users = isCreation(look) ? await this.shared.calendarUsers(look.current) : 0
    const decide = async (folded: Folded<CalendarState>) => {
      const present = await past.at(folded)
      if (present === undefined) return noSuchChange()
      return settled(undoOfShared(present), options, (command) =>
        decideCalendar(present.current, calendarCommand(command, calendarId, users)),
      )
    }
    const run = this.runOf(context, look.undone, options)
    return this.shared.onCalendarDecided(context, calendarId, run, decide)
  }

  /** What an undo would do now, and what stands in its way. Nothing is reserved: it may be otherwise in a moment. */
  async preview(
    namespace: string,
    { kind, id }: Subject,
    revision: Revision,
  ): Promise<Result<UndoPreview, Refusal>> {
    if (kind === 'task') {
      const look = await new Past(this.parts, namespace, taskStream(id), revision, evolveTask).now()
      if (look === undefined) return noSuchChange()
      const undoing = await this.parts.references.with(namespace, (lookups) => undoOfTask(look, lookups))
      return previewOf(look.undone, undoing)
    }
    const past =
      kind === 'schedule'
        ? new Past<Owned>(
            this.parts,
            namespace,
            scheduleStream(id),
            revision,
            evolveSchedule as Evolve<Owned>,
          )
        : new Past<Owned>(
            this.parts,
            namespace,
            calendarStream(id),
            revision,
            evolveCalendar as Evolve<Owned>,
          )
    const look = await past.now()
    return look === undefined ? noSuchChange() : previewOf(look.undone, undoOfShared(look))
  }

  private runOf(context: CommandContext, undone: RecordedEvent, { expected }: UndoOptions) {
    return { token: tokenOf(context, this.parts.random), expected, causationId: undone.id }
  }
}

const previewOf = (
  undone: RecordedEvent,
  undoing: Result<Undoing<unknown>, Refusal>,
): Result<UndoPreview, Refusal> =>
  undoing.ok
    ? { ok: true, value: { undone, changes: undoing.value.changes, conflicts: undoing.value.conflicts } }
    : undoing

/** A change and all that came after it, read from the log as far as a command needs it. */
class Past<S extends Owned> {
  private readonly parts: CommandParts
  private readonly namespace: string
  private readonly stream: string
  private readonly revision: Revision
  private readonly evolve: Evolve<S>
  private events: readonly RecordedEvent[] = []

  constructor(parts: CommandParts, namespace: string, stream: string, revision: Revision, evolve: Evolve<S>) {
    this.parts = parts
    this.namespace = namespace
    this.stream = stream
    this.revision = revision
    this.evolve = evolve
  }

  /** Undefined: no such change in the namespace. */
  async now(): Promise<LookBack<S> | undefined> {
    this.events = await this.parts.log.readStream(this.stream)
    return this.look()
  }

  /** Not before the given state: should it be older than what is read, its append meets the newer events. */
  async at({ revision }: Folded<S>): Promise<LookBack<S> | undefined> {
    const read = this.events.at(-1)?.revision ?? -1
    return revision !== 'none' && revision > read ? this.now() : this.look()
  }

  private look(): LookBack<S> | undefined {
    const look = lookBack(this.events, this.revision, this.evolve)
    return look?.current.namespace === this.namespace ? look : undefined
  }
}

function settled<C, E>(
  undoing: Result<Undoing<C>, Refusal>,
  { force }: UndoOptions,
  decide: (command: C) => Decision<E>,
): Decision<E> {
  if (!undoing.ok) return undoing
  const { command, changes, conflicts } = undoing.value
  if (changes.length === 0) return accept()
  if (conflicts.length > 0 && !force) return { ok: false, error: undoConflict(conflicts) }
  return decide(command)
}

const isCreation = ({ undone, current }: LookBack<Undoable>): boolean =>
  undone.type.endsWith('Created') && current.status === 'active'

const scheduleCommand = (command: UndoShared, scheduleId: string, users: number) => {
  if (command.type === 'delete') return { type: 'delete', users, cascade: false } as const
  return command.type === 'create' ? ({ ...command, scheduleId } as const) : command
}

const calendarCommand = (command: UndoShared, calendarId: string, users: number) => {
  if (command.type === 'delete') return { type: 'delete', users } as const
  return command.type === 'create' ? ({ ...command, calendarId } as const) : command
}
