import { digestOf, taskStream } from '@almanac/domain'
import { afterEach, describe, expect, it } from 'vitest'
import { World } from './world.js'

// What an independent reading of the scheduler found: each was a lost, doubled or wrongly explained run.

let world: World
afterEach(async () => {
  world.faults = world.faults.filter((f) => !f.includes('by the test'))
  await world.end()
})
const interval = (every: number, period: 'seconds' | 'minutes' | 'hours') => ({ interval: { every, period } })
const minutely = interval(1, 'minutes')
const all = { policy: 'all', windowSeconds: null, max: 100 } as const
const lease = { namespace: 'default', queue: 'default', max: 10, waitMs: 0, worker: 'w', leaseMs: 60_000 }
const outcomes = async (taskId: string, from = 0, max = 100) =>
  ((await world.node.queries.outcomes('default', taskId, from, world.clock.now(), max)) ?? []).map((o) => [
    new Date(o.at).toISOString().slice(11, 19),
    o.reason ?? o.outcome,
    o.count,
  ])
const createAt = async (context: typeof world.context, input: object) => {
  const created = await world.node.commands.createTask(context, {
    name: 'task',
    task: 'app.task',
    ...input,
  } as never)
  if (!created.ok) throw new Error(JSON.stringify(created.error))
  await world.settled()
  return created.value.state
}

describe('one-off whose creation became durable just after a tick', () => {
  it.each([
    ['crontab', { crontab: { expression: '* * * * *' } }],
    ['clocked at that minute', { clocked: { at: '2026-03-01T12:01:00Z' } }],
    ['clocked in the past (at once)', { clocked: { at: '2025-01-01T00:00:00Z' } }],
  ])('%s still runs once', async (_, schedule) => {
    world = await World.at('2026-03-01T12:00:00Z', { partitions: 1 })
    await world.create({ name: 'other', schedule: minutely })
    await world.until('2026-03-01T12:00:59.990Z')
    const context = world.context // the request comes in
    await world.until('2026-03-01T12:01:00.010Z') // a tick of the partition meanwhile
    const task = await createAt(context, { schedule, oneOff: true }) // durable
    await world.until('2026-03-01T12:10:00Z')
    expect(world.runs(task)).toHaveLength(1)
  })
  it('in-flight: tick passes between request and durability; minutely maxRuns 2', async () => {
    world = await World.at('2026-03-01T12:00:00Z', { partitions: 1 })
    await world.create({ name: 'other', schedule: minutely })
    await world.until('2026-03-01T12:00:59.990Z')
    const context = world.context
    await world.until('2026-03-01T12:01:00.010Z')
    const task = await createAt(context, {
      schedule: minutely.interval ? { crontab: { expression: '* * * * *' } } : {},
      maxRuns: 2,
    })
    await world.until('2026-03-01T12:10:00Z')
    expect(await outcomes(task.taskId)).toHaveLength(2)
  })
  it('after the wall has been set back, no restart', async () => {
    world = await World.at('2026-03-01T12:00:00Z', { partitions: 1 })
    await world.create({ name: 'other', schedule: interval(1, 'seconds') })
    await world.until('2026-03-01T12:30:00Z')
    world.clock.step(Date.parse('2026-03-01T12:00:00Z'))
    await world.clock.advance(1000)
    const task = await world.create({ schedule: { clocked: { at: '2025-01-01T00:00:00Z' } }, oneOff: true })
    await world.clock.advance(3_600_000)
    expect(world.runs(task)).toHaveLength(1)
  })
})

it('shared schedule changed while commit is failing: old occurrences get an outcome', async () => {
  world = await World.at('2026-03-01T12:00:00Z')
  const { commands } = world.node
  const { state } = await world.must(
    commands.createSchedule(world.context, { name: 'shared', schedule: minutely }),
  )
  const task = await world.create({ schedule: { ref: 'shared' }, catchUp: all })
  await world.until('2026-03-01T12:00:30Z')
  world.commitTakesMs = 5_000
  await world.until('2026-03-01T12:01:02Z') // the commit of 12:01 is under way
  await world.must(
    commands.changeSchedule(world.context, state.scheduleId, { schedule: interval(5, 'hours') }),
  )
  world.dispatchIsDown = true
  await world.until('2026-03-01T12:01:06Z') // and fails
  world.dispatchIsDown = false
  await world.until('2026-03-01T12:10:00Z')
  expect(await outcomes(task.taskId)).toHaveLength(1)
})

