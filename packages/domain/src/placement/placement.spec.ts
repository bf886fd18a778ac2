import { expect, it } from 'vitest'
import { type Member, mayContinue, rankedOwners } from './placement.js'

const member = (nodeId: string, extra: Partial<Member> = {}): Member => ({
  nodeId,
  instance: `i-${nodeId}`,
  region: '',
  weight: 1,
  engineVersion: '1',
  tzVersion: '2025b',
  ...extra,
})
const cluster = (count: number) => Array.from({ length: count }, (_, index) => member(`node-${index}`))
const partitions = Array.from({ length: 256 }, (_, partition) => partition)
const owners = (members: readonly Member[]) =>
  partitions.map((partition) => rankedOwners(partition, members)[0]?.nodeId)

it('gives the same order whatever the order of the members', () => {
  const members = cluster(7)
  for (const partition of partitions) {
    expect(rankedOwners(partition, [...members].reverse())).toEqual(rankedOwners(partition, members))
  }
})

it.each([2, 3, 5, 10, 64])('moves nothing but what a node gets or had: %i nodes', (count) => {
  const before = owners(cluster(count))
  const after = owners(cluster(count + 1))
  const moved = partitions.filter((partition) => before[partition] !== after[partition])
  for (const partition of moved) expect(after[partition]).toBe(`node-${count}`)
  const fair = 256 / (count + 1)
  expect(moved.length).toBeGreaterThan(fair / 4)
  expect(moved.length).toBeLessThan(fair * 2.5)
})

it('spreads in proportion to the weights, and gives nothing to weight 0', () => {
  const members = [member('a', { weight: 3 }), member('b'), member('c', { weight: 0 })]
  const counts = new Map<string, number>()
  for (let partition = 0; partition < 4000; partition += 1) {
    const owner = rankedOwners(partition, members)[0]?.nodeId ?? 'none'
    counts.set(owner, (counts.get(owner) ?? 0) + 1)
  }
  expect(counts.get('c')).toBeUndefined()
  expect((counts.get('a') ?? 0) / 4000).toBeCloseTo(0.75, 1)
  expect(rankedOwners(0, [member('c', { weight: 0 })])).toEqual([])
})

it('prefers the home region, and takes the others when nobody is there', () => {
  const members = [
    member('eu-1', { region: 'eu' }),
    member('us-1', { region: 'us' }),
    member('us-2', { region: 'us' }),
  ]
  for (const partition of partitions) {
    expect(rankedOwners(partition, members, 'us').map(({ region }) => region)).toEqual(['us', 'us', 'eu'])
    expect(rankedOwners(partition, members, 'ap')).toEqual(rankedOwners(partition, members))
  }
})

it('goes on only from what its own versions can continue', () => {
  const made = (engineVersion: string, tzVersion: string) => ({ engineVersion, tzVersion })
  const own = made('2.3.1', '2025b')
  expect(mayContinue(own, null)).toBe(true)
  expect(mayContinue(own, made('2.9.0', '2025b'))).toBe(true)
  expect(mayContinue(own, made('3.0.0', '2025b'))).toBe(false)
  expect(mayContinue(own, made('1.0.0', '2024a'))).toBe(true)
  expect(mayContinue(own, made('2.3.1', '2025c'))).toBe(false)
  expect(mayContinue(own, made('2.3.1', 'unknown'))).toBe(true)
  expect(mayContinue(made('2', 'test'), made('2', '2025b'))).toBe(true)
})
