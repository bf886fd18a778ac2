import type { Instant } from '@almanac/recurrence'
import {
  type Answer,
  type Appended,
  type Batch,
  type Entry,
  type Fetched,
  type Isolation,
  type LoggedRecord,
  type Marker,
  type Producer,
  refuse,
  type Span,
  succeed,
  type TopicConfig,
  type Watermarks,
} from './protocol.js'

/** What a partition remembers of a producer id: enough to know a batch again, and to refuse older epochs. */
interface ProducerState {
  epoch: number
  lastSequence: number
  /** The last batches, newest last. */
  batches: { readonly sequence: number; readonly size: number; readonly appended: Appended }[]
}

/** As many batches as Kafka keeps of a producer to know them again. */
const keptBatches = 5
/** Before a producer's first record. */
const noSequence = -1

/** One partition: its log, the open transactions in it, and what it knows of producers. */
export class PartitionLog {
  readonly partition: number
  private readonly config: TopicConfig
  private entries: Entry[] = []
  /** All records ever appended, removed ones too: what a tail may have seen. */
  private readonly ever: LoggedRecord[] = []
  /** Records that were removed while their transaction was open: nobody has seen them as committed. */
  private readonly unseen = new Set<LoggedRecord>()
  private readonly producers = new Map<number, ProducerState>()
  /** By producer id. The oldest comes first, since each is added at the end of the log. */
  private readonly open = new Map<number, Span>()
  private start = 0
  private end = 0
  /** Offsets below are compacted. */
  private cleanedTo = 0
  /** Offsets below are old enough for compaction; moves on only. */
  private ripeTo = 0

  constructor(partition: number, config: TopicConfig) {
    this.partition = partition
    this.config = config
  }

  get lastStableOffset(): number {
    for (const span of this.open.values()) return Math.max(span.firstOffset, this.start)
    return this.end
  }

  watermarks(): Watermarks {
    return {
      logStartOffset: this.start,
      lastStableOffset: this.lastStableOffset,
      highWatermark: this.end,
    }
  }

  isOpen({ producerId, epoch }: Producer): boolean {
    return this.open.has(producerId) && this.producers.get(producerId)?.epoch === epoch
  }

  append(batch: Batch, now: Instant): Answer<Appended> {
    const state = this.producers.get(batch.producerId)
    if (state !== undefined && batch.epoch < state.epoch) return refuse('INVALID_PRODUCER_EPOCH')
    if (state?.epoch === batch.epoch) {
      const same = state.batches.find(
        ({ sequence, size }) => sequence === batch.sequence && size === batch.records.length,
      )
      if (same !== undefined) return succeed(same.appended)
    }
    // A producer that the partition has never heard of may begin anywhere, as in Kafka.
    const last = state?.epoch === batch.epoch ? state.lastSequence : noSequence
    if (state !== undefined && batch.sequence !== last + 1) return refuse('OUT_OF_ORDER_SEQUENCE_NUMBER')
    const appended = this.write(batch, now)
    this.remember(batch, appended)
    return succeed(appended)
  }

  private write(batch: Batch, now: Instant): Appended {
    const { producerId, epoch } = batch
    const baseOffset = this.end
    const span: Span = this.open.get(producerId) ?? { firstOffset: baseOffset, state: 'open' }
    this.open.set(producerId, span)
    const isByBroker = this.config.timestamps === 'LogAppendTime'
    batch.records.forEach(({ key, value, headers, timestamp }, index) => {
      const record: LoggedRecord = {
        kind: 'record',
        offset: baseOffset + index,
        key,
        value,
        headers,
        producerId,
        epoch,
        sequence: batch.sequence + index,
        timestamp: isByBroker ? now : timestamp,
        appendedAt: now,
        span,
      }
      this.entries.push(record)
      this.ever.push(record)
    })
    this.end += batch.records.length
    return { baseOffset, logAppendTime: isByBroker ? now : -1 }
  }

  private remember({ producerId, epoch, sequence, records }: Batch, appended: Appended): void {
    const known = this.producers.get(producerId)
    const batches = known?.epoch === epoch ? known.batches : []
    batches.push({ sequence, size: records.length, appended })
    if (batches.length > keptBatches) batches.shift()
    this.producers.set(producerId, { epoch, lastSequence: sequence + records.length - 1, batches })
  }

