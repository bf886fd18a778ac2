import type { ClusterJson } from '@almanac/protocol'
import { describe, expect, it } from 'vitest'
import { almanac } from '../../test-support/almanac.js'
import { problemsOf } from './cluster-status.js'

const at = (seconds: number) => new Date(Date.parse('2026-11-26T06:00:00Z') + seconds * 1_000).toISOString()

const node = (nodeId: string, over: Partial<ClusterJson['nodes'][number]> = {}) => ({
  nodeId,
  region: '',
  weight: 1,
  version: '0.1.0',
  owned: 1,
  startedAt: at(-90),
  now: at(0),
  ready: true,
  problem: null,
  viewPosition: 40,
  lag: 0,
  ...over,
})

const partition = (number: number, over: Partial<ClusterJson['partitions'][number]> = {}) => ({
  partition: number,
  owner: `n${number + 1}`,
  term: 3,
  seq: 12,
  position: 40,
  cursorAt: at(-5),
  evaluatedAt: at(-5),
  tasks: number === 0 ? 7 : null,
  nextDueAt: number === 0 ? at(20) : null,
  ...over,
})

const cluster = (over: Partial<ClusterJson> = {}): ClusterJson => ({
  cluster: 'shop',
  nodeId: 'n1',
  head: 40,
  nodes: [node('n1'), node('n2', { lag: 3 })],
  tasks: { tasks: 9, enabled: 8, quarantined: 0 },
  runs: {},
  counters: {},
  partitions: [partition(0), partition(1)],
  ...over,
})

const status = (body: ClusterJson, ...options: string[]) =>
  almanac(['cluster', 'status', ...options], ({ path }) =>
    path === '/v1/cluster' ? { body } : { status: 404 },
  )

describe('cluster status', () => {
  it('shows nodes and their lag, and marks the one that answers', async () => {
    const { code, out, err } = await status(cluster())
    expect(code).toBe(0)
    expect(out).toMatch(/^NODE +STATE +OWNS .*LAG/)
    expect(out).toMatch(/^n1 \* +ready +1 .* 0 +1 min 30 s +0\.1\.0$/m)
    expect(out).toMatch(/^n2 +ready +1 .* 3 /m)
    expect(out).not.toContain('TERM')
    expect(err).toContain('Cluster shop: 2 nodes, 2 of 2 partitions owned, 9 tasks, event log at 40.')
  })

  it('shows each partition with owner, term and the age of its checkpoint', async () => {
    const { out } = await status(cluster(), '--partitions')
    expect(out).toMatch(/^ +0 +n1 +3 +12 +40 +5 s ago +7 +in 20 s$/m)
    expect(out).toMatch(/^ +1 +n2 +3 +12 +40 +5 s ago +- +-$/m)
  })

  it('tells what is wrong, and with --check says so by its exit code', async () => {
    const broken = cluster({
      nodes: [node('n1', { ready: false, problem: 'starting' })],
      partitions: [partition(0, { evaluatedAt: at(-61) }), partition(1), partition(2, { owner: null })],
    })
    const { code, out } = await status(broken, '--check')
    expect(code).toBe(1)
    expect(out).toContain('Node n1 is not ready: starting.')
    expect(out).toContain('Partition 1 was owned by a node that is gone.')
    expect(out).toContain('Partition 2 had no owner yet.')
    expect(out).toContain('Partition 0 left no checkpoint for more than 1 min 0 s.')
    expect((await status(broken)).code).toBe(0)
    expect((await status(cluster(), '--check')).code).toBe(0)
  })

  it('names some of many partitions', () => {
    const many = Array.from({ length: 12 }, (_, number) => partition(number, { owner: null }))
    expect(problemsOf(cluster({ partitions: many }))).toEqual([
      'Each of the partitions 0, 1, 2, 3, 4, 5, 6, 7 and 4 more had no owner yet.',
    ])
  })

  it('is whole for machines', async () => {
    const { out } = await status(cluster(), '--json')
    expect(JSON.parse(out)).toEqual({ ...cluster(), problems: [] })
  })
})
