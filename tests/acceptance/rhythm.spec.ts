import { afterEach, describe, expect, it } from 'vitest'
import { World } from './world.js'

// CELERY.md section 11, cases 13 to 35, 38 and 45: when tasks run.

let world: World
afterEach(() => world.end())

const interval = (every: number, period: 'seconds' | 'minutes' | 'hours' | 'days') => ({
  interval: { every, period },
})
const crontab = (expression: string, timezone = 'UTC') => ({ crontab: { expression, timezone } })
const newYork = (expression: string) => crontab(expression, 'America/New_York')
const clocked = (at: string) => ({ clocked: { at } })
/** Hours and minutes of instants of one day. */
const times = (instants: readonly string[]) => instants.map((at) => at.slice(11, 16))

describe('acceptance: the sun and clocks', () => {
  it('case 13: sunrise at 78 N in December: no run, alive, back in February', async () => {
    world = await World.at('2025-12-01T00:00:00Z')
    const sunrise = await world.create({
      schedule: { solar: { event: 'sunrise', latitude: 78.22, longitude: 15.65 } },
    })
    const daily = await world.create({ name: 'daily', schedule: interval(1, 'days') })
    await world.until('2026-02-20T00:00:00Z')
    const first = world.runs(sunrise)[0] ?? ''
    expect(first > '2026-02-10' && first < '2026-02-20').toBe(true)
    expect(world.runs(daily)).toHaveLength(81)
  })

  it('case 14: clocked in the past: once at start, then disabled, never again, also after a restart', async () => {
    world = await World.at('2026-03-01T12:00:00Z')
    const task = await world.create({ schedule: clocked('2025-01-01T00:00:00Z'), oneOff: true })
    await world.until('2026-03-01T12:00:01Z')
    expect(world.runs(task)).toHaveLength(1)
    await world.downUntil('2026-03-01T12:00:05Z')
    await world.until('2026-03-01T13:00:00Z')
    expect(world.runs(task)).toHaveLength(1)
    expect(world.view(task).state.spec.enabled).toBe(false)
    expect(world.view(task).state.disabledCause).toBe('completed')
  })

  it('case 15: two tasks on one clocked schedule both run once', async () => {
    world = await World.at('2026-03-01T12:00:00Z')
    const schedule = clocked('2026-03-01T12:30:00Z')
    await world.must(world.node.commands.createSchedule(world.context, { name: 'launch', schedule }))
    const one = await world.create({ name: 'one', schedule: { ref: 'launch' }, oneOff: true })
    const two = await world.create({ name: 'two', schedule: { ref: 'launch' }, oneOff: true })
    await world.until('2026-03-01T14:00:00Z')
    expect(world.runs(one)).toEqual(['2026-03-01T12:30:00Z'])
    expect(world.runs(two)).toEqual(['2026-03-01T12:30:00Z'])
  })

  it('case 16: New York, the hour that is missing and the hour that comes twice', async () => {
    world = await World.at('2024-03-10T00:00:00Z')
    const spring = await world.create({ schedule: newYork('30 2 * * *') })
    await world.until('2024-03-11T00:00:00Z')
    expect(world.runs(spring)).toEqual(['2024-03-10T07:30:00Z'])
    await world.disable(spring)
    await world.until('2024-11-03T00:00:00Z')
    const autumn = await world.create({ name: 'autumn', schedule: newYork('30 1 * * *') })
    await world.until('2024-11-04T00:00:00Z')
    expect(world.runs(autumn)).toEqual(['2024-11-03T05:30:00Z'])
  })

  it('case 17: in the repeated hour wildcards run in both passes', async () => {
    world = await World.at('2024-11-03T04:59:30Z')
    const minutely = await world.create({ name: 'minutely', schedule: newYork('* * * * *') })
    const hourly = await world.create({ name: 'hourly', schedule: newYork('30 * * * *') })
    await world.until('2024-11-03T06:59:59Z')
    expect(world.runs(minutely)).toHaveLength(120)
    expect(times(world.runs(hourly))).toEqual(['05:30', '06:30'])
  })

  it('case 18: created or enabled in the second pass: the next slot, one send each', async () => {
    world = await World.at('2024-11-03T06:10:00Z')
    const created = await world.create({ name: 'created', schedule: newYork('*/10 * * * *') })
    const enabled = await world.create({ name: 'enabled', schedule: newYork('*/10 * * * *'), enabled: false })
    await world.enable(enabled)
    await world.until('2024-11-03T06:45:00Z')
    expect(times(world.runs(created))).toEqual(['06:20', '06:30', '06:40'])
    expect(times(world.runs(enabled))).toEqual(['06:20', '06:30', '06:40'])
  })

  it('case 19: 24 hours are 24 hours, also when clocks change', async () => {
    world = await World.at('2024-11-02T05:00:00Z')
    const task = await world.create({ schedule: interval(24, 'hours') })
    await world.until('2024-11-05T05:00:00Z')
    expect(world.runs(task)).toEqual(['2024-11-03T05:00:00Z', '2024-11-04T05:00:00Z', '2024-11-05T05:00:00Z'])
  })

  it('case 20: slow sending does not make an interval drift', async () => {
    world = await World.at('2026-03-01T12:00:00Z')
    const task = await world.create({ schedule: interval(60, 'seconds') })
    world.commitTakesMs = 200
    await world.until('2026-03-01T13:00:01Z')
    expect(world.runs(task)).toHaveLength(60)
    expect(world.runs(task).every((at) => at.endsWith(':00Z'))).toBe(true)
    expect(world.emitted(task).at(-1)).toBe('2026-03-01T13:00:00Z')
  })
})

