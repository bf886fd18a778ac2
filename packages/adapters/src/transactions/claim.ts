import type { Checkpoint, PartitionId } from '@almanac/domain'
import {
  type Claim,
  type CommitOutcome,
  PortFault,
  type Tick,
  Unroutable,
  unavailable,
} from '@almanac/engine'
import { tooLate, within } from './deadline.js'
import type { TransactionalDispatchOptions, TransactionalDispatchParts } from './dispatch-parts.js'
import { tickRecords } from './records.js'
import { dispatchTopics } from './topics.js'
import type { SendOutcome, Transactor } from './transaction-log.js'

interface ClaimParts {
  readonly partition: PartitionId
  readonly term: number
  readonly checkpoint: Checkpoint | null
  /** Has taken over the partition's id, and has nothing open. */
  readonly transactor: Transactor
  readonly parts: TransactionalDispatchParts
  readonly options: TransactionalDispatchOptions
  readonly onCommitted: (next: Checkpoint) => void
}

/**
 * The right to write for a partition: one transactor, a transaction a tick. After the first outcome that is not sure
 * the transactor is thrown away and nothing goes through it any more: whoever claims next finds out what is there.
 */
export class TransactionalClaim implements Claim {
  readonly partition: PartitionId
  readonly term: number
  readonly checkpoint: Checkpoint | null
  private readonly made: ClaimParts
  /** Undefined: the claim is over. */
  private transactor: Transactor | undefined
  private last: Checkpoint | null
  private isCommitting = false

  constructor(made: ClaimParts) {
    this.made = made
    this.partition = made.partition
    this.term = made.term
    this.checkpoint = made.checkpoint
    this.last = made.checkpoint
    this.transactor = made.transactor
  }

  async commit(tick: Tick): Promise<CommitOutcome> {
    const { transactor } = this
    if (transactor === undefined) return 'fenced'
    if (this.isCommitting) throw new Error(`Partition ${this.partition} commits two ticks at once`)
    this.refuseOutOfOrder(tick.next)
    this.isCommitting = true
    const outcome = await this.outcomeOf(transactor, tick).finally(() => {
      this.isCommitting = false
    })
    if (outcome === 'committed') {
      this.last = tick.next
      this.made.onCommitted(tick.next)
    } else if (outcome !== 'early') {
      void this.end()
    }
    return outcome
  }

  async release(): Promise<void> {
    await this.end()
  }

  private refuseOutOfOrder(next: Checkpoint): void {
    const { term, last } = this
    if (next.term === term && (last === null || next.seq === last.seq + 1)) return
    const after = last === null ? 'none' : `seq ${last.seq}`
    throw new Error(`Checkpoint seq ${next.seq} of term ${next.term} can not follow ${after} in term ${term}`)
  }

  private async outcomeOf(transactor: Transactor, tick: Tick): Promise<CommitOutcome> {
    try {
      return await this.write(transactor, tick)
    } catch (fault) {
      // Taken back already: the claim is as good as before.
      if (fault instanceof Unroutable) throw fault
      if (!(fault instanceof PortFault)) {
        // A broken invariant: whoever sees it may not go on with this claim either.
        void this.end()
        throw fault
      }
      this.made.parts.onFault(`partition ${this.partition}: tick ${tick.next.seq}`, fault)
      return 'unknown'
    }
  }

  private async write(transactor: Transactor, tick: Tick): Promise<CommitOutcome> {
    const { parts, options } = this.made
    const { clock, onServerTime } = parts
    const deadline = clock.elapsed() + options.commitDeadlineMs
    const left = () => deadline - clock.elapsed()
    const records = tickRecords(dispatchTopics(options.prefix), this.partition, tick)
    for (let at = 0; at < records.length; at += options.maxRecordsPerSend) {
      const askedAt = clock.elapsed()
      const batch = records.slice(at, at + options.maxRecordsPerSend)
      const sent = await within(clock, left(), transactor.send(batch))
      if (sent === tooLate) return 'unknown'
      if (sent.outcome === 'fenced') return 'fenced'
      if (sent.outcome === 'refused') return await this.refused(transactor, tick, sent)
      onServerTime?.(sent.appendedAt, askedAt, clock.elapsed())
      if (left() <= 0) return await this.takenBack(transactor, 'unknown')
      if (sent.appendedAt + options.earlyToleranceMs < tick.next.evaluatedAt) {
        return await this.takenBack(transactor, 'early')
      }
    }
    const outcome = await within(clock, left(), transactor.commit())
    return outcome === tooLate ? 'unknown' : outcome
  }

  /** Throws `Unroutable` with the tasks whose runs go to what can't be had. */
  private async refused(
    transactor: Transactor,
    { runs }: Tick,
    { topics, message }: Extract<SendOutcome, { readonly outcome: 'refused' }>,
  ): Promise<CommitOutcome> {
    const outcome = await this.takenBack(transactor, 'early')
    if (outcome === 'unknown') return outcome
    const known = dispatchTopics(this.made.options.prefix)
    const lost = runs.filter((run) => topics.includes(known.runs(run)))
    // A topic of the cluster's own: that is nobody's fault, and no reason to go on without it.
    if (lost.length === 0) throw unavailable(message)
    throw new Unroutable([...new Set(lost.map(({ taskId }) => taskId))], message)
  }

  private async takenBack(transactor: Transactor, outcome: 'early' | 'unknown'): Promise<CommitOutcome> {
    const { parts, options } = this.made
    const aborted = await within(parts.clock, options.commitDeadlineMs, transactor.abort())
    return aborted === tooLate ? 'unknown' : outcome
  }

  /** Closes the transactor. What it has left open is aborted by the next one that takes over, or by the log itself. */
  private async end(): Promise<void> {
    const { transactor } = this
    this.transactor = undefined
    if (transactor === undefined) return
    const { parts, options } = this.made
    try {
      await within(parts.clock, options.commitDeadlineMs, transactor.close())
    } catch (fault) {
      parts.onFault(`partition ${this.partition}: closing a claim`, fault)
    }
  }
}
