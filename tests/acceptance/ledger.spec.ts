import { rmSync } from 'node:fs'
import { viewsPath } from '@almanac/adapters/sqlite'
import { afterEach, describe, expect, it } from 'vitest'
import { World } from './world.js'

// What the ledger keeps under restarts, outages, requests, overlap and changes of what tasks refer to.

let world: World
afterEach(() => world.end())

const interval = (every: number, period: 'seconds' | 'minutes' | 'hours') => ({ interval: { every, period } })
const minutely = interval(1, 'minutes')
const all = { policy: 'all', windowSeconds: null, max: 100 } as const
const times = (instants: readonly string[]) => instants.map((at) => at.slice(11, 16))
const lease = { namespace: 'default', queue: 'default', max: 10, waitMs: 0, worker: 'w', leaseMs: 60_000 }

async function skipsOf(taskId: string): Promise<(string | number | null)[][]> {
  const outcomes = await world.node.queries.outcomes('default', taskId, 0, world.clock.now(), 100)
  const skipped = (outcomes ?? []).filter((occurrence) => occurrence.outcome === 'skipped')
  return skipped.map(({ reason, count }) => [reason, count])
}

describe('requests', () => {
  it('a trigger that no tick has committed survives the restart, and runs once', async () => {
    world = await World.at('2026-03-01T12:00:00Z')
    const task = await world.create({ schedule: interval(1, 'hours') })
    world.dispatchIsDown = true
    const triggered = await world.must(world.node.commands.triggerTask(world.context, task.taskId, {}))
    await world.downUntil('2026-03-01T12:00:10Z')
    expect(world.runs()).toEqual([])
    world.faults = []
    world.dispatchIsDown = false
    await world.downUntil('2026-03-01T12:00:20Z')
    await world.downUntil('2026-03-01T12:00:30Z')
    const { items } = world.node.queries.runs('default', {}, { limit: 10 })
    expect(items.map(({ command }) => [command.runId, command.kind])).toEqual([[triggered.runId, 'manual']])
    world.faults = []
  })

  it('backfill runs each occurrence of a past stretch, with its own instant, as often as asked', async () => {
    world = await World.at('2026-03-01T12:00:00Z')
    const task = await world.create({ schedule: interval(1, 'hours') })
    await world.until('2026-03-01T18:30:00Z')
    const range = {
      from: Date.parse('2026-03-01T14:00:00Z'),
      until: Date.parse('2026-03-01T16:00:00Z'),
      max: 10,
    }
    await world.must(world.node.commands.backfillTask(world.context, task.taskId, range))
    await world.until('2026-03-01T18:31:00Z')
    const { items } = world.node.queries.runs('default', { kind: 'backfill' }, { limit: 10 })
    expect(times(items.map(({ command }) => new Date(command.scheduledAt).toISOString())).sort()).toEqual([
      '14:00',
      '15:00',
      '16:00',
    ])
    await world.must(world.node.commands.backfillTask(world.context, task.taskId, { ...range, max: 1 }))
    await world.until('2026-03-01T18:32:00Z')
    expect(world.node.queries.runs('default', { kind: 'backfill' }, { limit: 10 }).total).toBe(4)
  })

  it('reset history: totals start again, the runs stay listed', async () => {
    world = await World.at('2026-03-01T12:00:00Z')
    const task = await world.create({ schedule: minutely })
    await world.until('2026-03-01T12:03:30Z')
    await world.must(world.node.commands.resetHistory(world.context, task.taskId))
    await world.until('2026-03-01T12:03:31Z')
    expect(world.view(task).totals).toMatchObject({ totalRunCount: 0, lastRunAt: null })
    await world.until('2026-03-01T12:05:30Z')
    expect(world.view(task).totals?.totalRunCount).toBe(2)
    expect(world.runs(task)).toHaveLength(5)
  })
})

