import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runHistoryContract } from './run-history.contract.js'
import { runOverlapContract } from './run-overlap.contract.js'
import { RunStoreBench, type RunStoreFixture } from './run-store-bench.contract.js'
import { sampleRun } from './samples.contract.js'

export type { RunStoreFixture }

/** What a run store keeps: the work queue, the ledger, and what is counted. */
export const runStoreContract = (name: string, factory: () => Promise<RunStoreFixture>): void => {
  describe(`run store: ${name}`, () => {
    let bench: RunStoreBench
    beforeEach(async () => {
      bench = new RunStoreBench(await factory())
    })
    afterEach(() => bench.close())
    describe('lease', () => leasing(() => bench))
    describe('order', () => ordering(() => bench))
    describe('lapsed leases', () => lapsing(() => bench))
    describe('ack and fail', () => finishing(() => bench))
    describe('heartbeat', () => beating(() => bench))
    describe('next wake', () => waking(() => bench))
    describe('overlap', () => runOverlapContract(() => bench))
    describe('history', () => runHistoryContract(() => bench))
  })
}

const leasing = (bench: () => RunStoreBench) => {
  it('hands a queued run out once, with its command whole', async () => {
    const command = sampleRun('a', { priority: 3, expiresAt: 99_999 })
    await bench().commit([command])
    expect(bench().runs.run('a')).toEqual({
      command,
      status: 'queued',
      attempt: 0,
      worker: null,
      startedAt: null,
      finishedAt: null,
      notBefore: null,
      leaseExpiresAt: null,
      error: null,
      cancelRequested: false,
    })
    const { run, leaseToken } = await bench().leaseOne({ now: 2000, leaseMs: 500, worker: 'w' })
    expect(run).toEqual({
      command,
      status: 'running',
      attempt: 1,
      worker: 'w',
      startedAt: 2000,
      finishedAt: null,
      notBefore: null,
      leaseExpiresAt: 2500,
      error: null,
      cancelRequested: false,
    })
    expect(bench().runs.run('a')).toEqual(run)
    expect(leaseToken.length).toBeGreaterThanOrEqual(16)
    expect(await bench().lease()).toEqual([])
  })

  it('keeps whether a run was decided again after a loss', async () => {
    await bench().commit([sampleRun('a', { replayed: true }), sampleRun('b')])
    const leased = await bench().lease()
    expect(leased.map(({ run }) => run.command.replayed)).toEqual([true, undefined])
  })

  it('hands nothing out of an empty or another queue, or of another namespace', async () => {
    expect(await bench().lease()).toEqual([])
    await bench().commit([
      sampleRun('a'),
      sampleRun('b', { queue: 'other' }),
      sampleRun('c', { namespace: 'ns' }),
    ])
    expect(await bench().leaseIds({ queue: 'none' })).toEqual([])
    expect(await bench().leaseIds({ queue: 'other' })).toEqual(['b'])
    expect(await bench().leaseIds({ namespace: 'ns' })).toEqual(['c'])
    expect(await bench().leaseIds()).toEqual(['a'])
  })

  it('gives at most `max`, and each run to one of many workers that ask at once', async () => {
    await bench().commit(Array.from({ length: 100 }, (_, n) => sampleRun(`run-${n}`)))
    expect(await bench().lease({ max: 7 })).toHaveLength(7)
    const shares = await Promise.all(Array.from({ length: 31 }, () => bench().lease({ max: 3 })))
    const leased = shares.flat()
    expect(leased).toHaveLength(93)
    expect(new Set(leased.map(({ run }) => run.command.runId)).size).toBe(93)
    expect(new Set(leased.map(({ leaseToken }) => leaseToken)).size).toBe(93)
  })

  it('makes expired runs `expired` instead of handing them out', async () => {
    const late = { expiresAt: 2000 }
    await bench().commit([sampleRun('a', late), sampleRun('b', { expiresAt: 2001 }), sampleRun('c', late)])
    expect(await bench().leaseIds({ max: 1, now: 2000 })).toEqual(['b'])
    expect(await bench().leaseIds({ now: 2000 })).toEqual([])
    expect(bench().runs.run('a')).toMatchObject({ status: 'expired', attempt: 0, finishedAt: 2000 })
    expect(bench().status('c')).toBe('expired')
  })

  it('finds the living behind thousands that have expired', async () => {
    const dead = Array.from({ length: 6000 }, (_, n) => sampleRun(`dead-${n}`, { expiresAt: 1500 }))
    await bench().commit([...dead, sampleRun('living', { scheduledAt: 1400 })])
    expect(await bench().leaseIds({ max: 5 })).toEqual(['living'])
    expect(bench().runs.counts().get('expired')).toBe(6000)
  })
}

