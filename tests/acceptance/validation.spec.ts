import { describe as describeSchedule } from '@almanac/recurrence'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { World } from './world.js'

// CELERY.md section 11, cases 1 to 13 and 43: what is accepted, and what it means.

let world: World
beforeAll(async () => {
  world = await World.at('2024-01-01T00:00:00Z')
})
afterAll(() => world.end())

const hourly = { interval: { every: 1, period: 'hours' } } as const
const crontab = (expression: string, timezone = 'UTC') => ({ crontab: { expression, timezone } })
const solar = (latitude: number) => ({ solar: { event: 'sunset', latitude, longitude: 0 } })

/** The first instants that a task on this schedule would run at. */
async function comingOf(schedule: object, count: number): Promise<string[]> {
  const task = await world.create({ name: JSON.stringify(schedule), schedule: schedule as never })
  const coming = world.node.queries.coming('default', task.taskId, world.clock.now(), count) ?? []
  return coming.map((occurrence) => new Date(occurrence.at).toISOString().slice(0, 16))
}

describe('acceptance', () => {
  it('case 1: no schedule, two schedules', async () => {
    expect(await world.refusal({ schedule: {} })).toBe('invalid schedule')
    expect(await world.refusal({ schedule: { ...hourly, ...crontab('0 2 * * *') } })).toBe(
      'invalid schedule.interval schedule.crontab',
    )
  })

  it('case 2: clocked needs oneOff; expires and expireSeconds exclude each other, 0 too', async () => {
    expect(await world.refusal({ schedule: { clocked: { at: '2030-01-01T00:00:00Z' } } })).toBe(
      'invalid oneOff',
    )
    const expires = Date.parse('2030-01-01T00:00:00Z')
    expect(await world.refusal({ schedule: hourly, expires, expireSeconds: 0 })).toContain('expireSeconds')
    expect(await world.refusal({ schedule: hourly, expires, expireSeconds: 5 })).toContain('expireSeconds')
  })

  it('case 3: names, lengths, priority, every', async () => {
    await world.create({ name: 'n'.repeat(200), schedule: hourly })
    expect(await world.refusal({ name: 'n'.repeat(200), schedule: hourly })).toMatch(/^name_taken/)
    expect(await world.refusal({ name: 'n'.repeat(201), schedule: hourly })).toBe('invalid name')
    expect(await world.refusal({ name: 'p0', schedule: hourly, priority: 0 })).toBe('accepted')
    expect(await world.refusal({ name: 'p255', schedule: hourly, priority: 255 })).toBe('accepted')
    expect(await world.refusal({ schedule: hourly, priority: -1 })).toBe('invalid priority')
    expect(await world.refusal({ schedule: hourly, priority: 256 })).toBe('invalid priority')
    const never = { interval: { every: 0, period: 'hours' } }
    expect(await world.refusal({ schedule: never })).toBe('invalid schedule.interval.every')
  })

  it('case 4: latitudes', async () => {
    expect(await world.refusal({ name: 'pole', schedule: solar(89.999999) })).toBe('accepted')
    expect(await world.refusal({ name: 'the pole itself', schedule: solar(90) })).toBe('accepted')
    expect(await world.refusal({ schedule: solar(90.000001) })).toBe('invalid schedule.solar.latitude')
    expect(await world.refusal({ schedule: solar(1.1234567) })).toBe('invalid schedule.solar.latitude')
  })

  it('case 5: 7 is Sunday', async () => {
    const sundays = ['2024-01-07T02:00', '2024-01-14T02:00']
    expect(await comingOf(crontab('0 2 * * 7'), 2)).toEqual(sundays)
    expect(await comingOf(crontab('0 2 * * 5-7'), 3)).toEqual([
      '2024-01-05T02:00',
      '2024-01-06T02:00',
      '2024-01-07T02:00',
    ])
    expect(await comingOf(crontab('0 2 * * 0-7'), 2)).toEqual(['2024-01-01T02:00', '2024-01-02T02:00'])
  })

  it('case 6: wrapped ranges', async () => {
    const nights = await comingOf(crontab('0 22-2 * * *'), 5)
    expect(nights.map((at) => at.slice(11, 13))).toEqual(['01', '02', '22', '23', '00'])
    expect(await comingOf(crontab('0 0 * * fri-mon'), 4)).toEqual([
      '2024-01-05T00:00',
      '2024-01-06T00:00',
      '2024-01-07T00:00',
      '2024-01-08T00:00',
    ])
    const months = await comingOf(crontab('0 0 1 nov-feb *'), 4)
    expect(months.map((at) => at.slice(5, 7))).toEqual(['02', '11', '12', '01'])
  })

  it('case 7: day of month AND day of week', async () => {
    const fridays = ['2024-09-13T12:00', '2024-12-13T12:00', '2025-06-13T12:00']
    expect(await comingOf(crontab('0 12 13 * fri'), 3)).toEqual(fridays)
  })

  it('case 8: 31 February is refused with the reason', async () => {
    expect(await world.refusal({ schedule: crontab('0 0 31 2 *') })).toMatch(/^invalid schedule.crontab/)
  })

  it('case 9: steps', async () => {
    const days = await comingOf(crontab('0 12 */3 * *'), 11)
    expect(days.map((at) => Number(at.slice(8, 10)))).toEqual([1, 4, 7, 10, 13, 16, 19, 22, 25, 28, 31])
    const hours = await comingOf(crontab('30 */5 * * *'), 5)
    expect(hours.map((at) => Number(at.slice(11, 13)))).toEqual([0, 5, 10, 15, 20])
    const mixed = await comingOf(crontab('30 */2,*/3 * * *'), 16)
    const all = Array.from({ length: 24 }, (_, hour) => hour)
    const missing = [1, 5, 7, 11, 13, 17, 19, 23]
    expect(mixed.map((at) => Number(at.slice(11, 13)))).toEqual(all.filter((hour) => !missing.includes(hour)))
  })

  it('case 10: sentences', async () => {
    const text = (dayOfWeek: string) =>
      describeSchedule({ crontab: { minute: '0', hour: '2', dayOfWeek, timezone: 'UTC' } })
    expect(text('mon')).toBe('At 02:00 AM, only on Monday UTC')
    for (const week of ['0-6', 'mon-sun', '2-1']) expect(text(week)).toBe('At 02:00 AM UTC')
    expect(text('xxx')).toBe('0 2 * * xxx UTC')
    const task = await world.create({ name: 'text', schedule: crontab('0 2 * * mon') })
    expect(world.view(task).scheduleText).toBe('At 02:00 AM, only on Monday UTC')
  })

  it('case 11: three minutes are 180 seconds; half a second is refused; equal schedules may coexist', async () => {
    const minutes = await comingOf({ interval: { every: 3, period: 'minutes' } }, 3)
    expect(await comingOf({ interval: { every: 180, period: 'seconds' } }, 3)).toEqual(minutes)
    const half = { interval: { every: 0.5, period: 'seconds' } }
    expect(await world.refusal({ schedule: half })).toBe('invalid schedule.interval.every')
    const { commands } = world.node
    const shared = { schedule: { interval: { every: 180, period: 'seconds' } } } as const
    await world.must(commands.createSchedule(world.context, { name: 'one', ...shared }))
    await world.must(commands.createSchedule(world.context, { name: 'two', ...shared }))
    const again = await commands.createSchedule(world.context, { name: 'one', ...shared })
    expect(again).toMatchObject({ ok: false, error: { code: 'already_exists' } })
    expect(world.node.queries.schedules('default', { limit: 10 }).total).toBe(2)
  })

  it('case 12: the order of the sun in one day', async () => {
    const events = ['dawn_astronomical', 'dawn_nautical', 'dawn_civil', 'sunrise', 'solar_noon', 'sunset']
    const dusks = ['dusk_civil', 'dusk_nautical', 'dusk_astronomical']
    const instants: string[] = []
    for (const event of [...events, ...dusks]) {
      const [first] = await comingOf({ solar: { event, latitude: 51.4769, longitude: 0 } }, 1)
      instants.push(first ?? '')
    }
    expect(instants).toEqual([...instants].sort())
    expect(new Set(instants).size).toBe(9)
  })

  it('case 43: args, kwargs and headers of the wrong kind', async () => {
    expect(await world.refusal({ schedule: hourly, args: { a: 1 } })).toBe('invalid args')
    expect(await world.refusal({ schedule: hourly, args: 5 })).toBe('invalid args')
    expect(await world.refusal({ schedule: hourly, kwargs: [1] })).toBe('invalid kwargs')
    expect(await world.refusal({ schedule: hourly, headers: ['x'] })).toBe('invalid headers')
  })

  it('case 40, as far as standalone goes: the message headers of Celery are reserved', async () => {
    expect(await world.refusal({ schedule: hourly, headers: { task: 'x' } })).toMatch(/^invalid headers/)
    expect(await world.refusal({ schedule: hourly, headers: { id: 'x' } })).toMatch(/^invalid headers/)
  })
})
