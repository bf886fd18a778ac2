import { rankedOwners } from '@almanac/domain'
import { compile, type Recurrence, type ScheduleValue } from '@almanac/recurrence'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readCatalog } from './catalog.js'
import { forecast } from './forecast.js'
import { at, crontab, everyMinute, play, posted, settings } from './forecast.spec-support.js'
import { nodeName } from './settings.js'

const day = settings('2027-03-01T00:00:00Z', '2027-03-02T00:00:00Z')
const twoHours = settings('2027-03-01T00:00:00Z', '2027-03-01T02:00:00Z')

describe('runs', () => {
  it('follows the clock of Warsaw over both changes', () => {
    const nightly = [posted(crontab('30 2 * * *', 'Europe/Warsaw'))]
    const spring = play(nightly, settings('2027-03-27T00:00:00Z', '2027-03-30T00:00:00Z'), [
      'no run of tick between 02:00 and 03:00 Europe/Warsaw on sun',
      'at least 1 run of tick per day Europe/Warsaw',
    ])
    expect(spring.tasks[0]).toMatchObject({
      runs: 3,
      first: at('2027-03-27T01:30:00Z'),
      last: at('2027-03-29T00:30:00Z'),
      // In the night of the change there is no 02:30: it runs at 03:30, 24 hours after the night before.
      longestGapMs: 24 * 3_600_000,
    })
    expect(spring.checks.map(({ passed }) => passed)).toEqual([true, true])
    const autumn = play(nightly, settings('2027-10-30T00:00:00Z', '2027-11-02T00:00:00Z'))
    expect(autumn.tasks[0]).toMatchObject({ runs: 3, longestGapMs: 25 * 3_600_000 })
  })

  it('begins with an occurrence at its first instant and ends before its last', () => {
    expect(play([posted(everyMinute)], twoHours).tasks[0]).toMatchObject({
      runs: 120,
      first: twoHours.from,
      last: twoHours.to - 60_000,
      worstLatenessMs: 0,
    })
  })

  it.each([
    ['a one-off', { oneOff: true }, 1],
    ['three runs at most', { maxRuns: 3 }, 3],
    ['a start time', { startTime: '2027-03-01T01:30:00Z' }, 30],
    ['an end', { expires: '2027-03-01T00:10:00Z' }, 10],
    ['what is left of its runs', { maxRuns: 50, runsLeft: 7 }, 7],
  ])('keeps to %s', (_name, rest, runs) => {
    expect(play([posted(everyMinute, rest)], twoHours).totals.runs).toBe(runs)
  })

  it('decides the same in ticks of any size', () => {
    const tasks = Array.from({ length: 40 }, (_, index) => posted(everyMinute, { name: `t${index}` }))
    const [whole, cut] = [10_000, 2].map((maxDecisionsPerTick) =>
      play(tasks, { ...twoHours, partitions: 2, maxDecisionsPerTick }),
    )
    expect(whole?.totals.runs).toBe(40 * 120)
    expect(cut?.digest).toBe(whole?.digest)
  })
})

describe('overlap, with runs of 90 seconds', () => {
  const tenMinutes = { ...settings('2027-03-01T00:00:00Z', '2027-03-01T00:10:00Z'), runMs: 90_000 }
  it.each([
    ['allow', 10, 0],
    ['cancelRunning', 10, 0],
    // 0, 2, 4, 6, 8
    ['skip', 5, 5],
    // One running and one waiting: 0, 1, 2, 3, then 5, 6, 8, 9.
    ['queueOne', 8, 2],
  ])('%s', (overlap, runs, skipped) => {
    const { totals } = play([posted(everyMinute, { overlap })], tenMinutes)
    expect(totals.runs).toBe(runs)
    expect(totals.skipped.overlap ?? 0).toBe(skipped)
  })
})