describe('acceptance: missed runs', () => {
  it.each([
    ['none', { policy: 'none', windowSeconds: null, max: 100 }, []],
    ['latest', { policy: 'latest', windowSeconds: null, max: 100 }, ['2026-03-02T02:00:00Z']],
    [
      'latest within grace',
      { policy: 'latest', windowSeconds: 10 * 3600, max: 100 },
      ['2026-03-02T02:00:00Z'],
    ],
    ['latest out of grace', { policy: 'latest', windowSeconds: 3600, max: 100 }, []],
  ] as const)('case 21: daily 02:00, down from 01:00 to 09:00: %s', async (_, catchUp, late) => {
    world = await World.at('2026-03-01T12:00:00Z')
    const task = await world.create({ schedule: crontab('0 2 * * *'), catchUp })
    await world.until('2026-03-02T01:00:00Z')
    await world.downUntil('2026-03-02T09:00:00Z')
    expect(world.runs(task)).toEqual(late)
    if (late.length > 0) expect(world.emitted(task)).toEqual(['2026-03-02T09:00:00Z'])
    await world.until('2026-03-03T03:00:00Z')
    expect(world.runs(task)).toEqual([...late, '2026-03-03T02:00:00Z'])
  })

  it('case 22: hourly, down for six hours: one late run, or all six with their own instants', async () => {
    world = await World.at('2026-03-01T12:00:00Z')
    const all = { policy: 'all', windowSeconds: null, max: 100 } as const
    const latest = await world.create({ name: 'latest', schedule: interval(1, 'hours') })
    const each = await world.create({ name: 'each', schedule: interval(1, 'hours'), catchUp: all })
    await world.until('2026-03-01T12:30:00Z')
    await world.downUntil('2026-03-01T18:30:00Z')
    expect(times(world.runs(latest))).toEqual(['18:00'])
    expect(times(world.runs(each))).toEqual(['13:00', '14:00', '15:00', '16:00', '17:00', '18:00'])
    const from = Date.parse('2026-03-01T12:00:00Z')
    const until = world.clock.now()
    const outcomes = await world.node.queries.outcomes('default', latest.taskId, from, until, 100)
    const seen = outcomes?.map(({ at, outcome, reason, count }) => [
      new Date(at).getUTCHours(),
      outcome,
      reason,
      count,
    ])
    expect(seen).toEqual([
      [13, 'skipped', 'misfire', 5],
      [18, 'emitted', null, 1],
    ])
  })

  it('case 37: dispatch log down for five minutes: nothing is taken for done, then the policy decides', async () => {
    world = await World.at('2026-03-01T12:00:00Z')
    const all = { policy: 'all', windowSeconds: null, max: 100 } as const
    const latest = await world.create({ name: 'latest', schedule: interval(1, 'minutes') })
    const each = await world.create({ name: 'each', schedule: interval(1, 'minutes'), catchUp: all })
    await world.until('2026-03-01T12:01:30Z')
    world.dispatchIsDown = true
    await world.until('2026-03-01T12:06:30Z')
    expect(times(world.runs(latest))).toEqual(['12:01'])
    expect(world.view(latest).totals?.totalRunCount).toBe(1)
    world.dispatchIsDown = false
    await world.until('2026-03-01T12:07:30Z')
    expect(times(world.runs(latest))).toEqual(['12:01', '12:06', '12:07'])
    expect(times(world.runs(each))).toEqual(['12:01', '12:02', '12:03', '12:04', '12:05', '12:06', '12:07'])
    expect(world.faults.length).toBeGreaterThan(0)
    world.faults = []
  })
})

