import type { Random } from '@almanac/engine'
import { chance, pick, weighted } from './draw.js'
import type { Producer, Request } from './producer.js'
import {
  type Body,
  drawChange,
  drawOverride,
  drawRange,
  drawSchedule,
  drawTask,
  type SpecWorld,
} from './specs.js'

/** Where the tasks are. */
export const namespaces = ['alpha', 'beta', 'gamma']

interface KnownTask {
  readonly id: string
  readonly namespace: string
  readonly revision: number
}

interface KnownSchedule {
  readonly id: string
  readonly namespace: string
  readonly name: string
}

/** What producers know of: what was answered to any of them. */
export class Known {
  readonly tasks: KnownTask[] = []
  readonly schedules: KnownSchedule[] = []

  learn(task: KnownTask): void {
    const index = this.tasks.findIndex(({ id }) => id === task.id)
    if (index < 0) this.tasks.push(task)
    else this.tasks[index] = task
  }

  forget(id: string): void {
    const index = this.tasks.findIndex((task) => task.id === id)
    if (index >= 0) this.tasks.splice(index, 1)
  }
}

export interface WorkloadParts {
  readonly producer: Producer
  readonly known: Known
  readonly random: Random
  /** Before every name. */
  readonly name: string
  /** How many tasks this producer creates before it does anything else. */
  readonly tasks: number
  /** Mean time between two commands afterwards. */
  readonly everyMs: number
  /** By when everything is over. */
  readonly until: number
  readonly onCreated: () => void
}

const actions = {
  create: 6,
  edit: 16,
  reschedule: 10,
  disable: 8,
  enable: 12,
  delete: 2,
  trigger: 14,
  backfill: 3,
  reset: 3,
  put: 3,
  createSchedule: 1,
  changeSchedule: 2,
  deleteSchedule: 0.5,
}
type Action = keyof typeof actions

/** What one producer does, from its first task to the end. */
export class Workload {
  private readonly parts: WorkloadParts
  private named = 0
  private isOver = false

  constructor(parts: WorkloadParts) {
    this.parts = parts
  }

  stop(): void {
    this.isOver = true
  }

  async run(): Promise<void> {
    const { random, tasks, everyMs, onCreated } = this.parts
    await this.act('createSchedule')
    for (let made = 0; made < tasks && !this.isOver; made += 1) {
      await this.act('create')
      onCreated()
    }
    while (!this.isOver) {
      await new Promise((resolve) => setTimeout(resolve, -everyMs * Math.log(1 - random.next())))
      if (!this.isOver) await this.act(weighted(random, actions))
    }
  }

  private async act(action: Action): Promise<void> {
    switch (action) {
      case 'create':
        return this.create()
      case 'put':
        return this.put()
      case 'createSchedule':
        return this.createSchedule()
      case 'changeSchedule':
      case 'deleteSchedule':
        return this.onSchedule(action)
      default:
        return this.onTask(action)
    }
  }

  private async create(): Promise<void> {
    const namespace = pick(this.parts.random, namespaces)
    const body = drawTask(this.parts.random, this.specWorld(namespace), this.nextName('task'))
    await this.sendTask({
      command: 'createTask',
      namespace,
      taskId: null,
      method: 'POST',
      path: '/tasks',
      body,
    })
  }

  /** One of a few names: several producers ask for the same one. */
  private async put(): Promise<void> {
    const { random } = this.parts
    const namespace = pick(random, namespaces)
    const name = `put-${pick(random, [1, 2, 3, 4])}`
    const body = drawTask(random, this.specWorld(namespace), name)
    await this.sendTask({
      command: 'putTask',
      namespace,
      taskId: null,
      method: 'PUT',
      path: `/tasks/by-name/${name}`,
      body,
      ...(chance(random, 0.3) ? { headers: { 'if-none-match': '*' } } : {}),
    })
  }

  private async onTask(action: Action): Promise<void> {
    const { random, known } = this.parts
    if (known.tasks.length === 0) return
    const { id, namespace, revision } = pick(random, known.tasks)
    const path = `/tasks/${id}`
    const headers = chance(random, 0.1) ? { headers: { 'if-match': `"${revision}"` } } : {}
    const request = { command: action, namespace, taskId: id, ...headers }
    switch (action) {
      case 'delete':
        if ((await this.parts.producer.send({ ...request, method: 'DELETE', path })) !== undefined)
          known.forget(id)
        return
      case 'edit':
        return this.sendTask({ ...request, method: 'PATCH', path, body: drawChange(random) })
      case 'reschedule': {
        const body = { schedule: drawSchedule(random, this.specWorld(namespace)) }
        return this.sendTask({ ...request, method: 'PATCH', path, body })
      }
      case 'trigger':
        return this.post(request, `${path}/trigger`, drawOverride(random))
      case 'backfill':
        return this.post(request, `${path}/backfill`, drawRange(random, Date.now()))
      case 'reset':
        return this.post(request, `${path}/reset-history`, {})
      default:
        return this.post(request, `${path}/${action}`, {})
    }
  }

  private post(request: Omit<Request, 'method' | 'path'>, path: string, body: Body): Promise<void> {
    return this.sendTask({ ...request, method: 'POST', path, body })
  }

  private async sendTask(request: Request): Promise<void> {
    const { producer, known } = this.parts
    const answer = await producer.send(request)
    const { id, revision } = answer?.body ?? {}
    if (typeof id !== 'string' || typeof revision !== 'number') return
    known.learn({ id, namespace: request.namespace, revision })
  }

  private async createSchedule(): Promise<void> {
    const { random, producer, known } = this.parts
    const namespace = pick(random, namespaces)
    const name = this.nextName('schedule')
    const body = { name, schedule: drawSchedule(random, { ...this.specWorld(namespace), schedules: [] }) }
    const request = { command: 'createSchedule', namespace, taskId: null, body }
    const answer = await producer.send({ ...request, method: 'POST', path: '/schedules' })
    const id = answer?.body.id
    if (typeof id === 'string') known.schedules.push({ id, namespace, name })
  }

  private async onSchedule(action: 'changeSchedule' | 'deleteSchedule'): Promise<void> {
    const { random, producer, known } = this.parts
    if (known.schedules.length === 0) return
    const { id, namespace } = pick(random, known.schedules)
    const request = { command: action, namespace, taskId: null }
    const path = `/schedules/${id}`
    if (action === 'changeSchedule') {
      const body = { schedule: drawSchedule(random, this.specWorld(namespace)) }
      await producer.send({ ...request, method: 'PATCH', path, body })
      return
    }
    if ((await producer.send({ ...request, method: 'DELETE', path: `${path}?cascade=true` })) === undefined)
      return
    const index = known.schedules.findIndex((schedule) => schedule.id === id)
    if (index >= 0) known.schedules.splice(index, 1)
  }

  private specWorld(namespace: string): SpecWorld {
    const { known, until } = this.parts
    const schedules = known.schedules.filter((each) => each.namespace === namespace).map(({ name }) => name)
    return { now: Date.now(), until, schedules }
  }

  private nextName(kind: string): string {
    this.named += 1
    return `${this.parts.name}-${kind}-${this.named}`
  }
}
