import { partitionOf } from '@almanac/domain'
import { afterEach, expect, it } from 'vitest'
import { World } from './world.js'

// Each of these fails when one guard of the scheduler is taken out: horizon, barrier, replay, release.

let world: World
afterEach(async () => {
  world.faults = []
  await world.end()
})
const interval = (every: number, period: 'seconds' | 'minutes' | 'hours') => ({ interval: { every, period } })

it('more tasks at one instant than a tick decides: all run', async () => {
  world = await World.at('2026-03-01T12:00:00Z', { partitions: 1, maxDecisionsPerTick: 5 })
  const tasks = []
  for (let i = 0; i < 12; i += 1)
    tasks.push(await world.create({ name: `t${i}`, schedule: interval(1, 'minutes') }))
  await world.until('2026-03-01T12:03:30Z')
  expect(tasks.map((task) => world.runs(task).length)).toEqual(tasks.map(() => 3))
})
it('a disable acknowledged before the instant, applied after it: no run', async () => {
  world = await World.at('2026-03-01T12:00:00Z', { partitions: 1 })
  const task = await world.create({ schedule: interval(1, 'minutes') })
  await world.until('2026-03-01T12:00:59.900Z')
  world.followTakesMs = 500
  await world.disable(task)
  await world.until('2026-03-01T12:02:30Z')
  expect(world.runs(task)).toEqual([])
})
it('a run carries the arguments of the revision that decided it', async () => {
  world = await World.at('2026-03-01T12:00:00Z', { partitions: 1 })
  const task = await world.create({ schedule: interval(1, 'seconds'), args: [0] })
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  for (let i = 1; i <= 120; i += 1) {
    const passing = world.clock.advance(1_000)
    for (let j = 0; j < i % 15; j += 1) await turn()
    await world.node.commands.changeTask(world.context, task.taskId, { args: [i] })
    await passing
  }
  const { items } = world.node.queries.runs('default', {}, { limit: 1000 })
  expect(items.length).toBeGreaterThan(100)
  for (const { command } of items) expect(command.args).toEqual([command.taskRevision])
})
it('a one-off whose commit fails is not taken for done', async () => {
  world = await World.at('2026-03-01T12:00:00Z', { partitions: 1 })
  const task = await world.create({ schedule: interval(1, 'minutes'), oneOff: true })
  await world.until('2026-03-01T12:00:59Z')
  world.dispatchIsDown = true
  await world.until('2026-03-01T12:01:05Z')
  world.dispatchIsDown = false
  await world.until('2026-03-01T12:05:00Z')
  expect(world.runs(task)).toHaveLength(1)
})
it('a restart does not reset totals a second time', async () => {
  world = await World.at('2026-03-01T12:00:00Z', { partitions: 2, idleCheckpointMs: 86_400_000 })
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
  const tasks = []
  for (const name of names) tasks.push(await world.create({ name, schedule: interval(1, 'minutes') }))
  const task = tasks.find(({ taskId }) => partitionOf(taskId, 2) === 1)
  if (task === undefined) throw new Error('no task there')
  for (const other of tasks) if (partitionOf(other.taskId, 2) === 0) await world.disable(other)
  await world.until('2026-03-01T12:01:30Z')
  await world.must(world.node.commands.resetHistory(world.context, task.taskId))
  await world.until('2026-03-01T12:03:30Z')
  const before = world.view(task).totals?.totalRunCount
  await world.downUntil('2026-03-01T12:03:40Z')
  await world.until('2026-03-01T12:03:50Z')
  expect([before, world.view(task).totals?.totalRunCount]).toEqual([2, 2])
})
it('stopping gives every partition back', async () => {
  world = await World.at('2026-03-01T12:00:00Z')
  await world.stop()
  expect(world.released).toBe(4)
  await world.start()
})