describe('what a change leaves undecided', () => {
  it.each([
    ['disabled', (taskId: string) => world.node.commands.disableTask(world.context, taskId)],
    ['deleted', (taskId: string) => world.node.commands.deleteTask(world.context, taskId)],
    [
      'superseded',
      (taskId: string) =>
        world.node.commands.changeTask(world.context, taskId, { schedule: interval(5, 'hours') }),
    ],
  ] as const)('while ticks could not commit, then %s: skipped with that reason', async (reason, command) => {
    world = await World.at('2026-03-01T12:00:00Z')
    const task = await world.create({ schedule: minutely, catchUp: all })
    await world.until('2026-03-01T12:01:30Z')
    world.dispatchIsDown = true
    await world.until('2026-03-01T12:04:30Z')
    await world.must<unknown>(command(task.taskId))
    await world.downUntil('2026-03-01T12:06:30Z')
    world.dispatchIsDown = false
    await world.until('2026-03-01T12:10:00Z')
    expect(times(world.runs(task))).toEqual(['12:01'])
    expect(await skipsOf(task.taskId)).toContainEqual([reason, 3])
    world.faults = []
  })

  it('maxRuns ends the task, and what is left of it outlives a change of the schedule', async () => {
    world = await World.at('2026-03-01T12:00:00Z')
    const task = await world.create({ schedule: minutely, maxRuns: 4 })
    await world.until('2026-03-01T12:03:30Z')
    await world.change(task, { schedule: interval(10, 'minutes') })
    await world.until('2026-03-01T13:00:00Z')
    expect(times(world.runs(task))).toEqual(['12:01', '12:02', '12:03', '12:10'])
    expect(world.view(task).state.disabledCause).toBe('completed')
  })
})

describe('what tasks refer to', () => {
  it('a shared schedule changes for all its tasks at once', async () => {
    world = await World.at('2026-03-01T12:00:00Z')
    const { commands } = world.node
    const { state } = await world.must(
      commands.createSchedule(world.context, { name: 'shared', schedule: minutely }),
    )
    const one = await world.create({ name: 'one', schedule: { ref: 'shared' } })
    const two = await world.create({ name: 'two', schedule: { ref: 'shared' } })
    await world.until('2026-03-01T12:02:30Z')
    await world.must(
      commands.changeSchedule(world.context, state.scheduleId, { schedule: interval(5, 'minutes') }),
    )
    await world.until('2026-03-01T12:11:00Z')
    for (const task of [one, two]) {
      expect(times(world.runs(task))).toEqual(['12:01', '12:02', '12:05', '12:10'])
    }
  })

  it('a calendar excludes days, from the moment that it says so', async () => {
    world = await World.at('2026-03-01T12:00:00Z')
    const { commands } = world.node
    const days = { dates: ['2026-03-02'] }
    const { state } = await world.must(commands.createCalendar(world.context, { name: 'holidays', days }))
    const daily = { crontab: { expression: '0 9 * * *' } }
    const schedule = { except: { base: daily, exclude: [{ calendar: { ref: 'holidays' } }] } }
    const task = await world.create({ schedule })
    await world.until('2026-03-04T00:00:00Z')
    expect(world.runs(task)).toEqual(['2026-03-03T09:00:00Z'])
    const longer = { dates: ['2026-03-02', '2026-03-04', '2026-03-05'] }
    await world.must(commands.changeCalendar(world.context, state.calendarId, { days: longer }))
    await world.until('2026-03-07T00:00:00Z')
    expect(world.runs(task)).toEqual(['2026-03-03T09:00:00Z', '2026-03-06T09:00:00Z'])
  })
})

describe('overlap', () => {
  it('skip: no second run while one is unfinished', async () => {
    world = await World.at('2026-03-01T12:00:00Z')
    const task = await world.create({ schedule: minutely, overlap: 'skip' })
    await world.until('2026-03-01T12:03:30Z')
    expect(times(world.runs(task))).toEqual(['12:01'])
    expect(await skipsOf(task.taskId)).toEqual([
      ['overlap', 1],
      ['overlap', 1],
    ])
    const [leased] = await world.intake.lease(lease)
    await world.intake.ack('default', leased?.run.command.runId ?? '', leased?.leaseToken ?? '')
    await world.until('2026-03-01T12:04:30Z')
    expect(times(world.runs(task))).toEqual(['12:01', '12:04'])
  })

  it('queueOne: one waits behind the running one, and goes when that is done', async () => {
    world = await World.at('2026-03-01T12:00:00Z')
    const task = await world.create({ schedule: minutely, overlap: 'queueOne' })
    await world.until('2026-03-01T12:01:10Z')
    const [first] = await world.intake.lease({ ...lease, leaseMs: 3_600_000 })
    await world.until('2026-03-01T12:03:30Z')
    expect(times(world.runs(task))).toEqual(['12:01', '12:02'])
    expect(await world.intake.lease(lease)).toEqual([])
    const waiting = world.intake.lease({ ...lease, waitMs: 30_000 })
    await world.intake.ack('default', first?.run.command.runId ?? '', first?.leaseToken ?? '')
    const [second] = await waiting
    expect(new Date(second?.run.command.scheduledAt ?? 0).toISOString().slice(11, 16)).toBe('12:02')
  })

  it('cancelRunning: the running one is told to stop', async () => {
    world = await World.at('2026-03-01T12:00:00Z')
    const task = await world.create({ schedule: minutely, overlap: 'cancelRunning' })
    await world.until('2026-03-01T12:01:10Z')
    const [first] = await world.intake.lease({ ...lease, leaseMs: 3_600_000 })
    const { runId } = first?.run.command ?? { runId: '' }
    const beat = () => world.intake.heartbeat('default', runId, first?.leaseToken ?? '', 3_600_000)
    expect(await beat()).toEqual({ reply: 'ok', cancelRequested: false })
    await world.until('2026-03-01T12:02:10Z')
    expect(await beat()).toEqual({ reply: 'ok', cancelRequested: true })
    expect(times(world.runs(task))).toEqual(['12:01', '12:02'])
  })
})

