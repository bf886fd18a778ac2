import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Clock, SeededRandom } from '@almanac/engine'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TopicKind } from '../ledger/read-batch.js'
import { TotalsWriter } from '../ledger/totals-writer.js'
import { openLedger, type SqliteLedger } from './ledger.js'
import { LedgerTopics, ledgerRun } from './ledger-topics.fixture.js'
import { removeFolder, temporaryFolder } from './store.fixture.js'

interface Truth {
  readonly count: number
  readonly lastRunAt: number | null
}

interface Task {
  readonly id: string
  readonly partition: number
  topic: string
  place: number
}

const runTopics = ['p.queue.a', 'p.queue.b']
const kinds: readonly (readonly [string, TopicKind])[] = [
  ...runTopics.map((topic) => [topic, 'runs'] as const),
  ['p.skips', 'skips'],
  ['p.totals', 'totals'],
]

/** A cluster's topics with what is true of them, and some nodes that count. */
class World {
  readonly topics = new LedgerTopics()
  private readonly random: SeededRandom
  private readonly folder: string
  private readonly tasks: Task[] = Array.from({ length: 4 }, (_, n) => ({
    id: `task-${n}`,
    partition: n % 2,
    topic: 'p.queue.a',
    place: n % 2,
  }))
  private readonly ticks = [0, 1].map(() => ({ term: 1, seq: 0, lost: [] as (() => void)[] }))
  private readonly emitted = new Map<string, Map<string, number>>()
  private readonly ledgers: (SqliteLedger | undefined)[] = [undefined, undefined, undefined]
  private runs = 0

  constructor(seed: number, folder: string) {
    this.random = new SeededRandom(seed)
    this.folder = folder
  }

  async step(): Promise<void> {
    this.topics.now += this.below(2_000)
    const what = this.below(100)
    const node = this.below(this.ledgers.length)
    if (what < 30) this.tick(this.below(2))
    else if (what < 65) this.readSome(node)
    else if (what < 80) await this.write(node)
    else if (what < 86) this.close(node)
    else if (what < 89) this.lose(node)
    else if (what < 92) this.topics.compact('p.totals')
    else if (what < 95) this.loseCheckpoint(this.below(2))
    else if (what < 97) await this.retain(node)
    else this.moveTask()
  }

  /** What each node, and one that begins with nothing, has in the end. */
  async settled(): Promise<readonly ReadonlyMap<string, Truth>[]> {
    for (let round = 0; round < 4; round += 1) {
      for (const node of this.ledgers.keys()) this.readAll(node)
      for (const node of this.ledgers.keys()) await this.write(node)
    }
    this.topics.compact('p.totals')
    this.ledgers.push(undefined)
    this.readAll(this.ledgers.length - 1)
    return [...this.ledgers.keys()].map((node) => this.counted(node))
  }

  truth(): ReadonlyMap<string, Truth> {
    const truths = new Map<string, Truth>()
    for (const { id } of this.tasks) {
      const times = [...(this.emitted.get(id)?.values() ?? [])].filter((at) => at > 0)
      if (times.length > 0) truths.set(id, { count: times.length, lastRunAt: Math.max(...times) })
    }
    return truths
  }

  end(): void {
    for (const node of this.ledgers.keys()) this.close(node)
  }

  /** Runs and resets of one partition. The records of a tick that loses its checkpoint come again. */
  private tick(partition: number): void {
    const state = this.ticks[partition]
    if (state === undefined) throw new Error('no such partition')
    state.seq += 1
    const { term, seq } = state
    const theirs = this.tasks.filter((task) => task.partition === partition)
    const resets = theirs.filter(() => this.below(8) === 0).map(({ id }) => id)
    if (resets.length > 0) {
      this.topics.appendSkips(partition, { term, seq, decidedAt: this.topics.now, resets })
      // What was emitted before is known still, and counts no more.
      for (const id of resets) {
        for (const runId of this.emitted.get(id)?.keys() ?? []) this.emitted.get(id)?.set(runId, 0)
      }
    }
    state.lost = []
    for (const task of theirs) {
      for (let left = this.below(3); left > 0; left -= 1) this.emit(task, partition)
    }
    for (const topic of runTopics) this.topics.leaveHole(topic, this.below(2), this.below(3))
  }

  private emit(task: Task, partition: number): void {
    const state = this.ticks[partition]
    if (state === undefined) return
    const runId = `run-${this.runs++}`
    const { topic, place } = task
    const emit = () => {
      const { term, seq } = state
      const emittedAt = this.topics.now
      const run = ledgerRun(runId, { taskId: task.id, partition, seq, scheduledAt: emittedAt - 5, emittedAt })
      this.topics.appendRun(topic, place, run, term)
      const known = this.emitted.get(task.id) ?? new Map<string, number>()
      this.emitted.set(task.id, known)
      if (!known.has(runId)) known.set(runId, emittedAt)
    }
    emit()
    state.lost.push(emit)
  }

