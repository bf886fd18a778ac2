import {
  accept,
  type CommandContext,
  type Decision,
  decideTask,
  type ImportedHistory,
  newTaskId,
  type Refusal,
  refuse,
  requestedRunIdOf,
  type TaskCommand,
  type TaskEvent,
  type TaskState,
  taskIdOfKey,
  taskStream,
} from '@almanac/domain'
import type { Instant, Result } from '@almanac/recurrence'
import type { TaskInput } from '../application.js'
import type { Applied, Outcome } from '../outcome.js'
import { PortFault } from '../ports/faults.js'
import { applied, tokenOf } from './answers.js'
import { type Handled, handle, handleInTurn, maxAttempts } from './handle.js'
import { Names } from './names.js'
import type { CommandParts } from './parts.js'
import type { Folded } from './streams.js'

type Handling = Promise<Result<Handled<TaskState>, Refusal>>
type Created = Extract<TaskEvent, { type: 'TaskCreated' }>

/** `state` is undefined for a task of another namespace. */
type TaskDecider = (
  folded: Folded<TaskState>,
  at: Instant,
) => Decision<TaskEvent> | Promise<Decision<TaskEvent>>

/** How a command is run: `token` makes its event ids, `expected` is the revision that the caller has seen. */
export interface Run {
  readonly token: string
  readonly expected?: number | undefined
  readonly causationId?: string
}

/** The commands on tasks. Each answers `not_found` for a task of another namespace. */
export class TaskCommands {
  private readonly parts: CommandParts
  private readonly names: Names

  constructor(parts: CommandParts) {
    this.parts = parts
    this.names = new Names(parts)
  }

  /**
   * With an idempotency key the task's id is derived from it, so that a repeat meets its own stream. A stream
   * may have been abandoned, when its writer was too slow and another took the name: then the next one
   * derived is used.
   */
  async create(
    context: CommandContext,
    input: TaskInput,
    imported?: ImportedHistory | null,
  ): Outcome<TaskState> {
    const token = tokenOf(context, this.parts.random)
    for (let generation = 0; generation < maxAttempts; generation++) {
      const taskId = this.newId(context, generation)
      const command = { type: 'create', taskId, input, ...(imported ? { imported } : {}) } as const
      const created = await this.createAs(context, token, command)
      if (created.ok || created.error.code !== 'already_exists') return applied(created, 'TaskCreated')
      const { state } = await this.parts.tasks.refresh(taskStream(taskId))
      if (state?.status !== 'abandoned') return created
    }
    return refuse('name_taken', 'others claim this name again and again')
  }

