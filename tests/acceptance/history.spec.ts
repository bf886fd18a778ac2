import { type CommandContext, calendarIdOf, scheduleIdOf, type TaskSpec } from '@almanac/domain'
import { defaultNodeOptions, SeededRandom } from '@almanac/engine'
import { checkHistory, type HistoryRecord } from '@almanac/history'
import { expect, it } from 'vitest'
import { type OnCommitted, World } from './world.js'

// What the real node does in a random life is judged by the history checker, which knows nothing of the node: no rule
// may find anything, and the rules that decide and account anew must have had a lot to do.

const minute = 60_000
// 65 and 81: a shared schedule whose words alone changed ended what it had due.
const seeds = [1, 2, 3, 4, 5, 6, 7, 8, 65, 81]

const schedules: readonly TaskSpec['schedule'][] = [
  { interval: { every: 45, period: 'seconds' } },
  { interval: { every: 7, period: 'minutes' } },
  { crontab: { expression: '*/3 * * * *', timezone: 'America/New_York' } },
  { union: [{ crontab: { expression: '*/10 * * * *' } }, { interval: { every: 11, period: 'minutes' } }] },
  { ref: 'shared' },
  {
    except: { base: { interval: { every: 2, period: 'minutes' } }, exclude: [{ calendar: { ref: 'days' } }] },
  },
]

/** What a reader of committed records would have seen. */
class Recorder {
  readonly records: HistoryRecord[] = []
  private offset = 0

  readonly onCommitted: OnCommitted = (partition, { runs, skips, next }, appendedAt) => {
    for (const run of runs) {
      this.offset += 1
      this.records.push({ kind: 'run', topic: 'runs', partition, offset: this.offset, appendedAt, run })
    }
    for (const skip of skips) this.records.push({ kind: 'skip', partition, seq: next.seq, skip })
    this.records.push({ kind: 'checkpoint', partition, offset: next.seq, appendedAt, checkpoint: next })
  }

  async history(world: World): Promise<readonly HistoryRecord[]> {
    const { events } = await world.log.readAll(0, 100_000)
    return [
      meta,
      ...events.map((event) => ({ kind: 'event', event }) as const),
      ...this.records,
      { kind: 'end', at: world.clock.now() },
    ]
  }
}

const meta: HistoryRecord = {
  kind: 'meta',
  version: 1,
  cluster: defaultNodeOptions.cluster,
  partitions: 4,
  misfireGraceMs: defaultNodeOptions.misfireGraceMs,
  maxDecisionsPerTick: 20,
  earlyToleranceMs: 0,
  lateToleranceMs: 2_000,
  recoveryMs: 30_000,
  source: 'a random life',
}

class Life {
  private readonly ids: string[] = []
  private readonly random: SeededRandom
  private readonly world: World

  constructor(world: World, seed: number) {
    this.world = world
    this.random = new SeededRandom(seed)
  }

  /** Another machine took the command: its clock is up to three seconds behind. */
  private get context(): CommandContext {
    const { context } = this.world
    return { ...context, at: context.at - this.pick([0, 0, this.upTo(3_000)]) }
  }

  private pick<T>(values: readonly T[]): T {
    const value = values[Math.floor(this.random.next() * values.length)]
    if (value === undefined) throw new Error('nothing to pick from')
    return value
  }

  async begin(): Promise<void> {
    const { world } = this
    const { commands } = world.node
    const shared = { name: 'shared', schedule: { crontab: { expression: '*/4 * * * *' } } }
    await world.must(commands.createSchedule(this.context, shared))
    await world.must(commands.createCalendar(this.context, { name: 'days', days: { dates: ['2026-03-09'] } }))
  }

