import { calendarIdOf, scheduleIdOf, scheduleStream, taskStream } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import { createCommands } from './commands.js'
import { accepted, codeOf, everyMinute, expectChained, input, noon, World } from './commands.spec-support.js'

const nightly = { crontab: { minute: '0', hour: '2' } }
const ref = { ref: 'nightly' }

const started = async () => {
  const world = new World()
  const node = world.node()
  const { state } = accepted(
    await node.createSchedule(world.context(), { name: 'nightly', schedule: nightly }),
  )
  return { world, node, scheduleId: state.scheduleId }
}
const users = async (world: World, count: number) => {
  const ids: string[] = []
  for (let n = 0; n < count; n++) {
    const task = { ...input, name: `user ${n}`, schedule: ref }
    ids.push(accepted(await world.node().createTask(world.context(), task)).state.taskId)
  }
  return ids
}

describe('shared schedules', () => {
  it('are known by their names', async () => {
    const { world, node, scheduleId } = await started()
    expect(scheduleId).toBe(scheduleIdOf('default', 'nightly'))
    const again = await node.createSchedule(world.context(), { name: 'nightly', schedule: everyMinute })
    expect(codeOf(again)).toBe('already_exists')
    accepted(
      await node.createSchedule(world.context({ namespace: 'other' }), {
        name: 'nightly',
        schedule: nightly,
      }),
    )
    expect(codeOf(await node.createSchedule(world.context(), {} as never))).toBe('invalid')
  })

  it('change with the revision that was seen, in their own namespace', async () => {
    const { world, node, scheduleId } = await started()
    const stranger = world.context({ namespace: 'other' })
    expect(codeOf(await node.changeSchedule(stranger, scheduleId, { description: 'x' }))).toBe('not_found')
    expect(codeOf(await node.deleteSchedule(stranger, scheduleId, true))).toBe('not_found')
    world.clock.wall += 1000
    const { state } = accepted(
      await node.changeSchedule(world.context(), scheduleId, { schedule: everyMinute }, 0),
    )
    expect(state).toMatchObject({ revision: 1, scheduleChangedAt: noon + 1000 })
    expect(codeOf(await node.changeSchedule(world.context(), scheduleId, { description: 'x' }, 0))).toBe(
      'revision_mismatch',
    )
  })

  it('are not deleted while tasks use them, unless these go too (case 44)', async () => {
    const { world, node, scheduleId } = await started()
    const ids = await users(world, 3)
    accepted(await node.createTask(world.context(), { ...input, schedule: everyMinute }))
    const refused = await node.deleteSchedule(world.context(), scheduleId, false)
    expect(refused).toMatchObject({ ok: false, error: { code: 'schedule_in_use' } })
    expect(refused.ok ? '' : refused.error.message).toContain('3')
    const deleted = accepted(await node.deleteSchedule(world.context({ actor: 'bob' }), scheduleId, true))
    expect(deleted.state.status).toBe('deleted')
    for (const id of ids) {
      const [, last] = await world.log.readStream(taskStream(id))
      expect(last).toMatchObject({
        type: 'TaskDeleted',
        data: { cause: 'schedule' },
        metadata: { actor: 'bob' },
      })
    }
    expect(world.log.appended.filter(({ type }) => type === 'TaskDeleted')).toHaveLength(3)
    expectChained(world.log)
  })

  it('are unknown to tasks once deleted, until they are there again', async () => {
    const { world, node, scheduleId } = await started()
    accepted(await node.deleteSchedule(world.context(), scheduleId, false))
    const other = world.node()
    expect(codeOf(await other.createTask(world.context(), { ...input, schedule: ref }))).toBe(
      'schedule_unknown',
    )
    accepted(await node.createSchedule(world.context(), { name: 'nightly', schedule: nightly }))
    accepted(await other.createTask(world.context(), { ...input, schedule: ref }))
  })

  it('wait for the read models before they count, and say so when these do not come', async () => {
    const { world, scheduleId } = await started()
    const asked: number[] = []
    const { log, clock } = world
    const random = { next: () => 0.5, token: () => 'ab'.repeat(10) }
    const views = { tasksUsing: () => [] } as never
    const waitFor = async (position: number) => {
      asked.push(position)
      return asked.length > 1
    }
    const node = createCommands({ log, clock, random, views, cluster: 'test', waitFor })
    await expect(node.deleteSchedule(world.context(), scheduleId, false)).rejects.toMatchObject({
      code: 'unavailable',
    })
    expect(await world.log.typesIn(scheduleStream(scheduleId))).toEqual(['ScheduleCreated'])
    accepted(await node.deleteSchedule(world.context(), scheduleId, false))
    expect(asked).toEqual([1, 1])
  })
})