describe('acceptance: enabling, editing', () => {
  it('case 23: disable 02:30, enable 05:15, by either command: no run at once', async () => {
    world = await World.at('2026-03-01T00:00:00Z')
    const toggled = await world.create({ name: 'toggled', schedule: crontab('0 * * * *') })
    const patched = await world.create({ name: 'patched', schedule: interval(1, 'hours') })
    await world.until('2026-03-01T02:30:00Z')
    await world.disable(toggled)
    await world.change(patched, { enabled: false })
    await world.until('2026-03-01T05:15:00Z')
    await world.enable(toggled)
    await world.change(patched, { enabled: true })
    await world.until('2026-03-01T06:30:00Z')
    expect(times(world.runs(toggled))).toEqual(['01:00', '02:00', '06:00'])
    expect(times(world.runs(patched))).toEqual(['01:00', '02:00', '06:00'])
    const from = Date.parse('2026-03-01T03:00:00Z')
    const until = Date.parse('2026-03-01T05:00:00Z')
    const outcomes = await world.node.queries.outcomes('default', toggled.taskId, from, until, 10)
    expect(outcomes?.map((occurrence) => occurrence.reason)).toEqual(['disabled', 'disabled', 'disabled'])
  })

  it('case 24: edited from :00 to :15 at 10:30: next 11:15', async () => {
    world = await World.at('2026-03-01T09:30:00Z')
    const task = await world.create({ schedule: crontab('0 * * * *') })
    await world.until('2026-03-01T10:30:00Z')
    await world.change(task, { schedule: crontab('15 * * * *') })
    await world.until('2026-03-01T12:00:00Z')
    expect(times(world.runs(task))).toEqual(['10:00', '11:15'])
  })

  it('case 25: an edit of description or args leaves the rhythm alone, also before the first run', async () => {
    world = await World.at('2026-03-01T12:00:00Z')
    const task = await world.create({ schedule: interval(1, 'hours') })
    await world.until('2026-03-01T12:50:00Z')
    await world.change(task, { description: 'new', args: [1] })
    await world.until('2026-03-01T14:10:00Z')
    expect(times(world.runs(task))).toEqual(['13:00', '14:00'])
  })

  it('case 26: put by name at every start, every 12 hours: a 24 hour interval still runs', async () => {
    world = await World.at('2026-03-01T00:00:00Z')
    const entry = { name: 'entry', task: 'app.task', schedule: interval(24, 'hours') }
    const put = () => world.must(world.node.commands.putTask(world.context, entry, { onlyCreate: false }))
    const { state } = await put()
    for (const restart of ['01T12', '02T00', '02T12', '03T00', '03T12', '04T00']) {
      await world.downUntil(`2026-03-${restart}:00:00Z`)
      await put()
    }
    expect(world.runs(state)).toEqual([
      '2026-03-02T00:00:00Z',
      '2026-03-03T00:00:00Z',
      '2026-03-04T00:00:00Z',
    ])
  })

  it('case 27, get-or-create: a start does not undo what an operator has changed', async () => {
    world = await World.at('2026-03-01T00:00:00Z')
    const entry = { name: 'entry', task: 'app.task', schedule: interval(1, 'hours'), queue: 'slow' }
    const put = () => world.must(world.node.commands.putTask(world.context, entry, { onlyCreate: true }))
    const { state } = await put()
    await world.change(state, { queue: 'fast' })
    expect((await put()).created).toBe(false)
    expect(world.view(state).state.spec.queue).toBe('fast')
  })

  it('case 33: a change is seen at once, no marker call needed', async () => {
    world = await World.at('2026-03-01T12:00:00Z')
    const tasks = []
    for (let index = 0; index < 20; index += 1) {
      tasks.push(await world.create({ name: `bulk ${index}`, schedule: interval(1, 'minutes') }))
    }
    await world.until('2026-03-01T12:01:59Z')
    const before = world.node.queries.marker('default')?.position ?? 0
    await Promise.all(tasks.map((task) => world.node.commands.disableTask(world.context, task.taskId)))
    await world.until('2026-03-01T12:05:00Z')
    expect(world.runs()).toHaveLength(20)
    expect(world.node.queries.marker('default')?.position).toBe(before + 20)
  })

  it('case 34: a writer with a slow clock is seen at once', async () => {
    world = await World.at('2026-03-01T12:00:00Z')
    const task = await world.create({ schedule: interval(1, 'minutes') })
    await world.until('2026-03-01T12:02:30Z')
    const slow = { ...world.context, at: world.clock.now() - 3_600_000 }
    await world.must(world.node.commands.disableTask(slow, task.taskId))
    await world.until('2026-03-01T12:10:00Z')
    expect(times(world.runs(task))).toEqual(['12:01', '12:02'])
    const history = await world.node.queries.history('default', task.taskId)
    const at = history.map((event) => event.metadata.at)
    expect(at).toEqual([...at].sort((a, b) => a - b))
  })
})

