import { afterEach, expect, it } from 'vitest'
import { World } from './world.js'

let world: World
afterEach(() => world.end())

const hourly = { crontab: { expression: '0 * * * *', timezone: 'UTC' } }
const times = (instants: readonly string[]) => instants.map((at) => at.slice(11, 16))
const day = (time: string) => Date.parse(`2026-03-01T${time}:00Z`)
type Task = { readonly taskId: string }

const move = (task: Task, at: string, to: string) =>
  world.node.commands.moveOccurrence(world.context, task.taskId, day(at), day(to))
const cancel = (task: Task, time: string, isBack = false) =>
  world.node.commands.cancelOccurrence(world.context, task.taskId, day(time), isBack)
const problemOf = async (outcome: ReturnType<typeof move>) => {
  const result = await outcome
  return result.ok ? 'accepted' : (result.error.problems?.[0]?.code ?? result.error.code)
}
const coming = (task: Task, count: number) =>
  world.node.queries
    .coming('default', task.taskId, world.clock.now(), count)
    ?.map(
      ({ at, reason }) => `${new Date(at).toISOString().slice(11, 16)}${reason === null ? '' : ` ${reason}`}`,
    )

it('one occurrence is at another time, also after a restart, and its former time tells so', async () => {
  world = await World.at('2026-03-01T00:00:00Z')
  const task = await world.create({ schedule: hourly })
  await world.must(move(task, '02:00', '02:20'))
  await world.must(move(task, '04:00', '00:30'))
  await world.must(move(task, '05:00', '03:15'))
  expect(coming(task, 7)).toEqual(['00:30', '01:00', '02:00 moved', '02:20', '03:00', '03:15', '04:00 moved'])
  await world.until('2026-03-01T01:30:00Z')
  await world.downUntil('2026-03-01T02:30:00Z')
  await world.until('2026-03-01T06:30:00Z')
  expect(times(world.runs(task))).toEqual(['00:30', '01:00', '02:20', '03:00', '03:15', '06:00'])
  const past = await world.node.queries.outcomes('default', task.taskId, day('01:00'), day('05:00'), 10)
  expect(past?.map(({ outcome, reason }) => reason ?? outcome)).toEqual([
    'emitted',
    'moved',
    'emitted',
    'emitted',
    'emitted',
    'moved',
    'moved',
  ])
})

it('a limit counts it as the one that it was, and a new schedule knows of nothing moved', async () => {
  world = await World.at('2026-03-01T00:00:00Z')
  const limited = await world.create({ name: 'limited', schedule: hourly, maxRuns: 2 })
  const once = await world.create({ name: 'once', schedule: hourly, oneOff: true })
  const changed = await world.create({ name: 'changed', schedule: hourly })
  const later = await world.create({ name: 'later', schedule: hourly, oneOff: true })
  await world.must(move(later, '01:00', '02:30'))
  expect(await problemOf(move(later, '02:00', '03:30'))).toBe('no_occurrence')
  for (const task of [limited, once, changed]) await world.must(move(task, '01:00', '01:10'))
  await world.change(changed, { schedule: { crontab: { expression: '30 * * * *', timezone: 'UTC' } } })
  await world.until('2026-03-01T04:15:00Z')
  expect(times(world.runs(limited))).toEqual(['01:10', '02:00'])
  expect(times(world.runs(once))).toEqual(['01:10'])
  expect(times(world.runs(later))).toEqual(['02:30'])
  expect(times(world.runs(changed))).toEqual(['00:30', '01:30', '02:30', '03:30'])
})

it('it can be moved on, moved back, cancelled and undone', async () => {
  world = await World.at('2026-03-01T00:00:00Z')
  const task = await world.create({ schedule: hourly })
  await world.must(move(task, '01:00', '01:10'))
  await world.must(move(task, '01:10', '01:20'))
  expect(coming(task, 3)).toEqual(['01:00 moved', '01:20', '02:00'])
  await world.must(cancel(task, '01:00', true))
  expect(coming(task, 2)).toEqual(['01:00', '02:00'])
  await world.must(move(task, '02:00', '02:10'))
  await world.must(cancel(task, '02:10'))
  expect(coming(task, 4)).toEqual(['01:00', '02:00 moved', '02:10 cancelled', '03:00'])
  await world.must(move(task, '03:00', '03:10'))
  const { revision } = world.node.queries.task('default', task.taskId)?.state ?? {}
  await world.must(world.node.commands.undoTask(world.context, task.taskId, revision ?? 0, { force: false }))
  await world.until('2026-03-01T04:30:00Z')
  expect(times(world.runs(task))).toEqual(['01:00', '03:00', '04:00'])
})

it('what is past, no occurrence, taken, too soon or out of range is refused, and changes nothing', async () => {
  world = await World.at('2026-03-01T00:30:00Z')
  const expires = day('08:00')
  const task = await world.create({ schedule: hourly, expires })
  const clocked = await world.create({
    name: 'clocked',
    oneOff: true,
    schedule: { clocked: { at: '2026-03-01T03:00:00Z' } },
  })
  await world.must(cancel(task, '06:00'))
  const head = world.node.queries.position()
  expect(await problemOf(move(task, '00:00', '02:30'))).toBe('in_the_past')
  expect(await problemOf(move(task, '01:30', '02:30'))).toBe('no_occurrence')
  expect(await problemOf(move(task, '01:00', '02:00'))).toBe('taken')
  expect(await problemOf(move(task, '01:00', '06:00'))).toBe('cancelled')
  expect(await problemOf(move(task, '01:00', '00:30'))).toBe('too_soon')
  expect(await problemOf(move(task, '01:00', '08:00'))).toBe('out_of_range')
  expect(await problemOf(move(clocked, '03:00', '04:00'))).toBe('only_one')
  expect(await problemOf(move(task, '01:00', '01:00'))).toBe('accepted')
  expect(world.node.queries.position()).toBe(head)
})
