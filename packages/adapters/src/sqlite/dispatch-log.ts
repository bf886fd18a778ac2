import type { Checkpoint, PartitionId } from '@almanac/domain'
import {
  type Claim,
  type CommitOutcome,
  type DispatchLog,
  type PartitionOwner,
  PortFault,
  type Tick,
} from '@almanac/engine'
import { type Committer, isUnknown } from './committer.js'
import type { Database, Statement } from './database.js'
import { RunWriter } from './run-writer.js'

/**
 * Ticks are transactions of the main file: the term is compared inside of them, so a claimant that was
 * overtaken can not write whatever it believes.
 */
export class SqliteDispatchLog implements DispatchLog {
  readonly #committer: Committer
  readonly #statements: Statements
  readonly #writer: RunWriter
  readonly #seen = new Map<PartitionId, Checkpoint>()

  constructor(database: Database, committer: Committer) {
    this.#committer = committer
    this.#statements = prepare(database)
    this.#writer = new RunWriter(database)
  }

  async claim(partition: PartitionId, termAbove = 0): Promise<Claim> {
    const { bumpTerm } = this.#statements
    const { term, checkpoint } = await this.#committer.submit(() => {
      const row = bumpTerm.get(partition, termAbove + 1) as { term: number }
      return { term: row.term, checkpoint: this.#checkpoint(partition) }
    })
    this.#see(partition, checkpoint)
    let released = false
    return {
      partition,
      term,
      checkpoint,
      commit: async (tick) => (released ? 'fenced' : await this.#commit(partition, term, tick)),
      release: async () => {
        released = true
      },
    }
  }

  seen(partition: PartitionId): Checkpoint | null {
    return this.#seen.get(partition) ?? null
  }

  /** There is one node, and it knows what it owns. */
  owner(): PartitionOwner | null {
    return null
  }

  /** The writer waits for what was handed in before, and refuses when nothing can be written any more. */
  async probe(): Promise<void> {
    await this.#committer.submit(() => this.#statements.probe.get())
  }

  /** Answers may come in another order than what they tell of: of two checkpoints the later one counts. */
  #see(partition: PartitionId, checkpoint: Checkpoint | null): void {
    if (checkpoint !== null && checkpoint.seq > (this.#seen.get(partition)?.seq ?? 0)) {
      this.#seen.set(partition, checkpoint)
    }
  }

  async #commit(partition: PartitionId, term: number, tick: Tick): Promise<CommitOutcome> {
    try {
      const outcome = await this.#committer.submit(() => this.#commitNow(partition, term, tick))
      if (outcome === 'committed') this.#see(partition, tick.next)
      return outcome
    } catch (error) {
      if (isUnknown(error)) return 'unknown'
      throw error instanceof PortFault ? error : new Error(`Tick ${tick.next.seq} failed`, { cause: error })
    }
  }

  #commitNow(partition: PartitionId, term: number, tick: Tick): CommitOutcome {
    const { next } = tick
    const { term: current } = this.#statements.term.get(partition) as { term: number }
    if (current !== term) return 'fenced'
    const previous = this.#statements.seq.get(partition) as { seq: number } | undefined
    if (next.term !== term || (previous !== undefined && next.seq !== previous.seq + 1)) {
      const after = previous === undefined ? 'none' : `seq ${previous.seq}`
      throw new Error(
        `Checkpoint seq ${next.seq} of term ${next.term} can not follow ${after} in term ${term}`,
      )
    }
    this.#writer.insert(tick, partition)
    this.#statements.store.run(partition, next.seq, JSON.stringify(next))
    return 'committed'
  }

  #checkpoint(partition: PartitionId): Checkpoint | null {
    const row = this.#statements.checkpoint.get(partition) as { body: string } | undefined
    return row === undefined ? null : (JSON.parse(row.body) as Checkpoint)
  }
}

interface Statements {
  readonly probe: Statement
  readonly bumpTerm: Statement
  readonly term: Statement
  readonly checkpoint: Statement
  readonly seq: Statement
  readonly store: Statement
}

const prepare = (database: Database): Statements => ({
  probe: database.prepare('SELECT count(*) FROM partitions'),
  bumpTerm: database.prepare(
    `INSERT INTO partitions VALUES (?, ?)
     ON CONFLICT DO UPDATE SET term = max(term + 1, excluded.term) RETURNING term`,
  ),
  term: database.prepare('SELECT term FROM partitions WHERE partition = ?'),
  checkpoint: database.prepare('SELECT body FROM checkpoints WHERE partition = ?'),
  seq: database.prepare('SELECT seq FROM checkpoints WHERE partition = ?'),
  store: database.prepare(
    `INSERT INTO checkpoints VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET seq = excluded.seq, body = excluded.body`,
  ),
})
