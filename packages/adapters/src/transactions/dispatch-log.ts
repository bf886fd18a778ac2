import type { Checkpoint, PartitionId } from '@almanac/domain'
import {
  type Claim,
  type DispatchLog,
  type PartitionOwner,
  PortFault,
  type Stop,
  unavailable,
} from '@almanac/engine'
import { type Before, CheckpointTail } from './checkpoint-tail.js'
import { TransactionalClaim } from './claim.js'
import { tooLate, within } from './deadline.js'
import {
  defaultTransactionalDispatchOptions,
  type TransactionalDispatchOptions,
  type TransactionalDispatchParts,
} from './dispatch-parts.js'
import { ownerRecord } from './records.js'
import { type DispatchTopics, dispatchTopics } from './topics.js'
import type { Transactor } from './transaction-log.js'

/**
 * The dispatch log over a log with transactions, such as Kafka: a tick is one transaction, the fence is the log's own
 * for a transactional id, and the last checkpoint is what stands before the claimant's own record.
 * `docs/adr/0016-dispatch-log-over-transactions.md` tells why it is safe.
 */
export class TransactionalDispatchLog implements DispatchLog {
  private readonly parts: TransactionalDispatchParts
  private readonly options: TransactionalDispatchOptions
  private readonly topics: DispatchTopics
  private readonly tail: CheckpointTail

  constructor(parts: TransactionalDispatchParts) {
    this.parts = parts
    this.options = { ...defaultTransactionalDispatchOptions, ...parts.options }
    this.topics = dispatchTopics(this.options.prefix)
    this.tail = new CheckpointTail(parts, this.options)
  }

  /** Reads checkpoints until `stop`. No claim succeeds while it is not running. */
  run(stop: Stop): Promise<void> {
    return this.tail.run(stop)
  }

  /**
   * Resolves when the checkpoints of all partitions have been read to where they ended at the start: the time to take a
   * share. One that can't be read does not keep the others waiting: `patienceMs` after the last one it is gone without.
   */
  async ready(stop: Stop, patienceMs: number): Promise<void> {
    const { clock, marks } = this.parts
    let known = 0
    let knownAt = clock.elapsed()
    while (!stop.stopped) {
      let count = 0
      for (let partition = 0; partition < (marks?.partitions ?? 0); partition++) {
        if (this.tail.readToEnd(partition).stopped) count += 1
      }
      if (count === (marks?.partitions ?? 0)) return
      if (count > known) [known, knownAt] = [count, clock.elapsed()]
      if (known > 0 && clock.elapsed() - knownAt > patienceMs) return
      await clock.sleep(readyStepMs, stop)
    }
  }

  /** A node that has claimed partitions of these topics over another event log, as far as it has been read. */
  foreignNode(): string | undefined {
    for (let partition = 0; partition < (this.parts.marks?.partitions ?? 0); partition++) {
      const other = this.tail.foreignOwner(partition)
      if (other !== undefined) return other.nodeId
    }
    return undefined
  }

  seen(partition: PartitionId): Checkpoint | null {
    return this.tail.seen(partition)
  }

  owner(partition: PartitionId): PartitionOwner | null {
    return this.tail.owner(partition)
  }

  /** Takes over an id of this node's own: that needs a log that can write. */
  async probe(): Promise<void> {
    const taking = new TakeOver(this.parts, this.options)
    try {
      await taking.begin(this.topics.probeId(this.parts.nodeId))
      taking.close()
    } catch (fault) {
      taking.close()
      throw isFault(fault) ? unavailable(`The log does not answer: ${fault.message}`, fault) : fault
    }
  }

  async claim(partition: PartitionId, termAbove = 0): Promise<Claim> {
    const taking = new TakeOver(this.parts, this.options)
    try {
      await this.readToEnd(partition, taking)
      this.refuseForeign(partition)
      await taking.begin(this.topics.transactionalId(partition))
      return await this.settle(partition, taking, termAbove)
    } catch (fault) {
      taking.close()
      const message = `Partition ${partition} could not be claimed`
      throw isFault(fault) ? unavailable(`${message}: ${fault.message}`, fault) : fault
    }
  }

