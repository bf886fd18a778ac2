import type { RunCommand } from '@almanac/domain'
import { expect, it } from 'vitest'
import type { RunFilter } from './run-store.js'
import type { RunStoreBench } from './run-store-bench.contract.js'
import { sampleRun, sampleSkip } from './samples.contract.js'
import { InvalidCursor } from './view-store.js'

export const runHistoryContract = (bench: () => RunStoreBench): void => {
  listing(bench)
  filtering(bench)
  totalling(bench)
  skipping(bench)
  pruning(bench)
}

/** All pages of a list, checked on the way. */
const pages = (bench: RunStoreBench, filter: RunFilter, limit: number, namespace = 'default') => {
  const ids: string[] = []
  let cursor: string | undefined
  for (;;) {
    const page = bench.runs.list(namespace, filter, cursor === undefined ? { limit } : { limit, cursor })
    expect(page.items.length).toBeLessThanOrEqual(limit)
    ids.push(...page.items.map(({ command }) => command.runId))
    if (page.nextCursor === null) {
      expect(page.total).toBe(ids.length)
      return ids
    }
    expect(page.items).toHaveLength(limit)
    cursor = page.nextCursor
  }
}

const listing = (bench: () => RunStoreBench) => {
  it('list: newest scheduled first, every run once, whatever the page size', async () => {
    const runs = Array.from({ length: 25 }, (_, n) => sampleRun(`run-${n}`, { scheduledAt: 1000 + (n % 5) }))
    await bench().commit([...runs, sampleRun('foreign', { namespace: 'ns' })])
    const all = pages(bench(), {}, 1000)
    expect(new Set(all)).toEqual(new Set(runs.map(({ runId }) => runId)))
    const times = all.map((id) => bench().runs.run(id)?.command.scheduledAt ?? 0)
    expect(times).toEqual([...times].sort((a, b) => b - a))
    for (const limit of [1, 2, 7, 25, 26]) expect(pages(bench(), {}, limit)).toEqual(all)
    expect(pages(bench(), {}, 10, 'ns')).toEqual(['foreign'])
    expect(bench().runs.list('nobody', {}, { limit: 5 })).toEqual({ items: [], nextCursor: null, total: 0 })
  })

  it('list: goes on where it was although newer runs come', async () => {
    await bench().commit(
      Array.from({ length: 6 }, (_, n) => sampleRun(`run-${n}`, { scheduledAt: 1000 + n })),
    )
    const first = bench().runs.list('default', {}, { limit: 3 })
    await bench().commit([sampleRun('newer', { scheduledAt: 5000 })])
    const second = bench().runs.list('default', {}, { limit: 3, cursor: first.nextCursor ?? '' })
    expect(second.items.map(({ command }) => command.runId)).toEqual(['run-2', 'run-1', 'run-0'])
    expect(second.nextCursor).toBeNull()
    expect(second.total).toBe(7)
  })

  it('list: refuses a cursor that it has not given out', () => {
    const forged = ['', 'x', 'bnVsbA', '!!!', Buffer.from('["a","b"]').toString('base64url')]
    for (const cursor of forged) {
      expect(() => bench().runs.list('default', {}, { limit: 1, cursor })).toThrow(InvalidCursor)
    }
  })
}

const filtering = (bench: () => RunStoreBench) => {
  const make = (id: string, changes: Partial<RunCommand>) => sampleRun(id, changes)

  it('list: every filter, alone and together, with the right total', async () => {
    await bench().commit([
      make('a', { taskId: 't1', queue: 'q1', kind: 'manual', scheduledAt: 1000, priority: 3 }),
      make('b', { taskId: 't1', queue: 'q2', kind: 'scheduled', scheduledAt: 2000 }),
      make('c', { taskId: 't2', queue: 'q1', kind: 'scheduled', scheduledAt: 3000, priority: 2 }),
      make('d', {
        taskId: 't2',
        queue: 'q1',
        kind: 'catchUp',
        scheduledAt: 4000,
        priority: 1,
        maxAttempts: 2,
      }),
    ])
    const [a, c, d] = await bench().lease({ queue: 'q1' })
    await bench().runs.ack('a', a?.leaseToken ?? '', 2000)
    await bench().runs.fail('c', c?.leaseToken ?? '', 2000, 'x', null)
    await bench().runs.fail('d', d?.leaseToken ?? '', 2000, 'x', 9000)
    const list = (filter: RunFilter) => {
      expect(pages(bench(), filter, 1)).toEqual(pages(bench(), filter, 100))
      return pages(bench(), filter, 100)
    }
    expect(list({ taskId: 't1' })).toEqual(['b', 'a'])
    expect(list({ queue: 'q1' })).toEqual(['d', 'c', 'a'])
    expect(list({ kind: 'scheduled' })).toEqual(['c', 'b'])
    expect(list({ status: 'succeeded' })).toEqual(['a'])
    expect(list({ status: 'failed' })).toEqual(['c'])
    expect(list({ status: 'queued' })).toEqual(['d', 'b'])
    expect(list({ status: 'running' })).toEqual([])
    expect(list({ from: 2000 })).toEqual(['d', 'c', 'b'])
    expect(list({ until: 3000 })).toEqual(['b', 'a'])
    expect(list({ from: 2000, until: 4000 })).toEqual(['c', 'b'])
    expect(list({ taskId: 't2', status: 'queued', queue: 'q1', kind: 'catchUp', from: 4000 })).toEqual(['d'])
    expect(list({ taskId: 't1', queue: 'q1', status: 'failed' })).toEqual([])
  })

  it('counts: runs by status', async () => {
    expect(bench().runs.counts().size).toBe(0)
    await bench().commit([sampleRun('a'), sampleRun('b'), sampleRun('c'), sampleRun('d', { expiresAt: 1 })])
    const [a, b] = await bench().lease({ max: 2 })
    await bench().runs.ack(a?.run.command.runId ?? '', a?.leaseToken ?? '', 2000)
    await bench().runs.fail(b?.run.command.runId ?? '', b?.leaseToken ?? '', 2000, 'x', null)
    await bench().lease()
    await bench().commit([sampleRun('e')])
    expect(Object.fromEntries(bench().runs.counts())).toEqual({
      succeeded: 1,
      failed: 1,
      running: 1,
      expired: 1,
      queued: 1,
    })
  })
}

