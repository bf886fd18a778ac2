import type { TaskInput } from '@almanac/engine'
import type { Instant } from '@almanac/recurrence'
import type { Cluster } from '../cluster/cluster.js'
import { pick } from '../cluster/draw.js'
import type { NodeHost } from '../cluster/node-host.js'
import { newMachine, SimProcess } from '../world/index.js'
import type { ScaleSetting } from './setting.js'

const namespace = 'scale'
const lanes = 32

/** Gives the cluster its tasks, and changes some of them. */
export class Caller {
  private readonly cluster: Cluster
  private readonly setting: ScaleSetting
  private readonly process: SimProcess
  private readonly taskIds: string[] = []
  private readonly massIds = new Set<string>()

  constructor(cluster: Cluster, setting: ScaleSetting) {
    this.cluster = cluster
    this.setting = setting
    this.process = new SimProcess(cluster.world, 'caller', newMachine(cluster.world))
  }

  /** Of the tasks that are due at one instant. */
  get mass(): ReadonlySet<string> {
    return this.massIds
  }

  /** Creates all tasks, by one node, while the world runs. */
  async load(host: NodeHost, massAt: Instant): Promise<void> {
    const { tasks, mass } = this.setting
    const total = tasks + mass
    let next = 0
    const lane = async (): Promise<void> => {
      while (next < total) {
        const index = next++
        const taskId = await this.create(host, index < tasks ? steadyTask(index) : massTask(index, massAt))
        if (index < tasks) this.taskIds.push(taskId)
        else this.massIds.add(taskId)
      }
    }
    await this.duringWorld(Promise.all(Array.from({ length: lanes }, () => this.started(lane))))
  }

  private async create(host: NodeHost, input: TaskInput): Promise<string> {
    const made = await this.ask(host, 'createTask', () =>
      host.enter((node, at) => node.commands.createTask({ ...context(input.name), at }, input)),
    )
    if (!made.ok) throw new Error(`${input.name} was refused: ${JSON.stringify(made.error)}`)
    return made.value.state.taskId
  }

  /** From the answer to a change to its being in effect, in ms; one change after another, by any node. */
  async timeChanges(): Promise<readonly number[]> {
    const took: number[] = []
    const all = async (): Promise<void> => {
      const { random, clock } = this.process
      for (let index = 0; index < this.setting.changes; index++) {
        const host = pick(
          random,
          this.cluster.hosts.filter(({ isUp }) => isUp),
        )
        took.push(await this.timeChange(host, pick(random, this.taskIds), `change ${index}`))
        await clock.sleep(200 * random.next())
      }
    }
    await this.duringWorld(this.started(all))
    return took
  }

  private async timeChange(host: NodeHost, taskId: string, description: string): Promise<number> {
    const { world } = this.cluster
    const made = await this.ask(host, 'changeTask', () =>
      host.enter((node, at) => node.commands.changeTask({ ...context(taskId), at }, taskId, { description })),
    )
    if (!made.ok) throw new Error(`A change was refused: ${JSON.stringify(made.error)}`)
    const { position } = made.value
    const since = world.time
    const isFenced = await this.ask(host, 'fenced', () =>
      host.enter((node) => node.fenced([{ kind: 'task', taskId }], position, fenceWaitMs)),
    )
    if (!isFenced) throw new Error(`A change was not in effect within ${fenceWaitMs} ms`)
    return world.time - since
  }

  private ask<T>(host: NodeHost, label: string, serve: () => Promise<T>): Promise<T> {
    const call = { service: host.service, label, deadlineMs: 2 * fenceWaitMs, isWrite: false }
    return this.process.call(call, serve)
  }

  /** Begins as an action of the world. */
  private started(work: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.cluster.world.after(0, () => void work().then(resolve, reject))
    })
  }

  private async duringWorld(work: Promise<unknown>): Promise<void> {
    let isOver = false
    const over = work.then(() => {
      isOver = true
    })
    while (!isOver) await this.cluster.world.runFor(100)
    await over
  }
}

const context = (correlationId: string) => ({ namespace, actor: 'caller', correlationId })

/** Once a minute, at a second of its own. */
const steadyTask = (index: number): TaskInput => ({
  name: `steady-${index}`,
  task: 'work',
  schedule: { crontab: { expression: `${index % 60} * * * * *`, seconds: true } },
})

const massTask = (index: number, at: Instant): TaskInput => ({
  name: `mass-${index}`,
  task: 'work',
  schedule: { crontab: { expression: secondOf(new Date(at)), seconds: true } },
})

const secondOf = (at: Date): string =>
  `${at.getUTCSeconds()} ${at.getUTCMinutes()} ${at.getUTCHours()} ${at.getUTCDate()} ${at.getUTCMonth() + 1} *`

const fenceWaitMs = 10_000
