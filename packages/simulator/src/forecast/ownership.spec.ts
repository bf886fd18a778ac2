import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { settings } from './forecast.spec-support.js'
import { outagesOf, readOutage, Uptime } from './outages.js'
import { ownershipOf } from './ownership.js'

const day = settings('2027-03-01T00:00:00Z', '2027-03-02T00:00:00Z', { partitions: 16, renewEveryMs: 3_000 })
const claimMs = 100

describe('ownership', () => {
  it('is by one node that is up, and a partition waits for its lease to run out', () => {
    fc.assert(
      fc.property(
        fc.record({
          seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
          nodes: fc.integer({ min: 1, max: 6 }),
          outages: fc.integer({ min: 0, max: 60 }),
          outageMs: fc.constantFrom(null, 1_000, 60_000, 4 * 3_600_000),
          blackouts: fc.integer({ min: 0, max: 3 }),
        }),
        (chosen) => {
          const played = { ...day, ...chosen }
          const { stretches, losses, outages } = ownershipOf(played)
          const up = new Uptime(played.nodes, outages)
          for (const [partition, owned] of stretches.entries()) {
            let before: (typeof owned)[number] | undefined
            for (const stretch of owned) {
              expect(stretch.until).toBeGreaterThan(stretch.from)
              expect(up.isUp(stretch.node, stretch.from)).toBe(true)
              expect(up.nextDown(stretch.node, stretch.from)).toBeGreaterThanOrEqual(stretch.until)
              if (before !== undefined && before.until !== stretch.from) {
                const loss = losses.find((one) => one.partition === partition && one.at === before?.until)
                expect(loss).toMatchObject({ node: before.node, takenAt: stretch.from })
                expect(stretch.from - before.until).toBeGreaterThanOrEqual(played.leaseTtlMs + claimMs)
              }
              before = stretch
            }
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  it('returns to where it belongs when all is well again', () => {
    const { stretches } = ownershipOf({
      ...day,
      seed: 5,
      outages: 30,
      outageMs: 60_000,
      to: day.to + 3_600_000,
    })
    const calm = ownershipOf({ ...day, to: day.to + 3_600_000 })
    expect(stretches.some((owned) => owned.length > 1)).toBe(true)
    expect(stretches.map((owned) => owned[0]?.node)).toEqual(calm.stretches.map((owned) => owned[0]?.node))
    const last = (owned: (typeof stretches)[number]) => owned.at(-1)?.node
    const settled = outagesOf({ ...day, seed: 5, outages: 30, outageMs: 60_000 }).every(
      ({ until }) => until < day.to,
    )
    expect(settled).toBe(true)
    expect(stretches.map(last)).toEqual(calm.stretches.map(last))
  })

  it('begins late when nobody is there at the beginning', () => {
    const down = [{ node: null, from: day.from - 1_000, until: day.from + 5_000 }]
    for (const [first] of ownershipOf({ ...day, renewEveryMs: 0, down }).stretches) {
      expect(first?.from).toBe(day.from + 5_000 + claimMs)
    }
  })
})

describe('outages', () => {
  it('are drawn in the time of the forecast, each kind by itself', () => {
    const few = outagesOf({ ...day, outages: 3, blackouts: 2, seed: 9 })
    const more = outagesOf({ ...day, outages: 40, blackouts: 2, seed: 9 })
    for (const { from, until, node } of more) {
      expect(from).toBeGreaterThanOrEqual(day.from)
      expect(from).toBeLessThan(day.to)
      if (node !== null) expect(until - from).toBeGreaterThanOrEqual(30_000)
      if (node !== null) expect(until - from).toBeLessThanOrEqual(20 * 60_000)
    }
    // More of one kind leaves those that were there.
    expect(more).toEqual(expect.arrayContaining([...few]))
    expect(new Set(more.map(({ node }) => node))).toEqual(new Set([null, 0, 1, 2]))
  })

  it.each([
    [
      'node-2@2027-03-28T01:55:00Z/10min',
      { node: 1, from: Date.parse('2027-03-28T01:55:00Z'), long: 600_000 },
    ],
    [
      'all@2027-03-28T01:55:00+02:00/1.5h',
      { node: null, from: Date.parse('2027-03-27T23:55:00Z'), long: 5_400_000 },
    ],
  ])('%s', (text, { node, from, long }) => {
    expect(readOutage(text, 3, 'down')).toEqual({ ok: true, value: { node, from, until: from + long } })
  })

  it.each([
    ['node-4@2027-03-28T01:55:00Z/10min', '"node-4" is no node: there are node-1 to node-3, and all'],
    ['node-1', 'must be like node-2@'],
    ['all@2027-03-28/10min', 'must be ISO 8601'],
    ['all@2027-03-28T01:55:00Z/long', '"long" is no duration'],
    ['all@2027-03-28T01:55:00Z/0s', '"0s" is no duration'],
  ])('%s is refused: %s', (text, message) => {
    const read = readOutage(text, 3, 'down')
    expect(read.ok ? '' : read.error[0]?.message).toContain(message)
  })
})
