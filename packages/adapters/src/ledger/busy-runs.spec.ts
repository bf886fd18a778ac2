import { beforeEach, describe, expect, it } from 'vitest'
import { LedgerTopics, ledgerRun } from '../sqlite/ledger-topics.fixture.js'
import { BusyRuns } from './busy-runs.js'

const hour = 3_600_000

describe('the unfinished runs of a node that only schedules', () => {
  let topics: LedgerTopics
  let runs: BusyRuns

  const emit = (runId: string, changes: Parameters<typeof ledgerRun>[1] = {}) =>
    topics.appendRun('p.queue.a', 0, ledgerRun(runId, { overlap: 'skip', ...changes }))
  const tell = (runId: string, type: string, more: object = {}) =>
    topics.append(
      'p.run-events',
      0,
      runId,
      JSON.stringify({ version: 1, type, runId, at: '2026-01-01T00:00:00Z', ...more }),
    )
  const readRuns = () => readOf('p.queue.a', 'runs')
  const readEvents = () => readOf('p.run-events', 'events')
  const readOf = (topic: string, kind: 'runs' | 'events') => {
    const batch = topics.read(topic, kind, runs.offsets(topic), 10_000)
    if (batch !== undefined) runs.apply(batch)
  }
  const read = () => {
    readRuns()
    readEvents()
  }
  const busy = (now = topics.now) => runs.busy(['task-1', 'task-2'], now).get('task-1')

  beforeEach(() => {
    topics = new LedgerTopics()
    runs = new BusyRuns({ runningTtlMs: hour, queuedTtlMs: 24 * hour, maxEarly: 100 })
  })

  it('are counted from their emission to their end', () => {
    emit('a')
    read()
    expect(busy()).toEqual({ running: 0, queued: 1 })
    tell('a', 'started')
    read()
    expect(busy()).toEqual({ running: 1, queued: 0 })
    tell('a', 'failed', { retryAt: '2026-01-01T00:01:00Z' })
    read()
    expect(busy()).toEqual({ running: 0, queued: 1 })
    tell('a', 'started', { attempt: 2 })
    read()
    expect(busy()).toEqual({ running: 1, queued: 0 })
    tell('a', 'succeeded', { attempt: 2 })
    read()
    expect(busy()).toBeUndefined()
  })

  it.each(['succeeded', 'failed', 'expired', 'cancelled'])('end with %s, also without a start', (type) => {
    emit('a')
    tell('a', type)
    read()
    expect(busy()).toBeUndefined()
  })

  it('are those of tasks that may not overlap: nothing is kept of others', () => {
    emit('a', { overlap: 'allow' })
    emit('b', { overlap: 'cancelRunning' })
    emit('c', { overlap: 'queueOne' })
    read()
    expect(busy()).toEqual({ running: 0, queued: 1 })
    expect(Object.fromEntries(runs.counts())).toEqual({ queued: 1 })
  })

  it('know what was told of them before they were read', () => {
    emit('a')
    emit('b', { taskId: 'task-2' })
    tell('a', 'started')
    tell('a', 'succeeded')
    tell('a', 'progress')
    tell('b', 'started')
    readEvents()
    readRuns()
    expect(busy()).toBeUndefined()
    expect(runs.busy(['task-2'], topics.now).get('task-2')).toEqual({ running: 1, queued: 0 })
  })

  it('remember only so much of runs that they do not know', () => {
    emit('old')
    tell('old', 'succeeded')
    readEvents()
    for (let n = 0; n < 250; n += 1) tell(`strange-${n}`, 'succeeded')
    readEvents()
    readRuns()
    expect(busy()).toEqual({ running: 0, queued: 1 })
    emit('new')
    tell('new', 'succeeded')
    readEvents()
    readRuns()
    expect(busy()).toEqual({ running: 0, queued: 1 })
  })

  it('hold up their task no more when nothing was heard for long: a worker has died', () => {
    emit('a')
    tell('a', 'started')
    read()
    expect(busy(topics.now + hour - 1)).toEqual({ running: 1, queued: 0 })
    expect(busy(topics.now + hour)).toBeUndefined()
    topics.now += hour - 1
    tell('a', 'progress')
    read()
    expect(busy(topics.now + hour - 1)).toEqual({ running: 1, queued: 0 })
  })

  it('hold up their task no more when they were never started, or when their time is over', () => {
    emit('a')
    emit('b', { taskId: 'task-2', expiresAt: topics.now + 500 })
    read()
    expect(runs.busy(['task-2'], topics.now + 499).size).toBe(1)
    expect(runs.busy(['task-2'], topics.now + 500).size).toBe(0)
    expect(busy(topics.now + 24 * hour - 1)).toEqual({ running: 0, queued: 1 })
    expect(busy(topics.now + 24 * hour)).toBeUndefined()
  })

  it('are all among those that were emitted within `unfinishedMs`: from there on has to be read', () => {
    emit('a')
    read()
    expect(busy(topics.now + runs.unfinishedMs - 1)).toBeDefined()
    expect(busy(topics.now + runs.unfinishedMs)).toBeUndefined()
  })

  it('are forgotten when they count no more', async () => {
    emit('a')
    tell('a', 'started')
    emit('b', { taskId: 'task-2' })
    read()
    topics.now += 2 * hour
    emit('c', { taskId: 'task-2' })
    read()
    expect(await runs.prune(0, 10)).toBe(1)
    expect(Object.fromEntries(runs.counts())).toEqual({ queued: 2 })
  })

  it('pass over what comes late or twice', () => {
    emit('a')
    emit('a')
    tell('a', 'started', { attempt: 2 })
    tell('a', 'failed', { attempt: 1, retryAt: '2026-01-01T00:01:00Z' })
    read()
    expect(busy()).toEqual({ running: 1, queued: 0 })
    expect(Object.fromEntries(runs.passedOver)).toEqual({ runs_double: 1, events_late: 1 })
  })
})