it('shared schedule changed before a restart: undecided occurrences get an outcome', async () => {
  world = await World.at('2026-03-01T12:00:00Z')
  const { commands } = world.node
  const { state } = await world.must(
    commands.createSchedule(world.context, { name: 'shared', schedule: minutely }),
  )
  const task = await world.create({ schedule: { ref: 'shared' }, catchUp: all })
  await world.until('2026-03-01T12:01:30Z')
  world.dispatchIsDown = true
  await world.until('2026-03-01T12:04:30Z')
  await world.must(
    commands.changeSchedule(world.context, state.scheduleId, { schedule: interval(5, 'hours') }),
  )
  await world.downUntil('2026-03-01T12:06:30Z')
  world.dispatchIsDown = false
  await world.until('2026-03-01T12:10:00Z')
  expect(world.skips(task.taskId).map((s) => [s.reason, s.count])).toEqual([['superseded', 3]])
})
it('calendar: a day that is no holiday any more does not fire what it excluded at its time', async () => {
  world = await World.at('2026-03-01T12:00:00Z', { partitions: 1, idleCheckpointMs: 30_000 })
  const { commands } = world.node
  const { state } = await world.must(
    commands.createCalendar(world.context, { name: 'holidays', days: { dates: ['2026-03-02'] } }),
  )
  const schedule = {
    except: { base: { crontab: { expression: '0 9 * * *' } }, exclude: [{ calendar: { ref: 'holidays' } }] },
  }
  const task = await world.create({ schedule })
  await world.until('2026-03-02T09:00:10Z')
  await world.must(
    commands.changeCalendar(world.context, state.calendarId, { days: { dates: ['2026-03-09'] } }),
  )
  await world.until('2026-03-02T12:00:00Z')
  expect(world.runs(task)).toEqual([])
})
it('calendar: a day made a holiday while ticks could not commit: the occurrence gets an outcome', async () => {
  world = await World.at('2026-03-02T08:00:00Z', { partitions: 1, idleCheckpointMs: 30_000 })
  const { commands } = world.node
  const { state } = await world.must(
    commands.createCalendar(world.context, { name: 'holidays', days: { dates: ['2026-03-09'] } }),
  )
  const schedule = {
    except: { base: { crontab: { expression: '0 9 * * *' } }, exclude: [{ calendar: { ref: 'holidays' } }] },
  }
  const task = await world.create({ schedule })
  world.dispatchIsDown = true
  await world.until('2026-03-02T09:00:10Z')
  await world.must(
    commands.changeCalendar(world.context, state.calendarId, { days: { dates: ['2026-03-02'] } }),
  )
  world.dispatchIsDown = false
  await world.until('2026-03-02T12:00:00Z')
  expect(await outcomes(task.taskId)).toHaveLength(1)
})

describe('jitter edits', () => {
  async function find(from: number, jitterSeconds: number) {
    const { dispatchInstant } = await import('@almanac/domain')
    return { dispatchInstant, from, jitterSeconds }
  }
  it('jitter taken away: an occurrence not dispatched yet is not lost', async () => {
    world = await World.at('2026-03-01T12:00:00Z', { partitions: 1 })
    await world.create({ name: 'ticker', schedule: interval(1, 'seconds') })
    const tasks = []
    for (let i = 0; i < 10; i += 1)
      tasks.push(await world.create({ name: `t${i}`, schedule: interval(10, 'minutes'), jitterSeconds: 300 }))
    await world.until('2026-03-01T12:10:10.500Z')
    for (const t of tasks) await world.change(t, { jitterSeconds: 0 })
    await world.until('2026-03-01T12:19:00Z')
    const seen = await Promise.all(tasks.map((t) => outcomes(t.taskId)))
    expect(seen.every((o) => o.length === 1)).toBe(true)
  })
  it('jitter added: what ran is not decided again', async () => {
    world = await World.at('2026-03-01T12:00:00Z', { partitions: 1 })
    const tasks = []
    for (let i = 0; i < 10; i += 1)
      tasks.push(await world.create({ name: `t${i}`, schedule: interval(10, 'minutes'), overlap: 'skip' }))
    await world.until('2026-03-01T12:10:00.500Z')
    for (const t of tasks) await world.change(t, { jitterSeconds: 300 })
    await world.until('2026-03-01T12:19:00Z')
    const seen = await Promise.all(tasks.map((t) => outcomes(t.taskId)))
    expect(seen.every((o) => o.length === 1)).toBe(true)
  })
  it('jitter added, overlap allow: emitted count is not doubled', async () => {
    world = await World.at('2026-03-01T12:00:00Z', { partitions: 1 })
    const tasks = []
    for (let i = 0; i < 10; i += 1)
      tasks.push(await world.create({ name: `t${i}`, schedule: interval(10, 'minutes') }))
    await world.until('2026-03-01T12:10:00.500Z')
    for (const t of tasks) await world.change(t, { jitterSeconds: 300 })
    await world.until('2026-03-01T12:19:00Z')
    expect(world.node.status().counters.runs_emitted_total).toBe(10)
  })
  it.each([
    [
      'schedule edited',
      (id: string) => world.node.commands.changeTask(world.context, id, { schedule: interval(5, 'hours') }),
    ],
    ['deleted', (id: string) => world.node.commands.deleteTask(world.context, id)],
    ['reset', (id: string) => world.node.commands.resetHistory(world.context, id)],
    [
      'disabled+enabled',
      async (id: string) => {
        await world.node.commands.disableTask(world.context, id)
        return world.node.commands.enableTask(world.context, id)
      },
    ],
  ] as const)('%s between occurrence and its jittered dispatch: outcome exists', async (_, command) => {
    world = await World.at('2026-03-01T12:00:00Z', { partitions: 1 })
    const tasks = []
    for (let i = 0; i < 10; i += 1)
      tasks.push(await world.create({ name: `t${i}`, schedule: interval(10, 'minutes'), jitterSeconds: 300 }))
    await world.until('2026-03-01T12:10:10.500Z')
    for (const t of tasks) await world.must<unknown>(command(t.taskId))
    await world.until('2026-03-01T12:19:00Z')
    const seen = await Promise.all(tasks.map((t) => outcomes(t.taskId)))
    expect(seen.every((o) => o.length === 1)).toBe(true)
  })
  void find
})

