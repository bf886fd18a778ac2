import type { CommittedRecord } from '../transactions/index.js'
import { batchesIn, type ReadBatch } from './record-batch.js'
import type { Fetched } from './requests.js'

/** Records of a batch that wait until it is known how their transaction ended. */
interface Held {
  readonly producerId: number
  readonly epoch: number
  records: readonly CommittedRecord[]
  isOpen: boolean
}

/**
 * What is committed in one partition, from an offset on. The broker shows no more than what is decided, but leaves it
 * to its readers to leave out what was aborted.
 *
 * It can also come to owe the mark of an abort: a coordinator that finds no leader for a partition takes it for deleted
 * (seen with 4.4.0, whose only broker had just come back). What the fenced holder had sent would then be committed by
 * the next transaction of the same id. The epoch tells: within one transaction it never changes.
 */
export class PartitionReading {
  private readonly topic: string
  private readonly partition: number
  private next: number
  private held: Held[] = []

  constructor(topic: string, partition: number, offset: number) {
    this.topic = topic
    this.partition = partition
    this.next = offset
  }

  /** The next one that is wanted. */
  get offset(): number {
    return this.next
  }

  /** Takes in what was fetched from `offset` on, and gives what can be shown by now. */
  take({
    aborted,
    bytes,
    stableOffset,
  }: Pick<Fetched, 'aborted' | 'bytes' | 'stableOffset'>): readonly CommittedRecord[] {
    const isAborted = abortions(aborted)
    for (const batch of batchesIn(bytes)) {
      if (batch.lastOffset < this.next) continue
      const isOut = isAborted(batch)
      if (batch.control !== 'none') this.end(batch.producerId, batch.control === 'abort')
      else if (!isOut) this.hold(batch)
      // By the batch and not by its last record: compaction may have taken that one, or all of them.
      this.next = batch.lastOffset + 1
    }
    // All that is decided has been read. A mark that did not come has been compacted away.
    if (this.next >= stableOffset) for (const one of this.held) one.isOpen = false
    return this.decided()
  }

  private hold(batch: ReadBatch): void {
    const { topic, partition } = this
    const { producerId, epoch, isTransactional } = batch
    const records: CommittedRecord[] = []
    for (const { offset, key, value, headers, timestamp } of batch.records()) {
      if (offset < this.next) continue
      records.push({ topic, partition, offset, key, value, headers, appendedAt: timestamp })
    }
    if (isTransactional) this.end(producerId, true, epoch)
    if (records.length > 0) this.held.push({ producerId, epoch, records, isOpen: isTransactional })
  }

  /** Ends what the producer has open, of epochs below the one given. */
  private end(producerId: number, isAbort: boolean, below = Number.POSITIVE_INFINITY): void {
    for (const one of this.held) {
      if (!one.isOpen || one.producerId !== producerId || one.epoch >= below) continue
      one.isOpen = false
      if (isAbort) one.records = []
    }
  }

  /** Up to the first that is open. */
  private decided(): readonly CommittedRecord[] {
    const open = this.held.findIndex(({ isOpen }) => isOpen)
    const decided = open < 0 ? this.held.splice(0) : this.held.splice(0, open)
    return decided.flatMap(({ records }) => records)
  }
}

/**
 * Tells of one batch after the other whether its transaction was aborted. Transactions come in the order in which they
 * ended, and are needed in the order in which they began.
 */
function abortions(aborted: Fetched['aborted']): (batch: ReadBatch) => boolean {
  const ahead = aborted.toSorted((a, b) => a.firstOffset - b.firstOffset)
  const open = new Set<number>()
  let next = 0
  return ({ lastOffset, producerId, isTransactional, control }) => {
    for (let one = ahead[next]; one !== undefined && one.firstOffset <= lastOffset; one = ahead[++next]) {
      open.add(one.producerId)
    }
    if (control === 'abort') open.delete(producerId)
    return control === 'none' && isTransactional && open.has(producerId)
  }
}