describe('what follows the deletion of a shared schedule', () => {
  it('is finished by whoever comes after a crash, and done once', async () => {
    const { world, node, scheduleId } = await started()
    const ids = await users(world, 4)
    let deleted = 0
    world.log.fate = (_, events) => {
      if (events[0]?.type !== 'TaskDeleted') return 'appended'
      deleted += 1
      return deleted > 2 ? 'unavailable' : 'appended'
    }
    await expect(node.deleteSchedule(world.context(), scheduleId, true)).rejects.toMatchObject({
      code: 'unavailable',
    })
    world.log.fate = () => 'appended'
    const event = world.log.appended.find(({ type }) => type === 'ScheduleDeleted')
    if (event === undefined) throw new Error('it was deleted')
    expect(await world.node().reactToScheduleDeleted(event)).toBe(2)
    expect(await world.node().reactToScheduleDeleted(event)).toBe(0)
    for (const id of ids)
      expect(await world.log.typesIn(taskStream(id))).toEqual(['TaskCreated', 'TaskDeleted'])
  })

  it('leaves alone who got the schedule of that name later, or has another by now', async () => {
    const { world, node, scheduleId } = await started()
    const [old, moved] = await users(world, 2)
    world.log.fate = (_, events) => (events[0]?.type === 'TaskDeleted' ? 'unavailable' : 'appended')
    await expect(node.deleteSchedule(world.context(), scheduleId, true)).rejects.toThrow()
    world.log.fate = () => 'appended'
    accepted(await node.changeTask(world.context(), moved ?? '', { schedule: everyMinute }))
    accepted(await node.createSchedule(world.context(), { name: 'nightly', schedule: nightly }))
    const young = accepted(await node.createTask(world.context(), { ...input, schedule: ref })).state.taskId
    const event = world.log.appended.find(({ type }) => type === 'ScheduleDeleted')
    if (event === undefined) throw new Error('it was deleted')
    expect(await node.reactToScheduleDeleted(event)).toBe(1)
    expect(await world.log.typesIn(taskStream(old ?? ''))).toEqual(['TaskCreated', 'TaskDeleted'])
    expect(await world.log.typesIn(taskStream(moved ?? ''))).toEqual(['TaskCreated', 'TaskChanged'])
    expect(await world.log.typesIn(taskStream(young))).toEqual(['TaskCreated'])
  })

  it('is nothing without cascade', async () => {
    const { world, node, scheduleId } = await started()
    accepted(await node.deleteSchedule(world.context(), scheduleId, false))
    const event = world.log.appended.at(-1)
    if (event === undefined) throw new Error('it was deleted')
    expect(await node.reactToScheduleDeleted(event)).toBe(0)
  })
})

describe('shared calendars', () => {
  const days = { annual: ['12-25'] }
  const less = (name: string) => ({ except: { base: nightly, exclude: [{ calendar: { ref: name } }] } })

  it('are known by their names and change like schedules', async () => {
    const { world, node } = await started()
    const created = accepted(await node.createCalendar(world.context(), { name: 'holidays', days }))
    const id = calendarIdOf('default', 'holidays')
    expect(created).toMatchObject({ created: true, state: { calendarId: id, spec: { days } } })
    expect(codeOf(await node.createCalendar(world.context(), { name: 'holidays', days }))).toBe(
      'already_exists',
    )
    accepted(await node.changeCalendar(world.context(), id, { description: 'x' }, 0))
    expect(codeOf(await node.changeCalendar(world.context(), id, { description: 'y' }, 0))).toBe(
      'revision_mismatch',
    )
    const stranger = world.context({ namespace: 'other' })
    expect(codeOf(await node.deleteCalendar(stranger, id))).toBe('not_found')
  })

  it('must be there for a schedule that names them, in a shared one as well', async () => {
    const { world, node } = await started()
    expect(codeOf(await node.createTask(world.context(), { ...input, schedule: less('holidays') }))).toBe(
      'calendar_unknown',
    )
    accepted(await node.createCalendar(world.context(), { name: 'holidays', days }))
    accepted(await node.createSchedule(world.context(), { name: 'working', schedule: less('holidays') }))
    accepted(await node.createTask(world.context(), { ...input, schedule: { ref: 'working' } }))
  })

  it.each(['task', 'schedule', 'union in a task'])('are not deleted while a %s names them', async (user) => {
    const { world, node } = await started()
    const { state } = accepted(await node.createCalendar(world.context(), { name: 'holidays', days }))
    const schedule = less('holidays')
    if (user === 'schedule')
      accepted(await node.createSchedule(world.context(), { name: 'working', schedule }))
    else {
      const value = user === 'task' ? schedule : { union: [nightly, schedule] }
      accepted(await node.createTask(world.context(), { ...input, schedule: value }))
    }
    expect(codeOf(await node.deleteCalendar(world.context(), state.calendarId))).toBe('calendar_in_use')
  })

  it('are deleted when nothing names them', async () => {
    const { world, node } = await started()
    const { state } = accepted(await node.createCalendar(world.context(), { name: 'holidays', days }))
    accepted(await node.createCalendar(world.context(), { name: 'other', days }))
    accepted(await node.createTask(world.context(), { ...input, schedule: less('other') }))
    accepted(await node.deleteCalendar(world.context(), state.calendarId))
    expect(codeOf(await node.deleteCalendar(world.context(), state.calendarId))).toBe('not_found')
  })
})
