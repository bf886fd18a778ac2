import { zone } from '@almanac/recurrence'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { DueQueue } from './due-queue.js'
import { LoadMeter } from './load.js'

const from = Date.parse('2027-03-27T00:00:00Z')
const warsaw = zone('Europe/Warsaw')
if (warsaw === undefined) throw new Error('no zone')

it('counts in buckets, seconds, minutes and hours as a list would', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(fc.integer({ min: 0, max: 48 * 3_600_000 - 1 }), fc.nat({ max: 2 }), fc.nat({ max: 1 })),
      ),
      (runs) => {
        const sorted = [...runs].sort((a, b) => a[0] - b[0])
        const meter = new LoadMeter(from, from + 48 * 3_600_000, warsaw, 3, ['a', 'b'])
        for (const [offset, node, queue] of sorted) meter.add(from + offset, node, queue)
        const load = meter.result()
        expect(load.bucket).toBe('15 min')
        for (const bucket of load.buckets) {
          const inside = sorted.filter(
            ([offset]) => from + offset >= bucket.from && from + offset < bucket.until,
          )
          expect(bucket.runs).toBe(inside.length)
          expect(bucket.byNode).toEqual(
            [0, 1, 2].map((node) => inside.filter((run) => run[1] === node).length),
          )
          const byQueue = load.queues.map(
            (name) => inside.filter((run) => run[2] === (name === 'a' ? 0 : 1)).length,
          )
          expect(bucket.byQueue).toEqual(byQueue)
        }
        const bySecond = new Map<number, number>()
        for (const [offset] of sorted) {
          const second = Math.floor(offset / 1000)
          bySecond.set(second, (bySecond.get(second) ?? 0) + 1)
        }
        const most = [...bySecond].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, 10)
        expect(load.busiestSeconds).toEqual(
          most.map(([second, count]) => ({ at: from + second * 1000, runs: count })),
        )
      },
    ),
    { numRuns: 50 },
  )
})

it('shows local hours over a change of the clock', () => {
  const meter = new LoadMeter(from, from + 48 * 3_600_000, warsaw, 1, ['a'])
  // Sunday 01:30 and 03:30 local time: an hour apart.
  for (const iso of ['2027-03-28T00:30:00Z', '2027-03-28T01:30:00Z']) meter.add(Date.parse(iso), 0, 0)
  const { heat } = meter.result()
  expect([heat[0]?.[1], heat[0]?.[2], heat[0]?.[3]]).toEqual([1, 0, 1])
})

it('begins days where the zone does, and keeps eight queues apart', () => {
  const names = Array.from({ length: 11 }, (_, index) => `q${index}`)
  const meter = new LoadMeter(from, from + 365 * 86_400_000, warsaw, 1, names)
  for (const [index] of names.entries()) for (let run = 0; run <= index; run++) meter.add(from, 0, index)
  const load = meter.result()
  expect(load.bucket).toBe('day')
  expect(load.buckets.slice(0, 3).map((bucket) => new Date(bucket.from).toISOString())).toEqual([
    '2027-03-27T00:00:00.000Z',
    '2027-03-27T23:00:00.000Z',
    '2027-03-28T22:00:00.000Z',
  ])
  expect(load.queues).toEqual(['q10', 'q9', 'q8', 'q7', 'q6', 'q5', 'q4', '4 other'])
  expect(load.buckets[0]?.byQueue).toEqual([11, 10, 9, 8, 7, 6, 5, 10])
})

it('gives handles in the order of their keys, then of the handles', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 60 }), (keys) => {
      const queue = new DueQueue(keys.length)
      for (const [handle, key] of keys.entries()) queue.push(key, handle)
      const sorted = [...keys.keys()].sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0) || a - b)
      for (const handle of sorted) {
        expect(queue.peek()).toBe(keys[handle])
        expect(queue.pop()).toBe(handle)
      }
      expect([queue.length, queue.peek(), queue.pop()]).toEqual([0, Number.POSITIVE_INFINITY, -1])
    }),
  )
})
