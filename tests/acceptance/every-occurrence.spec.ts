import {
  definitionOf,
  dispatchInstant,
  earliest,
  evolveTask,
  type TaskSpec,
  type TaskState,
} from '@almanac/domain'
import { SeededRandom } from '@almanac/engine'
import { expect, it } from 'vitest'
import { World } from './world.js'

// A random life of a few tasks: created, edited, disabled, enabled, deleted, while the process restarts and the
// dispatch log fails. Afterwards every occurrence that a definition had while it held must have exactly one outcome.

const minute = 60_000
const seeds = Array.from({ length: 12 }, (_, seed) => seed + 1)

const schedules: readonly TaskSpec['schedule'][] = [
  { interval: { every: 45, period: 'seconds' } },
  { interval: { every: 7, period: 'minutes' } },
  { crontab: { expression: '*/3 * * * *', timezone: 'America/New_York' } },
  { crontab: { expression: '5,6,50 1-3 * * *', timezone: 'America/New_York' } },
  { union: [{ crontab: { expression: '*/10 * * * *' } }, { interval: { every: 11, period: 'minutes' } }] },
]

class Life {
  readonly ids: string[] = []
  private readonly random: SeededRandom
  private readonly world: World

  constructor(world: World, seed: number) {
    this.world = world
    this.random = new SeededRandom(seed)
  }

  private pick<T>(values: readonly T[]): T {
    const value = values[Math.floor(this.random.next() * values.length)]
    if (value === undefined) throw new Error('nothing to pick from')
    return value
  }

  async step(): Promise<void> {
    const { world } = this
    const { commands } = world.node
    const dice = this.random.next()
    if (this.ids.length < 4 || dice < 0.1) await this.create()
    else if (dice < 0.25) await this.pass(5 * minute)
    else if (dice < 0.4) await commands.disableTask(world.context, this.pick(this.ids))
    else if (dice < 0.6) await commands.enableTask(world.context, this.pick(this.ids))
    else if (dice < 0.7)
      await commands.changeTask(world.context, this.pick(this.ids), { schedule: this.pick(schedules) })
    else if (dice < 0.8)
      await commands.changeTask(world.context, this.pick(this.ids), { args: [this.random.next()] })
    else if (dice < 0.85) await commands.deleteTask(world.context, this.pick(this.ids))
    else if (dice < 0.93) await this.restart()
    else world.dispatchIsDown = !world.dispatchIsDown
    await this.pass(4 * minute)
  }

  private async create(): Promise<void> {
    const task = await this.world.create({
      name: `task ${this.ids.length}`,
      schedule: this.pick(schedules),
      enabled: this.random.next() < 0.8,
      jitterSeconds: this.pick([0, 0, 20]),
      catchUp: {
        policy: this.pick(['latest', 'all', 'none']),
        windowSeconds: this.pick([null, 300]),
        max: this.pick([2, 100]),
      },
    })
    this.ids.push(task.taskId)
  }

  private async pass(maxMs: number): Promise<void> {
    await this.world.clock.advance(Math.floor(this.random.next() * maxMs))
  }

  private async restart(): Promise<void> {
    const until = this.world.clock.now() + Math.floor(this.random.next() * 20 * minute)
    await this.world.downUntil(new Date(until).toISOString())
  }
}

/** What each definition of the task had due while it held, by the instants of its events alone. */
async function expectedOf(world: World, taskId: string, end: number): Promise<number[]> {
  const expected: number[] = []
  const events = await world.node.queries.history('default', taskId)
  let state: TaskState | undefined
  for (const [index, event] of events.entries()) {
    state = evolveTask(state, event)
    const until = events[index + 1]?.metadata.at ?? end
    if (state?.status !== 'active' || !state.spec.enabled) continue
    const definition = definitionOf(state, { schedule: () => undefined, calendar: () => undefined })
    if (!definition.ok) throw new Error('a task that can not be planned')
    const { recurrence } = definition.value
    const isLast = index === events.length - 1
    const start = Math.max(event.metadata.at, earliest(definition.value))
    for (
      let next = recurrence.next(start);
      next !== undefined && next <= until;
      next = recurrence.next(next)
    ) {
      // What jitter delays beyond the end of the test is not decided yet; what an event ends is, by its own instant.
      if (!isLast || dispatchInstant(definition.value, next) <= until) expected.push(next)
    }
  }
  return expected
}

/** Runs, and the occurrences that skipped stretches stand for; each at most once. */
function decidedOf(
  world: World,
  taskId: string,
  expected: readonly number[],
): { decided: number[]; skipped: number } {
  const { items } = world.node.queries.runs('default', { taskId }, { limit: 1000 })
  const decided = items.map((run) => run.command.scheduledAt)
  let skipped = 0
  for (const skip of world.skips(taskId)) {
    const within = expected.filter((at) => at >= skip.first && at <= skip.last && !decided.includes(at))
    expect(within.length).toBeGreaterThanOrEqual(skip.count)
    skipped += skip.count
  }
  return { decided, skipped }
}

it.each(seeds)('seed %i: every occurrence has exactly one outcome', async (seed) => {
  const world = await World.at('2026-03-08T04:30:00Z', { parkedRetryMs: 15_000 })
  try {
    const life = new Life(world, seed)
    for (let step = 0; step < 30; step += 1) await life.step()
    world.dispatchIsDown = false
    await world.clock.advance(30 * minute)
    const end = world.clock.now()
    let total = 0
    for (const taskId of life.ids) {
      const expected = await expectedOf(world, taskId, end)
      const { decided, skipped } = decidedOf(world, taskId, expected)
      expect(new Set(decided).size).toBe(decided.length)
      for (const at of decided) expect(expected).toContain(at)
      expect(decided.length + skipped).toBe(expected.length)
      total += expected.length
    }
    expect(total).toBeGreaterThan(0)
    world.faults = []
  } finally {
    await world.end()
  }
})
