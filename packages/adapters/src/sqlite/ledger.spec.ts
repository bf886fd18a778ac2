import { writeFileSync } from 'node:fs'
import type { RunFilter } from '@almanac/engine'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { TopicKind } from '../ledger/read-batch.js'
import { parseTotals, type TaskTotals, totalsText } from '../ledger/totals.js'
import { ledgerPath, openLedger, type SqliteLedger } from './ledger.js'
import { LedgerTopics, ledgerRun } from './ledger-topics.fixture.js'
import { removeFolder, temporaryFolder } from './store.fixture.js'

const at = '2026-01-01T00:00:00.000Z'
const hour = 3_600_000

let topics: LedgerTopics
let folder: string
let ledger: SqliteLedger
let notices: string[]

const open = (source = 'cluster/p') => {
  ledger = openLedger({
    folder,
    source,
    clock: { now: () => topics.now, elapsed: () => topics.now, sleep: async () => {} },
    notice: (message) => notices.push(message),
  })
}

beforeEach(() => {
  topics = new LedgerTopics()
  folder = temporaryFolder()
  notices = []
  open()
})
afterEach(() => {
  ledger.close()
  removeFolder(folder)
})

const emit = (runId: string, changes: Parameters<typeof ledgerRun>[1] = {}, topic = 'p.queue.a', place = 0) =>
  topics.appendRun(topic, place, ledgerRun(runId, changes))
const tell = (runId: string, type: string, more: object = {}) =>
  topics.append('p.run-events', 0, runId, JSON.stringify({ version: 1, type, runId, at, ...more }))
const write = (totals: TaskTotals) => topics.append('p.totals', 0, totals.taskId, totalsText(totals))
const readOf = (topic: string, kind: TopicKind, max = 10_000) => {
  const batch = topics.read(topic, kind, ledger.offsets(topic), max)
  if (batch !== undefined) ledger.apply(batch)
}
const readRuns = (max?: number) => readOf('p.queue.a', 'runs', max)
const readEvents = () => readOf('p.run-events', 'events')
const readSkips = () => readOf('p.skips', 'skips')
const readTotals = () => readOf('p.totals', 'totals')
const count = (taskId = 'task-1') => ledger.totals([taskId]).get(taskId)?.totalRunCount ?? 0
const ids = (filter: RunFilter = {}, limit = 100) =>
  ledger.list('default', filter, { limit }).items.map(({ command }) => command.runId)

