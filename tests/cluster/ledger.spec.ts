import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { KafkaRecordWriter, KafkaTopics, KafkaTransactionLog, parseKafka } from '@almanac/adapters/kafka'
import { openLedger } from '@almanac/adapters/sqlite'
import { systemClock, systemRandom } from '@almanac/adapters/system'
import { dispatchTopics, TransactionalDispatchLog } from '@almanac/adapters/transactions'
import type { RunCommand } from '@almanac/domain'
import { type Claim, createStop } from '@almanac/engine'
import { type RunEvent, runEventJson } from '@almanac/protocol'
import kafkajs from 'kafkajs'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'

const bootstrap = inject('kafka')
const connection = parseKafka(bootstrap)
const clock = systemClock()
const child = new URL('./ledger-child.fixture.mjs', import.meta.url).pathname
const taskIds = Array.from({ length: 12 }, (_, n) => `task-${n}`)

/** What a ledger that runs tells of itself. */
interface Told {
  readonly isCaughtUp?: boolean
  readonly runs?: { readonly [status: string]: number }
  readonly passedOver?: { readonly [reason: string]: number }
  readonly notice?: string
}

let count = 0

class Bench {
  readonly prefix = `ledger-${process.pid}-${++count}`
  readonly folder = mkdtempSync(join(tmpdir(), 'almanac-ledger-'))
  readonly stop = createStop()
  readonly truth = new Map<string, number>()
  readonly runIds: string[] = []
  readonly writer = new KafkaRecordWriter({ connection, clock })
  private readonly names = dispatchTopics(this.prefix)
  private readonly dispatch = new TransactionalDispatchLog({
    log: new KafkaTransactionLog({ connection, clock }),
    clock,
    random: systemRandom(),
    nodeId: 'node-1',
    options: { prefix: this.prefix },
    onFault: () => {},
  })
  private readonly claims = new Map<number, { readonly claim: Claim; seq: number }>()
  private readonly children = new Set<ChildProcess>()

  async begin(): Promise<void> {
    const options = { prefix: this.prefix, partitions: 4, replication: 1, retentionMs: 3_600_000 }
    const topics = new KafkaTopics({ connection, clock, options })
    await topics.provision(['default', 'fast'])
    void this.dispatch.run(this.stop)
    for (const partition of [0, 1]) {
      this.claims.set(partition, { claim: await this.dispatch.claim(partition), seq: 0 })
    }
  }

  /** One tick with some runs of each of the partition's tasks; what it resets counts from there on. */
  async tick(partition: number, resets: readonly string[] = []): Promise<void> {
    const state = this.claims.get(partition)
    if (state === undefined) throw new Error(`Partition ${partition} is not claimed`)
    state.seq += 1
    for (const taskId of resets) this.truth.delete(taskId)
    const runs = taskIds
      .filter((_, n) => n % 2 === partition)
      .flatMap((taskId) => Array.from({ length: 3 }, () => this.run(taskId, partition, state.seq)))
    const next = {
      seq: state.seq,
      term: state.claim.term,
      cursor: { at: state.seq, taskId: '' },
      position: 0,
      evaluatedAt: clock.now(),
      more: false,
      engineVersion: '1',
      tzVersion: '2026a',
      runs: runs.length,
      skipped: 0,
      digest: '',
      previous: '',
    }
    expect(await state.claim.commit({ runs, skips: [], resets, next })).toBe('committed')
  }

  private run(taskId: string, partition: number, seq: number): RunCommand {
    const runId = `run-${this.runIds.length}`
    this.runIds.push(runId)
    this.truth.set(taskId, (this.truth.get(taskId) ?? 0) + 1)
    const now = clock.now()
    return {
      runId,
      namespace: 'default',
      taskId,
      taskName: taskId,
      task: 'reports.nightly',
      args: [],
      kwargs: {},
      headers: {},
      queue: seq % 3 === 0 ? 'fast' : 'default',
      exchange: null,
      routingKey: null,
      priority: null,
      scheduledAt: now,
      emittedAt: now,
      expiresAt: null,
      kind: 'scheduled',
      overlap: 'allow',
      maxAttempts: 1,
      taskRevision: 1,
      partition,
      seq,
    }
  }

  tell(runIds: readonly string[], type: RunEvent['type']): Promise<void> {
    const event = { type, at: clock.now(), attempt: 1, worker: 'w', error: null, retryAt: null }
    return this.tellText(
      runIds.map((runId) => ({ key: runId, value: JSON.stringify(runEventJson({ ...event, runId })) })),
    )
  }

  tellText(records: readonly { readonly key: string; readonly value: string }[]): Promise<void> {
    return this.writer.write(records.map((one) => ({ ...one, topic: this.names.runEvents, partition: null })))
  }