  async step(): Promise<void> {
    const { world } = this
    const { commands } = world.node
    const dice = this.random.next()
    if (this.ids.length < 5 || dice < 0.1) await this.create()
    else if (dice < 0.2) await this.pass(5 * minute)
    else if (dice < 0.3) await commands.disableTask(this.context, this.pick(this.ids))
    else if (dice < 0.4) await commands.enableTask(this.context, this.pick(this.ids))
    else if (dice < 0.48) await this.change({ schedule: this.pick(schedules) })
    else if (dice < 0.55) await this.change({ args: [Math.floor(this.random.next() * 99)] })
    else if (dice < 0.6) await this.change({ expires: world.clock.now() + this.upTo(20 * minute) })
    else if (dice < 0.64) await commands.triggerTask(this.context, this.pick(this.ids), {})
    else if (dice < 0.68) await this.backfill()
    else if (dice < 0.72) await commands.deleteTask(this.context, this.pick(this.ids))
    else if (dice < 0.76) await commands.resetHistory(this.context, this.pick(this.ids))
    else if (dice < 0.82) await this.changeShared()
    else if (dice < 0.92) await this.restart()
    else world.dispatchIsDown = !world.dispatchIsDown
    if (this.random.next() < 0.7) await this.pass(this.random.next() < 0.3 ? 2_000 : 4 * minute)
  }

  private async create(): Promise<void> {
    const isLimited = this.random.next() < 0.3
    const task = await this.world.create({
      name: `task ${this.ids.length}`,
      schedule: this.pick(schedules),
      enabled: this.random.next() < 0.8,
      jitterSeconds: this.pick([0, 0, 20]),
      overlap: this.pick(['allow', 'allow', 'skip', 'queueOne']),
      ...(isLimited ? { maxRuns: 3 } : {}),
      catchUp: {
        policy: this.pick(['latest', 'all', 'none']),
        windowSeconds: this.pick([null, 300]),
        max: this.pick([2, 100]),
      },
    })
    this.ids.push(task.taskId)
  }

  private async change(changes: Partial<TaskSpec>): Promise<void> {
    await this.world.node.commands.changeTask(this.context, this.pick(this.ids), changes)
  }

  private async backfill(): Promise<void> {
    const until = this.world.clock.now()
    const range = { from: until - 30 * minute, until, max: 5 }
    await this.world.node.commands.backfillTask(this.context, this.pick(this.ids), range)
  }

  private async changeShared(): Promise<void> {
    const { world } = this
    const { commands } = world.node
    const { context } = this
    if (this.random.next() < 0.5) {
      if (this.random.next() < 0.3) {
        const description = `number ${this.upTo(1_000)}`
        await commands.changeSchedule(context, scheduleIdOf('default', 'shared'), { description })
        return
      }
      const expression = this.pick(['*/4 * * * *', '*/5 * * * *', '1-59/2 * * * *'])
      await commands.changeSchedule(context, scheduleIdOf('default', 'shared'), {
        schedule: { crontab: { expression } },
      })
    } else {
      await commands.changeCalendar(context, calendarIdOf('default', 'days'), {
        days: { dates: [this.pick(['2026-03-08', '2026-03-09'])] },
      })
    }
  }

  private upTo(ms: number): number {
    return Math.floor(this.random.next() * ms)
  }

  private async pass(maxMs: number): Promise<void> {
    await this.world.clock.advance(this.upTo(maxMs))
  }

  private async restart(): Promise<void> {
    const until = this.world.clock.now() + this.upTo(20 * minute)
    await this.world.downUntil(new Date(until).toISOString())
  }
}

it.each(seeds)('seed %i: the history of a random life is clean', async (seed) => {
  const recorder = new Recorder()
  const options = { parkedRetryMs: 15_000, maxDecisionsPerTick: 20 }
  const world = await World.at('2026-03-08T04:30:00Z', options, recorder.onCommitted)
  try {
    const life = new Life(world, seed)
    await life.begin()
    for (let step = 0; step < 60; step += 1) await life.step()
    world.dispatchIsDown = false
    await world.clock.advance(30 * minute)
    const records = await recorder.history(world)
    // Ticks that failed on purpose.
    world.faults = []
    const report = checkHistory(records)
    expect(report.violations.map(({ rule, message, taskId }) => `${rule}: ${message} (${taskId})`)).toEqual(
      [],
    )
    expect(report.counts.occurrences).toBeGreaterThan(30)
    expect(report.counts.skipped).toBeGreaterThan(0)
  } finally {
    await world.end()
  }
})
