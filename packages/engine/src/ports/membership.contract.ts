import type { Member } from '@almanac/domain'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Membership, Renewal } from './membership.js'

export interface MembershipFixture {
  readonly membership: Membership
  /** Lets time pass for the store: a manual clock's, or real time. */
  pass(ms: number): Promise<void>
  /** A step of the wall clock, where the store can see one. Memberships know nothing of it. */
  stepWall(ms: number): void
  /** The store's own wall clock now. */
  wall(): number
  /** The store's grain: memberships end at most this much later than asked. Milliseconds. */
  readonly grainMs: number
  close(): Promise<void>
}

/** Who is in the cluster, as far as a store can tell. */
export const membershipContract = (name: string, factory: () => Promise<MembershipFixture>): void => {
  describe(`membership: ${name}`, () => {
    let fixture: MembershipFixture
    beforeEach(async () => {
      fixture = await factory()
    })
    afterEach(() => fixture.close())
    describe('joining', () => joining(() => fixture))
    describe('node ids', () => holdingIds(() => fixture))
    describe('ending', () => ending(() => fixture))
    describe('time', () => timing(() => fixture))
  })
}

const memberOf = (nodeId: string, changes: Partial<Member> = {}): Member => ({
  nodeId,
  instance: `${nodeId}-first`,
  region: '',
  weight: 1,
  engineVersion: '1',
  tzVersion: '2025b',
  ...changes,
})

const idsOf = ({ members }: Renewal) => members.map(({ nodeId }) => nodeId)

const joining = (fixture: () => MembershipFixture) => {
  it('makes the caller a member and shows it as it registered', async () => {
    const member = memberOf('a', { region: 'eu', weight: 2.5 })
    const renewal = await fixture().membership.renew(member, 1000)
    expect(renewal.outcome).toBe('member')
    expect(renewal.members).toEqual([member])
  })

  it('shows all members by node id, to each of them', async () => {
    const { membership } = fixture()
    for (const nodeId of ['c', 'node-10', 'a', 'node-9', 'B']) {
      await membership.renew(memberOf(nodeId), 1000)
    }
    const all = ['B', 'a', 'c', 'node-10', 'node-9']
    expect(idsOf(await membership.renew(memberOf('c'), 1000))).toEqual(all)
    expect(idsOf(await membership.renew(memberOf('B'), 1000))).toEqual(all)
  })

  it('takes many that come at once', async () => {
    const { membership } = fixture()
    const members = Array.from({ length: 20 }, (_, n) => memberOf(`node-${n}`))
    const renewals = await Promise.all(members.map((member) => membership.renew(member, 1000)))
    expect(renewals.map(({ outcome }) => outcome)).toEqual(members.map(() => 'member'))
    expect(idsOf(await membership.renew(memberOf('node-0'), 1000))).toHaveLength(20)
  })

  it('takes over a new weight, region and versions at the next renewal', async () => {
    const { membership } = fixture()
    await membership.renew(memberOf('a'), 1000)
    await membership.renew(memberOf('b'), 1000)
    const changed = memberOf('a', { weight: 0, region: 'us', engineVersion: '2', tzVersion: '2026a' })
    expect((await membership.renew(changed, 1000)).members).toEqual([changed, memberOf('b')])
    expect((await membership.renew(memberOf('b'), 1000)).members).toEqual([changed, memberOf('b')])
  })
}

