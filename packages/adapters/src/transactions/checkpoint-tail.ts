import type { Checkpoint, PartitionId } from '@almanac/domain'
import { createStop, eitherStop, type PartitionOwner, type Stop } from '@almanac/engine'
import type { TransactionalDispatchOptions, TransactionalDispatchParts } from './dispatch-parts.js'
import { ReadToEnd } from './read-to-end.js'
import {
  isCheckpoint,
  isMark,
  isOwner,
  type OwnerRecord,
  readCheckpoint,
  readMark,
  readOwner,
} from './records.js'
import { dispatchTopics } from './topics.js'
import type { CommittedRecord } from './transaction-log.js'

/** What stood in the log before an owner's record. */
export interface Before {
  /** The last checkpoint; null: none. */
  readonly checkpoint: Checkpoint | null
  /** The last checkpoint can't be read. */
  readonly fault: unknown
  /** Highest term that is known of anybody else so far. */
  readonly highestTerm: number
}

/** What one reading has found of a partition. Each reading begins with none, so that nothing is met out of order. */
interface Found {
  readonly checkpoint: Checkpoint | null
  readonly fault: unknown
}

const nothing: Found = { checkpoint: null, fault: undefined }

/**
 * The warm reader: follows the whole topic of checkpoints, so that a claim finds the end of its partition within
 * milliseconds. What is known only grows: a reading that begins again takes nothing back.
 */
export class CheckpointTail {
  private readonly parts: TransactionalDispatchParts
  private readonly options: TransactionalDispatchOptions
  private readonly newest = new Map<PartitionId, Checkpoint>()
  private readonly terms = new Map<PartitionId, number>()
  private readonly owners = new Map<PartitionId, PartitionOwner>()
  private readonly awaited = new Map<string, (before: Before) => void>()
  private readonly toEnd: ReadToEnd
  private readonly foreign = new Map<PartitionId, OwnerRecord>()

  constructor(parts: TransactionalDispatchParts, options: TransactionalDispatchOptions) {
    this.parts = parts
    this.options = options
    this.toEnd = new ReadToEnd(parts)
  }

  /** Reads until `stop`. Begins again from the earliest record after a fault. */
  async run(stop: Stop): Promise<void> {
    const { clock, random, onFault } = this.parts
    while (!stop.stopped) {
      try {
        await this.read(stop)
        if (!stop.stopped) onFault('reading checkpoints', new Error('The log ended'))
      } catch (fault) {
        onFault('reading checkpoints', fault)
      }
      if (!stop.stopped) await clock.sleep(this.options.backoffMs * (1 + random.next()), stop)
    }
  }

  /** Fires when the partition has been read to where it ended when the reading began. */
  readToEnd(partition: PartitionId): Stop {
    return this.toEnd.of(partition)
  }

  /** The last owner when it is one over another event log. */
  foreignOwner(partition: PartitionId): OwnerRecord | undefined {
    return this.foreign.get(partition)
  }

  seen(partition: PartitionId): Checkpoint | null {
    return this.newest.get(partition) ?? null
  }

  owner(partition: PartitionId): PartitionOwner | null {
    return this.owners.get(partition) ?? null
  }

  /** Of all owners and checkpoints that have been seen. */
  highestTerm(partition: PartitionId): number {
    return this.terms.get(partition) ?? 0
  }

  /** Resolves when the owner's record with this nonce is met: call before it is written. */
  expect(nonce: string): Promise<Before> {
    return new Promise((resolve) => this.awaited.set(nonce, resolve))
  }

  forget(nonce: string): void {
    this.awaited.delete(nonce)
  }

  /**
   * A checkpoint is committed. Terms grow from claim to claim and `seq` within one, so the pair tells which of two is
   * newer, even if they came out of order: one's own at once, the same again by the reader, old ones by a reader that
   * began again.
   */
  committed(partition: PartitionId, checkpoint: Checkpoint): void {
    const { term, seq } = checkpoint
    this.learn(partition, term)
    const known = this.newest.get(partition)
    if (known !== undefined && (term < known.term || (term === known.term && seq <= known.seq))) return
    this.newest.set(partition, checkpoint)
    this.parts.onCommitted?.(partition, checkpoint)
  }

  private async read(stop: Stop): Promise<void> {
    const { checkpoints } = dispatchTopics(this.options.prefix)
    const found = new Map<PartitionId, Found>()
    const ended = createStop()
    const { stop: over, forget } = eitherStop(stop, ended)
    const marking = this.toEnd.begins(over, this.options.backoffMs)
    marking.catch((fault) => this.parts.onFault('marking the end of the checkpoints', fault))
    try {
      for await (const batch of this.parts.log.follow(checkpoints, stop)) {
        for (const record of batch) this.take(record, found)
      }
    } finally {
      ended.stop()
      forget()
    }
  }

  /** A record that can't be read stops its own partition alone. */
  private take(record: CommittedRecord, found: Map<PartitionId, Found>): void {
    const { partition } = record
    try {
      if (isOwner(record)) {
        this.meet(partition, readOwner(record), found.get(partition) ?? nothing)
      } else if (isMark(record)) {
        this.toEnd.met(partition, readMark(record))
      } else if (isCheckpoint(record)) {
        const checkpoint = readCheckpoint(record)
        found.set(partition, { checkpoint, fault: undefined })
        this.committed(partition, checkpoint)
      }
    } catch (fault) {
      this.parts.onFault('reading checkpoints', fault)
      // Going on from an older one would run everything since then again.
      if (isCheckpoint(record)) found.set(partition, { checkpoint: null, fault })
    }
  }

  private meet(partition: PartitionId, owner: OwnerRecord, found: Found): void {
    const resolve = this.awaited.get(owner.nonce)
    this.awaited.delete(owner.nonce)
    resolve?.({ ...found, highestTerm: this.highestTerm(partition) })
    const { nodeId, term, eventLogId } = owner
    const { eventLogId: own } = this.parts
    if (own !== undefined && eventLogId !== undefined && eventLogId !== own)
      this.foreign.set(partition, owner)
    else this.foreign.delete(partition)
    if (term >= (this.owners.get(partition)?.term ?? 0)) this.owners.set(partition, { nodeId, term })
    this.learn(partition, term)
  }

  private learn(partition: PartitionId, term: number): void {
    this.terms.set(partition, Math.max(term, this.highestTerm(partition)))
  }
}
