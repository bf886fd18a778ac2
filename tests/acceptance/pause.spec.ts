import { afterEach, describe, expect, it } from 'vitest'
import { World } from './world.js'

let world: World
afterEach(() => world.end())

const crontab = (expression: string) => ({ crontab: { expression, timezone: 'UTC' } })
const hourly = crontab('0 * * * *')
/** Hours and minutes of instants of one day. */
const times = (instants: readonly string[]) => instants.map((at) => at.slice(11, 16))

const pause = async (task: { readonly taskId: string }, until: string) =>
  world.must(world.node.commands.pauseTask(world.context, task.taskId, Date.parse(until)))

const reasons = async (task: { readonly taskId: string }, from: string, until: string) => {
  const { queries } = world.node
  const seen = await queries.outcomes('default', task.taskId, Date.parse(from), Date.parse(until), 100)
  return seen?.map(({ at, reason }) => `${new Date(at).toISOString().slice(11, 16)} ${reason ?? 'ran'}`)
}

describe('a pause', () => {
  it('ends by itself, also while nobody runs, and tells why nothing ran', async () => {
    world = await World.at('2026-03-01T00:00:00Z')
    const task = await world.create({ name: 'paused', schedule: hourly })
    await world.until('2026-03-01T01:30:00Z')
    await pause(task, '2026-03-01T04:00:00Z')
    expect(world.node.queries.task('default', task.taskId)).toMatchObject({
      state: { spec: { enabled: true }, pausedUntil: Date.parse('2026-03-01T04:00:00Z') },
      nextRunAt: Date.parse('2026-03-01T04:00:00Z'),
    })
    await world.until('2026-03-01T02:30:00Z')
    await world.downUntil('2026-03-01T03:30:00Z')
    await world.until('2026-03-01T05:30:00Z')
    expect(times(world.runs(task))).toEqual(['01:00', '04:00', '05:00'])
    expect(await reasons(task, '2026-03-01T01:00:00Z', '2026-03-01T05:00:00Z')).toEqual([
      '01:00 ran',
      '02:00 disabled',
      '03:00 disabled',
      '04:00 ran',
      '05:00 ran',
    ])
    expect(world.node.queries.task('default', task.taskId)?.state.pausedUntil).toBeNull()
  })

  it('is ended by enabling, moved by another, and outlasts edits', async () => {
    world = await World.at('2026-03-01T00:00:00Z')
    const ended = await world.create({ name: 'ended', schedule: hourly })
    const moved = await world.create({ name: 'moved', schedule: hourly })
    const edited = await world.create({ name: 'edited', schedule: hourly })
    for (const task of [ended, moved, edited]) await pause(task, '2026-03-01T06:00:00Z')
    await world.until('2026-03-01T02:30:00Z')
    await world.enable(ended)
    await pause(moved, '2026-03-01T04:00:00Z')
    await world.change(edited, { schedule: crontab('30 * * * *') })
    await world.until('2026-03-01T07:15:00Z')
    expect(times(world.runs(ended))).toEqual(['03:00', '04:00', '05:00', '06:00', '07:00'])
    expect(times(world.runs(moved))).toEqual(['04:00', '05:00', '06:00', '07:00'])
    expect(times(world.runs(edited))).toEqual(['06:30'])
  })

  it('keeps the phase of an interval, and what is left of a limit', async () => {
    world = await World.at('2026-03-01T00:00:00Z')
    const task = await world.create({ schedule: { interval: { every: 45, period: 'minutes' } }, maxRuns: 3 })
    await world.until('2026-03-01T01:00:00Z')
    await pause(task, '2026-03-01T02:00:00Z')
    await world.until('2026-03-01T06:00:00Z')
    expect(times(world.runs(task))).toEqual(['00:45', '02:15', '03:00'])
  })

  it('is refused when it is over already, or nothing would run anyway', async () => {
    world = await World.at('2026-03-01T00:00:00Z')
    const task = await world.create({ schedule: hourly })
    const refused = async (until: number) => {
      const outcome = await world.node.commands.pauseTask(world.context, task.taskId, until)
      return outcome.ok ? 'accepted' : [outcome.error.code, outcome.error.problems?.[0]?.code].join(' ')
    }
    expect(await refused(world.clock.now())).toBe('invalid in_the_past')
    expect(await refused(world.clock.now() + 11 * 366 * 86_400_000)).toBe('invalid too_far')
    await world.disable(task)
    expect(await refused(world.clock.now() + 1_000)).toBe('nothing_to_do ')
  })

  it('can be taken back', async () => {
    world = await World.at('2026-03-01T00:00:00Z')
    const task = await world.create({ schedule: hourly })
    await pause(task, '2026-03-02T00:00:00Z')
    await world.must(world.node.commands.undoTask(world.context, task.taskId, 1, { force: false }))
    await world.until('2026-03-01T01:30:00Z')
    expect(times(world.runs(task))).toEqual(['01:00'])
    await world.must(world.node.commands.undoTask(world.context, task.taskId, 2, { force: false }))
    await world.until('2026-03-02T01:30:00Z')
    expect(times(world.runs(task))).toEqual(['01:00', '00:00', '01:00'])
  })
})