  async put(
    context: CommandContext,
    input: TaskInput,
    { onlyCreate, expected }: { readonly onlyCreate: boolean; readonly expected?: number },
  ): Outcome<TaskState> {
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      const taskId = await this.holderOf(context.namespace, input)
      if (taskId === undefined) {
        if (expected !== undefined) return refuse('revision_mismatch', 'there is no task of this name')
        const created = await this.create(context, input)
        if (created.ok || created.error.code !== 'name_taken') return created
        continue
      }
      const answer = onlyCreate
        ? await this.existing(context, taskId)
        : await this.run(context, taskId, { type: 'replace', input }, expected)
      // Deleted since it was looked up: it may be created now.
      if (answer.ok || answer.error.code !== 'not_found') return answer
    }
    return refuse('name_taken', 'the task of this name comes and goes')
  }

  async run(
    context: CommandContext,
    taskId: string,
    command: TaskCommand,
    expected?: number,
  ): Outcome<TaskState> {
    const token = tokenOf(context, this.parts.random)
    return applied(await this.runAs(context, taskId, command, { token, expected }), 'TaskCreated')
  }

  async trigger(
    context: CommandContext,
    taskId: string,
    override: unknown,
  ): Promise<Result<Applied<TaskState> & { readonly runId: string }, Refusal>> {
    const token = tokenOf(context, this.parts.random)
    const handled = await this.runAs(context, taskId, { type: 'trigger', override }, { token })
    const answer = applied(handled, 'TaskCreated')
    if (!answer.ok) return answer
    const event = handled.ok ? handled.value.events[0] : undefined
    if (event === undefined) throw new Error('a trigger makes an event')
    const { namespace, at } = event.metadata
    const runId = requestedRunIdOf(this.parts.cluster, namespace, taskId, at, event.id)
    return { ok: true, value: { ...answer.value, runId } }
  }

  /** Any command on a task that exists. */
  runAs(context: CommandContext, taskId: string, command: TaskCommand, run: Run): Handling {
    return this.runDecided(context, taskId, run, ({ state }, at) =>
      this.decide(context.namespace, state, command, at),
    )
  }

  /**
   * What is decided on a task that exists; a name that it takes is reserved before, one that it gives up released
   * after.
   */
  async runDecided(context: CommandContext, taskId: string, run: Run, decider: TaskDecider): Handling {
    const stream = taskStream(taskId)
    let formerName: string | undefined
    const decide = async (folded: Folded<TaskState>, at: Instant): Promise<Decision<TaskEvent>> => {
      formerName = undefined
      const state = folded.state?.namespace === context.namespace ? folded.state : undefined
      const decision = await decider({ ...folded, state }, at)
      if (!decision.ok || state === undefined) return decision
      const name = newName(decision.value, state)
      if (name !== undefined) {
        const reservation = { name, taskId, atRevision: state.revision }
        const refusal = await this.names.holding(context.namespace, name, () =>
          this.names.reserve(context, run.token, reservation),
        )
        if (refusal !== undefined) return { ok: false, error: refusal }
      }
      const isGivenUp =
        (name !== undefined && name !== state.spec.name) ||
        decision.value.some((event) => event.type === 'TaskDeleted')
      if (isGivenUp) formerName = state.spec.name
      return decision
    }
    const handled = await handleInTurn(this.parts, this.parts.tasks, { stream, context, decide, ...run })
    if (handled.ok && !handled.value.repeated && formerName !== undefined) {
      await this.release(context, run.token, formerName, taskId)
    }
    return handled
  }

  private async createAs(
    context: CommandContext,
    token: string,
    command: Extract<TaskCommand, { type: 'create' }>,
  ): Handling {
    const stream = taskStream(command.taskId)
    const taken = refuse('already_exists', 'there is a task of this id')
    if (
      context.idempotencyKey !== undefined &&
      (await this.parts.tasks.refresh(stream)).state !== undefined
    ) {
      return handle(this.parts, this.parts.tasks, { stream, context, token, decide: () => taken })
    }
    const decision = await this.decide(context.namespace, undefined, command, context.at)
    if (!decision.ok) return decision
    const name = createdName(decision.value)
    return this.names.holding(context.namespace, name, async () => {
      const refusal = await this.names.reserve(context, token, { name, taskId: command.taskId })
      if (refusal !== undefined) return { ok: false, error: refusal }
      const decide = ({ state }: Folded<TaskState>) => (state === undefined ? decision : taken)
      return handle(this.parts, this.parts.tasks, { stream, context, token, decide })
    })
  }

  private existing(context: CommandContext, taskId: string): Outcome<TaskState> {
    const decide = ({ state }: Folded<TaskState>): Decision<TaskEvent> =>
      state?.status === 'active' ? accept() : refuse('not_found', 'there is no such task')
    const work = { stream: taskStream(taskId), context, token: '', decide }
    return handle(this.parts, this.parts.tasks, work).then((handled) => applied(handled, 'TaskCreated'))
  }

  private decide(
    namespace: string,
    state: TaskState | undefined,
    command: TaskCommand,
    at: Instant,
  ): Promise<Decision<TaskEvent>> {
    return this.parts.references.with(namespace, (lookups) => decideTask(state, command, { at, lookups }))
  }

  private newId(context: CommandContext, generation: number): string {
    const { namespace, idempotencyKey } = context
    return idempotencyKey === undefined
      ? newTaskId(context.at, this.parts.random.token(10))
      : taskIdOfKey(namespace, idempotencyKey, generation)
  }

  private async holderOf(namespace: string, input: TaskInput): Promise<string | undefined> {
    const name: unknown = (input as Partial<TaskInput> | null)?.name
    return typeof name === 'string' ? this.names.holderOf(namespace, name) : undefined
  }

  /**
   * The command has been applied: should the log fail now, the next claimant of the name finds it free all
   * the same.
   */
  private async release(context: CommandContext, token: string, name: string, taskId: string): Promise<void> {
    try {
      await this.names.release(context, token, name, taskId)
    } catch (fault) {
      if (!(fault instanceof PortFault)) throw fault
    }
  }
}

/** A restored task takes the name that it had. */
const newName = (events: readonly TaskEvent[], { spec }: TaskState): string | undefined =>
  events.flatMap((event) => {
    if (event.type === 'TaskRestored') return spec.name
    return event.type === 'TaskChanged' ? (event.data.changes.name ?? []) : []
  })[0]

function createdName(events: readonly TaskEvent[]): string {
  const created = events.find((event): event is Created => event.type === 'TaskCreated')
  if (created === undefined) throw new Error('a creation makes a TaskCreated')
  return created.data.spec.name
}
