import { type Checkpoint, type Member, rankedOwners } from '@almanac/domain'
import { beforeEach, describe, expect, it } from 'vitest'
import { Roster } from './roster.js'

const settleMs = 5_000
const member = (nodeId: string, more: Partial<Member> = {}): Member => ({
  nodeId,
  instance: `i-${nodeId}`,
  region: '',
  weight: 1,
  engineVersion: '2.1.0',
  tzVersion: '2025b',
  ...more,
})
const checkpoint = (engineVersion: string, tzVersion: string) => ({ engineVersion, tzVersion }) as Checkpoint
const partitions = Array.from({ length: 32 }, (_, partition) => partition)
const idsOf = (members: readonly Member[]) => members.map(({ nodeId }) => nodeId)

/** The partition that `nodeId` is first in order for, of all these nodes. */
function firstOf(nodeId: string, members: readonly Member[]): number {
  const found = partitions.find((partition) => rankedOwners(partition, members)[0]?.nodeId === nodeId)
  if (found === undefined) throw new Error('choose other names')
  return found
}

const rosterOf = (homeRegions = new Map<number, string>()) =>
  new Roster({ nodeId: 'me', settleMs, homeRegions })

let roster: Roster
beforeEach(() => {
  roster = rosterOf()
})

describe('the order', () => {
  it('is that of the placement, before and after members come and go', () => {
    for (const members of [['me'], ['me', 'a', 'b'], ['me', 'b', 'c'], ['me', 'a']]) {
      const all = members.map((nodeId) => member(nodeId))
      roster.update(all, 0)
      for (const partition of partitions) {
        expect(roster.ranked(partition, null)).toEqual(rankedOwners(partition, all))
        expect(roster.rank(partition, null)).toBe(idsOf(rankedOwners(partition, all)).indexOf('me'))
      }
    }
  })

  it('knows no place for who takes nothing, or is not there', () => {
    roster.update([member('me', { weight: 0 }), member('a')], 0)
    expect(partitions.map((partition) => roster.rank(partition, null))).toEqual(partitions.map(() => -1))
    roster.update([member('a')], 0)
    expect(roster.rank(0, null)).toBe(-1)
  })

  it('follows a change of weight and of region', () => {
    const regions = new Map(partitions.map((partition) => [partition, partition % 2 === 0 ? 'eu' : '']))
    roster = rosterOf(regions)
    const all = [member('me', { region: 'us' }), member('a', { region: 'us' })]
    roster.update(all, 0)
    expect(roster.ranked(0, null)).toEqual(rankedOwners(0, all))
    const moved = [member('me', { region: 'us' }), member('a', { region: 'eu' })]
    roster.update(moved, 0)
    const atHome = partitions.filter((partition) => regions.get(partition) === 'eu')
    expect(atHome.map((partition) => roster.rank(partition, null))).toEqual(atHome.map(() => 1))
    roster.update([member('me', { region: 'us' })], 0)
    expect(atHome.map((partition) => roster.rank(partition, null))).toEqual(atHome.map(() => 0))
  })

  it('leaves out who may not go on from the newest checkpoint, and takes it back for older ones', () => {
    const all = [
      member('me'),
      member('old', { engineVersion: '1.9.0' }),
      member('zone', { tzVersion: '2024a' }),
    ]
    roster.update(all, 0)
    const ids = (engineVersion: string, tzVersion: string) =>
      idsOf(roster.ranked(0, checkpoint(engineVersion, tzVersion))).sort()
    expect(ids('2.0.0', '2025b')).toEqual(['me'])
    expect(ids('2.0.0', '2024a')).toEqual(['me', 'zone'])
    expect(ids('1.0.0', '2025b')).toEqual(['me', 'old'])
    expect(ids('1.0.0', '2024a')).toEqual(['me', 'old', 'zone'])
    expect(ids('3.0.0', '2025b')).toEqual([])
    expect(roster.rank(0, checkpoint('3.0.0', '2025b'))).toBe(-1)
    expect(idsOf(roster.ranked(0, null)).sort()).toEqual(['me', 'old', 'zone'])
  })
})

describe('a partition belongs to another', () => {
  const both = [member('me'), member('a')]
  const its = firstOf('a', both)
  const mine = firstOf('me', both)
  const belongs = (now: number, partition = its) => roster.belongsToOther(partition, null, now)

  it('who is first in order, once that one has settled', () => {
    roster.update([member('me')], 0)
    expect(belongs(100_000)).toBe(false)
    roster.update(both, 100_000)
    expect([belongs(100_000), belongs(104_999), belongs(105_000)]).toEqual([false, false, true])
    expect(belongs(105_000, mine)).toBe(false)
    roster.update([...both], 110_000)
    expect(belongs(110_000)).toBe(true)
  })

  it.each([
    ['went and came', [member('me')], both],
    ['was started anew', [member('me'), member('a', { instance: 'second' })], undefined],
    ['had taken nothing', [member('me'), member('a', { weight: 0 })], both],
  ])('not when it %s just now', (_, then, after) => {
    roster.update(both, 0)
    expect(belongs(5_000)).toBe(true)
    roster.update(then, 6_000)
    if (after !== undefined) roster.update(after, 7_000)
    const at = after === undefined ? 6_000 : 7_000
    expect([belongs(at + settleMs - 1), belongs(at + settleMs)]).toEqual([false, true])
  })

  it('as before when its weight is another one', () => {
    roster.update(both, 0)
    roster.update([member('me'), member('a', { weight: 2 })], 6_000)
    expect(belongs(6_001)).toBe(true)
  })

  it('not when it may not go on from the checkpoint', () => {
    roster.update([member('me'), member('a', { engineVersion: '1.0.0' })], 0)
    expect(roster.belongsToOther(its, checkpoint('1.0.0', ''), 9_000)).toBe(true)
    expect(roster.belongsToOther(its, checkpoint('2.0.0', ''), 9_000)).toBe(false)
  })
})