  private refuseForeign(partition: PartitionId): void {
    const other = this.tail.foreignOwner(partition)
    if (other !== undefined) throw unavailable(`it belongs to ${other.nodeId}, over another event log`)
  }

  /** Nobody is thrown out before this node could go on in their place. */
  private async readToEnd(partition: PartitionId, taking: TakeOver): Promise<void> {
    const read = this.tail.readToEnd(partition)
    if (read.stopped) return
    let forget = () => {}
    const fired = new Promise<void>((resolve) => {
      forget = read.onStop(resolve)
    })
    try {
      await taking.inTime(fired, 'its checkpoints are still being read')
    } finally {
      forget()
    }
  }

  /**
   * Holds the fence already. Writes owner records until one has the highest term of all before it, and until what was
   * read before it is sure.
   */
  private async settle(partition: PartitionId, taking: TakeOver, termAbove: number): Promise<Claim> {
    const { tail, parts, options } = this
    let term = Math.max(tail.highestTerm(partition), termAbove) + 1
    let wasEmpty = false
    for (;;) {
      const { checkpoint, fault, highestTerm } = await this.introduce(partition, taking, term)
      if (fault !== undefined) throw unavailable('its last checkpoint can not be read', fault)
      // No checkpoint is believed only when the fence still held after looking: compaction may have taken the one that
      // was looked for out of the way of a later claimant's.
      if (highestTerm < term && (checkpoint !== null || wasEmpty)) {
        const onCommitted = (next: Checkpoint) => tail.committed(partition, next)
        const { transactor } = taking
        return new TransactionalClaim({
          partition,
          term,
          checkpoint,
          transactor,
          parts,
          options,
          onCommitted,
        })
      }
      wasEmpty = checkpoint === null
      term = Math.max(term, highestTerm) + 1
    }
  }

  /** Writes an owner record and waits for it to be read. Everything committed earlier has been read by then. */
  private async introduce(partition: PartitionId, taking: TakeOver, term: number): Promise<Before> {
    const { tail, parts } = this
    const { clock, nodeId, random, eventLogId, onServerTime } = parts
    const nonce = random.token(16)
    const before = tail.expect(nonce)
    try {
      const record = ownerRecord(this.topics, partition, {
        nonce,
        nodeId,
        term,
        ...(eventLogId === undefined ? {} : { eventLogId }),
      })
      const askedAt = clock.elapsed()
      const sent = await taking.inTime(taking.transactor.send([record]))
      if (sent.outcome === 'fenced') throw unavailable('another node is claiming it')
      if (sent.outcome === 'refused') throw unavailable(sent.message)
      onServerTime?.(sent.appendedAt, askedAt, clock.elapsed())
      const outcome = await taking.inTime(taking.transactor.commit())
      if (outcome === 'fenced') throw unavailable('another node is claiming it')
      return await taking.inTime(before)
    } finally {
      tail.forget(nonce)
    }
  }
}

const readyStepMs = 20

const isFault = (fault: unknown): fault is PortFault => fault instanceof PortFault

/** One attempt to become the holder of an id, and to do something as such before the deadline of a claim. */
class TakeOver {
  private readonly parts: TransactionalDispatchParts
  private readonly deadline: number
  private taken: Transactor | undefined
  private isClosed = false

  constructor(parts: TransactionalDispatchParts, options: TransactionalDispatchOptions) {
    this.parts = parts
    this.deadline = parts.clock.elapsed() + options.claimDeadlineMs
  }

  get transactor(): Transactor {
    if (this.taken === undefined) throw new Error('Nothing has been taken over yet')
    return this.taken
  }

  async begin(transactionalId: string): Promise<void> {
    const taking = this.parts.log.takeOver(transactionalId).then((transactor) => {
      this.taken = transactor
      // It has been given up meanwhile.
      if (this.isClosed) this.close()
    })
    await this.inTime(taking)
  }

  async inTime<T>(work: Promise<T>, why = 'it took too long'): Promise<T> {
    const { clock } = this.parts
    const result = await within(clock, this.deadline - clock.elapsed(), work)
    if (result === tooLate) throw unavailable(why)
    return result
  }

  close(): void {
    this.isClosed = true
    this.taken?.close().catch((fault) => this.parts.onFault('closing a transactor', fault))
  }
}