describe('a blackout of 30 minutes', () => {
  // Gone from 00:30:30 to 01:00:30: 30 occurrences, 00:31 to 01:00, are late when it is over.
  const down = [{ node: null, from: at('2027-03-01T00:30:30Z'), until: at('2027-03-01T01:00:30Z') }]
  it.each([
    ['latest', {}, 1, 29],
    ['all', {}, 30, 0],
    ['all', { max: 10 }, 10, 20],
    ['all', { windowSeconds: 305 }, 5, 25],
    ['none', {}, 0, 30],
  ])('with catch-up %s %j', (policy, rest, catchUps, misfires) => {
    const { totals, tasks, outages } = play([posted(everyMinute, { catchUp: { policy, ...rest } })], {
      ...twoHours,
      down,
    })
    expect(totals).toMatchObject({ runs: 90 + catchUps, catchUps, late: catchUps, undecided: 0 })
    expect(totals.skipped.misfire ?? 0).toBe(misfires)
    expect(outages).toEqual([{ ...down[0], partitions: 64, longestWithoutOwnerMs: 30 * 60_000 + 100 }])
    if (policy === 'all' && catchUps === 30) expect(tasks[0]?.worstLatenessMs).toBe(29.5 * 60_000 + 100)
  })

  it('that lasts to the end leaves what was due undecided', () => {
    const forever = [{ node: null, from: at('2027-03-01T01:00:30Z'), until: at('2027-03-01T04:00:00Z') }]
    const { totals, outages } = play([posted(everyMinute)], { ...twoHours, down: forever })
    expect(totals).toMatchObject({ runs: 61, undecided: 59 })
    expect(outages[0]?.longestWithoutOwnerMs).toBeNull()
  })
})

describe('an outage of one node', () => {
  const tasks = [posted(everyMinute)]
  const catalog = readCatalog({ tasks, schedules: [], calendars: [] }, twoHours.from)
  const taskId = catalog.ok ? (catalog.value.tasks[0]?.definition.taskId ?? '') : ''
  const runsOf = (node: number, from: string, until: string) =>
    play(tasks, { ...twoHours, down: [{ node, from: at(from), until: at(until) }] })
  const owner = play(tasks, twoHours).nodes.findIndex(({ runs }) => runs > 0)

  it('moves its partitions when its leases have run out, and back when it has settled', () => {
    expect(taskId).toHaveLength(26)
    // Gone at 00:29:55: taken 10.1 s later, back at 00:39:55, and the owner again at 00:40:00.
    const {
      totals,
      nodes,
      tasks: found,
      outages,
    } = runsOf(owner, '2027-03-01T00:29:55Z', '2027-03-01T00:39:55Z')
    expect(totals).toMatchObject({ runs: 120, late: 1, catchUps: 1 })
    expect(found[0]?.worstLatenessMs).toBe(5_100)
    expect(nodes[owner]?.runs).toBe(110)
    expect(outages[0]).toMatchObject({
      partitions: nodes[owner]?.partitions,
      longestWithoutOwnerMs: 10_100,
    })
    expect(nodes.reduce((sum, { taken }) => sum + taken, 0)).toBe(2 * (nodes[owner]?.partitions ?? 0))
  })

  it('of another node changes nothing of it', () => {
    const other = runsOf((owner + 1) % 3, '2027-03-01T00:29:55Z', '2027-03-01T00:39:55Z')
    expect(other.digest).toBe(play(tasks, twoHours).digest)
  })

  it('places partitions as the cluster does', () => {
    const members = [0, 1, 2].map((index) => ({
      nodeId: nodeName(index),
      instance: '',
      region: '',
      weight: 1,
      engineVersion: '',
      tzVersion: '',
    }))
    const shares = new Map<string, number>()
    for (let partition = 0; partition < 64; partition++) {
      const id = rankedOwners(partition, members)[0]?.nodeId ?? ''
      shares.set(id, (shares.get(id) ?? 0) + 1)
    }
    for (const { name, partitions } of play(tasks, twoHours).nodes) expect(partitions).toBe(shares.get(name))
  })
})

describe('the digest', () => {
  const tasks = [
    posted(everyMinute),
    posted(crontab('*/7 * * * *'), { name: 'other', catchUp: { policy: 'all' } }),
  ]
  const stormy = { ...day, outages: 20, blackouts: 3 }

  it('is the same for the same seed, and another one for another', () => {
    const [first, again, other] = [1, 1, 2].map((seed) => play(tasks, { ...stormy, seed }))
    expect(again).toEqual(first)
    expect(other?.digest).not.toBe(first?.digest)
    expect(first?.outages).toHaveLength(23)
  })

  it('does not depend on how many nodes share the work, nor on the order of the tasks', () => {
    const digests = [1, 2, 64].map((nodes) => play(tasks, { ...day, nodes }).digest)
    expect(new Set([...digests, play([...tasks].reverse(), day).digest]).size).toBe(1)
  })

  it('changes with one run', () => {
    const later = play(tasks, { ...day, to: day.to + 60_000 })
    expect(later.digest).not.toBe(play(tasks, day).digest)
  })
})