describe('acceptance: beginnings and ends', () => {
  it('case 28: the start time is a bound for crontabs and the anchor of intervals', async () => {
    world = await World.at('2026-03-01T09:00:00Z')
    const at = (time: string) => Date.parse(`2026-03-01T${time}:00Z`)
    const cron = await world.create({ name: 'cron', schedule: crontab('0 15 * * *'), startTime: at('10:00') })
    const grid = await world.create({ name: 'grid', schedule: interval(1, 'hours'), startTime: at('10:20') })
    await world.until('2026-03-01T16:00:00Z')
    expect(times(world.runs(cron))).toEqual(['15:00'])
    expect(times(world.runs(grid))).toEqual(['10:20', '11:20', '12:20', '13:20', '14:20', '15:20'])
  })

  it('case 29: a start time in the past makes nothing overdue', async () => {
    world = await World.at('2026-03-01T12:00:00Z')
    const task = await world.create({
      schedule: crontab('0 2 * * *'),
      startTime: Date.parse('2025-01-01T00:00:00Z'),
    })
    await world.until('2026-03-01T23:00:00Z')
    expect(world.runs(task)).toEqual([])
    await world.until('2026-03-02T03:00:00Z')
    expect(world.runs(task)).toEqual(['2026-03-02T02:00:00Z'])
  })

  it('case 30: expires ends the schedule; the history stays', async () => {
    world = await World.at('2026-03-01T09:00:00Z')
    const expires = Date.parse('2026-03-01T09:35:00Z')
    const task = await world.create({ schedule: interval(10, 'minutes'), expires })
    await world.until('2026-03-01T09:34:00Z')
    expect(world.view(task).state.spec.enabled).toBe(true)
    await world.until('2026-03-01T10:30:00Z')
    expect(times(world.runs(task))).toEqual(['09:10', '09:20', '09:30'])
    const { state, totals } = world.view(task)
    expect([state.spec.enabled, state.disabledCause]).toEqual([false, 'expired'])
    expect([totals?.totalRunCount, totals?.lastRunAt]).toEqual([3, Date.parse('2026-03-01T09:30:00Z')])
  })

  it('case 31: expireSeconds count from each emission and do not end the schedule', async () => {
    world = await World.at('2026-03-01T09:00:00Z')
    const task = await world.create({ schedule: interval(10, 'minutes'), expireSeconds: 90 })
    await world.until('2026-03-01T09:25:00Z')
    const { items } = world.node.queries.runs('default', { taskId: task.taskId }, { limit: 10 })
    expect(items.map(({ command }) => (command.expiresAt ?? 0) - command.emittedAt)).toEqual([90_000, 90_000])
    const leased = await world.intake.lease({
      namespace: 'default',
      queue: 'default',
      max: 10,
      waitMs: 0,
      worker: 'w',
      leaseMs: 60_000,
    })
    expect(leased).toEqual([])
    expect(world.node.queries.runs('default', { status: 'expired' }, { limit: 10 }).total).toBe(2)
  })

  it('case 32: a one-off runs once, keeps its history, and runs once more when enabled again', async () => {
    world = await World.at('2026-03-01T12:00:00Z')
    const task = await world.create({ schedule: interval(30, 'seconds'), oneOff: true })
    await world.until('2026-03-01T12:10:00Z')
    expect(world.runs(task)).toEqual(['2026-03-01T12:00:30Z'])
    const { state, totals } = world.view(task)
    expect([state.spec.enabled, totals?.totalRunCount]).toEqual([false, 1])
    expect(totals?.lastRunAt).toBe(Date.parse('2026-03-01T12:00:30Z'))
    await world.enable(task)
    await world.until('2026-03-01T12:20:00Z')
    expect(world.runs(task)).toEqual(['2026-03-01T12:00:30Z', '2026-03-01T12:10:30Z'])
  })
})

