import type {
  CalendarState,
  ScheduleState,
  TaskBackfillRequested,
  TaskOccurrenceMoved,
  TaskState,
} from '@almanac/domain'
import type { Random, Stop, TaskInput } from '@almanac/engine'
import type { Instant } from '@almanac/recurrence'
import type { Client } from './client.js'
import { between, chance, pick, waiting, weighted, whole } from './draw.js'
import type { ClusterShape } from './shape.js'
import {
  drawArgs,
  drawCatchUp,
  drawDays,
  drawQuickTask,
  drawSchedule,
  drawTask,
  massTask,
  type SpecWorld,
} from './specs.js'

const namespaces = ['alpha', 'beta', 'gamma']

/** What clients know of: what was answered to any of them. */
export class Known {
  readonly tasks: TaskState[] = []
  /** The newest of those that were deleted, as they were left. */
  readonly deleted: TaskState[] = []
  readonly schedules: ScheduleState[] = []
  readonly calendars: CalendarState[] = []
}

interface WorkloadParts {
  readonly client: Client
  readonly known: Known
  readonly random: Random
  readonly shape: ClusterShape
  readonly worldNow: () => Instant
  /** This client's share of the tasks. */
  readonly tasks: number
  readonly mass: number
  readonly prefix: string
}

const actions = {
  create: 8,
  edit: 14,
  reschedule: 10,
  disable: 8,
  pause: 6,
  cancel: 6,
  move: 5,
  enable: 12,
  delete: 3,
  trigger: 10,
  backfill: 4,
  reset: 3,
  put: 3,
  createSchedule: 3,
  changeSchedule: 6,
  deleteSchedule: 1.5,
  createCalendar: 2,
  changeCalendar: 3,
  deleteCalendar: 1,
  announce: 1,
  orphan: 1.5,
  undo: 4,
}
type Action = keyof typeof actions

interface Name {
  readonly namespace: string
  readonly name: string
}

/** What one client does, from its first task to the end. */
export class Workload {
  private readonly parts: WorkloadParts
  private named = 0
  private created = 0
  private readonly unsure: Name[] = []

  constructor(parts: WorkloadParts) {
    this.parts = parts
  }

  async run(stop: Stop): Promise<void> {
    const { client, random, shape } = this.parts
    await this.prepare(stop)
    while (!stop.stopped) {
      await client.pause(waiting(random, shape.commandEveryMs), stop)
      if (!stop.stopped) await this.act(this.nextAction(), stop)
    }
  }

  /** What could not be created at the beginning is made up for. */
  private nextAction(): Action {
    const { random, tasks } = this.parts
    return this.created < tasks && chance(random, 0.5) ? 'create' : weighted(random, actions)
  }

  private async prepare(stop: Stop): Promise<void> {
    const { client, random, tasks, mass, known } = this.parts
    await this.act('createSchedule', stop)
    await this.act('createCalendar', stop)
    for (let index = 0; index < tasks && !stop.stopped; index++) {
      await this.act('create', stop)
      await client.pause(waiting(random, 300), stop)
    }
    const namespace = pick(random, namespaces)
    for (let index = 0; index < mass && !stop.stopped; index++) {
      const input = massTask(this.nextName('mass'))
      const subject = { command: 'createTask', namespace, taskId: null }
      const made = await client.send(subject, (commands, context) => commands.createTask(context, input))
      if (made !== undefined) known.tasks.push(made.state)
    }
  }

  private async act(action: Action, stop: Stop): Promise<void> {
    if (action === 'create' || action === 'put') return this.create(action)
    if (action === 'createSchedule') return this.createSchedule()
    if (action === 'createCalendar') return this.createCalendar()
    if (action === 'announce') return this.announce()
    if (action === 'orphan') return this.orphan()
    if (action === 'undo') return this.undo(stop)
    if (action === 'changeSchedule' || action === 'deleteSchedule') return this.onSchedule(action, stop)
    if (action === 'changeCalendar' || action === 'deleteCalendar') return this.onCalendar(action)
    await this.onTask(action, stop)
  }

