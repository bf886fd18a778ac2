import { createStop } from '@almanac/engine'
import { clockContract } from '@almanac/engine/contracts/clock'
import { describe, expect, it } from 'vitest'
import { newMachine, SimProcess, SimWorld } from './index.js'

clockContract('simulated', () => {
  const world = new SimWorld({ seed: 1 })
  return { clock: new SimProcess(world, 'a').clock, pass: (ms) => world.runFor(ms) }
})

function made() {
  const world = new SimWorld({ seed: 1 })
  Object.assign(world.network.defaults, { latencyMs: 10, jitterMs: 0 })
  const machine = newMachine(world)
  const process = new SimProcess(world, 'a', machine)
  const seen: string[] = []
  const note = (what: string) => {
    seen.push(`${what}@${world.now - world.start}`)
  }
  const call = (name: string, deadlineMs = 1_000) =>
    process
      .call({ service: 's', label: name, deadlineMs, isWrite: true }, () => note(`served ${name}`))
      .then(
        () => note(`got ${name}`),
        (fault: { code: string }) => note(`${fault.code} ${name}`),
      )
  return { world, machine, process, seen, note, call }
}

describe('a process that crashes', () => {
  it('never hears again, nor ends what it waits for; what it had sent lands', async () => {
    const { world, process, seen, note, call } = made()
    const stop = createStop()
    const life = async () => {
      try {
        await process.clock.sleep(1_000, stop)
      } finally {
        note('finally')
      }
    }
    void life()
    void call('x')
    process
      .local('write', () => note('written'))
      .then(
        () => note('told'),
        () => {},
      )
    world.after(5, () => process.crash())
    world.after(6, () => stop.stop())
    await world.runFor(5_000)
    expect(seen).toEqual(['written@0', 'told@0', 'served x@10'])
    expect(process.isAlive).toBe(false)
  })

  it('is not heard again', async () => {
    const { world, process, seen, note, call } = made()
    process.crash()
    void call('x')
    process
      .local('write', () => note('written'))
      .then(
        () => note('told'),
        () => {},
      )
    process.clock.sleep(1).then(
      () => note('woken'),
      () => {},
    )
    await world.runFor(5_000)
    expect(seen).toEqual([])
    expect(world.counts.get('fault: crash')).toBe(1)
  })

  it.each([
    [1, []],
    [2, ['served x@10']],
    [3, ['served x@10', 'got x@20']],
    [4, ['served x@10', 'got x@20', 'woken@25']],
    [5, ['served x@10', 'got x@20', 'woken@25', 'written@25']],
    [6, ['served x@10', 'got x@20', 'woken@25', 'written@25', 'told@25']],
  ])('at await %i', async (n, expected) => {
    const { world, process, seen, note, call } = made()
    const life = async () => {
      await call('x')
      await process.clock.sleep(5)
      note('woken')
      await process.local('write', () => note('written'))
      note('told')
      await process.clock.sleep(5)
    }
    process.crashAtAwait(n)
    void life()
    await world.runFor(5_000)
    expect(seen).toEqual(expected)
    expect(process.isAlive).toBe(false)
  })

  it('has another chance when it starts again, and the machine it had', async () => {
    const { world, machine, process } = made()
    machine.clock.offsetMs = 500
    process.crash()
    const again = new SimProcess(world, 'a', machine)
    expect(again.random.next()).not.toBe(process.random.next())
    expect(again.clock.now()).toBe(world.now + 500)
  })
})