  /** A process with a ledger in a folder of its own. */
  start(name: string) {
    const process_ = spawn(process.execPath, [child, join(this.folder, name), bootstrap, this.prefix], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.children.add(process_)
    const told: Told[] = []
    createInterface({ input: process_.stdout }).on('line', (line) => told.push(JSON.parse(line) as Told))
    return {
      told,
      until: async (isSo: (told: Told) => boolean) => {
        while (!told.some(isSo)) {
          if (process_.exitCode !== null || process_.signalCode !== null) throw new Error('The ledger ended')
          await clock.sleep(20)
        }
      },
      kill: async () => {
        process_.kill('SIGKILL')
        await once(process_, 'exit')
      },
      end: async () => {
        process_.stdin.end()
        const [code] = await once(process_, 'exit')
        expect(code).toBe(0)
      },
    }
  }

  /** What the file has, when nobody has it open. */
  kept(name: string) {
    const notice = (message: string) => {
      throw new Error(message)
    }
    const ledger = openLedger({ folder: join(this.folder, name), source: this.prefix, clock, notice })
    try {
      const totals = ledger.totals(taskIds)
      return {
        totals: new Map([...totals].map(([taskId, { totalRunCount }]) => [taskId, totalRunCount])),
        statuses: Object.fromEntries(ledger.counts()),
        listed: ledger.list('default', {}, { limit: 1 }).total,
      }
    } finally {
      ledger.close()
    }
  }

  /** Retention: all records of the runs, of what became of them, and of skips are gone. */
  async forgetRuns(): Promise<void> {
    const admin = new kafkajs.Kafka({ brokers: [bootstrap], logLevel: kafkajs.logLevel.NOTHING }).admin()
    await admin.connect()
    const { skips, runEvents, runs } = this.names
    const queues = ['default', 'fast'].map((queue) => runs({ queue, exchange: null }))
    for (const topic of [...queues, skips, runEvents]) {
      const partitions = (await admin.fetchTopicOffsets(topic)).map(({ partition }) => ({
        partition,
        offset: '-1',
      }))
      await admin.deleteTopicRecords({ topic, partitions })
    }
    await admin.disconnect()
  }

  async close(): Promise<void> {
    for (const one of this.children) one.kill('SIGKILL')
    this.stop.stop()
    for (const { claim } of this.claims.values()) await claim.release()
    await this.writer.close()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

describe('the run ledger on a broker', () => {
  let bench: Bench
  beforeEach(async () => {
    bench = new Bench()
    await bench.begin()
  })
  afterEach(() => bench.close())

  it('counts each run once, although it is killed again and again; and shows what workers tell', async () => {
    let ledger = bench.start('a')
    for (let round = 1; round <= 6; round += 1) {
      const first = bench.runIds.length
      for (let tick = 0; tick < 6; tick += 1)
        await bench.tick(tick % 2, round === 3 && tick === 4 ? ['task-2'] : [])
      const fresh = bench.runIds.slice(first)
      await bench.tell(fresh, 'started')
      await bench.tell(fresh.slice(10), 'succeeded')
      await bench.tellText([
        { key: 'x', value: 'no JSON' },
        { key: 'x', value: 'x'.repeat(100_000) },
      ])
      // In the middle of what it has just been given: some of it is there, and not all.
      await ledger.until(({ runs = {} }) => Object.values(runs).reduce((sum, n) => sum + n, 0) > first)
      await ledger.kill()
      ledger = bench.start('a')
    }
    const all = bench.runIds.length
    await ledger.until(({ runs }) => runs?.succeeded === all - 60 && runs.running === 60)
    await ledger.end()
    const kept = bench.kept('a')
    expect(kept.totals).toEqual(bench.truth)
    expect(bench.truth.get('task-2')).toBeLessThan(bench.truth.get('task-4') ?? 0)
    expect(kept.statuses).toEqual({ running: 60, succeeded: all - 60 })
    expect(kept.listed).toBe(all)
    expect(ledger.told.filter(({ notice }) => notice !== undefined)).toEqual([])
  }, 180_000)

  it('has the totals of runs that no topic holds any more', async () => {
    const before = bench.start('a')
    for (let tick = 0; tick < 6; tick += 1) await bench.tick(tick % 2, tick === 4 ? ['task-0'] : [])
    await before.until(({ runs, isCaughtUp }) => runs?.queued === bench.runIds.length && isCaughtUp === true)
    // Ends with what it has counted written down.
    await before.end()
    expect(bench.kept('a').totals).toEqual(bench.truth)
    await bench.forgetRuns()
    const forgotten = bench.runIds.length
    for (const partition of [0, 1]) await bench.tick(partition, partition === 1 ? ['task-3'] : [])
    const after = bench.start('b')
    await after.until(
      ({ runs, isCaughtUp }) => runs?.queued === bench.runIds.length - forgotten && isCaughtUp === true,
    )
    await after.end()
    expect(bench.kept('b').totals).toEqual(bench.truth)
    expect(bench.kept('b').listed).toBe(bench.runIds.length - forgotten)
  }, 120_000)
})