it('clock set back while the node was down: not silent for the length of the step', async () => {
  world = await World.at('2026-03-01T12:00:00Z', { partitions: 1 })
  const task = await world.create({ schedule: minutely })
  await world.until('2026-03-01T13:00:30Z')
  const before = world.runs(task).length
  await world.stop()
  world.clock.step(Date.parse('2026-03-01T12:00:30Z'))
  await world.start()
  await world.clock.advance(30 * 60_000)
  expect(world.runs(task).length).toBeGreaterThan(before)
})
it('asOf shows the shared schedule as it was', async () => {
  world = await World.at('2026-03-01T12:00:00Z')
  const { commands, queries } = world.node
  const { state } = await world.must(
    commands.createSchedule(world.context, { name: 'shared', schedule: minutely }),
  )
  const task = await world.create({ schedule: { ref: 'shared' } })
  await world.until('2026-03-01T12:03:30Z')
  const position = queries.position()
  await world.must(
    commands.changeSchedule(world.context, state.scheduleId, { schedule: interval(10, 'minutes') }),
  )
  const view = queries.tasks('default', {}, { limit: 10 }, position).items[0]
  expect(queries.schedule('default', state.scheduleId, position)?.spec.schedule).toEqual(minutely)
  expect(view?.scheduleValue).toEqual(minutely)
  void task
})

it('an edit right after the last of maxRuns: the task is ended all the same', async () => {
  world = await World.at('2026-03-01T12:00:00Z', { partitions: 1 })
  const task = await world.create({ schedule: minutely, maxRuns: 3 })
  await world.until('2026-03-01T12:02:30Z')
  world.dispatchIsDown = true
  await world.until('2026-03-01T12:03:30Z')
  await world.change(task, { schedule: interval(10, 'minutes') })
  world.dispatchIsDown = false
  await world.until('2026-03-01T15:00:00Z')
  expect(world.view(task).state.spec.enabled).toBe(false)
})

describe('poison', () => {
  const plant = async (taskId: string, data: unknown) => {
    const history = await world.node.queries.history('default', taskId)
    const last = history.at(-1)
    if (last === undefined) throw new Error('no')
    await world.log.append(taskStream(taskId), last.revision, [
      {
        id: digestOf(`planted ${taskId}`).slice(0, 32),
        type: 'TaskChanged',
        version: 1,
        data: data as never,
        metadata: { ...last.metadata, at: world.clock.now() },
      },
    ])
    await world.settled()
  }
  it.each([
    ['schedule is a text', { changes: { schedule: '0 0 * * *' }, rearmed: true, runsLeft: null }],
    ['schedule is null', { changes: { schedule: null }, rearmed: true, runsLeft: null }],
    ['no data at all', null],
    ['catchUp null', { changes: { catchUp: null }, rearmed: false, runsLeft: null }],
    ['jitter text', { changes: { jitterSeconds: 'x' }, rearmed: false, runsLeft: null }],
    ['runsLeft text', { changes: { maxRuns: 3 }, rearmed: true, runsLeft: 'x' }],
  ])('%s: the others go on, also after a restart', async (_, data) => {
    world = await World.at('2026-03-01T12:00:00Z', { partitions: 1 })
    const good = await world.create({ name: 'good', schedule: minutely })
    const bad = await world.create({ name: 'bad', schedule: minutely })
    await plant(bad.taskId, data)
    await world.until('2026-03-01T12:03:00Z')
    const faults = [...world.faults]
    world.faults = []
    expect(world.runs(good)).toHaveLength(3)
    expect(faults).toEqual([])
    await world.downUntil('2026-03-01T12:05:30Z')
    expect(world.runs(good)).toHaveLength(4)
    world.node.queries.tasks('default', {}, { limit: 10 })
  })
})