const holdingIds = (fixture: () => MembershipFixture) => {
  const second = memberOf('a', { instance: 'a-second', weight: 7 })

  it('is kept from a second process while the first is alive', async () => {
    const { membership } = fixture()
    await membership.renew(memberOf('a'), 1000)
    const refused = await membership.renew(second, 1000)
    expect(refused.outcome).toBe('taken')
    expect(refused.members).toEqual([memberOf('a')])
    const kept = await membership.renew(memberOf('a'), 1000)
    expect(kept.outcome).toBe('member')
    expect(kept.members).toEqual([memberOf('a')])
  })

  it('goes to one of several processes that come at once', async () => {
    const { membership } = fixture()
    const rivals = Array.from({ length: 10 }, (_, n) => memberOf('a', { instance: `a-${n}` }))
    const renewals = await Promise.all(rivals.map((member) => membership.renew(member, 1000)))
    expect(renewals.filter(({ outcome }) => outcome === 'member')).toHaveLength(1)
    expect(renewals.every(({ members }) => members.length === 1)).toBe(true)
  })

  it('is not prolonged by a second process that asks for it', async () => {
    const { membership, pass, grainMs } = fixture()
    await membership.renew(memberOf('a'), 300)
    await pass(150)
    expect((await membership.renew(second, 60_000)).outcome).toBe('taken')
    await pass(150 + grainMs)
    expect((await membership.renew(second, 60_000)).outcome).toBe('member')
    const late = await membership.renew(memberOf('a'), 60_000)
    expect(late.outcome).toBe('taken')
    expect(late.members).toEqual([second])
  })

  it('is free at once when its process has left', async () => {
    const { membership } = fixture()
    await membership.renew(memberOf('a'), 60_000)
    await membership.leave('a', 'a-first')
    expect(await membership.renew(second, 1000)).toMatchObject({ outcome: 'member', members: [second] })
  })
}

const ending = (fixture: () => MembershipFixture) => {
  it('ends when its time is over, not before', async () => {
    const { membership, pass, grainMs } = fixture()
    await membership.renew(memberOf('a'), 300)
    await membership.renew(memberOf('b'), 60_000)
    await pass(150)
    expect(idsOf(await membership.renew(memberOf('b'), 60_000))).toEqual(['a', 'b'])
    await pass(150 + grainMs)
    expect(idsOf(await membership.renew(memberOf('b'), 60_000))).toEqual(['b'])
  })

  it('is extended by a renewal, counted from that call', async () => {
    const { membership, pass, grainMs } = fixture()
    await membership.renew(memberOf('a'), 300)
    await pass(200)
    await membership.renew(memberOf('a'), 300)
    await pass(200)
    expect(idsOf(await membership.renew(memberOf('b'), 60_000))).toEqual(['a', 'b'])
    await pass(100 + grainMs)
    expect(idsOf(await membership.renew(memberOf('b'), 60_000))).toEqual(['b'])
  })

  it('begins again when the process comes back after its time', async () => {
    const { membership, pass, grainMs } = fixture()
    await membership.renew(memberOf('a'), 100)
    await pass(100 + grainMs)
    expect(idsOf(await membership.renew(memberOf('b'), 60_000))).toEqual(['b'])
    expect((await membership.renew(memberOf('a'), 60_000)).outcome).toBe('member')
    expect(idsOf(await membership.renew(memberOf('b'), 60_000))).toEqual(['a', 'b'])
  })

  it('ends at once when the process leaves', async () => {
    const { membership } = fixture()
    await membership.renew(memberOf('a'), 60_000)
    await membership.leave('a', 'a-first')
    expect(idsOf(await membership.renew(memberOf('b'), 1000))).toEqual(['b'])
  })

  it('is not ended by a process that has not got the node id, nor for one that never came', async () => {
    const { membership } = fixture()
    await membership.renew(memberOf('a'), 60_000)
    await membership.leave('a', 'a-second')
    await membership.leave('nobody', 'x')
    expect(idsOf(await membership.renew(memberOf('b'), 1000))).toEqual(['a', 'b'])
  })
}

const timing = (fixture: () => MembershipFixture) => {
  it('tells the wall clock of the store, also when it refuses', async () => {
    const { membership, pass, wall } = fixture()
    for (const instance of ['one', 'two']) {
      const before = wall()
      const { at } = await membership.renew(memberOf('a', { instance }), 60_000)
      expect(at).toBeGreaterThanOrEqual(before)
      expect(at).toBeLessThanOrEqual(wall())
      await pass(50)
    }
  })

  it('does not end by a step of the wall clock, either way', async () => {
    const { membership, pass, stepWall, grainMs } = fixture()
    await membership.renew(memberOf('a'), 300)
    stepWall(3_600_000)
    expect(idsOf(await membership.renew(memberOf('b'), 60_000))).toEqual(['a', 'b'])
    stepWall(-7_200_000)
    await pass(300 + grainMs)
    expect(idsOf(await membership.renew(memberOf('b'), 60_000))).toEqual(['b'])
  })
}
