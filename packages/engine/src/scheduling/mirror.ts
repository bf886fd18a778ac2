import {
  type Checkpoint,
  eventHash,
  type PartitionId,
  type PartitionProgress,
  type PartitionRecovered,
} from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'
import { partitionStream, progressIn } from '../genesis.js'
import { appendSettled, nodeEvent } from '../node-events.js'
import type { Clock } from '../ports/clock.js'
import type { EventLog, ExpectedRevision } from '../ports/event-log.js'
import { PortFault, unavailable } from '../ports/faults.js'

interface MirrorParts {
  readonly log: EventLog
  readonly clock: Clock
  readonly nodeId: string
  /** A note could not be appended, and is dropped. */
  readonly onFault: (message: string, fault: unknown) => void
}

/** The last event of a partition's stream, as far as it is known here. */
interface Tip {
  readonly revision: ExpectedRevision
  readonly hash: string
  readonly at: Instant
  /** The highest term in the stream. */
  readonly term: number
}

/** How often one event is tried, each time somebody else was first. */
const maxAttempts = 8

/**
 * Leaves in the event log how far a partition was, now and then: for audit, and for recovery when the dispatch log has
 * lost the checkpoint. Sparse, and never waited for by a tick. Terms never fall within a stream: what an owner of an
 * earlier term still has to say is dropped.
 */
export class ProgressMirror {
  private readonly parts: MirrorParts
  private readonly tips = new Map<PartitionId, Tip>()
  private readonly underWay = new Set<Promise<void>>()

  constructor(parts: MirrorParts) {
    this.parts = parts
  }

  /** Appends a `PartitionProgress`. A port's fault is told to `onFault`, and the note is dropped. */
  async note(
    partition: PartitionId,
    term: number,
    cause: PartitionProgress['cause'],
    checkpoint: Checkpoint | null,
  ): Promise<void> {
    const noting = this.leave(partition, { cause, nodeId: this.parts.nodeId, term, checkpoint })
    this.underWay.add(noting)
    try {
      await noting
    } finally {
      this.underWay.delete(noting)
    }
  }

  /** Resolves when every note so far is there, or dropped. */
  async settledNotes(): Promise<void> {
    await Promise.allSettled([...this.underWay])
  }

  private async leave(partition: PartitionId, data: PartitionProgress): Promise<void> {
    const { term } = data
    const { onFault } = this.parts
    try {
      await this.append(partition, term, 'PartitionProgress', data)
    } catch (fault) {
      if (!(fault instanceof PortFault)) throw fault
      onFault(`progress of partition ${partition} was not mirrored`, fault)
    }
  }

  /** Appends a `PartitionRecovered`: the partition goes on from this mirrored checkpoint. Throws a `PortFault`. */
  recovered(partition: PartitionId, term: number, checkpoint: Checkpoint): Promise<void> {
    const data: PartitionRecovered = { nodeId: this.parts.nodeId, term, checkpoint }
    return this.append(partition, term, 'PartitionRecovered', data)
  }

  private async append(partition: PartitionId, term: number, type: string, data: unknown): Promise<void> {
    const { clock, nodeId } = this.parts
    const stream = partitionStream(partition)
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      const tip = this.tips.get(partition) ?? nothing
      if (tip.term > term) return
      const at = Math.max(clock.now(), tip.at)
      const place = { stream, expected: tip.revision, previousHash: tip.hash, nodeId, at }
      const event = nodeEvent(place, type, data)
      const result = await appendSettled(this.parts.log, stream, tip.revision, event)
      if (result.outcome === 'appended') {
        this.learn(partition, { revision: result.revision, hash: eventHash(event), at, term })
        return
      }
      await this.catchUp(partition, stream, result.actual)
    }
    throw unavailable(`${stream} changes too fast: an event was tried ${maxAttempts} times`)
  }

  /** Reads what others appended. The last event tells all, of a stream that is new here too: terms never fall. */
  private async catchUp(partition: PartitionId, stream: string, actual: ExpectedRevision): Promise<void> {
    const known = this.tips.get(partition)
    if (known !== undefined && order(actual) < order(known.revision)) {
      // Shorter than it was: another log has its place, a restored backup perhaps. What is known here is of no use.
      this.tips.delete(partition)
      return
    }
    const from = known === undefined ? order(actual) : order(known.revision) + 1
    const last = (await this.parts.log.readStream(stream, from)).at(-1)
    if (last === undefined) return
    const term = progressIn(last)?.term ?? known?.term ?? 0
    this.learn(partition, { revision: last.revision, hash: last.hash, at: last.metadata.at, term })
  }

  /** Two events of one partition may be under way at once: the later tip stays. */
  private learn(partition: PartitionId, tip: Tip): void {
    const known = this.tips.get(partition)
    if (known === undefined || order(tip.revision) > order(known.revision)) this.tips.set(partition, tip)
  }
}

/** Before anything was read: the conflict of an append to an empty stream tells its length, so none is read whole. */
const nothing: Tip = { revision: 'none', hash: '', at: 0, term: 0 }

const order = (revision: ExpectedRevision): number => (revision === 'none' ? -1 : revision)
