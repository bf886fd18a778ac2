import { dispatchInstant, type TaskState } from '@almanac/domain'
import type { TaskInput, Tick } from '@almanac/engine'
import { afterEach, describe, expect, it } from 'vitest'
import { World } from './world.js'

// What the simulator found: events that a tick applies only after ticks have passed the time they are stamped with.
// Outcomes are taken from what was committed: the read models would hide a run that comes twice.

let world: World
let ticks: Tick[]
afterEach(async () => {
  world.faults = world.faults.filter((fault) => !fault.includes('by the test'))
  await world.end()
})

const at = (clock: string) => Date.parse(`2026-03-01T${clock}Z`)
const until = (clock: string) => world.until(`2026-03-01T${clock}Z`)
const interval = (every: number, period: 'seconds' | 'minutes') => ({ interval: { every, period } })
const minutely = interval(1, 'minutes')
const all = { policy: 'all', windowSeconds: null, max: 100 } as const

async function begin(): Promise<void> {
  ticks = []
  world = await World.at('2026-03-01T12:00:00Z', { partitions: 1 }, (_, tick) => ticks.push(tick))
}

/** What makes ticks commit for a while, each second. */
const ticker = () =>
  world.create({
    name: 'ticker',
    schedule: interval(1, 'seconds'),
    startTime: at('12:09:55'),
    expires: at('12:10:25'),
  })

/** A request that came in at that time, and is applied only now. */
const cameAt = (clock: string) => ({ ...world.context, at: at(clock) })

/** Each outcome that was committed, of one occurrence each: its instant, what became of it, by which revision. */
function decided({ taskId }: TaskState): string[] {
  const short = (instant: number) => new Date(instant).toISOString().slice(11, 19)
  const runs = ticks.flatMap(({ runs }) => runs.filter((run) => run.taskId === taskId))
  const skips = ticks.flatMap(({ skips }) => skips.filter((skip) => skip.taskId === taskId))
  return [
    ...runs.map((run) => `${short(run.scheduledAt)} run of ${run.taskRevision}`),
    ...skips.flatMap(({ first, last, count, reason, revision }) =>
      Array.from({ length: count }, (_, nth) => {
        const instant = count === 1 ? first : first + ((last - first) / (count - 1)) * nth
        return `${short(instant)} ${reason} of ${revision}`
      }),
    ),
  ].sort()
}

const instants = (task: TaskState) => decided(task).map((line) => line.slice(0, 8))

/** Tasks that are due at 12:10 and 12:20: enough for jitter to draw early and late. */
async function ten(jitterSeconds: number): Promise<TaskState[]> {
  const tasks: TaskState[] = []
  for (let nth = 0; nth < 10; nth += 1) {
    tasks.push(await world.create({ name: `t${nth}`, schedule: interval(10, 'minutes'), jitterSeconds }))
  }
  return tasks
}

const changeAll = async (tasks: readonly TaskState[], stamp: string, jitterSeconds: number) => {
  for (const { taskId } of tasks) {
    await world.must(world.node.commands.changeTask(cameAt(stamp), taskId, { jitterSeconds }))
  }
}

describe.each([
  ['a moment before the occurrence', '12:09:59.900'],
  ['with the time of the creation: the wall had been set back', '12:00:00'],
])('jitter changed by an event that is stamped %s', (_, stamp) => {
  it.each([
    ['added', 0, '12:10:00.100'],
    ['raised', 1, '12:10:01.100'],
  ])('%s: what has run does not run again', async (_, former, now) => {
    await begin()
    const tasks = await ten(former)
    await until(now)
    await changeAll(tasks, stamp, 300)
    await until('12:19:00')
    expect(tasks.map(decided)).toEqual(Array(10).fill(['12:10:00 run of 0']))
    await until('12:29:00')
    expect(tasks.map(instants)).toEqual(Array(10).fill(['12:10:00', '12:20:00']))
  })

  it('added: nor when another owner goes on before the time that the new jitter gives it', async () => {
    await begin()
    await ticker()
    const tasks = await ten(0)
    await until('12:10:00.100')
    await changeAll(tasks, stamp, 300)
    await until('12:10:02.500')
    await world.downUntil('2026-03-01T12:10:03Z')
    await until('12:10:10')
    await world.downUntil('2026-03-01T12:10:11Z')
    await until('12:19:00')
    expect(tasks.map(decided)).toEqual(Array(10).fill(['12:10:00 run of 0']))
  })

  it('added: nor when another owner is the first to apply it', async () => {
    await begin()
    const tasks = await ten(0)
    await until('12:10:00.100')
    world.dispatchIsDown = true
    await changeAll(tasks, stamp, 300)
    await world.downUntil('2026-03-01T12:10:01Z')
    world.dispatchIsDown = false
    await until('12:19:00')
    expect(tasks.map(decided)).toEqual(Array(10).fill(['12:10:00 run of 0']))
  })

  it.each([
    ['raised', 300, 500],
    ['lowered', 300, 200],
    ['lowered to what is over', 300, 3],
    ['taken away', 300, 0],
  ])('%s: what the former one still held back has one outcome', async (_, former, next) => {
    await begin()
    await ticker()
    const tasks = await ten(former)
    await until('12:10:10.500')
    await changeAll(tasks, stamp, next)
    await until('12:19:00')
    expect(tasks.map(instants)).toEqual(Array(10).fill(['12:10:00']))
  })
})

