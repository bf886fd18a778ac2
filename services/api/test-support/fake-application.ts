import {
  type ApiKey,
  type CommandContext,
  decideKeys,
  digestOf,
  eventHash,
  evolveKeys,
  type KeyCommand,
  type KeyRing,
  type Position,
  type RunRecord,
  refuse,
  type TaskSpec,
  type TaskState,
  validateTaskSpec,
} from '@almanac/domain'
import type {
  Affected,
  Application,
  Applied,
  Commands,
  LeasedRun,
  NewKey,
  Outcome,
  Queries,
  RunIntake,
  TaskView,
} from '@almanac/engine'
import { describe } from '@almanac/recurrence'

export const now = Date.UTC(2026, 0, 1)

export interface FenceWait {
  readonly affected: readonly Affected[]
  readonly position: Position
  readonly timeoutMs: number
}

/** What was asked of the fake, newest last. */
export interface Asked {
  readonly command: string
  readonly context: CommandContext
}

/**
 * Just enough of an Application to see what the API makes of requests and answers: tasks in a map, one run, no
 * schedule computed, no event stored.
 */
export class FakeApplication {
  readonly asked: Asked[] = []
  readonly tasks = new Map<string, TaskState>()
  readonly runs = new Map<string, RunRecord>()
  leasable: LeasedRun[] = []
  keyRing: KeyRing | undefined
  /** While true, the keys have not been read yet. */
  isKeyRingUnknown = false
  position = 0
  failWith: Error | undefined
  ready = true

  reset(): void {
    this.asked.length = 0
    this.tasks.clear()
    this.keyRing = undefined
    this.position = 0
  }

  /** What was waited for, and whether it comes. */
  readonly fenceWaits: FenceWait[] = []
  isFenced = true

  get app(): Application {
    return {
      // What no test asks for is left out.
      commands: this.commands() as Partial<Commands> as Commands,
      queries: this.queries() as Queries,
      intake: this.intake() as RunIntake,
      webhooks: null,
      status: () => this.status(),
      fenced: async (affected, position, timeoutMs) => {
        this.fenceWaits.push({ affected, position, timeoutMs })
        return this.isFenced
      },
    }
  }

  put(context: CommandContext, spec: TaskSpec, before?: TaskState): Applied<TaskState> {
    this.position += 1
    const taskId = before?.taskId ?? digestOf(`${context.namespace}|${spec.name}`).slice(0, 26).toUpperCase()
    const state: TaskState = {
      taskId,
      namespace: context.namespace,
      spec,
      status: 'active',
      revision: before === undefined ? 0 : before.revision + 1,
      createdAt: now,
      changedAt: context.at,
      changedBy: context.actor,
      armedAt: now,
      runsLeft: null,
      anchor: now,
      quarantine: null,
      disabledCause: null,
      disabledReason: context.reason ?? null,
      pausedUntil: null,
      cancelled: [],
      moved: [],
      imported: null,
      historyResetAt: null,
      hash: '',
    }
    this.tasks.set(taskId, state)
    return { state, position: this.position, created: before === undefined, repeated: false }
  }

  private note(command: string, context: CommandContext) {
    if (this.failWith !== undefined) throw this.failWith
    this.asked.push({ command, context })
  }

  private byName(namespace: string, name: string) {
    return [...this.tasks.values()].find((state) => state.namespace === namespace && state.spec.name === name)
  }

  private commands() {
    const decide = async (
      command: string,
      context: CommandContext,
      input: object,
      before?: TaskState,
      expected?: number,
    ): Outcome<TaskState> => {
      this.note(command, context)
      if (before !== undefined && expected !== undefined && expected !== before.revision) {
        return refuse('revision_mismatch', 'changed')
      }
      const spec = validateTaskSpec(input, before?.spec)
      if (!spec.ok) return refuse('invalid', 'is invalid', spec.error)
      const holder = this.byName(context.namespace, spec.value.name)
      if (holder !== undefined && holder.taskId !== before?.taskId) return refuse('name_taken', 'taken')
      return { ok: true, value: this.put(context, spec.value, before) }
    }
    const onTask =
      (command: string, input: object) =>
      async (context: CommandContext, taskId: string, expected?: number): Outcome<TaskState> => {
        const before = this.tasks.get(taskId)
        if (before === undefined) return refuse('not_found', 'no such task')
        return decide(command, context, input, before, expected)
      }
    return {
      createTask: (context: CommandContext, input: object) => decide('create', context, input),
      putTask: async (
        context: CommandContext,
        input: TaskSpec,
        options: { onlyCreate: boolean; expected?: number },
      ): Outcome<TaskState> => {
        const before = this.byName(context.namespace, input.name)
        if (before !== undefined && options.onlyCreate) {
          const { position } = this
          return { ok: true, value: { state: before, position, created: false, repeated: false } }
        }
        return decide('put', context, input, before, options.expected)
      },
      changeTask: (context: CommandContext, taskId: string, changes: object, expected?: number) =>
        onTask('change', changes)(context, taskId, expected),
      enableTask: onTask('enable', { enabled: true }),
      disableTask: onTask('disable', { enabled: false }),
      resetHistory: onTask('reset', {}),
      deleteTask: async (context: CommandContext, taskId: string, expected?: number) => {
        const outcome = await onTask('delete', {})(context, taskId, expected)
        if (outcome.ok) this.tasks.delete(taskId)
        return outcome
      },
      triggerTask: async (context: CommandContext, taskId: string) => {
        const outcome = await onTask('trigger', {})(context, taskId)
        return outcome.ok ? { ok: true, value: { ...outcome.value, runId: 'run-1' } } : outcome
      },
      createKey: async (context: CommandContext, made: NewKey, input: unknown) =>
        this.onKeys(context, { type: 'create', ...made, input, at: context.at }),
      revokeKey: async (context: CommandContext, keyId: string) =>
        this.onKeys(context, { type: 'revoke', keyId }),
      useKey: async (context: CommandContext, keyId: string) =>
        this.onKeys(context, { type: 'use', keyId, at: context.at }),
      announceChange: async (context: CommandContext) => {
        this.note('announce', context)
        this.position += 1
        return { position: this.position }
      },
    }
  }

