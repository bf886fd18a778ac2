import { beforeEach, describe, expect, it } from 'vitest'
import { dispatchLogContract } from '../ports/dispatch-log.contract.js'
import { runStoreContract } from '../ports/run-store.contract.js'
import { sampleRun, sampleSkip } from '../ports/samples.contract.js'
import { memoryDispatchLog } from './dispatch-log.js'
import { type CommittedTick, type MemoryRunStore, memoryRunStore } from './run-store.js'
import { SeededRandom } from './seeded-random.js'

const open = () => {
  const runs = memoryRunStore(new SeededRandom(1))
  return { runs, dispatch: memoryDispatchLog(runs), close: async () => {} }
}

runStoreContract('memory', async () => open())

dispatchLogContract('memory', async () => {
  const { runs, dispatch, close } = open()
  const committed = async () => runs.list('default', {}, { limit: 1000 }).items.map(({ command }) => command)
  return { dispatch, committed, close }
})

const tick = (seq: number, parts: Partial<CommittedTick> = {}): CommittedTick => ({
  partition: 0,
  seq,
  decidedAt: 1000 * seq,
  runs: [],
  skips: [],
  resets: [],
  ...parts,
})

describe('ticks that a run store in memory takes in', () => {
  let runs: MemoryRunStore
  beforeEach(() => {
    runs = memoryRunStore(new SeededRandom(1))
  })
  const count = () => runs.totals(['task-1']).get('task-1')?.totalRunCount

  it('changes nothing when they come again', () => {
    const first = tick(1, { runs: [sampleRun('a')] })
    const second = tick(2, { runs: [sampleRun('b')], skips: [sampleSkip('task-1')], resets: ['task-1'] })
    for (const again of [first, second, first, second]) runs.record(again)
    expect(count()).toBe(1)
    expect(runs.skips('task-1', 0, 9999)).toHaveLength(1)
    expect(runs.counts().get('queued')).toBe(2)
  })

  it('may come run by run, with what was skipped at any point', () => {
    for (const id of ['a', 'b']) runs.record(tick(1, { runs: [sampleRun(id)] }))
    runs.record(tick(1, { skips: [sampleSkip('task-1')] }))
    runs.record(tick(1, { runs: [sampleRun('c')] }))
    expect(count()).toBe(3)
    expect(runs.skips('task-1', 0, 9999)).toHaveLength(1)
  })

  it('tells the ticks of partitions apart', () => {
    for (const partition of [0, 1]) runs.record(tick(1, { partition, skips: [sampleSkip('task-1')] }))
    expect(runs.skips('task-1', 0, 9999).map(({ partition }) => partition)).toEqual([0, 1])
  })

  it('takes ticks of a partition that counts from an earlier number after its checkpoint was lost', () => {
    runs.record(tick(8, { runs: [sampleRun('a')] }))
    const replayed = { ...sampleRun('a'), replayed: true as const }
    runs.record(tick(3, { decidedAt: 9000, runs: [replayed, sampleRun('b')], skips: [sampleSkip('task-1')] }))
    expect(count()).toBe(2)
    expect(runs.skips('task-1', 0, 9999)).toHaveLength(1)
    expect(runs.run('a')?.command.replayed).toBeUndefined()
  })
})

describe('what workers elsewhere report of runs', () => {
  let runs: MemoryRunStore
  beforeEach(() => {
    runs = memoryRunStore(new SeededRandom(1))
    runs.record(tick(1, { runs: [sampleRun('a', { maxAttempts: 3 })] }))
  })
  const report = (status: 'queued' | 'running' | 'succeeded' | 'failed', at: number, attempt?: number) =>
    runs.report({ runId: 'a', status, at, worker: `w-${at}`, ...(attempt === undefined ? {} : { attempt }) })

  it('shows a run as it goes', () => {
    report('running', 2000)
    expect(runs.run('a')).toMatchObject({ status: 'running', attempt: 1, worker: 'w-2000', startedAt: 2000 })
    expect(runs.busy(['task-1'], 2000).get('task-1')).toEqual({ running: 1, queued: 0 })
    report('queued', 2500)
    expect(runs.run('a')?.status).toBe('queued')
    report('running', 3000, 2)
    report('succeeded', 4000, 2)
    expect(runs.run('a')).toMatchObject({
      status: 'succeeded',
      attempt: 2,
      startedAt: 3000,
      finishedAt: 4000,
    })
    expect(runs.busy(['task-1'], 4000).size).toBe(0)
  })

  it('passes over what comes late or again, and keeps the first end', () => {
    report('running', 3000, 2)
    report('queued', 2500)
    report('running', 2000)
    expect(runs.run('a')).toMatchObject({ status: 'running', attempt: 2, startedAt: 3000 })
    report('succeeded', 4000)
    report('failed', 5000, 2)
    report('running', 6000, 3)
    expect(runs.run('a')).toMatchObject({ status: 'succeeded', attempt: 2, finishedAt: 4000, error: null })
    expect(Object.fromEntries(runs.counts())).toEqual({ succeeded: 1 })
  })

  it('keeps what comes before the run', () => {
    runs.report({ runId: 'b', status: 'running', at: 1500 })
    runs.report({ runId: 'b', status: 'failed', at: 1600, error: 'broken' })
    expect(runs.run('b')).toBeUndefined()
    runs.record(tick(2, { runs: [sampleRun('b')] }))
    expect(runs.run('b')).toMatchObject({ status: 'failed', attempt: 1, startedAt: 1500, error: 'broken' })
  })

  it('hands nothing out that is running elsewhere, however long it takes', async () => {
    report('running', 2000)
    const request = { namespace: 'default', queue: 'default', max: 9, worker: 'w', leaseMs: 10 }
    expect(await runs.lease({ ...request, now: 1e12 })).toEqual([])
    expect(runs.nextWakeAt('default', 'default', 3000)).toBeNull()
  })
})