describe('leases of runs', () => {
  it('a lapsed lease is given out again; the first worker has lost it', async () => {
    world = await World.at('2026-03-01T12:00:00Z')
    await world.create({ schedule: interval(1, 'hours') })
    await world.until('2026-03-01T13:00:00Z')
    const [first] = await world.intake.lease({ ...lease, leaseMs: 10_000 })
    await world.until('2026-03-01T13:00:09Z')
    expect(await world.intake.lease(lease)).toEqual([])
    const waiting = world.intake.lease({ ...lease, waitMs: 30_000 })
    await world.until('2026-03-01T13:00:11Z')
    const [second] = await waiting
    const runId = second?.run.command.runId ?? ''
    expect([runId, second?.run.attempt]).toEqual([first?.run.command.runId, 2])
    expect(await world.intake.ack('default', runId, first?.leaseToken ?? '')).toBe('lost')
    expect(await world.intake.ack('default', runId, second?.leaseToken ?? '')).toBe('ok')
    expect(await world.intake.ack('other', runId, second?.leaseToken ?? '')).toBe('unknown')
  })

  it('a failed run is tried again after its delay, as often as the task allows', async () => {
    world = await World.at('2026-03-01T12:00:00Z')
    await world.create({ schedule: interval(1, 'hours'), maxAttempts: 2 })
    await world.until('2026-03-01T13:00:00Z')
    const [first] = await world.intake.lease(lease)
    const runId = first?.run.command.runId ?? ''
    await world.intake.fail('default', runId, first?.leaseToken ?? '', 'boom', 5_000)
    expect(await world.intake.lease(lease)).toEqual([])
    await world.until('2026-03-01T13:00:06Z')
    const [second] = await world.intake.lease(lease)
    await world.intake.fail('default', runId, second?.leaseToken ?? '', 'boom again', 5_000)
    expect(world.node.queries.run('default', runId)).toMatchObject({
      status: 'failed',
      error: 'boom again',
      attempt: 2,
    })
  })
})

describe('the past', () => {
  it('lists tasks as of any instant or position, and read models are rebuilt equal', async () => {
    world = await World.at('2026-03-01T12:00:00Z')
    const task = await world.create({ name: 'first', schedule: minutely, queue: 'old' })
    await world.until('2026-03-01T12:10:00Z')
    await world.change(task, { queue: 'new', name: 'renamed' })
    const second = await world.create({ name: 'second', schedule: minutely })
    await world.until('2026-03-01T12:20:00Z')
    await world.must(world.node.commands.deleteTask(world.context, second.taskId))
    const asOf = (time: string) => {
      const { queries } = world.node
      const position = queries.resolveAsOf({ instant: Date.parse(`2026-03-01T${time}Z`) })
      return queries
        .tasks('default', {}, { limit: 10 }, position)
        .items.map(({ state }) => [state.spec.name, state.spec.queue])
    }
    const check = () => {
      expect(asOf('11:59:59')).toEqual([])
      expect(asOf('12:05:00')).toEqual([['first', 'old']])
      expect(asOf('12:15:00')).toEqual([
        ['renamed', 'new'],
        ['second', null],
      ])
      expect(asOf('12:30:00')).toEqual([['renamed', 'new']])
    }
    check()
    const before = JSON.stringify(world.node.queries.tasks('default', {}, { limit: 10 }))
    await world.stop()
    rmSync(viewsPath(world.folder))
    await world.start()
    check()
    expect(JSON.stringify(world.node.queries.tasks('default', {}, { limit: 10 }))).toBe(before)
  })
})