  private specWorld(namespace: string): SpecWorld {
    const { shape, worldNow, known } = this.parts
    const of = (states: readonly (ScheduleState | CalendarState)[]) =>
      states.filter((state) => state.namespace === namespace).map(({ spec }) => spec.name)
    return {
      now: worldNow(),
      until: shape.startAt + shape.faultMs + shape.calmMs,
      zone: shape.zone,
      schedules: of(known.schedules),
      calendars: of(known.calendars),
    }
  }

  private nextName(kind: string): string {
    this.named += 1
    return `${this.parts.prefix}-${kind}-${this.named}`
  }

  private async create(action: 'create' | 'put'): Promise<void> {
    const { client, random } = this.parts
    const { namespace, name } = this.drawName(action)
    const input = chance(random, 0.04)
      ? drawQuickTask(random, name)
      : drawTask(random, this.specWorld(namespace), name)
    const subject = { command: `${action}Task`, namespace, taskId: null }
    const onlyCreate = chance(random, 0.3)
    const made = await client.send(subject, (commands, context) =>
      action === 'put'
        ? commands.putTask(context, input, { onlyCreate })
        : commands.createTask(context, input),
    )
    if (made === undefined) {
      this.unsure.push({ namespace, name })
      return
    }
    this.created += 1
    this.learn(made.state)
  }

  private drawName(action: 'create' | 'put'): Name {
    const { random } = this.parts
    // A name that somebody may have reserved and never used is asked for again.
    const again = chance(random, 0.9) ? this.unsure.pop() : undefined
    if (again !== undefined) return again
    const namespace = pick(random, namespaces)
    const name = action === 'put' ? `${namespace}-put-${whole(random, 1, 4)}` : this.nextName('task')
    return { namespace, name }
  }

  /** A task is created with a shared schedule that is deleted in the same moment elsewhere. */
  private async orphan(): Promise<void> {
    const { client, random } = this.parts
    const namespace = pick(random, namespaces)
    const [name, schedule] = [this.nextName('orphan'), this.nextName('schedule')]
    const input = { name: schedule, schedule: drawSchedule(random, this.specWorld(namespace)) }
    const subject = { command: 'createSchedule', namespace, taskId: null }
    const made = await client.send(subject, (commands, context) => commands.createSchedule(context, input))
    if (made === undefined) return
    const { scheduleId } = made.state
    const task = { name, task: `work.${name}`, schedule: { ref: schedule } }
    const [created] = await Promise.all([
      client.send({ ...subject, command: 'createTask' }, (commands, context) =>
        commands.createTask(context, task),
      ),
      client.send({ ...subject, command: 'deleteSchedule' }, (commands, context) =>
        commands.deleteSchedule(context, scheduleId, false),
      ),
    ])
    if (created !== undefined) this.learn(created.state)
  }

  private async onTask(action: Action, stop: Stop): Promise<void> {
    const { client, random, known } = this.parts
    if (known.tasks.length === 0) return
    const state = pick(random, known.tasks)
    const { namespace, taskId } = state
    const subject = { command: action, namespace, taskId }
    const change = this.drawChange(action, state)
    const range = this.drawRange()
    const override = chance(random, 0.5) ? { args: drawArgs(random), kwargs: { by: 'hand' } } : {}
    const expected = chance(random, 0.15) ? state.revision : undefined
    if (chance(random, raceShare)) await this.untilDue(namespace, taskId, stop)
    const isBack = chance(random, 0.2)
    const coming = this.drawComing(state, isBack)
    const { at: from, to } = this.drawMove(state)
    const pausedUntil = Math.floor(this.parts.worldNow() + between(random, 1_000, longestPauseMs))
    const made = await client.send<TaskState>(subject, (commands, context) => {
      if (action === 'disable') return commands.disableTask(context, taskId, expected)
      if (action === 'cancel') return commands.cancelOccurrence(context, taskId, coming, isBack, expected)
      if (action === 'move') return commands.moveOccurrence(context, taskId, from, to, expected)
      if (action === 'pause') return commands.pauseTask(context, taskId, pausedUntil, expected)
      if (action === 'enable') return commands.enableTask(context, taskId, expected)
      if (action === 'delete') return commands.deleteTask(context, taskId, expected)
      if (action === 'trigger') return commands.triggerTask(context, taskId, override)
      if (action === 'backfill') return commands.backfillTask(context, taskId, range)
      if (action === 'reset') return commands.resetHistory(context, taskId)
      return commands.changeTask(context, taskId, change, expected)
    })
    if (made !== undefined) this.learn(made.state)
  }