const ordering = (bench: () => RunStoreBench) => {
  it('goes by priority, none counting as 0, then by scheduled instant, then by run id', async () => {
    await bench().commit([
      sampleRun('none-late', { scheduledAt: 900 }),
      sampleRun('zero-early', { priority: 0, scheduledAt: 800 }),
      sampleRun('high-late', { priority: 9, scheduledAt: 950 }),
      sampleRun('high-early-b', { priority: 9, scheduledAt: 940 }),
      sampleRun('high-early-a', { priority: 9, scheduledAt: 940 }),
      sampleRun('low', { priority: 1, scheduledAt: 1 }),
    ])
    const order = ['high-early-a', 'high-early-b', 'high-late', 'low', 'zero-early', 'none-late']
    expect(await bench().leaseIds({ max: 2 })).toEqual(order.slice(0, 2))
    expect(await bench().leaseIds()).toEqual(order.slice(2))
  })

  it('puts retries and lapsed runs back into their place', async () => {
    await bench().commit([
      sampleRun('first', { scheduledAt: 1, maxAttempts: 3 }),
      sampleRun('second', { scheduledAt: 2 }),
    ])
    const first = await bench().leaseOne()
    await bench().runs.fail('first', first.leaseToken, 2100, 'oops', 2200)
    await bench().commit([sampleRun('third', { scheduledAt: 3 })])
    expect(await bench().leaseIds({ now: 2200 })).toEqual(['first', 'second', 'third'])
  })
}

const lapsing = (bench: () => RunStoreBench) => {
  it('hands a run out again when its lease has lapsed, not before', async () => {
    await bench().commit([sampleRun('a')])
    const first = await bench().leaseOne({ now: 2000, leaseMs: 500 })
    expect(await bench().lease({ now: 2499 })).toEqual([])
    const second = await bench().leaseOne({ now: 2500, worker: 'worker-2' })
    expect(second.run).toMatchObject({ attempt: 2, worker: 'worker-2', status: 'running', startedAt: 2500 })
    expect(second.leaseToken).not.toBe(first.leaseToken)
  })

  it('is lost for the first worker once another has it', async () => {
    await bench().commit([sampleRun('a')])
    const first = await bench().leaseOne({ now: 2000, leaseMs: 500 })
    const second = await bench().leaseOne({ now: 2500 })
    const { runs } = bench()
    expect(await runs.ack('a', first.leaseToken, 2600)).toBe('lost')
    expect(await runs.fail('a', first.leaseToken, 2600, 'no', 2700)).toBe('lost')
    expect(await runs.heartbeat('a', first.leaseToken, 2600, 500)).toEqual({
      reply: 'lost',
      cancelRequested: false,
    })
    expect(await runs.ack('a', second.leaseToken, 2600)).toBe('ok')
  })

  it('may still be finished by a late worker while nobody else has it', async () => {
    await bench().commit([sampleRun('a'), sampleRun('b', { priority: 9 })])
    const leased = await bench().lease({ now: 2000, leaseMs: 500 })
    expect(await bench().leaseIds({ now: 9000, max: 1 })).toEqual(['b'])
    const late = leased.find(({ run }) => run.command.runId === 'a')
    expect(await bench().runs.ack('a', late?.leaseToken ?? '', 9001)).toBe('ok')
    expect(bench().status('a')).toBe('succeeded')
    expect(await bench().leaseIds({ now: 9002 })).toEqual([])
  })

  it('expires a run whose lease lapsed when its life is over', async () => {
    await bench().commit([sampleRun('a', { expiresAt: 3000 })])
    const { leaseToken } = await bench().leaseOne({ now: 2000, leaseMs: 500 })
    expect(await bench().lease({ now: 3000 })).toEqual([])
    expect(bench().status('a')).toBe('expired')
    expect(await bench().runs.ack('a', leaseToken, 3001)).toBe('lost')
  })

  it('is handed out again however many attempts there were: the worker may have died', async () => {
    await bench().commit([sampleRun('a', { maxAttempts: 1 })])
    for (let attempt = 1; attempt <= 4; attempt++) {
      const { run } = await bench().leaseOne({ now: 2000 + attempt * 1000, leaseMs: 1000 })
      expect(run.attempt).toBe(attempt)
    }
  })
}

