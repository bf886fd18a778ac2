import { readFileSync } from 'node:fs'
import { type Member, rankedOwners } from '@almanac/domain'
import { beforeAll, describe, expect, it } from 'vitest'
import { complaintsOf } from './complaints.js'
import { type Measured, measure } from './measure.js'
import { movesOf } from './moves.js'
import { reportOf, type ScaleReport } from './report.js'
import { tablesOf } from './tables.js'

// Goal: what the page on scale says holds for clusters that are small enough for a spec: partitions lie where the order
// of owners puts them, nothing moves but what must, what was computed is what is counted, and nothing is lost.

const small = { seed: 5, tasks: 120, mass: 24, restMs: 60_000, changes: 6 }

let alone: Measured
let three: Measured
let reports: readonly ScaleReport[]
beforeAll(async () => {
  alone = await measure({ ...small, nodes: 1, partitions: 8 })
  three = await measure({ ...small, nodes: 3, partitions: 16 })
  reports = [reportOf(alone), reportOf(three)]
}, 60_000)

const report = (): ScaleReport => {
  const last = reports.at(-1)
  if (last === undefined) throw new Error('nothing was measured')
  return last
}

const memberOf = (nodeId: string): Member => ({
  nodeId,
  instance: '',
  region: '',
  weight: 1,
  engineVersion: '1',
  tzVersion: '2026a',
})

describe('a cluster at rest', () => {
  it('has each partition at the node that comes first for it', () => {
    const names = ['node-1', 'node-2', 'node-3']
    const first = Array.from(
      { length: 16 },
      (_, partition) => rankedOwners(partition, names.map(memberOf))[0]?.nodeId,
    )
    expect(alone.shares).toEqual([8])
    expect(three.shares).toEqual(names.map((name) => first.filter((owner) => owner === name).length))
  })

  it('renews as often as it was computed, one message a partition and one a node', () => {
    const { counted } = report().rest
    expect(counted.renew).toBeGreaterThan((3 / 3) * 0.93)
    expect(counted.renew).toBeLessThan((3 / 3) * 1.07)
    expect(counted.acquire).toBeGreaterThan((16 / 3) * 0.93)
    expect(counted.acquire).toBeLessThan((16 / 3) * 1.07)
    expect(counted.members / counted.renew).toBeCloseTo(3, 5)
  })

  it('reads each checkpoint once on each node', () => {
    const { counted, emission, seconds } = report().rest
    expect(counted.tailRecords * seconds).toBe(3 * emission.commits)
  })

  it('runs everything that is due, each task once a minute', () => {
    expect(reports.map(({ rest }) => rest.emission.runs)).toEqual([small.tasks, small.tasks])
    expect(reports.map(({ mass }) => mass.runs)).toEqual([small.mass, small.mass])
  })
})

describe('when nodes come and go', () => {
  it('moves what must move and nothing else', () => {
    const moves = report().upheavals.map(({ what, mustMove, moved }) => [what, moved - mustMove])
    expect(moves).toEqual([
      ['join', 0],
      ['leave', 0],
      ['kill', 0],
      ['kill a third', 0],
      ['rolling restart', 0],
    ])
    expect(report().upheavals.every(({ moved }) => moved > 0)).toBe(true)
  })

  it('takes over within the time of a lease and of two renewals', () => {
    for (const { tookMs } of report().upheavals) expect(tookMs.max).toBeLessThan(10_000 + 2 * 3_600)
  })

  it('hands over in little more than half a second', () => {
    const handOvers = reports.flatMap(({ upheavals }) =>
      upheavals.filter(({ what }) => what === 'join' || what === 'leave'),
    )
    expect(handOvers).toHaveLength(4)
    for (const { ownerlessMs } of handOvers) expect(ownerlessMs.max).toBeLessThan(700)
  })

  it('loses and doubles nothing, and nobody is fenced', () => {
    expect(reports.flatMap(({ violations }) => violations)).toEqual([])
    expect(report().counts.takeovers).toBeGreaterThan(32)
    expect(reports.map(({ fenced }) => fenced)).toEqual([0, 0])
    expect([alone.fatal, three.fatal]).toEqual([0, 0])
  })
})

describe('the judgement', () => {
  it('has no complaints', () => {
    expect(reports.flatMap(complaintsOf)).toEqual([])
  })

  it('finds a count that is not as it was computed, a needless move, a fenced commit', () => {
    const { rest, upheavals } = report()
    const counted = { ...rest.counted, head: rest.counted.head * 1.3 }
    const [join, ...others] = upheavals
    if (join === undefined) throw new Error('nothing happened')
    const moved = [{ ...join, moved: join.moved + 1 }, ...others]
    const complaints = complaintsOf({ ...report(), rest: { ...rest, counted }, upheavals: moved, fenced: 2 })
    expect(complaints).toHaveLength(3)
    expect(complaints.join()).toMatch(/head: .*join: .*2 commits were fenced/)
  })
})

describe('the times of a move', () => {
  const owner = (nodeId: string, appendedAt: number) =>
    ({ kind: 'owner', partition: 0, offset: 0, appendedAt, nodeId, term: 1 }) as const

  it('count from the kill, or from the start of who came and from when it was given back', () => {
    const owners = [owner('a', 10), owner('b', 500), owner('c', 900)]
    const diary = [
      { what: 'started', nodeId: 'c', at: 600 },
      { what: 'killed', nodeId: 'a', at: 100 },
    ] as const
    const givenBack = [{ partition: 0, nodeId: 'b', at: 850 }]
    expect(movesOf({ owners, givenBack, diary }, 50, 1_000)).toEqual([
      { partition: 0, at: 500, tookMs: 400, ownerlessMs: 400 },
      { partition: 0, at: 900, tookMs: 300, ownerlessMs: 50 },
    ])
  })
})

describe('the page', () => {
  it('has the tables that are made now, with rows for all that was measured', () => {
    const page = readFileSync(new URL('../../../../docs/reference/scale.md', import.meta.url), 'utf8')
    const headings = tablesOf(reports)
      .split('\n')
      .filter((line) => /^### |^\| nodes /.test(line))
    expect(headings).toHaveLength(18)
    for (const heading of headings) expect(page).toContain(heading)
    expect(page.match(/^\| 64 \| 256 \|/gm)).toHaveLength(5)
  })
})