  private async onKeys(context: CommandContext, command: KeyCommand): Outcome<ApiKey> {
    this.note(command.type, context)
    const decision = decideKeys(this.keyRing, command)
    if (!decision.ok) return decision
    for (const { type, data } of decision.value) {
      this.position += 1
      const metadata = { ...context, previousHash: '' }
      const stored = { id: `key-event-${this.position}`, type, version: 1, data, metadata }
      const place = { stream: 'keys', revision: (this.keyRing?.revision ?? -1) + 1, position: this.position }
      this.keyRing = evolveKeys(this.keyRing, { ...stored, ...place, hash: eventHash(stored) })
    }
    const state = this.keyRing?.keys.get(command.keyId)
    if (state === undefined) throw new Error('there is a key now')
    const created = command.type === 'create'
    return { ok: true, value: { state, position: this.position, created, repeated: false } }
  }

  private view(state: TaskState): TaskView {
    const value = 'ref' in state.spec.schedule ? null : state.spec.schedule
    return {
      state,
      scheduleValue: value,
      scheduleText: value === null ? '' : describe(value),
      nextRunAt: null,
      totals: { taskId: state.taskId, totalRunCount: 0, lastRunAt: null, lastScheduledAt: null },
    }
  }

  private queries(): Partial<Queries> {
    const listed = (namespace: string) =>
      [...this.tasks.values()].filter((state) => state.namespace === namespace)
    return {
      // As in a node, waiting lets others work.
      waitFor: async (position) => {
        await new Promise((resolve) => setImmediate(resolve))
        return position <= this.position
      },
      position: () => this.position,
      key: (keyId) => this.keyRing?.keys.get(keyId),
      keys: () => (this.isKeyRingUnknown ? undefined : [...(this.keyRing?.keys.values() ?? [])]),
      resolveAsOf: () => this.position,
      task: (namespace, taskId) => {
        const state = this.tasks.get(taskId)
        return state?.namespace === namespace ? this.view(state) : undefined
      },
      taskByName: (namespace, name) => {
        const state = this.byName(namespace, name)
        return state === undefined ? undefined : this.view(state)
      },
      viewOf: (state) => this.view(state),
      tasks: (namespace, _, page) => {
        const all = listed(namespace)
        const from = page.cursor === undefined ? 0 : Number(page.cursor)
        const items = all.slice(from, from + page.limit)
        const next = from + page.limit < all.length ? String(from + page.limit) : null
        return { items: items.map((state) => this.view(state)), nextCursor: next, total: all.length }
      },
      schedule: () => undefined,
      calendar: () => undefined,
      marker: () => (this.position === 0 ? undefined : { position: this.position, at: now }),
      history: async () => [],
      changes: async (_, after) => ({ events: [], position: Math.max(after, this.position) }),
      run: (_, runId) => this.runs.get(runId),
      runs: () => ({ items: [...this.runs.values()], nextCursor: null, total: this.runs.size }),
    }
  }

  private intake(): Partial<RunIntake> {
    const reply = (token: string) => (token === 'mine' ? 'ok' : 'lost')
    return {
      lease: async ({ max }) => this.leasable.splice(0, max),
      ack: async (_, runId, token) => (this.runs.has(runId) ? reply(token) : 'unknown'),
      fail: async (_, runId, token) => (this.runs.has(runId) ? reply(token) : 'unknown'),
      heartbeat: async (_, runId, token) => ({
        reply: this.runs.has(runId) ? reply(token) : 'unknown',
        cancelRequested: false,
      }),
    }
  }

  private status(): ReturnType<Application['status']> {
    return {
      nodeId: 'n1',
      cluster: 'test',
      engineVersion: '1',
      startedAt: now,
      now,
      ready: this.ready,
      problem: this.ready ? null : 'starting',
      head: this.position,
      viewPosition: this.position,
      members: [],
      partitions: [],
      counters: { ticks_total: 3 },
      tasks: { tasks: this.tasks.size, enabled: 0, quarantined: 0 },
      runs: { queued: 2 },
    }
  }
}
