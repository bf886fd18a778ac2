import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { LeaseStore } from './lease-store.js'

export interface LeaseStoreFixture {
  readonly leases: LeaseStore
  /** Lets time pass for the store: a manual clock's, or real time. */
  pass(ms: number): Promise<void>
  /** A step of the wall clock, where the store can see one. Leases know nothing of it. */
  stepWall(ms: number): void
  /** The store's grain: leases end at most this much later than asked. Milliseconds. */
  readonly grainMs: number
  close(): Promise<void>
}

export const leaseStoreContract = (name: string, factory: () => Promise<LeaseStoreFixture>): void => {
  describe(`lease store: ${name}`, () => {
    let fixture: LeaseStoreFixture
    beforeEach(async () => {
      fixture = await factory()
    })
    afterEach(() => fixture.close())
    holding(() => fixture)
    ending(() => fixture)
  })
}

const holding = (fixture: () => LeaseStoreFixture) => {
  it('is held by the first and refused to others', async () => {
    const { leases } = fixture()
    expect(await leases.acquire(1, 'a', 1000)).toBe('held')
    expect(await leases.acquire(1, 'b', 1000)).toBe('refused')
    expect(await leases.acquire(1, 'a', 1000)).toBe('held')
  })

  it('is held by one of many who ask at once', async () => {
    const { leases } = fixture()
    const holders = Array.from({ length: 20 }, (_, n) => `holder-${n}`)
    const answers = await Promise.all(holders.map((holder) => leases.acquire(7, holder, 1000)))
    expect(answers.filter((answer) => answer === 'held')).toHaveLength(1)
  })

  it('is apart for each partition', async () => {
    const { leases } = fixture()
    expect(await leases.acquire(0, 'a', 1000)).toBe('held')
    expect(await leases.acquire(1, 'b', 1000)).toBe('held')
    expect(await leases.acquire(10, 'c', 1000)).toBe('held')
    expect(await leases.acquire(1, 'a', 1000)).toBe('refused')
  })
}

const ending = (fixture: () => LeaseStoreFixture) => {
  it('ends when its time is over, not before', async () => {
    const { leases, pass, grainMs } = fixture()
    await leases.acquire(1, 'a', 300)
    await pass(150)
    expect(await leases.acquire(1, 'b', 300)).toBe('refused')
    await pass(150 + grainMs)
    expect(await leases.acquire(1, 'b', 300)).toBe('held')
    expect(await leases.acquire(1, 'a', 300)).toBe('refused')
  })

  it('is extended by its holder, counted from that call', async () => {
    const { leases, pass, grainMs } = fixture()
    await leases.acquire(1, 'a', 300)
    await pass(200)
    expect(await leases.acquire(1, 'a', 300)).toBe('held')
    await pass(200)
    expect(await leases.acquire(1, 'b', 300)).toBe('refused')
    await pass(100 + grainMs)
    expect(await leases.acquire(1, 'b', 300)).toBe('held')
  })

  it('can be extended to end sooner', async () => {
    const { leases, pass, grainMs } = fixture()
    await leases.acquire(1, 'a', 60_000)
    await leases.acquire(1, 'a', 100)
    await pass(100 + grainMs)
    expect(await leases.acquire(1, 'b', 100)).toBe('held')
  })

  it('does not end by a step of the wall clock, either way', async () => {
    const { leases, stepWall, pass, grainMs } = fixture()
    await leases.acquire(1, 'a', 300)
    stepWall(3_600_000)
    expect(await leases.acquire(1, 'b', 300)).toBe('refused')
    stepWall(-7_200_000)
    await pass(300 + grainMs)
    expect(await leases.acquire(1, 'b', 300)).toBe('held')
  })

  it('is free at once when its holder gives it back', async () => {
    const { leases } = fixture()
    await leases.acquire(1, 'a', 1000)
    await leases.release(1, 'a')
    expect(await leases.acquire(1, 'b', 1000)).toBe('held')
  })

  it('is not given back by somebody else, nor by a holder who has lost it', async () => {
    const { leases, pass, grainMs } = fixture()
    await leases.acquire(1, 'a', 100)
    await leases.release(1, 'b')
    expect(await leases.acquire(1, 'b', 100)).toBe('refused')
    await pass(100 + grainMs)
    await leases.acquire(1, 'b', 10_000)
    await leases.release(1, 'a')
    expect(await leases.acquire(1, 'c', 100)).toBe('refused')
    await leases.release(2, 'nobody')
  })
}
