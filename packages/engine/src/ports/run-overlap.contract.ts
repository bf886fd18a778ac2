import { expect, it } from 'vitest'
import type { RunStoreBench } from './run-store-bench.contract.js'
import { sampleRun } from './samples.contract.js'

/** What the overlap policies ask of the ledger and the queue; `skip` is decided before, with `busy`. */
export const runOverlapContract = (bench: () => RunStoreBench): void => {
  queueingOne(bench)
  cancelling(bench)
  counting(bench)
}

const queueOne = { overlap: 'queueOne' } as const
const cancelRunning = { overlap: 'cancelRunning' } as const

const queueingOne = (bench: () => RunStoreBench) => {
  it('queueOne: holds a run back while another of its task is running', async () => {
    await bench().commit([sampleRun('a', queueOne), sampleRun('b', { ...queueOne, scheduledAt: 1001 })])
    const first = await bench().lease()
    expect(first.map(({ run }) => run.command.runId)).toEqual(['a'])
    expect(await bench().lease()).toEqual([])
    await bench().runs.ack('a', first[0]?.leaseToken ?? '', 2100)
    expect(await bench().leaseIds({ now: 2100 })).toEqual(['b'])
  })

  it('queueOne: does not hold back other tasks', async () => {
    await bench().commit([
      sampleRun('a', queueOne),
      sampleRun('b', queueOne),
      sampleRun('c', { ...queueOne, taskId: 'task-2' }),
      sampleRun('d', { taskId: 'task-3' }),
    ])
    expect(await bench().leaseIds()).toEqual(['a', 'c', 'd'])
  })

  it('queueOne: a lapsed lease holds nothing back', async () => {
    await bench().commit([sampleRun('a', queueOne), sampleRun('b', { ...queueOne, priority: 9 })])
    await bench().leaseOne({ now: 2000, leaseMs: 500 })
    expect(await bench().lease({ now: 2400 })).toEqual([])
    expect(await bench().leaseIds({ now: 2500 })).toEqual(['b'])
  })

  it('queueOne: holds back over queues, and the lapse there wakes the queue here', async () => {
    await bench().commit([sampleRun('a', { ...queueOne, queue: 'old' })])
    await bench().lease({ queue: 'old', now: 2000, leaseMs: 700 })
    await bench().commit([sampleRun('b', queueOne)])
    expect(await bench().lease({ now: 2600 })).toEqual([])
    expect(bench().runs.nextWakeAt('default', 'default', 2600)).toBe(2700)
    expect(await bench().leaseIds({ now: 2700 })).toEqual(['b'])
  })

  it('queueOne: finds the free behind thousands that wait', async () => {
    const waiting = Array.from({ length: 5000 }, (_, n) => sampleRun(`wait-${n}`, queueOne))
    await bench().commit([...waiting, sampleRun('free', { taskId: 'task-2', scheduledAt: 9999 })])
    expect(await bench().lease({ max: 1 })).toHaveLength(1)
    expect(await bench().leaseIds()).toEqual(['free'])
    expect(await bench().leaseIds()).toEqual([])
  })
}

const cancelling = (bench: () => RunStoreBench) => {
  it('cancelRunning: a new run cancels the queued ones of its task and asks the running ones to stop', async () => {
    await bench().commit([
      sampleRun('running', { ...cancelRunning, priority: 1 }),
      sampleRun('other', { ...cancelRunning, taskId: 'task-2' }),
    ])
    const { leaseToken } = await bench().leaseOne()
    await bench().commit([sampleRun('queued', cancelRunning)])
    await bench().commit([sampleRun('newest', { ...cancelRunning, emittedAt: 3000 })])
    expect(bench().runs.run('running')).toMatchObject({ status: 'running', cancelRequested: true })
    expect(bench().runs.run('queued')).toMatchObject({ status: 'cancelled', finishedAt: 3000 })
    expect(bench().runs.run('newest')).toMatchObject({ status: 'queued', cancelRequested: false })
    expect(bench().runs.run('other')).toMatchObject({ status: 'queued', cancelRequested: false })
    expect(await bench().runs.heartbeat('running', leaseToken, 2500, 500)).toEqual({
      reply: 'ok',
      cancelRequested: true,
    })
  })

  it('cancelRunning: the later of one tick cancels the earlier', async () => {
    await bench().commit([sampleRun('a', cancelRunning), sampleRun('b', cancelRunning)])
    expect(await bench().leaseIds()).toEqual(['b'])
    expect(bench().status('a')).toBe('cancelled')
  })

  it('cancelRunning: a repeated run id cancels nothing', async () => {
    await bench().commit([sampleRun('a', cancelRunning)])
    await bench().commit([sampleRun('a', cancelRunning)])
    expect(bench().status('a')).toBe('queued')
  })

  it('cancelRunning: cancels a run that waits for its retry', async () => {
    await bench().commit([sampleRun('a', { ...cancelRunning, maxAttempts: 3 })])
    const { leaseToken } = await bench().leaseOne()
    await bench().runs.fail('a', leaseToken, 2100, 'x', 9000)
    await bench().commit([sampleRun('b', cancelRunning)])
    expect(bench().status('a')).toBe('cancelled')
    expect(await bench().leaseIds({ now: 9999 })).toEqual(['b'])
  })

  it('cancelRunning: a run that was asked to stop is not tried again, but may still succeed', async () => {
    await bench().commit([sampleRun('a', { ...cancelRunning, maxAttempts: 9 })])
    const a = await bench().leaseOne()
    await bench().commit([sampleRun('b', { ...cancelRunning, maxAttempts: 9 })])
    const b = await bench().leaseOne()
    await bench().commit([sampleRun('c', cancelRunning)])
    expect(await bench().runs.fail('a', a.leaseToken, 2500, 'stopped', 2600)).toBe('ok')
    expect(bench().runs.run('a')).toMatchObject({ status: 'cancelled', finishedAt: 2500, error: 'stopped' })
    expect(await bench().runs.ack('b', b.leaseToken, 2500)).toBe('ok')
    expect(bench().status('b')).toBe('succeeded')
  })

  it('cancelRunning: a run that was asked to stop and whose lease lapses is cancelled', async () => {
    await bench().commit([sampleRun('a', cancelRunning)])
    await bench().leaseOne({ now: 2000, leaseMs: 500 })
    await bench().commit([sampleRun('b', cancelRunning)])
    expect(await bench().leaseIds({ now: 3000 })).toEqual(['b'])
    expect(bench().status('a')).toBe('cancelled')
  })
}

const counting = (bench: () => RunStoreBench) => {
  it('busy: counts queued and running runs by task, and leaves idle tasks out', async () => {
    await bench().commit([
      sampleRun('a1', { maxAttempts: 3 }),
      sampleRun('a2'),
      sampleRun('b1', { taskId: 'task-2' }),
      sampleRun('b2', { taskId: 'task-2', expiresAt: 3000 }),
      sampleRun('c1', { taskId: 'task-3', priority: 9 }),
    ])
    const done = await bench().leaseOne()
    await bench().runs.ack('c1', done.leaseToken, 2000)
    const retried = await bench().leaseOne()
    await bench().runs.fail('a1', retried.leaseToken, 2000, 'x', 9000)
    await bench().leaseOne()
    const busy = bench().runs.busy(['task-1', 'task-2', 'task-3', 'nobody'], 3000)
    expect(Object.fromEntries(busy)).toEqual({
      'task-1': { running: 1, queued: 1 },
      'task-2': { running: 0, queued: 1 },
    })
  })
}