  /** The next owner goes on from an earlier tick: some runs come again under a new term and an old number. */
  private loseCheckpoint(partition: number): void {
    const state = this.ticks[partition]
    if (state === undefined) return
    state.term += 1
    state.seq = Math.max(0, state.seq - 1 - this.below(3)) + 1
    for (const emitAgain of state.lost) emitAgain()
  }

  private moveTask(): void {
    const task = this.tasks[this.below(this.tasks.length)]
    if (task === undefined) return
    task.topic = runTopics[this.below(2)] ?? task.topic
    task.place = this.below(2)
    // Copies of its runs would come to the old place: they come no more.
    for (const state of this.ticks) state.lost = []
  }

  private ledger(node: number): SqliteLedger {
    const open = this.ledgers[node]
    if (open !== undefined) return open
    const ledger = openLedger({
      folder: join(this.folder, `${node}`),
      source: 'topics',
      clock: this.clock,
      notice: (message) => {
        throw new Error(message)
      },
      check: 'none',
    })
    ledger.watch(() => true)
    this.ledgers[node] = ledger
    return ledger
  }

  private readSome(node: number): void {
    const [topic, kind] = kinds[this.below(kinds.length)] ?? ['p.skips', 'skips']
    this.read(node, topic, kind, 1 + this.below(12))
  }

  private read(node: number, topic: string, kind: TopicKind, max: number): boolean {
    const ledger = this.ledger(node)
    const batch = this.topics.read(topic, kind, ledger.offsets(topic), max)
    if (batch !== undefined) ledger.apply(batch)
    return batch !== undefined
  }

  private readAll(node: number): void {
    const open = [...kinds]
    while (open.length > 0) {
      const index = this.below(open.length)
      const [topic, kind] = open[index] ?? ['p.skips', 'skips']
      if (!this.read(node, topic, kind, 1 + this.below(20))) open.splice(index, 1)
    }
  }

  /** Whoever writes has read what others have written. */
  private async write(node: number): Promise<void> {
    while (this.read(node, 'p.totals', 'totals', 50));
    const isOwner = this.below(2) === 0
    const writer = new TotalsWriter({
      source: this.ledger(node),
      writer: {
        write: async (records) => {
          for (const { topic, key, value } of records) this.topics.append(topic, 0, key, value)
        },
      },
      clock: this.clock,
      isOwner: () => isOwner,
      onFault: (message, fault) => {
        throw new Error(message, { cause: fault })
      },
      options: { prefix: 'p', partitions: 2, strangerMs: 5_000, maxRecords: 2 },
    })
    await writer.write(this.topics.now)
  }

  private close(node: number): void {
    this.ledgers[node]?.close()
    this.ledgers[node] = undefined
  }

  private lose(node: number): void {
    this.close(node)
    rmSync(join(this.folder, `${node}`), { recursive: true, force: true })
  }

  /** Old records go, long after somebody has counted them and written down what it counted. */
  private async retain(node: number): Promise<void> {
    this.readAll(node)
    this.topics.now += 100_000
    await this.write(node)
    this.readAll(node)
    for (const topic of [...runTopics, 'p.skips']) {
      for (const partition of [0, 1]) {
        const records = this.topics.records(topic, partition)
        const cut = records[this.below(records.length)]?.offset ?? 0
        this.topics.trim(
          topic,
          partition,
          topic === 'p.skips' ? cut : this.betweenCopies(topic, partition, cut),
        )
      }
    }
    for (const state of this.ticks) state.lost = []
  }

  /** Copies of a run come within a minute of each other: retention does not part them. */
  private betweenCopies(topic: string, partition: number, cut: number): number {
    const records = this.topics.records(topic, partition)
    const runIds = (keep: (offset: number) => boolean) =>
      records
        .filter(({ offset }) => keep(offset))
        .map(({ value }) => (JSON.parse(value) as { runId: string }).runId)
    const kept = new Set(runIds((offset) => offset >= cut))
    return runIds((offset) => offset < cut).some((runId) => kept.has(runId)) ? 0 : cut
  }

  private counted(node: number): ReadonlyMap<string, Truth> {
    const totals = this.ledger(node).totals(this.tasks.map(({ id }) => id))
    return new Map(
      [...totals].map(([id, { totalRunCount, lastRunAt }]) => [id, { count: totalRunCount, lastRunAt }]),
    )
  }

  private below(limit: number): number {
    return Math.floor(this.random.next() * limit)
  }

  private get clock(): Clock {
    return { now: () => this.topics.now, elapsed: () => this.topics.now, sleep: async () => {} }
  }
}

describe('run totals', () => {
  it('are the truth at last, whatever is read in which order, lost, written twice, reset or kept no more', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 5, max: 150 }), async (seed, steps) => {
        const folder = temporaryFolder()
        const world = new World(seed, folder)
        try {
          for (let step = 0; step < steps; step += 1) await world.step()
          for (const counted of await world.settled()) expect(counted).toEqual(world.truth())
        } finally {
          world.end()
          removeFolder(folder)
        }
      }),
      { numRuns: 25 },
    )
  }, 120_000)
})
