import { afterThisTurn, newId, nowMs } from '../world.js'
import { type CommitFacts, checkCommit, type ExpectedVersion } from './commit-check.js'
import { RecordFile } from './database.js'
import {
  isMetaStream,
  type LogRecord,
  metaStreamOf,
  type ProposedEvent,
  recordSize,
  systemTypes,
  tombstoneRevision,
} from './record.js'
import { isSoftDeleted, parseStreamMetadata, type StreamMetadata } from './stream-metadata.js'

export type WriteResult =
  | {
      readonly kind: 'written'
      readonly lastRevision: number
      /** Of the last event; undefined: the server does not know it any more. */
      readonly position: number | undefined
      readonly isRepeated: boolean
    }
  | { readonly kind: 'wrong version'; readonly current: number }
  | { readonly kind: 'deleted' }

export interface LogOptions {
  /** Where the file is; undefined: in memory. */
  readonly folder?: string
  /** An event of the system is written after so many others. @default 50 */
  readonly systemEventEvery?: number
}

interface Queued {
  readonly work: () => unknown
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

const recentIds = 10_000
const statsStream = '$stats-127.0.0.1:2113'
const firstPosition = 1_474

/** Text of a JSON object of the system's. */
const jsonOf = (text: string): Uint8Array => Buffer.from(text, 'utf8')

const systemEvent = (type: string, text: string): ProposedEvent => ({
  id: newId(),
  type,
  isJson: true,
  data: jsonOf(text),
  metadata: new Uint8Array(),
})

/** The log of one store. Writes of one turn share a transaction, and are answered when it is durable. */
export class Log {
  private readonly file: RecordFile
  private readonly systemEventEvery: number
  private readonly lastRevisions = new Map<string, number>()
  private readonly metadata = new Map<string, StreamMetadata>()
  private readonly recent = new Map<string, { readonly stream: string; readonly revision: number }>()
  private readonly listeners = new Set<() => void>()
  private next: number
  private sinceSystemEvent = 0
  private queue: Queued[] = []
  private isClosed = false

  constructor(options: LogOptions = {}) {
    this.file = new RecordFile(options.folder)
    this.systemEventEvery = options.systemEventEvery ?? 50
    const next = this.file.next()
    this.next = next ?? firstPosition
    if (next === undefined) this.begin()
    else this.load()
  }

  /** What a new store writes before anybody has asked for anything. */
  private begin(): void {
    this.file.begin()
    this.put(metaStreamOf(statsStream), systemEvent(systemTypes.metadata, '{"$maxAge":86400}'))
    this.put('$users', systemEvent('$User', '"admin"'))
    this.put('$users', systemEvent('$User', '"ops"'))
    this.file.setNext(this.next)
    this.file.commit()
  }

  private load(): void {
    for (const { stream, last } of this.file.lastRevisions()) {
      this.lastRevisions.set(stream, last)
      if (!isMetaStream(stream)) continue
      const record = this.file.at(stream, last)
      if (record !== undefined) this.metadata.set(stream.slice(2), parseStreamMetadata(record.data))
    }
  }

  /** Position of the newest event. */
  get last(): number {
    return this.backwards(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 1)[0]?.position ?? 0
  }

  metadataOf(stream: string): StreamMetadata {
    return this.metadata.get(stream) ?? (isMetaStream(stream) ? { maxCount: 1 } : {})
  }

  /** Revision of the last event; -1: there is none. */
  lastRevisionOf(stream: string): number {
    return this.lastRevisions.get(stream) ?? -1
  }

  isTombstoned(stream: string): boolean {
    return this.lastRevisions.get(stream) === tombstoneRevision
  }

