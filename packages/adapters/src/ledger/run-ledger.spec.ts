import { createStop, ManualClock, noTelemetry, SeededRandom, storageFull, unavailable } from '@almanac/engine'
import { runMessageJson } from '@almanac/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ledgerRun } from '../sqlite/ledger-topics.fixture.js'
import { MemoryTransactionLog } from '../transactions/memory-log.fixture.js'
import type { TransactionLog } from '../transactions/transaction-log.js'
import { observeLedger } from './ledger-metrics.js'
import { RunLedger, type RunLedgerParts } from './run-ledger.js'
import type { LedgerBatch, LedgerSink } from './sink.js'

/** Writes down what it is given, and goes wrong when it is told to. */
class Notes implements LedgerSink {
  interests: LedgerSink['interests'] = ['totals', 'skips']
  readonly passedOver = new Map<string, number>()
  readonly seen: string[] = []
  isCaughtUp = () => false
  fault: ((batch: LedgerBatch) => unknown) | undefined
  private readonly next = new Map<string, Map<number, number>>()

  apply(batch: LedgerBatch): void {
    const fault = this.fault?.(batch)
    if (fault !== undefined) throw fault
    for (const { run } of batch.runs) this.seen.push(run.runId)
    for (const { event } of batch.events) this.seen.push(`${event.runId} ${event.type}`)
    for (const { resets } of batch.skips) this.seen.push(`reset ${resets.join()}`)
    for (const { taskId } of batch.totals) this.seen.push(`totals ${taskId}`)
    this.next.set(batch.topic, new Map([...this.offsets(batch.topic), ...batch.next]))
  }

  offsets(topic: string): ReadonlyMap<number, number> {
    return this.next.get(topic) ?? new Map()
  }

  watch(isCaughtUp: () => boolean): void {
    this.isCaughtUp = isCaughtUp
  }
}

const start = 1_700_000_000_000