describe('runs in the ledger', () => {
  it('are shown as they were committed', () => {
    emit('a', { priority: 3, expiresAt: 99_000, overlap: 'skip', args: [{ deep: ['ü'] }] })
    readRuns()
    expect(ledger.run('a')).toEqual({
      command: ledgerRun('a', { priority: 3, expiresAt: 99_000, overlap: 'skip', args: [{ deep: ['ü'] }] }),
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
  })

  it('go as workers tell', () => {
    emit('a', { maxAttempts: 2 })
    tell('a', 'started', { worker: 'w' })
    tell('a', 'progress', { worker: 'w' })
    tell('a', 'failed', { error: 'no', retryAt: '2026-01-01T00:01:00.000Z' })
    readRuns()
    readEvents()
    const failed = { status: 'queued', attempt: 1, worker: 'w', error: 'no' }
    expect(ledger.run('a')).toMatchObject({ ...failed, notBefore: Date.parse(at) + 60_000 })
    tell('a', 'started', { attempt: 2, worker: 'v' })
    readEvents()
    expect(ledger.run('a')).toMatchObject({ status: 'running', attempt: 2, worker: 'v', notBefore: null })
    tell('a', 'succeeded', { attempt: 2 })
    readEvents()
    expect(ledger.run('a')).toMatchObject({
      status: 'succeeded',
      attempt: 2,
      finishedAt: Date.parse(at),
      error: null,
    })
    expect(Object.fromEntries(ledger.counts())).toEqual({ succeeded: 1 })
  })

  it('keep their first end, and pass over what is late', () => {
    emit('a')
    tell('a', 'succeeded')
    tell('a', 'failed', { error: 'late' })
    tell('a', 'started')
    readRuns()
    readEvents()
    expect(ledger.run('a')).toMatchObject({ status: 'succeeded', error: null })
    expect(ledger.passedOver.get('events_late')).toBe(2)
  })

  it('know what was told of them before they were read, also by a process before', () => {
    emit('a')
    tell('a', 'started')
    tell('a', 'cancelled', { error: 'asked to' })
    readEvents()
    expect(ledger.run('a')).toBeUndefined()
    ledger.close()
    open()
    readRuns()
    expect(ledger.run('a')).toMatchObject({
      status: 'cancelled',
      error: 'asked to',
      startedAt: Date.parse(at),
    })
  })

  it('expire when nobody has started them, unless a worker knows better', async () => {
    emit('a', { expiresAt: topics.now + 10 })
    emit('b', { expiresAt: topics.now + 10 })
    emit('c', { expiresAt: topics.now + 11 })
    tell('b', 'started')
    readRuns()
    readEvents()
    topics.now += 10
    await ledger.prune(0, 100)
    expect(['a', 'b', 'c'].map((id) => ledger.run(id)?.status)).toEqual(['expired', 'running', 'queued'])
    tell('a', 'succeeded')
    readEvents()
    expect(ledger.run('a')?.status).toBe('succeeded')
    expect(Object.fromEntries(ledger.counts())).toEqual({ succeeded: 1, running: 1, queued: 1 })
  })

  it('are asked to stop by a newer one, when their task wants that', () => {
    const changes = { overlap: 'cancelRunning' } as const
    emit('a', changes)
    emit('other', { ...changes, taskId: 'task-2' })
    emit('b', changes)
    readRuns()
    expect(['a', 'other', 'b'].map((id) => ledger.run(id)?.cancelRequested)).toEqual([true, false, false])
  })

  it('are busy until they end, expire, or nothing was heard for long', () => {
    emit('a', { overlap: 'skip' })
    emit('b', { overlap: 'queueOne', expiresAt: topics.now + 10 })
    emit('c', { overlap: 'allow' })
    tell('a', 'started')
    readRuns()
    readEvents()
    const busy = (now: number) => ledger.busy(['task-1', 'nobody'], now).get('task-1')
    expect(busy(topics.now)).toEqual({ running: 1, queued: 1 })
    expect(busy(topics.now + 10)).toEqual({ running: 1, queued: 0 })
    topics.now += hour - 1
    tell('a', 'progress')
    readEvents()
    expect(busy(topics.now + hour - 1)).toEqual({ running: 1, queued: 0 })
    expect(busy(topics.now + hour)).toBeUndefined()
  })

  it('are listed newest first, by pages and filters, with the right totals', () => {
    for (let n = 0; n < 25; n += 1) {
      const changes = { scheduledAt: 1_000 + (n % 5), taskId: `task-${n % 2}` }
      emit(`run-${n}`, { ...changes, ...(n % 3 === 0 ? { queue: 'b', kind: 'manual' as const } : {}) })
      if (n % 4 === 0) tell(`run-${n}`, 'succeeded')
    }
    emit('foreign', { namespace: 'other' })
    readRuns()
    readEvents()
    const all = ids()
    expect(all).toHaveLength(25)
    const times = all.map((id) => ledger.run(id)?.command.scheduledAt ?? 0)
    expect(times).toEqual([...times].sort((a, b) => b - a))
    const paged: string[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page = ledger.list('default', {}, { limit: 7, ...(cursor === '' ? {} : { cursor }) })
      paged.push(...page.items.map(({ command }) => command.runId))
      cursor = page.nextCursor
      expect(page.total).toBe(25)
    }
    expect(paged).toEqual(all)
    const filters: readonly (readonly [RunFilter, (n: number) => boolean])[] = [
      [{ taskId: 'task-1' }, (n) => n % 2 === 1],
      [{ queue: 'b' }, (n) => n % 3 === 0],
      [{ kind: 'manual', status: 'succeeded' }, (n) => n % 12 === 0],
      [{ status: 'queued' }, (n) => n % 4 !== 0],
      [{ status: 'failed' }, () => false],
      [{ from: 1_002, until: 1_004 }, (n) => n % 5 === 2 || n % 5 === 3],
    ]
    for (const [filter, fits] of filters) {
      const expected = Array.from({ length: 25 }, (_, n) => n).filter(fits)
      expect(new Set(ids(filter))).toEqual(new Set(expected.map((n) => `run-${n}`)))
      expect(ledger.list('default', filter, { limit: 3 }).total).toBe(expected.length)
    }
    expect(ids({}, 100).includes('foreign')).toBe(false)
  })

  it('are forgotten when they are old, whatever became of them, but not before all has been read', async () => {
    emit('old', { emittedAt: 1_000 })
    emit('young', { emittedAt: 3_000 })
    topics.appendSkips(0, { seq: 1, term: 1, decidedAt: 1_000, resets: [], skips: [skip] })
    readRuns()
    readSkips()
    expect(await ledger.prune(2_000, 100)).toBe(0)
    ledger.watch(() => true)
    expect(await ledger.prune(2_000, 100)).toBe(2)
    expect(ids()).toEqual(['young'])
    expect(ledger.skips('task-1', 0, 9_999)).toEqual([])
    expect(Object.fromEntries(ledger.counts())).toEqual({ queued: 1 })
    expect(count()).toBe(2)
    expect(await ledger.prune(2_000, 100)).toBe(0)
  })

  it('come with the skips of their tasks', () => {
    topics.appendSkips(3, { seq: 9, term: 1, decidedAt: 5_000, resets: [], skips: [skip] })
    readSkips()
    const recorded = { taskId: 'task-1', reason: 'misfire', first: 100, last: 200, count: 2, revision: 1 }
    expect(ledger.skips('task-1', 200, 300)).toEqual([
      { ...recorded, partition: 3, seq: 9, decidedAt: 5_000 },
    ])
    expect(ledger.skips('task-1', 201, 300)).toEqual([])
  })
})

const skip = {
  taskId: 'task-1',
  reason: 'misfire',
  first: '1970-01-01T00:00:00.100Z',
  last: '1970-01-01T00:00:00.200Z',
  count: 2,
  revision: 1,
}

describe('the file of the ledger', () => {
  it('goes on where it was', () => {
    emit('a')
    readRuns()
    ledger.close()
    open()
    expect(ledger.offsets('p.queue.a')).toEqual(new Map([[0, 1]]))
    emit('b')
    readRuns()
    expect(ids().sort()).toEqual(['a', 'b'])
    expect(count()).toBe(2)
    expect(notices).toEqual([])
  })

  it.each([
    ['of other topics', () => open('cluster-2/p')],
    [
      'damaged',
      () => {
        writeFileSync(ledgerPath(folder), 'This is no database, however long it may be. '.repeat(200))
        open()
      },
    ],
  ])('starts over when it is %s', (_, reopen) => {
    emit('a')
    readRuns()
    ledger.close()
    reopen()
    expect(notices).toHaveLength(1)
    expect(ledger.offsets('p.queue.a').size).toBe(0)
    readRuns()
    expect(count()).toBe(1)
  })

  it('keeps a batch whole, or nothing of it', () => {
    emit('a')
    const batch = topics.read('p.queue.a', 'runs', new Map(), 10)
    if (batch === undefined) throw new Error('nothing to read')
    const [seen] = batch.runs
    if (seen === undefined) throw new Error('no run')
    const broken = {
      ...seen,
      offset: 1,
      run: { ...seen.run, runId: 'b', namespace: null as unknown as string },
    }
    expect(() => ledger.apply({ ...batch, runs: [seen, broken], next: new Map([[0, 2]]) })).toThrow()
    expect(ledger.offsets('p.queue.a').size).toBe(0)
    expect(ids()).toEqual([])
    ledger.apply(batch)
    expect(ids()).toEqual(['a'])
    expect(count()).toBe(1)
    expect(Object.fromEntries(ledger.counts())).toEqual({ queued: 1 })
  })
})

describe('totals of the ledger', () => {
  const totals = (next: number, counted: number, reset: TaskTotals['reset'] = null): TaskTotals => ({
    taskId: 'task-1',
    namespace: 'default',
    reset,
    lastRunAt: 5,
    lastScheduledAt: 4,
    counted: new Map([['p.queue.a/0', { next, count: counted }]]),
  })
  const unwritten = () => {
    ledger.watch(() => true)
    return ledger.unwritten(Number.MAX_SAFE_INTEGER, 100, () => true)
  }

  it('count a run once, and know the newest', () => {
    emit('a', { scheduledAt: 1_000, emittedAt: 1_005 })
    emit('b', { scheduledAt: 2_000, emittedAt: 2_005 })
    emit('a', { scheduledAt: 1_000, emittedAt: 7_000, replayed: true })
    readRuns()
    expect(ledger.totals(['task-1', 'nobody'])).toEqual(
      new Map([['task-1', { taskId: 'task-1', totalRunCount: 2, lastRunAt: 2_005, lastScheduledAt: 2_000 }]]),
    )
  })

  it('go on from what others have counted of runs that are no more', () => {
    write(totals(40, 38))
    topics.leaveHole('p.queue.a', 0, 39)
    emit('counted')
    emit('new')
    readTotals()
    readRuns()
    expect(count()).toBe(39)
  })

  it('take over what others have counted after they have begun themselves with a gap', () => {
    emit('a')
    readRuns()
    topics.leaveHole('p.queue.a', 0, 50)
    emit('b')
    readRuns()
    expect(count()).toBe(2)
    write(totals(40, 30))
    readTotals()
    expect(count()).toBe(31)
    write(totals(45, 12))
    readTotals()
    expect(count()).toBe(31)
  })

  it('start anew with a reset, before the runs of its tick, whenever it is read', () => {
    for (const seq of [1, 2, 3]) emit(`run-${seq}`, { seq, emittedAt: 100 * seq, scheduledAt: seq })
    topics.appendSkips(0, { seq: 2, term: 1, resets: ['task-1'] })
    readRuns()
    expect(count()).toBe(3)
    readSkips()
    expect(count()).toBe(2)
    expect(ledger.totals(['task-1']).get('task-1')?.lastRunAt).toBe(300)
    topics.appendSkips(0, { seq: 4, term: 1, resets: ['task-1'] })
    readSkips()
    expect(ledger.totals(['task-1']).size).toBe(0)
  })

  it('count anew what was taken over from others and is read only after the reset', () => {
    for (const seq of [1, 2, 3, 4]) emit(`run-${seq}`, { seq })
    write(totals(4, 4))
    topics.appendSkips(0, { seq: 2, term: 1, resets: ['task-1'] })
    readRuns(1)
    readTotals()
    readSkips()
    expect(count()).toBe(0)
    readRuns()
    expect(count()).toBe(3)
  })

  it('know of a reset from others', () => {
    for (const seq of [1, 2, 3]) emit(`run-${seq}`, { seq })
    readRuns()
    write(totals(2, 1, { term: 1, seq: 2 }))
    readTotals()
    expect(count()).toBe(2)
    write(totals(3, 3))
    readTotals()
    expect(count()).toBe(2)
    expect(unwritten()).toHaveLength(1)
  })

  it('are to be written when the topic has others, and only then', () => {
    emit('a', { emittedAt: 5, scheduledAt: 4 })
    expect(unwritten()).toEqual([])
    readRuns()
    expect(unwritten()).toEqual([totals(1, 1)])
    ledger.watch(() => false)
    expect(ledger.unwritten(Number.MAX_SAFE_INTEGER, 100, () => true)).toEqual([])
    write(totals(1, 1))
    readTotals()
    expect(unwritten()).toEqual([])
    write(totals(0, 0))
    readTotals()
    expect(unwritten()).toEqual([totals(1, 1)])
  })

  it('are the same in the topic and out of it', () => {
    const all = totals(7, 3, { term: 2, seq: 9 })
    expect(parseTotals(totalsText(all))).toEqual(all)
    for (const text of ['null', '{}', '{"version":1}', totalsText(all).replace('[7,3]', '[7,-3]')]) {
      expect(() => parseTotals(text)).toThrow()
    }
  })
})
