import { type CommandContext, digestOf, type StoredEvent, taskStream } from '@almanac/domain'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { accepted, codeOf, expectChained, type Fate, input, noon, World } from './commands.spec-support.js'

const create = async (world: World) =>
  accepted(await world.node().createTask(world.context(), input)).state.taskId

describe('a command', () => {
  it('leaves who, when, why and the hash of the event before in its event', async () => {
    const world = new World()
    const taskId = await create(world)
    const context: CommandContext = world.context({
      actor: 'bob',
      reason: 'holiday',
      at: noon + 5,
      correlationId: 'corr',
      idempotencyKey: 'k',
      fingerprint: 'f',
    })
    const { state, position } = accepted(await world.node().disableTask(context, taskId))
    const event = world.log.appended.at(-1)
    expect(event).toMatchObject({
      type: 'TaskDisabled',
      version: 1,
      revision: 1,
      position,
      metadata: {
        namespace: 'default',
        actor: 'bob',
        reason: 'holiday',
        at: noon + 5,
        correlationId: 'corr',
        idempotencyKey: 'k',
        fingerprint: 'f',
      },
    })
    expect(event?.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    accepted(await world.node().enableTask(world.context(), taskId))
    expect(world.log.appended.at(-1)?.metadata.previousHash).toBe(state.hash)
    expectChained(world.log)
  })

  it('never goes back in time within a stream', async () => {
    const world = new World()
    const taskId = await create(world)
    accepted(await world.node().disableTask(world.context({ at: noon - 60_000 }), taskId))
    expect(world.log.appended.at(-1)?.metadata.at).toBe(noon)
  })

  it('appends nothing when it is refused, whatever it asks for', async () => {
    const world = new World()
    const node = world.node()
    const taskId = await create(world)
    accepted(await node.createTask(world.context(), { ...input, name: 'other' }))
    const head = await world.log.head()
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (json) => {
        const given = json as never
        const bad = { ...input, name: 'x', priority: 256, args: given } as never
        const answers = [
          await node.createTask(world.context(), bad),
          await node.createTask(world.context(), input),
          await node.putTask(world.context(), bad, { onlyCreate: false }),
          await node.changeTask(world.context(), taskId, { name: 'other', args: [json] as never }),
          await node.changeTask(world.context(), taskId, { unheardOf: given } as never),
          await node.triggerTask(world.context(), taskId, { args: json, more: 1 } as never),
          await node.backfillTask(world.context(), taskId, { ...Object(json), max: 0 }),
          await node.createSchedule(world.context(), { name: 'x', schedule: given }),
          await node.createCalendar(world.context(), { name: given, days: { dates: given } }),
          await node.deleteTask(world.context(), taskId, 7),
        ]
        expect(answers.map((answer) => answer.ok)).not.toContain(true)
        expect(await world.log.head()).toBe(head)
      }),
      { numRuns: 100 },
    )
  })

  it('answers a fault of the log as a fault, and may be given again', async () => {
    const world = new World()
    const taskId = await create(world)
    world.log.fate = () => 'unavailable'
    await expect(world.node().disableTask(world.context(), taskId)).rejects.toMatchObject({
      code: 'unavailable',
    })
    world.log.fate = () => 'appended'
    accepted(await world.node().disableTask(world.context(), taskId))
  })
})

