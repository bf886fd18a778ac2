import type { Checkpoint, PartitionId } from '@almanac/domain'
import { type Claim, type CommitOutcome, type DispatchLog, PortFault, type Tick } from '@almanac/engine'
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

  constructor(database: Database, committer: Committer) {
    this.#committer = committer
    this.#statements = prepare(database)
    this.#writer = new RunWriter(database)
  }

  async claim(partition: PartitionId): Promise<Claim> {
    const { bumpTerm } = this.#statements
    const { term, checkpoint } = await this.#committer.submit(() => {
      const row = bumpTerm.get(partition) as { term: number }
      return { term: row.term, checkpoint: this.#checkpoint(partition) }
    })
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

  async #commit(partition: PartitionId, term: number, tick: Tick): Promise<CommitOutcome> {
    try {
      return await this.#committer.submit(() => this.#commitNow(partition, term, tick))
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
  readonly bumpTerm: Statement
  readonly term: Statement
  readonly checkpoint: Statement
  readonly seq: Statement
  readonly store: Statement
}

const prepare = (database: Database): Statements => ({
  bumpTerm: database.prepare(
    'INSERT INTO partitions VALUES (?, 1) ON CONFLICT DO UPDATE SET term = term + 1 RETURNING term',
  ),
  term: database.prepare('SELECT term FROM partitions WHERE partition = ?'),
  checkpoint: database.prepare('SELECT body FROM checkpoints WHERE partition = ?'),
  seq: database.prepare('SELECT seq FROM checkpoints WHERE partition = ?'),
  store: database.prepare(
    `INSERT INTO checkpoints VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET seq = excluded.seq, body = excluded.body`,
  ),
})