  /** Takes back the newest change of a task that its client knows of: it may have been changed again since. */
  private async undo(stop: Stop): Promise<void> {
    const { client, random, known } = this.parts
    const from = chance(random, 0.5) ? known.deleted : known.tasks
    if (from.length === 0) return
    const { namespace, taskId, revision } = pick(random, from)
    const subject = { command: 'undo', namespace, taskId }
    const force = chance(random, 0.3)
    if (chance(random, raceShare)) await this.untilDue(namespace, taskId, stop)
    const made = await client.send<TaskState>(subject, (commands, context) =>
      commands.undoTask(context, taskId, revision, { force }),
    )
    if (made !== undefined) this.learn(made.state)
  }

  /** Until the task's next occurrence, give or take: what is sent then may come before or after its tick. */
  private async untilDue(namespace: string, taskId: string, stop: Stop): Promise<void> {
    const { client, random, worldNow } = this.parts
    const now = worldNow()
    const coming = await client.read((node) => node.queries.coming(namespace, taskId, now, 1))
    const due = coming?.[0]?.at
    if (due === undefined || due - now > longestRaceMs) return
    await client.pause(due - worldNow() + between(random, -60, 50), stop)
  }

  private drawChange(action: Action, { namespace, spec }: TaskState): Partial<TaskInput> {
    const { random } = this.parts
    const world = this.specWorld(namespace)
    if (action === 'reschedule') {
      const isShared = world.schedules.length > 0 && chance(random, 0.2)
      return { schedule: isShared ? { ref: pick(random, world.schedules) } : drawSchedule(random, world) }
    }
    return pick(random, [
      { args: drawArgs(random) },
      { catchUp: drawCatchUp(random) },
      { jitterSeconds: whole(random, 0, 15) },
      { overlap: pick(random, ['allow', 'skip', 'queueOne'] as const) },
      { maxRuns: spec.oneOff ? null : whole(random, 1, 20) },
      { enabled: chance(random, 0.7) },
      { description: `changed at ${world.now}` },
      { name: this.nextName('renamed') },
    ])
  }

  /** An instant that may well be an occurrence: many schedules are whole seconds, or those of minutes. */
  private drawComing({ cancelled }: TaskState, isBack: boolean): Instant {
    const { random, worldNow } = this.parts
    const step = pick(random, [1_000, 5_000, 10_000, 60_000])
    const from = Math.ceil((worldNow() + between(random, 0, 90_000)) / step) * step
    return isBack ? (cancelled.at(-1) ?? from) : from
  }

  /** Of an instant that may well be an occurrence, or of one that was moved before. */
  private drawMove(state: TaskState): TaskOccurrenceMoved {
    const { random } = this.parts
    const again = chance(random, 0.3) ? state.moved.at(-1)?.to : undefined
    const at = again ?? this.drawComing(state, false)
    return { at, to: at + Math.round(between(random, -60_000, 120_000)) }
  }

  private drawRange(): TaskBackfillRequested {
    const { random, worldNow } = this.parts
    const from = Math.floor(worldNow() - between(random, 60_000, 600_000))
    const order = chance(random, 0.3) ? ({ order: 'newestFirst' } as const) : {}
    return { from, until: from + whole(random, 10_000, 120_000), max: whole(random, 1, 10), ...order }
  }

