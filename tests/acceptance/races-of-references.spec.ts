import { afterEach, expect, it } from 'vitest'
import { World } from './world.js'

// Enabling, editing and shared schedules that meet ticks, outages and restarts at bad moments.

let world: World
afterEach(async () => {
  world.faults = world.faults.filter((f) => !f.includes('by the test'))
  await world.end()
})
const interval = (every: number, period: 'seconds' | 'minutes' | 'hours') => ({ interval: { every, period } })
const minutely = interval(1, 'minutes')

it('stop while a tick waits at its barrier: the acknowledged disable decides', async () => {
  world = await World.at('2026-03-01T12:00:00Z', { partitions: 1 })
  const task = await world.create({ schedule: minutely })
  await world.until('2026-03-01T12:00:59.999Z')
  // the disable and the minute come together; the node is told to stop as soon as the disable is acknowledged
  const advancing = world.clock.advance(1)
  const disabled = await world.node.commands.disableTask(world.context, task.taskId)
  expect(disabled.ok).toBe(true)
  const stopping = world.node.stop()
  await advancing
  await world.clock.advance(5_000)
  await stopping
  await world.stop()
  await world.start()
  expect(world.runs(task)).toEqual([])
})
it('replay: disabled, then the shared schedule changed, then restart', async () => {
  world = await World.at('2026-03-01T12:00:00Z')
  const { commands } = world.node
  const { state } = await world.must(
    commands.createSchedule(world.context, { name: 'shared', schedule: minutely }),
  )
  const task = await world.create({ schedule: { ref: 'shared' } })
  await world.until('2026-03-01T12:01:30Z')
  world.dispatchIsDown = true
  await world.until('2026-03-01T12:04:30Z')
  await world.disable(task)
  await world.must(
    commands.changeSchedule(world.context, state.scheduleId, { schedule: interval(5, 'hours') }),
  )
  await world.downUntil('2026-03-01T12:06:30Z')
  world.dispatchIsDown = false
  await world.until('2026-03-01T12:10:00Z')
  expect(world.skips(task.taskId).map((s) => [s.reason, s.count])).toEqual([['disabled', 3]])
})
it('expires moved into the past of undecided occurrences', async () => {
  world = await World.at('2026-03-01T12:00:00Z')
  const task = await world.create({
    schedule: minutely,
    catchUp: { policy: 'all', windowSeconds: null, max: 100 },
  })
  await world.until('2026-03-01T12:01:30Z')
  world.dispatchIsDown = true
  await world.until('2026-03-01T12:04:30Z')
  await world.node.commands.changeTask(world.context, task.taskId, {
    expires: Date.parse('2026-03-01T12:02:30Z'),
  })
  world.dispatchIsDown = false
  await world.until('2026-03-01T12:10:00Z')
  expect(world.skips(task.taskId).reduce((n, s) => n + s.count, 0) + world.runs(task).length).toBe(4)
})
it('one-off by enable: request before the tick, durable after', async () => {
  world = await World.at('2026-03-01T12:00:00Z', { partitions: 1 })
  await world.create({ name: 'other', schedule: minutely })
  const task = await world.create({
    schedule: { crontab: { expression: '* * * * *' } },
    oneOff: true,
    enabled: false,
  })
  await world.until('2026-03-01T12:00:59.990Z')
  const context = world.context
  await world.until('2026-03-01T12:01:00.010Z')
  await world.must(world.node.commands.enableTask(context, task.taskId))
  await world.until('2026-03-01T12:10:00Z')
  expect(world.runs(task)).toHaveLength(1)
})
it('a schedule edit whose request came before a tick: the new schedule runs maxRuns in all', async () => {
  world = await World.at('2026-03-01T12:00:00Z', { partitions: 1 })
  await world.create({ name: 'other', schedule: minutely })
  const task = await world.create({ schedule: { crontab: { expression: '* * * * *' } } })
  await world.until('2026-03-01T12:00:59.990Z')
  const context = world.context
  await world.until('2026-03-01T12:01:00.010Z')
  await world.must(
    world.node.commands.changeTask(context, task.taskId, {
      schedule: { crontab: { expression: '1-59 * * * *' } },
    }),
  )
  await world.until('2026-03-01T12:03:30Z')
})
it('quarantined then mended: no catching up of what was due meanwhile', async () => {
  world = await World.at('2026-03-01T12:00:00Z', { partitions: 1 })
  const task = await world.create({ schedule: minutely })
  void task
})
it('description edit of a task with undecided occurrences, quarantine recovery by non-rearming edit', async () => {
  world = await World.at('2026-03-01T12:00:00Z', { partitions: 1, idleCheckpointMs: 3_600_000 })
  const task = await world.create({ schedule: interval(10, 'minutes') })
  // quarantined (event), then lifted by an edit of the description only, which does not arm anew
  const { taskStream } = await import('@almanac/domain')
  const last = (await world.log.readStream(taskStream(task.taskId))).at(-1)
  if (last === undefined) throw new Error('none')
  await world.until('2026-03-01T12:05:00Z')
  await world.log.append(taskStream(task.taskId), last.revision, [
    {
      id: 'c'.repeat(32),
      type: 'TaskQuarantined',
      version: 1,
      data: { code: 'x', message: 'x' },
      metadata: { ...last.metadata, at: world.clock.now() },
    },
  ])
  await world.until('2026-03-01T12:25:00Z')
  await world.change(task, { description: 'mended' })
  await world.until('2026-03-01T12:26:00Z')
  expect(world.runs(task)).toEqual([])
})
it('skip with an expired queued run and no worker', async () => {
  world = await World.at('2026-03-01T12:00:00Z')
  const task = await world.create({ schedule: minutely, overlap: 'skip', expireSeconds: 30 })
  await world.until('2026-03-01T12:05:30Z')
  expect(world.runs(task).length).toBeGreaterThan(1)
})
it('trigger then delete in one go: outcome of the promised run', async () => {
  world = await World.at('2026-03-01T12:00:00Z', { partitions: 1 })
  const a = await world.create({ schedule: interval(5, 'hours') })
  const t = world.node.commands.triggerTask(world.context, a.taskId, {})
  const d = world.node.commands.deleteTask(world.context, a.taskId)
  await Promise.all([t, d])
  await world.until('2026-03-01T12:00:10Z')
})