  /** Ends a producer's transaction here. From now on epochs below the marker's are refused. */
  mark(producer: Producer, commit: boolean, now: Instant): void {
    const { producerId, epoch } = producer
    const marker: Marker = { kind: 'marker', offset: this.end, producerId, epoch, appendedAt: now, commit }
    this.entries.push(marker)
    this.end += 1
    const span = this.open.get(producerId)
    if (span !== undefined) span.state = commit ? 'committed' : 'aborted'
    this.open.delete(producerId)
    const state = this.producers.get(producerId)
    if (state === undefined || state.epoch < epoch) {
      this.producers.set(producerId, { epoch, lastSequence: noSequence, batches: [] })
    }
  }

  /** True when a fetch at this offset has something to answer. */
  hasNews(offset: number, isolation: Isolation): boolean {
    return offset < this.start || offset > this.end || offset < this.bound(isolation)
  }

  fetch(offset: number, maxRecords: number, isolation: Isolation): Answer<Fetched> {
    if (offset < this.start || offset > this.end) return refuse('OFFSET_OUT_OF_RANGE')
    const bound = this.bound(isolation)
    const records: LoggedRecord[] = []
    for (let index = this.indexOf(offset); index < this.entries.length; index += 1) {
      const entry = this.entries[index]
      if (entry === undefined || entry.offset >= bound) break
      if (records.length >= maxRecords) {
        return succeed({ partition: this.partition, records, nextOffset: entry.offset })
      }
      if (entry.kind === 'record' && (isolation === 'read_uncommitted' || entry.span.state === 'committed')) {
        records.push(entry)
      }
    }
    return succeed({ partition: this.partition, records, nextOffset: Math.max(bound, offset) })
  }

  private bound(isolation: Isolation): number {
    return isolation === 'read_committed' ? this.lastStableOffset : this.end
  }

  /** The index of the first entry at or after the offset. */
  private indexOf(offset: number): number {
    let low = 0
    let high = this.entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.entries[middle]?.offset ?? offset) < offset) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Everything that is there now is deleted; offsets go on. */
  empty(): void {
    this.removeBefore(this.entries.length, this.end)
  }

  /** Deletes what is too old, from the beginning up to the first record that is not. */
  retain(now: Instant): void {
    if (this.config.cleanup.policy !== 'delete') return
    const oldest = now - this.config.cleanup.retentionMs
    const fresh = this.entries.findIndex(
      (entry) => (entry.kind === 'record' ? entry.timestamp : entry.appendedAt) >= oldest,
    )
    if (fresh === 0) return
    const count = fresh === -1 ? this.entries.length : fresh
    this.removeBefore(count, this.entries[fresh]?.offset ?? this.end)
  }

  private removeBefore(count: number, start: number): void {
    for (const entry of this.entries.splice(0, count)) {
      if (entry.kind === 'record' && entry.span.state === 'open') this.unseen.add(entry)
    }
    this.start = start
  }

  /**
   * Keeps the newest record of each key among those that are old enough and below the last stable offset. Markers
   * go too: here a record knows itself what its transaction came to.
   */
  compact(now: Instant, minDirtyRatio: number): void {
    if (this.config.cleanup.policy !== 'compact') return
    this.ripen(now - this.config.cleanup.minCompactionLagMs)
    const clean = this.indexOf(this.cleanedTo)
    const ripe = this.indexOf(this.ripeTo)
    if (ripe === clean || ripe - clean < minDirtyRatio * ripe) return
    const newest = new Map<string, number>()
    const survives = (entry: Entry): entry is LoggedRecord =>
      entry.kind === 'record' && entry.span.state === 'committed'
    for (let index = 0; index < ripe; index += 1) {
      const entry = this.entries[index]
      if (entry !== undefined && survives(entry)) newest.set(entry.key, entry.offset)
    }
    this.entries = this.entries.filter(
      (entry, index) => index >= ripe || (survives(entry) && newest.get(entry.key) === entry.offset),
    )
    this.cleanedTo = this.ripeTo
  }

  private ripen(youngest: Instant): void {
    const stable = this.lastStableOffset
    for (let index = this.indexOf(this.ripeTo); index < this.entries.length; index += 1) {
      const entry = this.entries[index]
      if (entry === undefined || entry.offset >= stable || entry.appendedAt > youngest) return
      this.ripeTo = entry.offset + 1
    }
  }

  /** Every record that was ever committed, in order of offset. */
  committed(): readonly LoggedRecord[] {
    return this.ever.filter((record) => record.span.state === 'committed' && !this.unseen.has(record))
  }
}
