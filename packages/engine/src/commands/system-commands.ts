import {
  type RecordedEvent,
  type ScheduleEvent,
  scheduleStream,
  type TaskCommand,
  type TaskDisabled,
  taskStream,
} from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'
import { unavailable } from '../ports/faults.js'
import { type CommandParts, systemContext } from './parts.js'
import type { Run, TaskCommands } from './task-commands.js'

/** Tasks deleted at the same time, with their schedule: enough for their appends to share an fsync. */
const deletedAtOnce = 64

/**
 * Commands that nobody asks for: what the scheduler finds out, and what follows from an event. All of them
 * may be repeated at will, by several nodes too: what is done already, or doesn't hold any more, changes
 * nothing.
 */
export interface SystemCommands {
  /**
   * Disables a task that has no occurrence left (`completed`) or whose end has passed (`expired`). `armedAt`:
   * of the state that this was found out with; if the task was armed anew since, it is left alone.
   */
  completeTask(
    taskId: string,
    cause: Exclude<TaskDisabled['cause'], 'requested'>,
    causationId: string,
    at: Instant,
    armedAt?: Instant,
  ): Promise<void>
  /**
   * Marks a task that can't be planned. It is planned again after an edit, or when it is enabled. `revision`: of the
   * state that this was found out with; if the task was changed since, it is left alone.
   */
  quarantineTask(taskId: string, code: string, message: string, revision?: number): Promise<void>
  /**
   * Deletes the tasks that used a shared schedule when it was deleted with `cascade`; the event is its
   * `ScheduleDeleted`. Answers how many. A task that was given the schedule's name after the deletion is left
   * alone.
   */
  reactToScheduleDeleted(event: RecordedEvent): Promise<number>
}

export class SystemTaskCommands implements SystemCommands {
  private readonly parts: CommandParts
  private readonly tasks: TaskCommands

  constructor(parts: CommandParts, tasks: TaskCommands) {
    this.parts = parts
    this.tasks = tasks
  }

  completeTask(
    taskId: string,
    cause: Exclude<TaskDisabled['cause'], 'requested'>,
    causationId: string,
    at: Instant,
    armedAt?: Instant,
  ): Promise<void> {
    const command = { type: 'disable', cause, ...(armedAt === undefined ? {} : { armedAt }) } as const
    return this.run(taskId, command, { token: `end|${cause}|${causationId}`, causationId, at })
  }

  quarantineTask(taskId: string, code: string, message: string, revision?: number): Promise<void> {
    const command = { type: 'quarantine', code, message } as const
    const found = revision === undefined ? {} : { expected: revision }
    return this.run(taskId, command, { token: `quarantine|${code}`, at: this.parts.clock.now(), ...found })
  }

  async reactToScheduleDeleted(event: RecordedEvent): Promise<number> {
    const { type, data } = event as RecordedEvent & ScheduleEvent
    if (type !== 'ScheduleDeleted' || !data.cascade) return 0
    const scheduleId = event.stream.slice(scheduleStream('').length)
    const { folded } = await this.parts.schedules.at(event.stream, event.revision, () => false)
    const name = folded.state?.spec.name
    if (name === undefined) throw new Error(`schedule ${scheduleId} was deleted before it was created`)
    const { views, waitFor, options } = this.parts
    // The tasks that were given the schedule just before its deletion have to be in the read models too.
    if ((await waitFor?.(event.position, options.usersDeadlineMs)) === false) {
      throw unavailable('the read models are too far behind to tell which tasks go with the schedule')
    }
    const users = views.tasksUsing(event.metadata.namespace, name)
    let deleted = 0
    for (let start = 0; start < users.length; start += deletedAtOnce) {
      const batch = users.slice(start, start + deletedAtOnce)
      const done = await Promise.all(batch.map((taskId) => this.deleteTaskOf(event, name, taskId)))
      deleted += done.filter(Boolean).length
    }
    return deleted
  }

  private async deleteTaskOf(event: RecordedEvent, name: string, taskId: string): Promise<boolean> {
    const given = (await this.parts.log.readStream(taskStream(taskId))).filter(({ type, data }) => {
      const { spec, changes } = (data ?? {}) as { spec?: object; changes?: object }
      // A task that was restored after the deletion refers to the schedule of that name that is there since.
      if (type === 'TaskRestored') return true
      return (type === 'TaskCreated' || type === 'TaskChanged') && 'schedule' in (spec ?? changes ?? {})
    })
    const { state } = await this.parts.tasks.refresh(taskStream(taskId))
    const schedule = state?.status === 'active' ? state.spec.schedule : undefined
    const isUser = schedule !== undefined && 'ref' in schedule && schedule.ref === name
    const position = given.at(-1)?.position
    if (!isUser || position === undefined || position > event.position) return false
    const { correlationId, actor, at } = event.metadata
    const context = { ...systemContext(event.metadata.namespace, at, correlationId), actor }
    const run = { token: `cascade|${event.id}`, causationId: event.id }
    const handled = await this.tasks.runAs(context, taskId, { type: 'delete', cause: 'schedule' }, run)
    return handled.ok && handled.value.events.length > 0
  }

  /**
   * The token makes the same event ids on every node, so that two nodes with one finding append one event.
   */
  private async run(
    taskId: string,
    command: TaskCommand,
    { at, ...run }: Run & { readonly at: Instant },
  ): Promise<void> {
    const { folded } = await this.parts.tasks.load(taskStream(taskId))
    if (folded.state === undefined) return
    const context = systemContext(folded.state.namespace, at, run.causationId ?? run.token)
    await this.tasks.runAs(context, taskId, command, run)
  }
}
