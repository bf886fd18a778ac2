import type { Checkpoint, PartitionId } from '@almanac/domain'
import type { Claim, CommitOutcome, DispatchLog, PartitionOwner, Tick } from '../ports/dispatch-log.js'
import type { MemoryRunStore } from './run-store.js'

/**
 * A dispatch log that lives in this process: for tests and the simulator. It keeps the port's whole contract but
 * durability. What is committed goes on to `runs`.
 */
export function memoryDispatchLog(runs: Pick<MemoryRunStore, 'record'>): DispatchLog {
  return new DispatchLogInMemory(runs)
}

class DispatchLogInMemory implements DispatchLog {
  private readonly runs: Pick<MemoryRunStore, 'record'>
  private readonly terms = new Map<PartitionId, number>()
  private readonly checkpoints = new Map<PartitionId, Checkpoint>()

  constructor(runs: Pick<MemoryRunStore, 'record'>) {
    this.runs = runs
  }

  async claim(partition: PartitionId, termAbove = 0): Promise<Claim> {
    const term = Math.max(this.terms.get(partition) ?? 0, termAbove) + 1
    this.terms.set(partition, term)
    let released = false
    return {
      partition,
      term,
      checkpoint: this.seen(partition),
      commit: async (tick) => (released ? 'fenced' : this.commit(partition, term, tick)),
      release: async () => {
        released = true
      },
    }
  }

  seen(partition: PartitionId): Checkpoint | null {
    return this.checkpoints.get(partition) ?? null
  }

  /** Claimants have no names here. */
  owner(): PartitionOwner | null {
    return null
  }

  async probe(): Promise<void> {}

  private commit(partition: PartitionId, term: number, { next, ...tick }: Tick): CommitOutcome {
    if (this.terms.get(partition) !== term) return 'fenced'
    const previous = this.checkpoints.get(partition)
    if (next.term !== term || (previous !== undefined && next.seq !== previous.seq + 1)) {
      const after = previous === undefined ? 'none' : `seq ${previous.seq}`
      throw new Error(
        `Checkpoint seq ${next.seq} of term ${next.term} can not follow ${after} in term ${term}`,
      )
    }
    this.checkpoints.set(partition, next)
    this.runs.record({ ...tick, partition, seq: next.seq, decidedAt: next.evaluatedAt })
    return 'committed'
  }
}