const scheduleValue: fc.Arbitrary<ScheduleValue> = fc.oneof(
  fc
    .record({ every: fc.integer({ min: 1, max: 400 }), period: fc.constantFrom('minutes', 'hours') })
    .map((interval) => ({ interval }) as ScheduleValue),
  fc
    .record({
      minute: fc.constantFrom('*', '0', '30', '*/7', '5,55'),
      hour: fc.constantFrom('*', '2', '3', '1-4', '*/6'),
      dayOfWeek: fc.constantFrom('*', 'mon-fri', 'sun'),
      timezone: fc.constantFrom('UTC', 'Europe/Warsaw', 'America/New_York', 'Australia/Lord_Howe'),
    })
    .map((fields) => ({ crontab: fields })),
)

function enumerated(recurrence: Recurrence, from: number, to: number): readonly number[] {
  const found: number[] = []
  for (let next = recurrence.next(from - 1); next !== undefined && next < to; next = recurrence.next(next)) {
    found.push(next)
  }
  return found
}

describe('without outages', () => {
  it('runs exactly what the schedules list, on time', () => {
    fc.assert(
      fc.property(
        fc.array(scheduleValue, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 0, max: 400 }),
        fc.integer({ min: 1, max: 5 }),
        (values, startDay, nodes) => {
          const from = at('2027-01-01T00:00:00Z') + startDay * 86_400_000
          const played = { ...day, from, to: from + 3 * 86_400_000, nodes }
          const tasks = values.map((schedule, index) => posted(schedule, { name: `t${index}` }))
          const catalog = readCatalog({ tasks, schedules: [], calendars: [] }, from)
          if (!catalog.ok) throw new Error(JSON.stringify(catalog.error))
          const result = forecast(catalog.value, played, [])
          let runs = 0
          for (const [index, value] of values.entries()) {
            const recurrence = compile(value, { anchor: from })
            if (!recurrence.ok) throw new Error(JSON.stringify(recurrence.error))
            const listed = enumerated(recurrence.value, from, played.to)
            runs += listed.length
            const task = result.tasks.find(({ name }) => name === `t${index}`)
            expect(task).toMatchObject({
              runs: listed.length,
              first: listed[0] ?? null,
              last: listed.at(-1) ?? null,
              skipped: 0,
              worstLatenessMs: 0,
            })
          }
          expect(result.totals).toEqual({ runs, catchUps: 0, late: 0, skipped: {}, undecided: 0 })
          const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0)
          expect(sum(result.load.buckets.map((bucket) => bucket.runs))).toBe(runs)
          expect(sum(result.load.heat.flat())).toBe(runs)
          expect(sum(result.nodes.map((node) => node.runs))).toBe(runs)
        },
      ),
      { numRuns: 40 },
    )
  })
})

describe('with any outages', () => {
  it('gives every occurrence one outcome', () => {
    fc.assert(
      fc.property(
        fc.array(scheduleValue, { minLength: 1, maxLength: 4 }),
        fc.constantFrom('latest', 'all', 'none'),
        fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        fc.integer({ min: 1, max: 4 }),
        (values, policy, seed, nodes) => {
          const played = { ...day, renewEveryMs: 3_000, seed, nodes, outages: 12, blackouts: 2 }
          const tasks = values.map((schedule, index) =>
            posted(schedule, { name: `t${index}`, catchUp: { policy } }),
          )
          const due = values.reduce((sum, value) => {
            const recurrence = compile(value, { anchor: day.from })
            return sum + (recurrence.ok ? enumerated(recurrence.value, day.from, day.to).length : 0)
          }, 0)
          const { totals } = play(tasks, played)
          const skipped = Object.values(totals.skipped).reduce((sum, count) => sum + count, 0)
          expect(totals.runs + skipped + totals.undecided).toBe(due)
        },
      ),
      { numRuns: 60 },
    )
  })
})