  private async createSchedule(): Promise<void> {
    const { client, random, known } = this.parts
    const namespace = pick(random, namespaces)
    const input = {
      name: this.nextName('schedule'),
      schedule: drawSchedule(random, this.specWorld(namespace)),
    }
    const subject = { command: 'createSchedule', namespace, taskId: null }
    const made = await client.send(subject, (commands, context) => commands.createSchedule(context, input))
    if (made !== undefined) known.schedules.push(made.state)
  }

  private async onSchedule(action: 'changeSchedule' | 'deleteSchedule', stop: Stop): Promise<void> {
    const { client, random, known } = this.parts
    if (known.schedules.length === 0) return
    const { namespace, scheduleId, spec } = pick(random, known.schedules)
    const subject = { command: action, namespace, taskId: null }
    const isCascade = chance(random, 0.7)
    const schedule = drawSchedule(random, this.specWorld(namespace))
    const user = known.tasks.find(
      (task) =>
        task.namespace === namespace && 'ref' in task.spec.schedule && task.spec.schedule.ref === spec.name,
    )
    if (user !== undefined && chance(random, raceShare)) await this.untilDue(namespace, user.taskId, stop)
    const made = await client.send(subject, (commands, context) =>
      action === 'deleteSchedule'
        ? commands.deleteSchedule(context, scheduleId, isCascade)
        : commands.changeSchedule(context, scheduleId, { schedule }),
    )
    if (made !== undefined && action === 'deleteSchedule') forget(known.schedules, 'scheduleId', scheduleId)
  }

  private async createCalendar(): Promise<void> {
    const { client, random, known } = this.parts
    const namespace = pick(random, namespaces)
    const input = { name: this.nextName('calendar'), days: drawDays(random, this.specWorld(namespace)) }
    const subject = { command: 'createCalendar', namespace, taskId: null }
    const made = await client.send(subject, (commands, context) => commands.createCalendar(context, input))
    if (made !== undefined) known.calendars.push(made.state)
  }

  private async onCalendar(action: 'changeCalendar' | 'deleteCalendar'): Promise<void> {
    const { client, random, known } = this.parts
    if (known.calendars.length === 0) return
    const { namespace, calendarId } = pick(random, known.calendars)
    const subject = { command: action, namespace, taskId: null }
    const days = drawDays(random, this.specWorld(namespace))
    const made = await client.send(subject, (commands, context) =>
      action === 'deleteCalendar'
        ? commands.deleteCalendar(context, calendarId)
        : commands.changeCalendar(context, calendarId, { days }),
    )
    if (made !== undefined && action === 'deleteCalendar') forget(known.calendars, 'calendarId', calendarId)
  }

  private async announce(): Promise<void> {
    const namespace = pick(this.parts.random, namespaces)
    const subject = { command: 'announceChange', namespace, taskId: null }
    await this.parts.client.send(subject, async (commands, context) => {
      const { position } = await commands.announceChange(context, 'changed elsewhere')
      return { ok: true, value: { state: null, position, created: true, repeated: false } }
    })
  }

  private learn(state: TaskState): void {
    const { tasks, deleted } = this.parts.known
    forget(tasks, 'taskId', state.taskId)
    forget(deleted, 'taskId', state.taskId)
    if (state.status === 'active') tasks.push(state)
    else deleted.push(state)
    if (deleted.length > keptDeleted) deleted.shift()
  }
}

function forget<S, K extends keyof S>(states: S[], key: K, id: S[K]): void {
  const index = states.findIndex((state) => state[key] === id)
  if (index >= 0) states.splice(index, 1)
}

const keptDeleted = 20
/** How many commands are sent so that they race an occurrence of what they change. */
const raceShare = 0.4
/** As long as a few occurrences take. */
const longestPauseMs = 180_000
const longestRaceMs = 60_000