describe('a process that pauses', () => {
  it('gets everything when it goes on, in order, and time has passed', async () => {
    const { world, process, seen, note, call } = made()
    void call('x')
    void call('late', 50)
    Object.assign(world.network.link('a', 's'), { latencyMs: 100 })
    void call('slow', 60)
    process.clock.sleep(30).then(
      () => note(`slept ${process.clock.elapsed()}`),
      () => {},
    )
    world.after(5, () => process.pause(495))
    await world.runFor(2_000)
    expect(seen).toEqual([
      'served x@10',
      'served late@10',
      'served slow@100',
      'slept 500@500',
      'outcome_unknown late@500',
      'outcome_unknown slow@500',
      'got x@500',
    ])
  })

  it('gets nothing before what was held back', async () => {
    const { world, process, seen, note } = made()
    process.pause(100)
    const chain = async () => {
      await process.clock.sleep(50)
      note('first')
      await process.clock.sleep(0)
      note('follows')
    }
    void chain()
    process.clock.sleep(60).then(
      () => note('second'),
      () => {},
    )
    process.clock.sleep(100).then(
      () => note('third'),
      () => {},
    )
    await world.runFor(1_000)
    expect(seen).toEqual(['first@100', 'second@100', 'third@100', 'follows@100'])
  })

  it('is not woken by a stop from outside', async () => {
    const { world, process, seen, note } = made()
    const stop = createStop()
    process.clock.sleep(1_000, stop).then(
      () => note('woken'),
      () => {},
    )
    process.pause(100)
    world.after(10, () => stop.stop())
    await world.runFor(2_000)
    expect(seen).toEqual(['woken@100'])
  })

  it('stays paused for the longer of two pauses', async () => {
    const { world, process, seen, note } = made()
    process.clock.sleep(10).then(
      () => note('woken'),
      () => {},
    )
    process.pause(100)
    world.after(50, () => process.pause(20))
    await world.runFor(1_000)
    expect(seen).toEqual(['woken@100'])
  })
})

describe('the clock of a process', () => {
  it('shows a step of the wall clock, and no wait moves', async () => {
    const { world, machine, process, seen, note } = made()
    process.clock.sleep(100).then(
      () => note(`${process.clock.now() - world.now}`),
      () => {},
    )
    world.after(50, () => {
      machine.clock.offsetMs = -3_600_000
    })
    await world.runFor(200)
    expect(seen).toEqual(['-3600000@100'])
    expect(process.clock.elapsed()).toBe(200)
  })

  it('drifts, waits and elapsed time with it', async () => {
    const { world, machine, process, seen, note } = made()
    machine.clock.driftPpm = 100_000
    process.clock.sleep(1_100).then(
      () => note('woken'),
      () => {},
    )
    await world.runFor(2_000)
    expect(seen).toEqual(['woken@1000'])
    expect(process.clock.elapsed()).toBeCloseTo(2_200, 2)
    expect(process.clock.now() - world.now).toBe(200)
  })

  it('gives a deadline by its own speed', async () => {
    const { world, machine, seen, call } = made()
    machine.clock.driftPpm = -500_000
    world.network.link('a', 's').cut = 'silent'
    void call('x', 100)
    await world.runFor(2_000)
    expect(seen).toEqual(['outcome_unknown x@200'])
  })

  it('never jumps by a change of drift, nor wakes anybody early', async () => {
    const { world, machine, process, seen, note } = made()
    machine.clock.driftPpm = 1_000
    process.clock.sleep(1_000).then(
      () => note('woken'),
      () => {},
    )
    await world.runFor(500)
    const before = process.clock.elapsed()
    machine.clock.driftPpm = -500_000
    expect(process.clock.elapsed()).toBe(before)
    await world.runFor(2_000)
    expect(seen).toEqual(['woken@1499'])
  })

  it('shows true time again when it is synchronized', async () => {
    const { world, machine, process } = made()
    Object.assign(machine.clock, { driftPpm: 500, offsetMs: 2_000 })
    await world.runFor(10_000)
    machine.clock.synchronize()
    await world.runFor(5_000)
    expect(process.clock.now()).toBe(world.now)
  })
})

describe('the disk of a process', () => {
  it('takes its time, one thing after the other', async () => {
    const { world, machine, process, seen, note } = made()
    machine.disk.latencyMs = 50
    process
      .local('first', () => note('first'))
      .then(
        () => note('told'),
        () => {},
      )
    world.after(10, () => {
      machine.disk.latencyMs = 0
      process
        .local('second', () => note('second'))
        .then(
          () => {},
          () => {},
        )
    })
    await world.runFor(1_000)
    expect(seen).toEqual(['first@50', 'told@50', 'second@50'])
  })

  it.each([
    ['storage_full', { isFull: true }],
    ['unavailable', { errorRate: 1 }],
  ])('fails with %s and does nothing', async (code, fault) => {
    const { world, machine, process, seen, note } = made()
    Object.assign(machine.disk, fault)
    process.local('write', () => note('written')).catch((error: { code: string }) => note(error.code))
    await world.runFor(1_000)
    expect(seen).toEqual([`${code}@0`])
  })

  it('brings back what the work throws', async () => {
    const { world, process, seen, note } = made()
    const work = () => {
      throw new Error('constraint')
    }
    process.local('write', work).catch((error: Error) => note(error.message))
    await world.runFor(1_000)
    expect(seen).toEqual(['constraint@0'])
  })
})