describe.each([
  ['by the owner that lived through it', false],
  ['by one that takes over', true],
])('a task that is created and then changed, all of it applied late, %s', (_, isTakenOver) => {
  async function late(input: Partial<TaskInput>, commands: (taskId: string) => Promise<unknown>) {
    await begin()
    await ticker()
    await until('12:10:00.100')
    world.dispatchIsDown = true
    const body = { name: 'task', task: 'app.task', schedule: minutely, catchUp: all, ...input } as TaskInput
    const { state } = await world.must(world.node.commands.createTask(cameAt('12:00:30'), body))
    await commands(state.taskId)
    if (isTakenOver) await world.downUntil('2026-03-01T12:10:05Z')
    world.dispatchIsDown = false
    await until('12:10:20')
    return state
  }
  const lines = (from: number, to: number, what: string) =>
    Array.from({ length: to - from + 1 }, (_, nth) => `12:${String(from + nth).padStart(2, '0')}:30 ${what}`)

  it('reset: superseded until then, and what comes after is of the reset', async () => {
    const task = await late({}, (taskId) =>
      world.must(world.node.commands.resetHistory(cameAt('12:05:31'), taskId)),
    )
    expect(decided(task)).toEqual([...lines(1, 5, 'superseded of 0'), ...lines(6, 9, 'run of 1')])
  })

  it('edited: superseded until then, and then by the edit', async () => {
    const task = await late({}, (taskId) =>
      world.must(
        world.node.commands.changeTask(cameAt('12:05:31'), taskId, { schedule: interval(2, 'minutes') }),
      ),
    )
    expect(decided(task)).toEqual([
      ...lines(1, 5, 'superseded of 0'),
      '12:06:30 run of 1',
      '12:08:30 run of 1',
    ])
  })

  it('disabled: nothing of it runs', async () => {
    const task = await late({}, (taskId) =>
      world.must(world.node.commands.disableTask(cameAt('12:05:31'), taskId)),
    )
    expect(decided(task)).toEqual(lines(1, 5, 'disabled of 0'))
  })

  it('disabled and enabled: what lies between is nobody’s', async () => {
    const task = await late({}, async (taskId) => {
      await world.must(world.node.commands.disableTask(cameAt('12:03:31'), taskId))
      await world.must(world.node.commands.enableTask(cameAt('12:06:31'), taskId))
    })
    expect(decided(task)).toEqual([...lines(1, 3, 'disabled of 0'), ...lines(7, 9, 'run of 2')])
  })

  it('edited twice and deleted: each stretch once', async () => {
    const task = await late({}, async (taskId) => {
      const { commands } = world.node
      await world.must(commands.changeTask(cameAt('12:03:31'), taskId, { maxRuns: 50 }))
      await world.must(commands.changeTask(cameAt('12:06:31'), taskId, { maxRuns: 60 }))
      await world.must(commands.deleteTask(cameAt('12:08:31'), taskId))
    })
    expect(decided(task)).toEqual([
      ...lines(1, 3, 'superseded of 0'),
      ...lines(4, 6, 'superseded of 1'),
      ...lines(7, 8, 'deleted of 2'),
    ])
  })
})

describe.each([
  ['by the owner that lived through it', false],
  ['by one that takes over', true],
])('a one-off that is applied after its only time has passed, %s', (_, isTakenOver) => {
  it.each([
    [
      'late: it runs, and then its task is ended',
      { policy: 'latest', windowSeconds: null, max: 100 },
      'run of 0',
    ],
    [
      'and may not be late: it is missed, and then its task is ended',
      { ...all, policy: 'none' },
      'misfire of 0',
    ],
  ] as const)('%s', async (_, catchUp, outcome) => {
    await begin()
    await world.create({ name: 'ticker', schedule: interval(1, 'seconds') })
    await until('12:01:00.100')
    world.dispatchIsDown = true
    const schedule = { crontab: { expression: '* * * * *' } }
    const body = { name: 'task', task: 'app.task', schedule, oneOff: true, catchUp } as TaskInput
    const { state } = await world.must(world.node.commands.createTask(cameAt('12:00:30'), body))
    if (isTakenOver) await world.downUntil('2026-03-01T12:01:05Z')
    else await until('12:01:05')
    world.dispatchIsDown = false
    await until('12:01:10')
    expect(decided(state)).toEqual([`12:01:00 ${outcome}`])
    expect(world.view(state).state).toMatchObject({ spec: { enabled: false }, disabledCause: 'completed' })
  })
})

describe('jitter that holds an occurrence back beyond the end of its task', () => {
  const heldBack = async () => {
    await begin()
    const spec = { schedule: interval(10, 'minutes'), jitterSeconds: 590, expires: at('12:31:00') }
    for (let nth = 0; nth < 20; nth += 1) {
      const task = await world.create({ name: `t${nth}`, ...spec })
      const definition = {
        taskId: task.taskId,
        jitterMs: 590_000,
        recurrence: { next: (t: number) => t + 600_000 },
      }
      if (dispatchInstant(definition as never, at('12:30:00')) > at('12:34:00')) return task
    }
    throw new Error('no such draw')
  }

  it('late: each one has one outcome', async () => {
    const task = await heldBack()
    await until('12:19:59')
    await world.downUntil('2026-03-01T12:33:00Z')
    await until('12:50:00')
    expect(decided(task)).toEqual([
      expect.stringMatching('12:10:00 run'),
      expect.stringMatching('12:20:00 expired'),
      expect.stringMatching('12:30:00 expired'),
    ])
    expect(world.view(task).state).toMatchObject({ spec: { enabled: false }, disabledCause: 'expired' })
  })

  it('late, and taken over before its time: each one has one outcome', async () => {
    const task = await heldBack()
    await until('12:19:59')
    await world.downUntil('2026-03-01T12:33:00Z')
    await world.downUntil('2026-03-01T12:33:30Z')
    await until('12:50:00')
    expect(instants(task)).toEqual(['12:10:00', '12:20:00', '12:30:00'])
  })
})