describe('the feed of the run ledger', () => {
  let clock: ManualClock
  let log: MemoryTransactionLog
  let sink: Notes
  let stop: ReturnType<typeof createStop>
  let topics: string[]
  let running: Promise<void> | undefined
  let faults: string[]
  const reads = new Set<() => void>()

  beforeEach(() => {
    clock = new ManualClock(start)
    log = new MemoryTransactionLog(clock)
    sink = new Notes()
    stop = createStop()
    topics = ['p.queue.a']
    faults = []
    running = undefined
  })
  afterEach(async () => {
    stop.stop()
    await clock.advance(60_000)
    await running
  })

  const run = (changes: Partial<RunLedgerParts> = {}) => {
    const feed = new RunLedger({
      log,
      clock,
      random: new SeededRandom(1),
      sink,
      runTopics: async () => topics,
      onFault: (message) => faults.push(message),
      options: { prefix: 'p' },
      ...changes,
    })
    running = feed.run(stop)
    return feed
  }
  const append = async (topic: string, key: string, ...values: string[]) => {
    const writer = await log.takeOver(`writer of ${topic}`)
    await writer.send(values.map((value) => ({ topic, partition: null, key, value })))
    await writer.commit()
  }
  const emit = (topic: string, ...runIds: string[]) =>
    append(topic, 'task-1', ...runIds.map((runId) => JSON.stringify(runMessageJson(ledgerRun(runId)))))
  const tell = (runId: string, type = 'started') =>
    append('p.run-events', runId, JSON.stringify({ version: 1, type, runId, at: '2026-01-01T00:00:00Z' }))

  it('reads runs, what became of them, skips and totals', async () => {
    run()
    await emit('p.queue.a', 'a', 'b')
    await tell('a')
    await append(
      'p.skips',
      '0',
      JSON.stringify({ partition: 0, seq: 1, term: 1, skips: [], resets: ['task-1'] }),
    )
    const totals = { version: 1, taskId: 'task-1', namespace: 'n', reset: null, lastRunAt: null }
    await append('p.totals', 'task-1', JSON.stringify({ ...totals, lastScheduledAt: null, counted: {} }))
    await clock.advance(1_000)
    expect([...sink.seen].sort()).toEqual(['a', 'a started', 'b', 'reset task-1', 'totals task-1'])
  })

  it('leaves out what the sink does not want', async () => {
    sink.interests = []
    run()
    await append('p.skips', '0', JSON.stringify({ partition: 0, seq: 1, skips: [], resets: ['task-1'] }))
    await emit('p.queue.a', 'a')
    await clock.advance(1_000)
    expect(sink.seen).toEqual(['a'])
  })

  it('finds the topic of a queue that is new, and leaves one that is gone', async () => {
    run()
    await emit('p.queue.b', 'b')
    await clock.advance(1_000)
    expect(sink.seen).toEqual([])
    topics = ['p.queue.b']
    await clock.advance(10_000)
    await emit('p.queue.a', 'a')
    await clock.advance(1_000)
    expect(sink.seen).toEqual(['b'])
  })

  it('passes over what can not be read, and counts it', async () => {
    const feed = run()
    await append('p.queue.a', 'k', 'no JSON', '{"runId":"x"}', 'x'.repeat(5_000_000))
    await emit('p.queue.a', 'a')
    await append('p.run-events', 'k', '[]', '{"version":9}', 'x'.repeat(5_000_000))
    await tell('a')
    await append('p.skips', 'k', 'null')
    await append('p.totals', 'k', '{}')
    await clock.advance(1_000)
    expect([...sink.seen].sort()).toEqual(['a', 'a started'])
    expect(feed.status().passedOver).toEqual({
      runs_unreadable: 3,
      events_unreadable: 3,
      skips_unreadable: 1,
      totals_unreadable: 1,
    })
    expect(faults).toEqual([])
  })

  it('begins again after a fault where the sink is, after a while that grows', async () => {
    const from: (readonly [number, readonly [number, number][]])[] = []
    let isBroken = false
    const flaky: TransactionLog = {
      takeOver: (id) => log.takeOver(id),
      async *follow(topic, until, at = new Map()) {
        if (topic === 'p.queue.a') from.push([clock.now() - start, [...at]])
        for await (const records of log.follow(topic, until, at)) {
          if (isBroken && topic === 'p.queue.a') throw unavailable('The connection broke')
          yield records
        }
      },
    }
    run({ log: flaky })
    await emit('p.queue.a', 'a')
    await clock.advance(100)
    isBroken = true
    await emit('p.queue.a', 'b')
    await clock.advance(8_000)
    isBroken = false
    await clock.advance(20_000)
    expect(sink.seen).toEqual(['a', 'b'])
    const waits = from.map(([at], index) => at - (from[index - 1]?.[0] ?? 0)).slice(1)
    expect(waits.length).toBeGreaterThan(2)
    for (const [index, wait] of waits.slice(1).entries())
      expect(wait).toBeGreaterThan((waits[index] ?? 0) / 2)
    expect(from[0]?.[1]).toEqual([])
    for (const [, at] of from.slice(1)) expect(at).toEqual([[expect.any(Number), 1]])
    expect(new Set(faults)).toEqual(new Set(['reading p.queue.a']))
  })

  it('gives the sink everything in the end when its disk was full', async () => {
    sink.fault = () => storageFull('full')
    run()
    await emit('p.queue.a', 'a')
    await clock.advance(5_000)
    expect(sink.seen).toEqual([])
    sink.fault = undefined
    await emit('p.queue.a', 'b')
    await clock.advance(20_000)
    expect(sink.seen).toEqual(['a', 'b'])
  })

  it('goes round one record that the sink can not bear', async () => {
    sink.fault = ({ runs }) =>
      runs.some(({ run: { runId } }) => runId === 'poison') ? new TypeError('A bug') : undefined
    const feed = run()
    await emit('p.queue.a', 'a', 'poison', 'b')
    await clock.advance(1_000)
    expect(sink.seen).toEqual(['a', 'b'])
    expect(feed.status().passedOver).toEqual({ runs_poison: 1 })
    expect([...sink.offsets('p.queue.a').values()]).toEqual([3])
  })

  it('looks for topics again when that failed', async () => {
    let isDown = true
    run({
      runTopics: async () => {
        if (isDown) throw unavailable('No broker answers')
        return topics
      },
    })
    await emit('p.queue.a', 'a')
    await clock.advance(1_000)
    isDown = false
    await clock.advance(1_000)
    expect(sink.seen).toEqual(['a'])
    expect(faults).toContain('looking for the topics of runs')
  })

  it('ends in an error that is no fault of the log, such as a bug', async () => {
    const feed = new RunLedger({
      log,
      clock,
      random: new SeededRandom(1),
      sink,
      runTopics: async () => topics,
      beginAt: async () => {
        throw new TypeError('A bug')
      },
      onFault: () => {},
      options: { prefix: 'p' },
    })
    await expect(feed.run(stop)).rejects.toThrow('A bug')
  })

  it('begins where it is told to in what the sink has not read', async () => {
    await emit('p.queue.a', 'a', 'b', 'c')
    const partition = log.committed((topic) => topic === 'p.queue.a')[0]?.partition ?? -1
    run({ beginAt: async (topic) => (topic === 'p.queue.a' ? new Map([[partition, 2]]) : undefined) })
    await clock.advance(1_000)
    expect(sink.seen).toEqual(['c'])
  })

  it('lets old events wait for the runs that were there before them', async () => {
    await emit('p.queue.a', ...Array.from({ length: 30 }, (_, n) => `run-${n}`))
    await clock.advance(5)
    await tell('run-29')
    await clock.advance(3_600_000)
    run({ options: { prefix: 'p', maxRecords: 1, gatherMs: 100 } })
    await clock.advance(60_000)
    expect(sink.seen).toHaveLength(31)
    expect(sink.seen.at(-1)).toBe('run-29 started')
  })

  it('tells how far it is when the metrics are read, also while no topic can be read', async () => {
    let isDown = true
    const feed = run({
      runTopics: async () => {
        if (isDown) throw unavailable('No broker answers')
        return topics
      },
    })
    const told = new Map<string, number>()
    const forget = observeLedger(
      {
        ...noTelemetry,
        observe: (read) => {
          const observe = () =>
            read((name, value, labels) => told.set(`${name} ${Object.values(labels ?? {})}`, value))
          reads.add(observe)
          return () => reads.delete(observe)
        },
      },
      feed,
    )
    await emit('p.queue.a', 'a')
    await append('p.queue.a', 'k', 'no JSON')
    await clock.advance(20_000)
    for (const read of reads) read()
    expect(told.get('ledger_behind_seconds ')).toBe(20)
    expect(told.get('ledger_passed_over_total runs_unreadable')).toBe(0)
    isDown = false
    await clock.advance(30_000)
    for (const read of reads) read()
    expect(told.get('ledger_behind_seconds ')).toBe(0)
    expect(told.get('ledger_passed_over_total runs_unreadable')).toBe(1)
    forget()
    expect(reads.size).toBe(0)
  })

  it('tells whether all has been read', async () => {
    await emit('p.queue.a', ...Array.from({ length: 30 }, (_, n) => `run-${n}`))
    const appendedAt = clock.now()
    await clock.advance(3_600_000)
    const feed = run({ options: { prefix: 'p', maxRecords: 1, gatherMs: 1_000 } })
    await clock.advance(15_000)
    expect(feed.status()).toMatchObject({ isCaughtUp: false, behindMs: clock.now() - appendedAt })
    // The sink knows it as soon: it writes totals for the last time when it is told to stop, whenever that is.
    const seen: boolean[] = []
    const toldSink: boolean[] = []
    for (let n = 0; n < 300; n += 1) {
      await clock.advance(100)
      seen.push(feed.status().isCaughtUp)
      toldSink.push(sink.isCaughtUp())
    }
    expect(toldSink).toEqual(seen)
    expect(new Set(seen)).toEqual(new Set([false, true]))
    expect(feed.status()).toMatchObject({ isCaughtUp: true, behindMs: 0 })
  })
})