const totalling = (bench: () => RunStoreBench) => {
  it('totals: count committed runs, each once, and know the newest', async () => {
    await bench().commit([sampleRun('a', { scheduledAt: 1000, emittedAt: 1005 })])
    await bench().commit([
      sampleRun('a', { scheduledAt: 1000, emittedAt: 7000 }),
      sampleRun('b', { scheduledAt: 2000, emittedAt: 2005 }),
      sampleRun('x', { taskId: 'task-2', scheduledAt: 5, emittedAt: 6 }),
    ])
    const totals = bench().runs.totals(['task-1', 'task-2', 'nobody'])
    expect(Object.fromEntries(totals)).toEqual({
      'task-1': { taskId: 'task-1', totalRunCount: 2, lastRunAt: 2005, lastScheduledAt: 2000 },
      'task-2': { taskId: 'task-2', totalRunCount: 1, lastRunAt: 6, lastScheduledAt: 5 },
    })
  })

  it('totals: start again with a reset, before the runs of the same tick', async () => {
    await bench().commit([sampleRun('a'), sampleRun('other', { taskId: 'task-2' })])
    await bench().commit([sampleRun('b', { emittedAt: 3000 })], { resets: ['task-1', 'nobody'] })
    expect(bench().runs.totals(['task-1']).get('task-1')).toMatchObject({ totalRunCount: 1, lastRunAt: 3000 })
    expect(bench().runs.totals(['task-2']).get('task-2')?.totalRunCount).toBe(1)
    await bench().commit([], { resets: ['task-1'] })
    expect(bench().runs.totals(['task-1']).size).toBe(0)
    expect(bench().status('a')).toBe('queued')
  })
}

const skipping = (bench: () => RunStoreBench) => {
  it('skips: those of a task whose range touches, oldest first, with where they were decided', async () => {
    await bench().commit([], { skips: [sampleSkip('task-1', { first: 500, last: 600, count: 3 })] }, 700)
    await bench().commit([], {
      skips: [
        sampleSkip('task-1', { reason: 'overlap', first: 100, last: 100, count: 1 }),
        sampleSkip('task-2', { first: 100, last: 900 }),
      ],
    })
    expect(bench().runs.skips('task-1', 0, 1000)).toEqual([
      {
        ...sampleSkip('task-1', { reason: 'overlap', first: 100, last: 100, count: 1 }),
        partition: 0,
        seq: 2,
        decidedAt: 1005,
      },
      {
        ...sampleSkip('task-1', { first: 500, last: 600, count: 3 }),
        partition: 0,
        seq: 1,
        decidedAt: 700,
      },
    ])
    const between = (from: number, until: number) =>
      bench()
        .runs.skips('task-1', from, until)
        .map(({ first }) => first)
    expect(between(600, 601)).toEqual([500])
    expect(between(601, 700)).toEqual([])
    expect(between(550, 560)).toEqual([500])
    expect(between(400, 500)).toEqual([500])
    expect(between(400, 499)).toEqual([])
    expect(between(100, 100)).toEqual([100])
    expect(bench().runs.skips('nobody', 0, 1000)).toEqual([])
  })
}

const pruning = (bench: () => RunStoreBench) => {
  it('prune: forgets finished runs and skips that are older, never unfinished ones, and keeps totals', async () => {
    await bench().commit(
      [sampleRun('old'), sampleRun('young'), sampleRun('queued'), sampleRun('running')],
      { skips: [sampleSkip('task-1'), sampleSkip('task-1', { first: 150 })] },
      1000,
    )
    await bench().commit([], { skips: [sampleSkip('task-1', { first: 190 })] }, 5000)
    const leased = new Map(
      (await bench().lease({ max: 4 })).map(({ run, leaseToken }) => [run.command.runId, leaseToken]),
    )
    await bench().runs.ack('old', leased.get('old') ?? '', 2999)
    await bench().runs.ack('young', leased.get('young') ?? '', 3000)
    await bench().runs.fail('queued', leased.get('queued') ?? '', 2000, 'x', null)
    await bench().commit([sampleRun('waiting', { scheduledAt: 1 })])
    expect(await bench().runs.prune(3000, 100)).toBe(4)
    expect(bench().runs.run('old')).toBeUndefined()
    expect(bench().status('queued')).toBeUndefined()
    expect(pages(bench(), {}, 10).sort()).toEqual(['running', 'waiting', 'young'])
    expect(
      bench()
        .runs.skips('task-1', 0, 1000)
        .map(({ first }) => first),
    ).toEqual([190])
    expect(bench().runs.totals(['task-1']).get('task-1')?.totalRunCount).toBe(5)
    expect(await bench().runs.prune(3000, 100)).toBe(0)
    expect(Object.fromEntries(bench().runs.counts())).toEqual({ succeeded: 1, running: 1, queued: 1 })
  })

  it('prune: takes at most so many at a time', async () => {
    await bench().commit(Array.from({ length: 1300 }, (_, n) => sampleRun(`run-${n}`, { expiresAt: 1 })))
    await bench().lease()
    expect(await bench().runs.prune(9999, 1200)).toBe(1200)
    expect(await bench().runs.prune(9999, 1200)).toBe(100)
  })
}
