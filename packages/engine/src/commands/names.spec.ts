import { nameStream, taskStream } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../memory/seeded-random.js'
import {
  accepted,
  codeOf,
  expectChained,
  expectUniqueNames,
  type Fate,
  input,
  World,
} from './commands.spec-support.js'

const names = nameStream('default', 'backup')

/** Something that a test opens when it wants what waits for it to go on. */
function gate() {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

/** Lets everything run that can, without time passing. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('a name whose creator died', () => {
  it('before its task: it is free for the next, who closes the stream of the dead', async () => {
    const world = new World()
    world.log.fate = (stream) => (stream.startsWith('task-') ? 'dies' : 'appended')
    void world.node().createTask(world.context(), input)
    await settled()
    expect(await world.log.typesIn(names)).toEqual(['NameReserved'])
    world.log.fate = () => 'appended'
    const { state } = accepted(await world.node().createTask(world.context(), input))
    const dead = world.log.appended.flatMap(({ data }) => (data as { taskId?: string }).taskId ?? [])[0] ?? ''
    expect(await world.log.typesIn(taskStream(dead))).toEqual(['TaskAbandoned'])
    expect(await world.log.typesIn(taskStream(state.taskId))).toEqual(['TaskCreated'])
    expect(await world.log.typesIn(names)).toEqual(['NameReserved', 'NameReserved'])
  })

  it('after its task, before its answer: the name is taken, and a repeat with the key is answered', async () => {
    const world = new World()
    world.log.fate = (stream) => (stream.startsWith('task-') ? 'diesAfter' : 'appended')
    const context = world.context({ idempotencyKey: 'k', fingerprint: 'f' })
    void world.node().createTask(context, input)
    await settled()
    world.log.fate = () => 'appended'
    expect(codeOf(await world.node().createTask(world.context(), input))).toBe('name_taken')
    expect(accepted(await world.node().createTask(context, input))).toMatchObject({
      created: true,
      repeated: true,
    })
    expect(world.log.appended.filter(({ type }) => type === 'TaskCreated')).toHaveLength(1)
  })

  it('before its task, with a key: a repeat finishes it', async () => {
    const world = new World()
    const context = world.context({ idempotencyKey: 'k' })
    world.log.fate = (stream) => (stream.startsWith('task-') ? 'dies' : 'appended')
    void world.node().createTask(context, input)
    await settled()
    world.log.fate = () => 'appended'
    expect(accepted(await world.node().createTask(context, input))).toMatchObject({ repeated: false })
    expect(codeOf(await world.node().createTask(world.context(), { ...input }))).toBe('name_taken')
  })

  it('and whose claimant died after closing its stream: it is free all the same', async () => {
    const world = new World()
    world.log.fate = (stream) => (stream.startsWith('task-') ? 'dies' : 'appended')
    void world.node().createTask(world.context(), input)
    await settled()
    world.log.fate = (_, events) => (events[0]?.type === 'TaskAbandoned' ? 'diesAfter' : 'appended')
    void world.node().createTask(world.context(), input)
    await settled()
    expect(world.log.appended.map(({ type }) => type)).toEqual(['NameReserved', 'TaskAbandoned'])
    world.log.fate = () => 'appended'
    accepted(await world.node().createTask(world.context(), input))
    expectUniqueNames(world.log)
  })

  it('only seemingly: the late creation conflicts, and learns that the name is taken', async () => {
    const world = new World()
    const late = gate()
    world.log.fate = async (_, events): Promise<Fate> => {
      if (events[0]?.type === 'TaskCreated' && events[0].metadata.actor === 'slow') await late.opened
      return 'appended'
    }
    const slow = world.node().createTask(world.context({ actor: 'slow' }), input)
    await settled()
    accepted(await world.node({ reservationGraceMs: 100 }).createTask(world.context(), input))
    late.open()
    expect(codeOf(await slow)).toBe('name_taken')
    expectUniqueNames(world.log)
  })

  it('only seemingly, with a key: a repeat goes to a new stream once the name is free', async () => {
    const world = new World()
    world.log.fate = (stream) => (stream.startsWith('task-') ? 'dies' : 'appended')
    const context = world.context({ idempotencyKey: 'k' })
    void world.node().createTask(context, input)
    await settled()
    world.log.fate = () => 'appended'
    const node = world.node()
    const other = accepted(await node.createTask(world.context(), input))
    accepted(await node.deleteTask(world.context(), other.state.taskId))
    const first = accepted(await node.createTask(context, input))
    expect(first).toMatchObject({ created: true, repeated: false })
    expect(accepted(await node.createTask(context, input))).toMatchObject({
      repeated: true,
      state: first.state,
    })
  })
})

describe('a claimant', () => {
  it('waits for a creation that is under way, and does not close its stream', async () => {
    const world = new World()
    const late = gate()
    world.log.fate = async (stream): Promise<Fate> => {
      if (stream.startsWith('task-')) await late.opened
      return 'appended'
    }
    const first = world.node().createTask(world.context(), input)
    await settled()
    let sleeps = 0
    const { sleep } = world.clock
    world.clock.sleep = async (ms) => {
      sleeps += 1
      if (sleeps === 3) late.open()
      await settled()
      await sleep.call(world.clock, ms)
    }
    expect(codeOf(await world.node().createTask(world.context(), input))).toBe('name_taken')
    accepted(await first)
    expect(world.log.appended.map(({ type }) => type)).toEqual(['NameReserved', 'TaskCreated'])
  })

  it.each([1, 3])('wins alone among fifty, on %i nodes', async (count) => {
    for (let seed = 1; seed <= 10; seed++) {
      const world = new World()
      const random = new SeededRandom(seed)
      world.log.delay = async () => {
        for (let turns = random.next() * 20; turns > 0; turns--) await undefined
      }
      const nodes = Array.from({ length: count }, () => world.node())
      const tries = Array.from({ length: 50 }, (_, n) =>
        nodes[n % count]?.createTask(world.context({ actor: `a${n}` }), { ...input, args: [n] }),
      )
      const codes = (await Promise.all(tries)).map((result) => result && codeOf(result))
      expect(codes.filter((code) => code === 'accepted')).toHaveLength(1)
      expect(codes.filter((code) => code === 'name_taken')).toHaveLength(49)
      expectUniqueNames(world.log)
    }
  })
})

describe('renaming', () => {
  const create = async (world: World, name: string) =>
    accepted(await world.node().createTask(world.context(), { ...input, name })).state.taskId

  it('takes the new name, and frees the old one', async () => {
    const world = new World()
    const taskId = await create(world, 'a')
    const { state } = accepted(await world.node().changeTask(world.context(), taskId, { name: 'b' }))
    expect(state.spec.name).toBe('b')
    expect(codeOf(await world.node().createTask(world.context(), { ...input, name: 'b' }))).toBe('name_taken')
    await create(world, 'a')
    expect(codeOf(await world.node().changeTask(world.context(), taskId, { name: 'a' }))).toBe('name_taken')
  })

  it('appends nothing to the task when the name is taken', async () => {
    const world = new World()
    const taskId = await create(world, 'a')
    await create(world, 'b')
    expect(codeOf(await world.node().changeTask(world.context(), taskId, { name: 'b' }))).toBe('name_taken')
    expect(await world.log.typesIn(taskStream(taskId))).toEqual(['TaskCreated'])
  })

  it('frees the old name even if the node dies before it says so', async () => {
    const world = new World()
    const taskId = await create(world, 'a')
    world.log.fate = (_, events) => (events[0]?.type === 'NameReleased' ? 'dies' : 'appended')
    void world.node().changeTask(world.context(), taskId, { name: 'b' })
    await settled()
    await create(world, 'a')
    expectUniqueNames(world.log)
  })

  it('that died half-way does not keep the name for ever', async () => {
    const world = new World()
    const taskId = await create(world, 'a')
    world.log.fate = (_, events) => (events[0]?.type === 'TaskChanged' ? 'dies' : 'appended')
    void world.node().changeTask(world.context(), taskId, { name: 'b' })
    await settled()
    world.log.fate = () => 'appended'
    await create(world, 'b')
    const { state } = accepted(await world.node().enableTask(world.context(), taskId))
    expect(state.spec.name).toBe('a')
    expectUniqueNames(world.log)
  })

  it('that was only slow conflicts with who took the name over', async () => {
    const world = new World()
    const taskId = await create(world, 'a')
    const late = gate()
    world.log.fate = async (_, events): Promise<Fate> => {
      if (events[0]?.metadata.actor === 'slow' && events[0].type === 'TaskChanged') await late.opened
      return 'appended'
    }
    const slow = world.node().changeTask(world.context({ actor: 'slow' }), taskId, { name: 'b' })
    await settled()
    await create(world, 'b')
    late.open()
    expect(codeOf(await slow)).toBe('name_taken')
    expectUniqueNames(world.log)
  })

  it('back in the moment in which the old name is being freed keeps it', async () => {
    const world = new World()
    const taskId = await create(world, 'a')
    const late = gate()
    world.log.fate = async (_, events): Promise<Fate> => {
      if (events[0]?.type === 'NameReleased' && events[0].metadata.actor === 'slow') await late.opened
      return 'appended'
    }
    const away = world.node().changeTask(world.context({ actor: 'slow' }), taskId, { name: 'b' })
    await settled()
    accepted(await world.node().changeTask(world.context(), taskId, { name: 'a' }))
    late.open()
    accepted(await away)
    expect(codeOf(await world.node().createTask(world.context(), { ...input, name: 'a' }))).toBe('name_taken')
    expectUniqueNames(world.log)
  })

  it('crosswise ends, whoever wins', async () => {
    const world = new World()
    const [a, b] = [await create(world, 'a'), await create(world, 'b')]
    const node = world.node()
    const codes = await Promise.all([
      node.changeTask(world.context(), a, { name: 'b' }),
      node.changeTask(world.context(), b, { name: 'a' }),
    ])
    expect(codes.map(codeOf)).toEqual(['name_taken', 'name_taken'])
  })
})

describe('names under crashes, lost answers and rivals', () => {
  it.each(Array.from({ length: 100 }, (_, n) => n + 1))(
    'are unique at every position (seed %i)',
    async (seed) => {
      const world = new World()
      const random = new SeededRandom(seed)
      const pick = <T>(of: readonly T[]): T => of[Math.floor(random.next() * of.length)] as T
      world.log.delay = async () => {
        for (let turns = random.next() * 12; turns > 0; turns--) await undefined
      }
      world.log.fate = () =>
        random.next() < 0.7
          ? 'appended'
          : pick(['lost', 'landed', 'dies', 'diesAfter', 'unavailable'] as const)
      const ids: string[] = []
      const work = async (): Promise<void> => {
        const node = world.node({ reservationGraceMs: pick([0, 50]) })
        for (let step = 0; step < 6; step++) {
          const name = pick(['a', 'b', 'c'])
          const context = world.context(
            random.next() < 0.5 ? { idempotencyKey: `k${pick([1, 2, 3, 4])}` } : {},
          )
          const taskId = ids.length === 0 ? '' : pick(ids)
          const command = pick(['create', 'put', 'rename', 'rename', 'delete'] as const)
          try {
            const result =
              command === 'create'
                ? await node.createTask(context, { ...input, name })
                : command === 'put'
                  ? await node.putTask(context, { ...input, name }, { onlyCreate: random.next() < 0.5 })
                  : command === 'rename'
                    ? await node.changeTask(context, taskId, { name })
                    : await node.deleteTask(context, taskId)
            if (result.ok) ids.push(result.value.state.taskId)
          } catch {
            // A port's fault: the caller does not know more.
          }
        }
      }
      const workers = Array.from({ length: 8 }, work)
      for (let turn = 0; turn < 300; turn++) await settled()
      void workers
      expectUniqueNames(world.log)
      expectChained(world.log)
      // Whatever happened, every name can be had by somebody in the end.
      world.log.fate = () => 'appended'
      for (const name of ['a', 'b', 'c']) {
        const { state } = accepted(
          await world.node().putTask(world.context(), { ...input, name }, { onlyCreate: true }),
        )
        expect(state.spec.name).toBe(name)
      }
      expectUniqueNames(world.log)
    },
  )
})
