import { digestOf, taskStream } from '@almanac/domain'
import { afterEach, describe, expect, it } from 'vitest'
import { World } from './world.js'

// CELERY.md section 11, cases 8 (second half), 35, 39, 41, 42 and 44: broken tasks, many tasks, run now, deletion.

let world: World
afterEach(() => world.end())

const minutely = { interval: { every: 1, period: 'minutes' } } as const
const lease = { namespace: 'default', max: 10, waitMs: 0, worker: 'w', leaseMs: 60_000 }

describe('acceptance', () => {
  it.each([
    ['a crontab that never fires', { crontab: { expression: '0 0 31 2 *' } }],
    ['an unknown zone', { crontab: { expression: '0 0 * * *', timezone: 'Mars/Phobos' } }],
    ['a shared schedule that is gone', { ref: 'nowhere' }],
    ['no schedule at all', { nonsense: true }],
  ])('cases 8 and 35: a stored task with %s is flagged, the others go on', async (_, schedule) => {
    world = await World.at('2026-03-01T12:00:00Z', { partitions: 1 })
    const good = await world.create({ name: 'good', schedule: minutely })
    const bad = await world.create({ name: 'bad', schedule: minutely })
    await store(bad.taskId, schedule)
    await world.until('2026-03-01T12:03:00Z')
    expect(world.runs(good)).toHaveLength(3)
    expect(world.runs(bad)).toEqual([])
    expect(world.view(bad).state.quarantine).not.toBeNull()
    await world.downUntil('2026-03-01T12:05:30Z')
    expect(world.runs(good)).toHaveLength(4)
    await world.change(bad, { schedule: minutely })
    await world.until('2026-03-01T12:07:00Z')
    expect(world.runs(bad).length).toBeGreaterThan(0)
  })

  it('a stored event of a newer form stops its task alone (RELIABILITY.md section 7, row 68)', async () => {
    world = await World.at('2026-03-01T12:00:00Z', { partitions: 1 })
    const good = await world.create({ name: 'good', schedule: minutely })
    const newer = await world.create({ name: 'newer', schedule: minutely })
    await store(newer.taskId, minutely, 99)
    await world.until('2026-03-01T12:02:00Z')
    expect(world.runs(good)).toHaveLength(2)
    expect(world.runs(newer)).toEqual([])
    expect(world.view(newer).state.quarantine?.code).toBe('unreadable_event')
  })

  it('case 39, in small: thousands due in one second; jitter spreads them; one edit reloads nothing', async () => {
    world = await World.at('2026-03-01T12:00:00Z')
    const { commands } = world.node
    const at = Date.parse('2026-03-01T12:10:00Z')
    const create = (index: number, jitterSeconds: number) =>
      commands.createTask(world.context, {
        name: `${jitterSeconds} ${index}`,
        task: 'app.task',
        schedule: { interval: { every: 1, period: 'days' } },
        startTime: at,
        jitterSeconds,
      })
    await Promise.all(Array.from({ length: 2_000 }, (_, index) => create(index, 0)))
    await Promise.all(Array.from({ length: 500 }, (_, index) => create(index, 60)))
    await world.until('2026-03-01T12:10:00Z')
    expect(world.node.status().counters.runs_emitted_total).toBeGreaterThanOrEqual(2_000)
    await world.until('2026-03-01T12:10:30Z')
    const half = (world.node.status().counters.runs_emitted_total ?? 0) - 2_000
    expect(half).toBeGreaterThan(150)
    expect(half).toBeLessThan(350)
    await world.until('2026-03-01T12:11:00Z')
    expect(world.node.status().counters.runs_emitted_total).toBe(2_500)
  })

  it('case 41: an exchange without a routing key has a queue of its own', async () => {
    world = await World.at('2026-03-01T12:00:00Z')
    const task = await world.create({ schedule: minutely, exchange: 'lights' })
    await world.until('2026-03-01T12:01:00Z')
    const leased = await world.intake.lease({ ...lease, queue: 'exchange:lights' })
    expect(leased.map(({ run }) => [run.command.taskId, run.command.exchange])).toEqual([
      [task.taskId, 'lights'],
    ])
  })

  it('case 42: run now honours every option, is manual, leaves the rhythm alone, works while disabled', async () => {
    world = await World.at('2026-03-01T12:00:00Z')
    const options = {
      queue: 'q',
      priority: 7,
      headers: { h: 1 },
      kwargs: { k: 2 },
      routingKey: 'r',
      args: [1],
    }
    const task = await world.create({ schedule: minutely, ...options, expireSeconds: 60 })
    await world.until('2026-03-01T12:00:20Z')
    await world.must(world.node.commands.triggerTask(world.context, task.taskId, {}))
    await world.disable(task)
    await world.until('2026-03-01T12:00:30Z')
    await world.must(world.node.commands.triggerTask(world.context, task.taskId, { args: [9] }))
    const leased = await world.intake.lease({ ...lease, queue: 'q' })
    const commands = leased.map(({ run }) => run.command)
    expect(commands.map((command) => [command.kind, command.args])).toEqual([
      ['manual', [1]],
      ['manual', [9]],
    ])
    expect(commands[0]).toMatchObject(options)
    expect((commands[0]?.expiresAt ?? 0) - (commands[0]?.emittedAt ?? 0)).toBe(60_000)
    await world.enable(task)
    await world.until('2026-03-01T12:02:00Z')
    expect(world.runs(task).slice(-2)).toEqual(['2026-03-01T12:01:00Z', '2026-03-01T12:02:00Z'])
    const unknown = await world.node.commands.triggerTask(world.context, 'nothing', {})
    expect(unknown).toMatchObject({ ok: false, error: { code: 'not_found' } })
  })

  it('case 44: a shared schedule in use is deleted with its tasks or not at all; users are told', async () => {
    world = await World.at('2026-03-01T12:00:00Z')
    const { commands, queries } = world.node
    const { state } = await world.must(
      commands.createSchedule(world.context, { name: 'shared', schedule: minutely }),
    )
    const one = await world.create({ name: 'one', schedule: { ref: 'shared' } })
    await world.create({ name: 'two', schedule: { ref: 'shared' } })
    const refused = await commands.deleteSchedule(world.context, state.scheduleId, false)
    expect(refused).toMatchObject({ ok: false, error: { code: 'schedule_in_use' } })
    expect(queries.scheduleUsers('default', 'shared', 10)).toMatchObject({ total: 2 })
    await world.must(commands.deleteSchedule(world.context, state.scheduleId, true))
    expect(queries.task('default', one.taskId)).toBeUndefined()
    expect(queries.tasks('default', {}, { limit: 10 }).total).toBe(0)
    await world.until('2026-03-01T12:05:00Z')
    expect(world.runs()).toEqual([])
  })
})

/** Puts a schedule into a task's stream as no command would: as if an older version had let it pass. */
async function store(taskId: string, schedule: object, version = 1): Promise<void> {
  const history = await world.node.queries.history('default', taskId)
  const last = history.at(-1)
  if (last === undefined) throw new Error('no such task')
  await world.log.append(taskStream(taskId), last.revision, [
    {
      id: digestOf(`planted ${taskId}`).slice(0, 32),
      type: 'TaskChanged',
      version,
      data: { changes: { schedule }, rearmed: true, runsLeft: null },
      metadata: { ...last.metadata, at: world.clock.now() },
    },
  ])
  await world.settled()
}