describe('optimistic concurrency', () => {
  it('applies a change to the revision that was seen, and to no other', async () => {
    const world = new World()
    const taskId = await create(world)
    const node = world.node()
    accepted(await node.changeTask(world.context(), taskId, { description: 'a' }, 0))
    const late = await node.changeTask(world.context(), taskId, { description: 'b' }, 0)
    expect(late).toMatchObject({ ok: false, error: { code: 'revision_mismatch' } })
    expect(late.ok ? '' : late.error.message).toContain('1')
    expect(codeOf(await node.deleteTask(world.context(), taskId, 2))).toBe('revision_mismatch')
    accepted(await node.deleteTask(world.context(), taskId, 1))
  })

  it('lets one of many with the same revision win', async () => {
    const world = new World()
    const taskId = await create(world)
    const nodes = [world.node(), world.node()]
    const tries = Array.from({ length: 20 }, (_, n) =>
      nodes[n % 2]?.changeTask(world.context(), taskId, { description: `${n}` }, 0),
    )
    const codes = (await Promise.all(tries)).map((result) => result && codeOf(result))
    expect(codes.filter((code) => code === 'accepted')).toHaveLength(1)
    expect(codes.filter((code) => code === 'revision_mismatch')).toHaveLength(19)
  })

  it('applies all of many that name no revision, each on what the one before left', async () => {
    const world = new World()
    const taskId = await create(world)
    const node = world.node()
    await Promise.all(
      Array.from({ length: 100 }, (_, n) =>
        node.changeTask(world.context(), taskId, { description: `${n}` }),
      ),
    )
    expect(await world.log.typesIn(taskStream(taskId))).toHaveLength(101)
    expectChained(world.log)
  })

  it('decides on the newest state although its own memory is old', async () => {
    const world = new World()
    const taskId = await create(world)
    const [old, other] = [world.node(), world.node()]
    accepted(await old.enableTask(world.context(), taskId))
    accepted(await other.disableTask(world.context(), taskId))
    // In its memory the task is enabled at revision 0: nothing to do, and a mismatch.
    accepted(await old.enableTask(world.context(), taskId))
    accepted(await other.disableTask(world.context(), taskId))
    accepted(await old.enableTask(world.context(), taskId, 3))
    accepted(await other.deleteTask(world.context(), taskId))
    expect(codeOf(await old.enableTask(world.context(), taskId))).toBe('not_found')
    expect(await world.log.typesIn(taskStream(taskId))).toEqual([
      'TaskCreated',
      'TaskDisabled',
      'TaskEnabled',
      'TaskDisabled',
      'TaskEnabled',
      'TaskDeleted',
    ])
    expectChained(world.log)
  })

  it('gives up on a stream that somebody else always changes first', async () => {
    const world = new World()
    const taskId = await create(world)
    const [slow, fast] = [world.node(), world.node()]
    let tries = 0
    world.log.fate = async (_, events): Promise<Fate> => {
      if (events[0]?.metadata.actor !== 'slow') return 'appended'
      tries += 1
      accepted(await fast.changeTask(world.context({ actor: 'fast' }), taskId, { description: `${tries}` }))
      return 'appended'
    }
    const change = slow.changeTask(world.context({ actor: 'slow' }), taskId, { description: 'slow' })
    await expect(change).rejects.toMatchObject({ code: 'unavailable' })
    expect(tries).toBe(8)
  })

  it('reads a busy stream once', async () => {
    const world = new World()
    const taskId = await create(world)
    const node = world.node()
    accepted(await node.changeTask(world.context(), taskId, { description: 'first' }))
    const before = world.log.streamReads
    for (let n = 0; n < 10; n++) {
      accepted(await node.changeTask(world.context(), taskId, { description: `${n}` }))
    }
    expect(world.log.streamReads).toBe(before)
  })
})

describe('an idempotency key', () => {
  const keyed = (world: World, more: Partial<CommandContext> = {}) =>
    world.context({ idempotencyKey: 'k', fingerprint: digestOf('request'), ...more })

  it('answers a repeat as the first time, whatever has happened since', async () => {
    const world = new World()
    const taskId = await create(world)
    const first = accepted(await world.node().disableTask(keyed(world), taskId))
    accepted(await world.node().enableTask(world.context(), taskId))
    accepted(await world.node().deleteTask(world.context(), taskId))
    world.clock.wall += 60_000
    const head = await world.log.head()
    for (const node of [world.node(), world.node()]) {
      const again = accepted(await node.disableTask(keyed(world), taskId))
      expect(again).toEqual({ ...first, repeated: true })
    }
    expect(await world.log.head()).toBe(head)
  })

  it('is not answered from a log that shows less than is in it', async () => {
    const world = new World()
    const taskId = await create(world)
    const node = world.node()
    accepted(await node.disableTask(keyed(world), taskId))
    const readStream = world.log.readStream.bind(world.log)
    world.log.readStream = async (stream, from) => (await readStream(stream, from)).slice(0, 1)
    await expect(node.disableTask(keyed(world), taskId)).rejects.toMatchObject({ code: 'unavailable' })
    world.log.readStream = readStream
    expect(accepted(await node.disableTask(keyed(world), taskId)).repeated).toBe(true)
  })

  it('comes before the expected revision', async () => {
    const world = new World()
    const taskId = await create(world)
    accepted(await world.node().changeTask(keyed(world), taskId, { description: 'x' }, 0))
    const again = accepted(await world.node().changeTask(keyed(world), taskId, { description: 'x' }, 0))
    expect(again.repeated).toBe(true)
  })

  it('is refused with another request', async () => {
    const world = new World()
    const taskId = await create(world)
    accepted(await world.node().disableTask(keyed(world), taskId))
    const other = keyed(world, { fingerprint: digestOf('another') })
    expect(codeOf(await world.node().enableTask(other, taskId))).toBe('idempotency_conflict')
  })

  it('means another command in another namespace', async () => {
    const world = new World()
    const node = world.node()
    const [a, b] = ['a', 'b'].map((namespace) => keyed(world, { namespace }))
    if (a === undefined || b === undefined) throw new Error('two contexts')
    const first = accepted(await node.createTask(a, input))
    const second = accepted(await node.createTask(b, input))
    expect(second.repeated).toBe(false)
    expect(second.state.taskId).not.toBe(first.state.taskId)
    const announced = [await node.announceChange(a, 'x'), await node.announceChange(b, 'x')]
    expect(new Set(announced.map(({ position }) => position)).size).toBe(2)
    expect(await node.announceChange(a, 'x')).toEqual(announced[0])
  })

  it('applies a command once that comes many times at once, to several nodes', async () => {
    const world = new World()
    const nodes = [world.node(), world.node(), world.node()]
    const tries = Array.from({ length: 30 }, (_, n) =>
      nodes[n % 3]?.createTask(keyed(world, { at: noon + n }), input),
    )
    const states = (await Promise.all(tries)).map((result) => result && accepted(result).state)
    expect(new Set(states.map((state) => JSON.stringify(state))).size).toBe(1)
    expect(world.log.appended.filter(({ type }) => type === 'TaskCreated')).toHaveLength(1)
    expectChained(world.log)
  })

  it('with two requests at once lets one be and refuses the other', async () => {
    const world = new World()
    const tries = ['x', 'y'].map((description) =>
      world.node().createTask(keyed(world, { fingerprint: description }), { ...input, description }),
    )
    const codes = (await Promise.all(tries)).map(codeOf).sort()
    expect(codes).toEqual(['accepted', 'idempotency_conflict'])
    expectChained(world.log)
  })
})