describe('acceptance: clocks and zones of the machine', () => {
  it('case 38: one hour back: no repeats, no silence for intervals; three hours forward: one late run', async () => {
    world = await World.at('2026-03-01T12:00:00Z', { clockWatchMs: 1_000 })
    const task = await world.create({ schedule: interval(1, 'minutes') })
    await world.until('2026-03-01T12:30:00Z')
    world.clock.step(world.clock.now() - 3_600_000)
    await world.clock.advance(20 * 60_000)
    const after = world.runs(task)
    expect(new Set(after).size).toBe(after.length)
    expect(after.length).toBeGreaterThanOrEqual(39)
    world.clock.step(Date.parse('2026-03-01T16:00:00Z'))
    await world.clock.advance(61_000)
    const late = world.runs(task).filter((at) => at > '2026-03-01T13:00:00Z')
    expect(late.slice(0, 2)).toEqual(['2026-03-01T16:00:00Z', '2026-03-01T16:01:00Z'])
  })

  it('case 45: the zone of the process means nothing: without a zone it is UTC, others keep theirs', async () => {
    world = await World.at('2026-06-01T00:00:00Z')
    const plain = await world.create({ name: 'plain', schedule: { crontab: { minute: '0', hour: '2' } } })
    const warsaw = await world.create({ name: 'warsaw', schedule: crontab('0 2 * * *', 'Europe/Warsaw') })
    const zone = process.env.TZ
    process.env.TZ = 'America/New_York'
    try {
      await world.downUntil('2026-06-01T01:00:00Z')
      await world.until('2026-06-01T12:00:00Z')
    } finally {
      process.env.TZ = zone
    }
    expect(world.runs(plain)).toEqual(['2026-06-01T02:00:00Z'])
    expect(world.runs(warsaw)).toEqual(['2026-06-01T00:00:00Z'].filter((at) => at > '2026-06-01T00:00:00Z'))
  })
})