const finishing = (bench: () => RunStoreBench) => {
  it('knows no run of that id', async () => {
    const { runs } = bench()
    expect(await runs.ack('nobody', 'x', 1)).toBe('unknown')
    expect(await runs.fail('nobody', 'x', 1, 'e', null)).toBe('unknown')
    expect((await runs.heartbeat('nobody', 'x', 1, 1)).reply).toBe('unknown')
    expect(runs.run('nobody')).toBeUndefined()
  })

  it('succeeds once', async () => {
    await bench().commit([sampleRun('a')])
    const { leaseToken } = await bench().leaseOne()
    expect(await bench().runs.ack('a', leaseToken, 2500)).toBe('ok')
    expect(bench().runs.run('a')).toMatchObject({
      status: 'succeeded',
      finishedAt: 2500,
      error: null,
      leaseExpiresAt: null,
      attempt: 1,
      worker: 'worker-1',
    })
    expect(await bench().runs.ack('a', leaseToken, 2600)).toBe('ok')
    expect(await bench().runs.ack('a', 'other', 2600)).toBe('lost')
    expect(await bench().runs.fail('a', leaseToken, 2600, 'e', 2700)).toBe('lost')
    expect(bench().runs.run('a')?.finishedAt).toBe(2500)
  })

  it('refuses a wrong token, and a run that nobody has leased', async () => {
    await bench().commit([sampleRun('a'), sampleRun('b')])
    expect(await bench().runs.ack('b', '', 2000)).toBe('lost')
    await bench().leaseOne()
    expect(await bench().runs.ack('a', 'wrong', 2000)).toBe('lost')
    expect(bench().status('a')).toBe('running')
  })

  it('fails for good without a retry, with the error kept', async () => {
    await bench().commit([sampleRun('a', { maxAttempts: 5 })])
    const { leaseToken } = await bench().leaseOne()
    expect(await bench().runs.fail('a', leaseToken, 2500, 'broken ⚡', null)).toBe('ok')
    expect(bench().runs.run('a')).toMatchObject({ status: 'failed', error: 'broken ⚡', finishedAt: 2500 })
    expect(await bench().lease({ now: 1e9 })).toEqual([])
  })

  it('comes back not before the retry, as often as it has attempts', async () => {
    await bench().commit([sampleRun('a', { maxAttempts: 2 })])
    const first = await bench().leaseOne()
    expect(await bench().runs.fail('a', first.leaseToken, 2100, 'one', 5000)).toBe('ok')
    expect(bench().runs.run('a')).toMatchObject({
      status: 'queued',
      notBefore: 5000,
      error: 'one',
      finishedAt: null,
      leaseExpiresAt: null,
    })
    expect(await bench().lease({ now: 4999 })).toEqual([])
    const second = await bench().leaseOne({ now: 5000 })
    expect(second.run.attempt).toBe(2)
    expect(await bench().runs.fail('a', second.leaseToken, 5100, 'two', 6000)).toBe('ok')
    expect(bench().runs.run('a')).toMatchObject({ status: 'failed', error: 'two', attempt: 2 })
  })

  it('forgets the error of an earlier attempt when it succeeds', async () => {
    await bench().commit([sampleRun('a', { maxAttempts: 2 })])
    const first = await bench().leaseOne()
    await bench().runs.fail('a', first.leaseToken, 2100, 'one', 2200)
    const second = await bench().leaseOne({ now: 2200 })
    await bench().runs.ack('a', second.leaseToken, 2300)
    expect(bench().runs.run('a')).toMatchObject({ status: 'succeeded', error: null })
  })
}

const beating = (bench: () => RunStoreBench) => {
  it('extends the lease from now', async () => {
    await bench().commit([sampleRun('a')])
    const { leaseToken } = await bench().leaseOne({ now: 2000, leaseMs: 500 })
    expect(await bench().runs.heartbeat('a', leaseToken, 2400, 500)).toEqual({
      reply: 'ok',
      cancelRequested: false,
    })
    expect(bench().runs.run('a')?.leaseExpiresAt).toBe(2900)
    expect(await bench().lease({ now: 2600 })).toEqual([])
    expect(await bench().leaseIds({ now: 2900 })).toEqual(['a'])
  })

  it('takes up a lapsed lease while nobody else has the run', async () => {
    await bench().commit([sampleRun('a'), sampleRun('b', { priority: 9 })])
    const leased = await bench().lease({ now: 2000, leaseMs: 500 })
    await bench().lease({ now: 3000, max: 1 })
    const token = leased.find(({ run }) => run.command.runId === 'a')?.leaseToken ?? ''
    expect((await bench().runs.heartbeat('a', token, 3001, 500)).reply).toBe('ok')
    expect(bench().runs.run('a')).toMatchObject({ status: 'running', leaseExpiresAt: 3501 })
    expect(await bench().leaseIds({ now: 3100 })).toEqual([])
  })

  it('is lost on a finished run', async () => {
    await bench().commit([sampleRun('a')])
    const { leaseToken } = await bench().leaseOne()
    await bench().runs.ack('a', leaseToken, 2100)
    expect((await bench().runs.heartbeat('a', leaseToken, 2200, 500)).reply).toBe('lost')
  })
}

const waking = (bench: () => RunStoreBench) => {
  const wake = (now: number) => bench().runs.nextWakeAt('default', 'default', now)

  it('is never for an idle queue', async () => {
    expect(wake(2000)).toBeNull()
    await bench().commit([sampleRun('a', { queue: 'other' })])
    await bench().lease({ queue: 'other' })
    expect(wake(2000)).toBeNull()
  })

  it('is the first lapse or delayed retry', async () => {
    await bench().commit([sampleRun('a', { maxAttempts: 9 }), sampleRun('b')])
    const [first] = await bench().lease({ max: 1, now: 2000, leaseMs: 9000 })
    await bench().lease({ max: 1, now: 2000, leaseMs: 5000 })
    expect(wake(2000)).toBe(7000)
    await bench().runs.fail('a', first?.leaseToken ?? '', 2100, 'x', 4000)
    expect(wake(2000)).toBe(4000)
    expect(wake(4500)).toBe(4500)
  })
}