describe('an append whose outcome is unknown', () => {
  const disabling = (events: readonly StoredEvent[]) => events[0]?.type === 'TaskDisabled'

  it.each(['lost', 'landed'] as const)('is settled when it was %s', async (fate) => {
    const world = new World()
    const taskId = await create(world)
    let times = 0
    world.log.fate = (_, events) => {
      times += disabling(events) ? 1 : 0
      return disabling(events) && times === 1 ? fate : 'appended'
    }
    const { state } = accepted(await world.node().disableTask(world.context(), taskId))
    expect(state).toMatchObject({ revision: 1, spec: { enabled: false } })
    expect(await world.log.typesIn(taskStream(taskId))).toEqual(['TaskCreated', 'TaskDisabled'])
    expect(times).toBe(fate === 'lost' ? 2 : 1)
  })

  it('is told when it stays unknown, and a repeat with the key makes it once', async () => {
    const world = new World()
    const taskId = await create(world)
    const context = world.context({ idempotencyKey: 'k' })
    world.log.fate = () => 'lost'
    await expect(world.node().disableTask(context, taskId)).rejects.toMatchObject({ code: 'outcome_unknown' })
    world.log.fate = () => 'appended'
    accepted(await world.node().disableTask(context, taskId))
    accepted(await world.node().disableTask(context, taskId))
    expect(await world.log.typesIn(taskStream(taskId))).toEqual(['TaskCreated', 'TaskDisabled'])
  })

  it('stays unknown when the log can not be read either', async () => {
    const world = new World()
    const taskId = await create(world)
    const node = world.node()
    accepted(await node.changeTask(world.context(), taskId, { description: 'x' }))
    world.log.fate = () => 'landed'
    world.log.readStream = async () => {
      throw new Error('no reads')
    }
    await expect(node.disableTask(world.context(), taskId)).rejects.toMatchObject({ code: 'outcome_unknown' })
  })

  it('is decided anew when somebody else came first', async () => {
    const world = new World()
    const taskId = await create(world)
    const [node, other] = [world.node(), world.node()]
    let times = 0
    world.log.fate = async (_, events) => {
      if (!disabling(events) || events[0]?.metadata.actor === 'bob') return 'appended'
      times += 1
      if (times > 1) return 'appended'
      accepted(await other.disableTask(world.context({ actor: 'bob' }), taskId))
      return 'lost'
    }
    const { state } = accepted(await node.disableTask(world.context(), taskId))
    expect(state.changedBy).toBe('bob')
    expect(await world.log.typesIn(taskStream(taskId))).toEqual(['TaskCreated', 'TaskDisabled'])
  })
})