  /** Calls back after each transaction. Returns what takes the callback back. */
  onCommitted(listener: () => void): () => void {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  append(stream: string, expected: ExpectedVersion, events: readonly ProposedEvent[]): Promise<WriteResult> {
    return this.write(() => this.appendNow(stream, expected, events))
  }

  /** The stream reads as if it did not exist; it may be written again. */
  softDelete(stream: string, expected: ExpectedVersion): Promise<WriteResult> {
    return this.write(() => {
      const refused = this.refusal(stream, expected)
      if (refused !== undefined) return refused
      this.truncate(stream, `${2n ** 63n - 1n}`)
      return this.written(this.lastRevisionOf(metaStreamOf(stream)), metaStreamOf(stream))
    })
  }

  /** Nobody may write the stream ever again. */
  tombstone(stream: string, expected: ExpectedVersion): Promise<WriteResult> {
    return this.write(() => {
      const refused = this.refusal(stream, expected)
      if (refused !== undefined) return refused
      this.put(stream, systemEvent(systemTypes.deleted, '{}'), tombstoneRevision)
      return this.written(tombstoneRevision, stream)
    })
  }

  /** Removes from the disk what no stream shows any more, but each stream's last event. Returns how many. */
  scavenge(): Promise<number> {
    return this.write(() => {
      let removed = 0
      for (const record of this.file.forwards(0, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)) {
        if (record.revision === this.lastRevisionOf(record.stream) || this.isVisible(record)) continue
        this.file.remove(record.position)
        removed += 1
      }
      return removed
    })
  }

  forwards(position: number, limit: number, max: number): LogRecord[] {
    return this.file.forwards(position, limit, max)
  }

  backwards(position: number, limit: number, max: number): LogRecord[] {
    return this.file.backwards(position, limit, max)
  }

  streamForwards(stream: string, revision: number, max: number): LogRecord[] {
    return this.file.streamForwards(stream, revision, max)
  }

  streamBackwards(stream: string, revision: number, max: number): LogRecord[] {
    return this.file.streamBackwards(stream, revision, max)
  }

  /** What its stream still shows, by $maxCount, $maxAge and $tb. */
  isVisible({ stream, revision, created }: LogRecord): boolean {
    const { maxCount, maxAge, truncateBefore } = this.metadataOf(stream)
    if (this.isTombstoned(stream)) return revision === tombstoneRevision
    if (truncateBefore !== undefined && revision < truncateBefore) return false
    if (maxCount !== undefined && revision <= this.lastRevisionOf(stream) - maxCount) return false
    return maxAge === undefined || created >= nowMs() - maxAge * 1000
  }

  /** Finishes what was handed in; later writes are refused. */
  async close(): Promise<void> {
    if (this.isClosed) return
    const last = this.write(() => undefined)
    this.isClosed = true
    await last
    this.file.close()
  }

  private write<T>(work: () => T): Promise<T> {
    if (this.isClosed) return Promise.reject(new Error('The log is closed.'))
    return new Promise<T>((resolve, reject) => {
      if (this.queue.length === 0) afterThisTurn(() => this.flush())
      this.queue.push({ work, resolve: resolve as (value: unknown) => void, reject })
    })
  }

  private flush(): void {
    const { queue } = this
    this.queue = []
    const before = this.next
    this.file.begin()
    const results = queue.map(({ work }) => work())
    if (this.next !== before) this.file.setNext(this.next)
    this.file.commit()
    for (const [index, { resolve }] of queue.entries()) resolve(results[index])
    for (const listener of [...this.listeners]) listener()
  }

  private appendNow(
    stream: string,
    expected: ExpectedVersion,
    events: readonly ProposedEvent[],
  ): WriteResult {
    const decision = checkCommit(this.factsOf(stream), expected, events)
    if (decision.kind === 'deleted') return decision
    if (decision.kind === 'wrong version') return { ...decision, current: this.lastRevisionOf(stream) }
    if (decision.kind === 'repeated') {
      const position = this.file.at(stream, decision.last)?.position
      return { kind: 'written', lastRevision: decision.last, position, isRepeated: true }
    }
    if (decision.revives) this.truncate(stream, `${this.lastRevisionOf(stream) + 1}`)
    for (const event of events) this.put(stream, event)
    this.systemEventWhenDue(events.length)
    return this.written(this.lastRevisionOf(stream), stream)
  }

  private written(lastRevision: number, stream: string): WriteResult {
    const position = this.file.at(stream, lastRevision)?.position
    return { kind: 'written', lastRevision, position, isRepeated: false }
  }

  private refusal(stream: string, expected: ExpectedVersion): WriteResult | undefined {
    const decision = checkCommit(this.factsOf(stream), expected, [])
    if (decision.kind === 'deleted') return decision
    return decision.kind === 'ok'
      ? undefined
      : { kind: 'wrong version', current: this.lastRevisionOf(stream) }
  }

  private factsOf(stream: string): CommitFacts {
    return {
      current: this.lastRevisionOf(stream),
      isTombstoned: this.isTombstoned(stream),
      isSoftDeleted: isSoftDeleted(this.metadataOf(stream)),
      hasMetadata: this.metadata.has(stream),
      recent: (id) => {
        const found = this.recent.get(id)
        return found?.stream === stream ? found.revision : undefined
      },
      idAt: (revision) => this.file.at(stream, revision)?.id,
    }
  }

  private truncate(stream: string, before: string): void {
    this.put(metaStreamOf(stream), systemEvent(systemTypes.metadata, `{"$tb":${before}}`))
  }

  private systemEventWhenDue(count: number): void {
    this.sinceSystemEvent += count
    if (this.sinceSystemEvent < this.systemEventEvery) return
    this.sinceSystemEvent = 0
    this.put(statsStream, systemEvent(systemTypes.stats, `{"es-queue-length":${this.next}}`))
  }

  private put(stream: string, event: ProposedEvent, revision = this.lastRevisionOf(stream) + 1): void {
    const position = this.next
    this.next += recordSize(stream, event)
    this.file.insert({ ...event, position, stream, revision, created: nowMs() })
    this.lastRevisions.set(stream, revision)
    if (isMetaStream(stream)) this.metadata.set(stream.slice(2), parseStreamMetadata(event.data))
    this.recent.set(event.id, { stream, revision })
    if (this.recent.size > recentIds) {
      const [oldest] = this.recent.keys()
      if (oldest !== undefined) this.recent.delete(oldest)
    }
  }
}