it('cascade cut short by a crash: disabled users go too', async () => {
  world = await World.at('2026-03-01T12:00:00Z')
  const { commands } = world.node
  const { state } = await world.must(
    commands.createSchedule(world.context, { name: 'shared', schedule: minutely }),
  )
  const on = await world.create({ name: 'on', schedule: { ref: 'shared' } })
  const off = await world.create({ name: 'off', schedule: { ref: 'shared' }, enabled: false })
  const last = (await world.log.readStream(`schedule-${state.scheduleId}`)).at(-1)
  if (last === undefined) throw new Error('none')
  world.appendIsDown = true
  await world.log.append(last.stream, last.revision, [
    {
      id: 'e'.repeat(32),
      type: 'ScheduleDeleted',
      version: 1,
      data: { cascade: true },
      metadata: { ...last.metadata, at: world.clock.now() },
    },
  ])
  await world.settled()
  await world.stop()
  world.appendIsDown = false
  await world.start()
  await world.until('2026-03-01T12:05:00Z')
  expect(world.node.queries.task('default', on.taskId)).toBeUndefined()
  expect(world.node.queries.task('default', off.taskId)).toBeUndefined()
})

it('outcomes: a page of the past begins at from', async () => {
  world = await World.at('2026-03-01T12:00:00Z')
  const task = await world.create({ schedule: minutely })
  await world.until('2026-03-01T12:10:30Z')
  const page = await outcomes(task.taskId, Date.parse('2026-03-01T12:00:00Z'), 3)
  expect(page.map(([at]) => at)).toEqual(['12:01:00', '12:02:00', '12:03:00'])
})

it('queueOne: the held run is handed out at once when the running one of another queue is done', async () => {
  world = await World.at('2026-03-01T12:00:00Z')
  const task = await world.create({ schedule: minutely, overlap: 'queueOne', queue: 'a' })
  await world.until('2026-03-01T12:01:10Z')
  const [first] = await world.intake.lease({ ...lease, queue: 'a', leaseMs: 3_600_000 })
  await world.change(task, { queue: 'b' })
  await world.until('2026-03-01T12:02:10Z')
  const waiting = world.intake.lease({ ...lease, queue: 'b', waitMs: 30_000 })
  await world.settled()
  await world.intake.ack('default', first?.run.command.runId ?? '', first?.leaseToken ?? '')
  await world.settled()
  let got = 0
  void waiting.then((runs) => {
    got = runs.length
  })
  await world.clock.advance(1_000)
  expect(got).toBe(1)
})

it('overlap skip sees a manual run of the same tick', async () => {
  world = await World.at('2026-03-01T12:00:00Z')
  const task = await world.create({ schedule: minutely, overlap: 'skip' })
  world.dispatchIsDown = true
  await world.until('2026-03-01T12:00:59.500Z')
  await world.must(world.node.commands.triggerTask(world.context, task.taskId, {}))
  await world.until('2026-03-01T12:01:00.100Z')
  world.dispatchIsDown = false
  await world.until('2026-03-01T12:01:02Z')
  expect(world.node.queries.runs('default', {}, { limit: 10 }).total).toBe(1)
})

it('quarantine does not hit a task that was mended meanwhile', async () => {
  world = await World.at('2026-03-01T12:00:00Z', { partitions: 1 })
  const bad = await world.create({ name: 'bad', schedule: minutely })
  const last = (await world.log.readStream(taskStream(bad.taskId))).at(-1)
  if (last === undefined) throw new Error('none')
  world.appendIsDown = true
  await world.log.append(taskStream(bad.taskId), last.revision, [
    {
      id: 'f'.repeat(32),
      type: 'TaskChanged',
      version: 1,
      data: { changes: { schedule: { ref: 'nowhere' } }, rearmed: true, runsLeft: null },
      metadata: { ...last.metadata, at: world.clock.now() },
    },
  ])
  await world.until('2026-03-01T12:00:00.300Z')
  world.appendIsDown = false
  await world.change(bad, { schedule: minutely })
  await world.until('2026-03-01T12:05:00Z')
  expect(world.view(bad).state.quarantine).toBeNull()
})
