import type { Checkpoint, Member } from '@almanac/domain'
import { rankedOwners } from '@almanac/domain'
import { beforeEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../memory/manual-clock.js'
import { SeededRandom } from '../memory/seeded-random.js'
import type { Stop } from '../ports/clock.js'
import { unavailable } from '../ports/faults.js'
import { defaultNodeOptions } from '../scheduling/node-parts.js'
import { createStop } from '../stop.js'
import { Fitness } from './fitness.js'
import { LeasedTenure } from './leased-tenure.js'

const partitions = 8

/** A store for leases and members that the test holds in its hands. */
class Store {
  readonly others: Member[] = []
  readonly renewed: Member[] = []
  readonly held = new Map<number, string>()
  readonly asked: number[] = []
  isDown = false
  isTaken = false
  answersAfterMs = 0
  readonly clock: ManualClock

  constructor(clock: ManualClock) {
    this.clock = clock
  }

  async renew(member: Member) {
    if (this.isDown) throw unavailable('down')
    this.renewed.push(member)
    const members = this.isTaken ? this.others : [...this.others, member]
    const outcome = this.isTaken ? ('taken' as const) : ('member' as const)
    return { outcome, members, at: this.clock.now() }
  }

  async leave() {}

  async acquire(partition: number, holder: string) {
    this.asked.push(partition)
    await this.clock.sleep(this.answersAfterMs)
    if (this.isDown) throw unavailable('down')
    if ((this.held.get(partition) ?? holder) !== holder) return 'refused' as const
    this.held.set(partition, holder)
    return 'held' as const
  }

  async release(partition: number, holder: string) {
    if (this.held.get(partition) === holder) this.held.delete(partition)
  }
}

/** One node under test among `others`, and what it owns. */
class Bench {
  readonly clock = new ManualClock(1_800_000_000_000)
  readonly store = new Store(this.clock)
  readonly stop = createStop()
  readonly seen = new Map<number, Checkpoint>()
  readonly owned = new Map<number, Stop>()
  readonly fitness: Fitness
  readonly tenure: LeasedTenure
  canReach = true

  constructor() {
    const { clock, store } = this
    this.fitness = new Fitness({
      clock,
      unfitAfterMs: 15_000,
      probe: async () => {
        if (!this.canReach) throw unavailable('cut off')
      },
    })
    this.tenure = new LeasedTenure({
      membership: store,
      leases: store,
      dispatchLog: { seen: (partition) => this.seen.get(partition) ?? null },
      clock,
      random: new SeededRandom(1),
      fitness: this.fitness,
      guard: undefined,
      options: { ...defaultNodeOptions, nodeId: 'me', tzVersion: 'test', partitions },
      report: () => ({ startedAt: 0, now: 0, ready: true, problem: null, viewPosition: 0 }),
      onFault: () => {},
    })
  }

  async start(): Promise<void> {
    void this.tenure.run(this.stop, () => {})
    for (let partition = 0; partition < partitions; partition += 1) void this.await(partition)
    await this.clock.advance(1)
  }

  async await(partition: number): Promise<void> {
    const letGo = await this.tenure.begin(partition, this.stop)
    if (letGo === undefined) return
    this.owned.set(partition, letGo)
    letGo.onStop(() => {
      this.owned.delete(partition)
      void this.tenure.end(partition, 'released').then(() => this.await(partition))
    })
  }

  async end(partition: number, how: 'fenced' | 'unknown' | 'failed'): Promise<void> {
    this.owned.delete(partition)
    await this.tenure.end(partition, how)
    void this.await(partition)
  }

  /** Partitions that this node is n-th in order for. */
  ranked(place: number): number[] {
    const members = [...this.store.others, member('me')]
    return Array.from({ length: partitions }, (_, partition) => partition).filter(
      (partition) => rankedOwners(partition, members)[place]?.nodeId === 'me',
    )
  }

  get mine(): number[] {
    return [...this.owned.keys()].sort((a, b) => a - b)
  }
}

const member = (nodeId: string): Member => ({
  nodeId,
  instance: `i-${nodeId}`,
  region: '',
  weight: 1,
  engineVersion: '1',
  tzVersion: 'test',
})

let bench: Bench
beforeEach(() => {
  bench = new Bench()
})

describe('its share', () => {
  it('is everything for the only member', async () => {
    await bench.start()
    expect(bench.mine).toHaveLength(partitions)
  })

  it('is what it is first in order for, once the lease is free', async () => {
    bench.store.others.push(member('other'))
    const [taken] = bench.ranked(0)
    if (taken === undefined) throw new Error('choose other names')
    bench.store.held.set(taken, 'other/i-other')
    await bench.start()
    expect(bench.mine).toEqual(bench.ranked(0).filter((partition) => partition !== taken))
    await bench.clock.advance(6_000)
    bench.store.held.delete(taken)
    await bench.clock.advance(1_000)
    expect(bench.mine).toEqual(bench.ranked(0))
  })

  it('is given to a node that has come only when that has settled', async () => {
    await bench.start()
    bench.store.others.push(member('other'))
    await bench.clock.advance(4_500)
    expect(bench.mine).toHaveLength(partitions)
    await bench.clock.advance(8_000)
    expect(bench.mine).toEqual(bench.ranked(0))
    expect([...bench.store.held.keys()].sort()).toEqual(bench.ranked(0))
  })

  it('is left alone when somebody else has the lease', async () => {
    await bench.start()
    bench.store.held.set(3, 'other/i-other')
    await bench.clock.advance(4_000)
    expect(bench.mine).not.toContain(3)
  })

  it('is nothing while another process runs under its id', async () => {
    await bench.start()
    bench.store.isTaken = true
    await bench.clock.advance(4_000)
    expect(bench.mine).toEqual([])
    expect(bench.tenure.problem).toContain('under this node id')
  })
})

describe('a lease', () => {
  it('that is granted after its own time is not trusted', async () => {
    bench.store.answersAfterMs = 11_000
    await bench.start()
    await bench.clock.advance(60_000)
    expect(bench.store.asked.length).toBeGreaterThan(0)
    expect(bench.mine).toEqual([])
  })
})

describe('without the lease store', () => {
  it('owners go on', async () => {
    await bench.start()
    bench.store.isDown = true
    await bench.clock.advance(300_000)
    expect(bench.mine).toHaveLength(partitions)
  })

  it('what stands still is taken in the order of preference', async () => {
    bench.store.others.push(member('other'))
    const first = bench.ranked(0)
    for (const partition of first) bench.store.held.set(partition, 'other/i-other')
    await bench.start()
    bench.store.isDown = true
    await bench.clock.advance(55_000)
    expect(bench.mine).toEqual([])
    await bench.clock.advance(15_000)
    expect(bench.mine).toEqual(first)
    await bench.clock.advance(60_000)
    expect(bench.mine).toHaveLength(partitions)
  })

  it('what goes on elsewhere is left there', async () => {
    bench.store.others.push(member('other'))
    await bench.start()
    const before = bench.mine
    bench.store.isDown = true
    for (let seq = 1; seq < 12; seq += 1) {
      for (let partition = 0; partition < partitions; partition += 1) {
        bench.seen.set(partition, { seq, term: 1, engineVersion: '1', tzVersion: 'test' } as Checkpoint)
      }
      await bench.clock.advance(30_000)
    }
    expect(bench.mine).toEqual(before)
  })
})

describe('after trouble', () => {
  it('stays away for the time of a lease when it is fenced, and for two when that happens in a row', async () => {
    await bench.start()
    const waits: number[] = []
    for (let round = 0; round < 3; round += 1) {
      await bench.end(0, 'fenced')
      let waited = 0
      for (; !bench.owned.has(0) && waited < 200_000; waited += 500) await bench.clock.advance(500)
      waits.push(waited)
    }
    expect(waits[0]).toBeGreaterThanOrEqual(10_000)
    expect(waits[1]).toBeGreaterThanOrEqual(20_000)
    expect(waits[2]).toBeGreaterThanOrEqual(20_000)
    expect(waits[2]).toBeLessThan(45_000)
  })

  it('tries again soon after an unknown outcome, without giving the lease up', async () => {
    await bench.start()
    await bench.end(0, 'unknown')
    expect(bench.store.held.get(0)).toContain('me/')
    await bench.clock.advance(2_000)
    expect(bench.mine).toContain(0)
  })

  it('leaves its share to others while nothing gets on, and takes it back when it can be reached again', async () => {
    bench.store.others.push(member('other'))
    await bench.start()
    bench.canReach = false
    for (let second = 0; second < 20; second += 1) {
      bench.tenure.ticked(0, true)
      await bench.clock.advance(1_000)
    }
    expect(bench.store.renewed.at(-1)?.weight).toBe(0)
    expect(bench.mine).toEqual([])
    expect(bench.tenure.problem).toContain('out of reach')
    await bench.clock.advance(60_000)
    expect(bench.store.renewed.at(-1)?.weight).toBe(0)
    bench.canReach = true
    await bench.clock.advance(25_000)
    expect(bench.store.renewed.at(-1)?.weight).toBe(1)
    expect(bench.mine).toEqual(bench.ranked(0))
  })

  it('does not leave while some partition gets on', async () => {
    await bench.start()
    for (let second = 0; second < 60; second += 1) {
      bench.tenure.ticked(0, true)
      bench.tenure.ticked(1, false)
      await bench.clock.advance(1_000)
    }
    expect(bench.mine).toHaveLength(partitions)
  })
})

describe('holding', () => {
  it('ends with the lease on elapsed time, and goes on while the store does not answer', async () => {
    await bench.start()
    expect(bench.tenure.holds(0)).toBe(true)
    bench.store.answersAfterMs = 20_000
    await bench.clock.advance(12_500)
    expect(bench.tenure.holds(0)).toBe(false)
    bench.store.isDown = true
    await bench.clock.advance(20_000)
    expect(bench.tenure.holds(0)).toBe(true)
  })

  it('takes what the first in order leaves standing, one place later', async () => {
    bench.store.others.push(member('other'))
    const second = bench.ranked(1)
    for (const partition of second) bench.store.held.set(partition, 'other/i-other')
    await bench.start()
    const [own] = bench.ranked(0)
    if (own === undefined) throw new Error('choose other names')
    const goOn = async (seconds: number) => {
      for (let at = 0; at < seconds; at += 5) {
        const seq = (bench.seen.get(own)?.seq ?? 0) + 1
        bench.seen.set(own, { seq, term: 1, engineVersion: '1', tzVersion: 'test' } as Checkpoint)
        await bench.clock.advance(5_000)
      }
    }
    await goOn(115)
    expect(bench.mine).toEqual(bench.ranked(0))
    await goOn(10)
    expect(bench.mine).toHaveLength(partitions)
    expect(second.every((partition) => bench.tenure.holds(partition))).toBe(true)
  })

  it('is patient when nothing at all gets on: it may be the one that does not see', async () => {
    bench.store.others.push(member('other'))
    for (const partition of bench.ranked(1)) bench.store.held.set(partition, 'other/i-other')
    await bench.start()
    await bench.clock.advance(350_000)
    expect(bench.mine).toEqual(bench.ranked(0))
    await bench.clock.advance(20_000)
    expect(bench.mine).toHaveLength(partitions)
  })
})

describe('a node that is asked to end', () => {
  const heardMs = 3_000 * 1.25
  let isHeard: boolean
  const retire = async () => {
    isHeard = false
    void bench.tenure.retire().then(() => {
      isHeard = true
    })
    await bench.clock.advance(0)
  }

  it('says so, goes on owning until everybody has heard, and keeps its leases meanwhile', async () => {
    bench.store.others.push(member('other'))
    await bench.start()
    const before = bench.mine
    expect(before.length).toBeGreaterThan(0)
    await retire()
    expect(bench.store.renewed.at(-1)?.weight).toBe(0)
    await bench.clock.advance(heardMs - 1)
    expect([isHeard, bench.mine]).toEqual([false, before])
    expect(bench.store.renewed.at(-1)?.weight).toBe(0)
    expect([...bench.store.held.keys()].sort()).toEqual(before)
    expect(bench.tenure.problem).toBeNull()
    await bench.clock.advance(1)
    expect(isHeard).toBe(true)
  })

  it('takes nothing any more', async () => {
    bench.store.others.push(member('other'))
    await bench.start()
    const [lost] = bench.mine
    if (lost === undefined) throw new Error('choose other names')
    await retire()
    await bench.end(lost, 'unknown')
    await bench.clock.advance(60_000)
    expect(bench.mine).not.toContain(lost)
  })

  it('waits for nobody when nobody else would take a partition', async () => {
    bench.store.others.push({ ...member('other'), weight: 0 })
    await bench.start()
    await retire()
    expect(isHeard).toBe(true)
    expect(bench.store.renewed.at(-1)?.weight).toBe(0)
  })

  it('waits for nobody when the store does not answer: nobody hears of it', async () => {
    bench.store.others.push(member('other'))
    await bench.start()
    bench.store.isDown = true
    await retire()
    expect(isHeard).toBe(true)
  })

  it('waits once, however often it is asked', async () => {
    bench.store.others.push(member('other'))
    await bench.start()
    await retire()
    expect(isHeard).toBe(false)
    await retire()
    expect(isHeard).toBe(true)
  })
})

it('a node that has come asks no more often than it renews, until it has settled', async () => {
  bench.store.others.push(member('other'))
  const own = bench.ranked(0)
  const [first] = own
  for (const partition of own) bench.store.held.set(partition, 'other/i-other')
  await bench.start()
  await bench.clock.advance(4_900)
  const asked = () => bench.store.asked.filter((partition) => partition === first).length
  expect(asked()).toBeGreaterThanOrEqual(2)
  expect(asked()).toBeLessThanOrEqual(4)
  const before = asked()
  await bench.clock.advance(4_000)
  expect(asked() - before).toBeGreaterThanOrEqual(5)
  for (const partition of own) bench.store.held.delete(partition)
  await bench.clock.advance(500)
  expect(bench.mine).toEqual(own)
})

it('a node that has come takes what is let go of as soon as it has settled, whenever it renews', async () => {
  bench.store.others.push(member('other'))
  const own = bench.ranked(0)
  for (const partition of own) bench.store.held.set(partition, 'other/i-other')
  await bench.start()
  await bench.clock.advance(5_000)
  for (const partition of own) bench.store.held.delete(partition)
  await bench.clock.advance(600)
  expect(bench.mine).toEqual(own)
})
