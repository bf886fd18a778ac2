import type { Position, RecordedEvent, Revision } from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'
import type { EventLog, ExpectedRevision } from '../ports/event-log.js'
import { unavailable } from '../ports/faults.js'

/** What a stream amounts to. */
export interface Folded<S> {
  /** Undefined before the first event that makes one. */
  readonly state: S | undefined
  /** Of the last event. */
  readonly revision: ExpectedRevision
  /** Of the last event; '' before the first. */
  readonly hash: string
  readonly at: Instant
  readonly position: Position
  /**
   * Which commands with an idempotency key have been applied; the newest 10 000. One map for all states of a
   * stream: it only grows, by events that are in the log.
   */
  readonly keys: Map<string, KeyUse>
}

export interface KeyUse {
  readonly fingerprint: string | undefined
  /** Of the command's last event. */
  readonly revision: Revision
}

/** One key means different commands in different namespaces. */
export const keyOf = (namespace: string, idempotencyKey: string): string => `${namespace}|${idempotencyKey}`

const maxKeys = 10_000

/** Folds one kind of stream. `hashOf` gives the hash of the event that led to a state. */
export interface Kind<S> {
  readonly evolve: (state: S | undefined, event: RecordedEvent) => S | undefined
  readonly hashOf: (state: S) => string
}

/**
 * The folded streams of one kind, the newest used kept in memory: so a busy stream is not read again for each
 * command. What is kept may be behind the log, never ahead of it: the expected revision of an append tells,
 * and `refresh` reads what has come since.
 */
export class Streams<S> {
  private readonly log: EventLog
  private readonly kind: Kind<S>
  private readonly limit: number
  /** In the order of their last use. */
  private readonly known = new Map<string, Folded<S>>()

  /** `limit`: how many streams are kept. */
  constructor(log: EventLog, kind: Kind<S>, limit: number) {
    this.log = log
    this.kind = kind
    this.limit = limit
  }

  /** From memory when it is there. */
  async load(stream: string): Promise<{ readonly folded: Folded<S>; readonly isFresh: boolean }> {
    const known = this.known.get(stream)
    if (known === undefined) return { folded: await this.refresh(stream), isFresh: true }
    this.keep(stream, known)
    return { folded: known, isFresh: false }
  }

  /** With everything that was acknowledged before the call. */
  async refresh(stream: string): Promise<Folded<S>> {
    const known = this.known.get(stream) ?? this.empty()
    const events = await this.log.readStream(stream, next(known.revision))
    return this.apply(stream, known, events)
  }

  /**
   * The stream as it was at `revision`, with the events that `ofCommand` picks. Throws `unavailable` when the log shows
   * less than is known to be in it: a server that is behind has answered.
   */
  async at(
    stream: string,
    revision: Revision,
    ofCommand: (event: RecordedEvent) => boolean,
  ): Promise<{ readonly folded: Folded<S>; readonly events: readonly RecordedEvent[] }> {
    const events = (await this.log.readStream(stream)).slice(0, revision + 1)
    if (events.length <= revision) throw unavailable(`${stream} is read from a server that is behind`)
    return { folded: this.fold(this.empty(), events), events: events.filter(ofCommand) }
  }

  /** Takes in events that follow on `before`, and keeps the result. */
  apply(stream: string, before: Folded<S>, events: readonly RecordedEvent[]): Folded<S> {
    const folded = this.fold(before, events)
    this.keep(stream, folded)
    return folded
  }

  forget(stream: string): void {
    this.known.delete(stream)
  }

  private empty(): Folded<S> {
    return { state: undefined, revision: 'none', hash: '', at: 0, position: 0, keys: new Map() }
  }

  private fold(before: Folded<S>, events: readonly RecordedEvent[]): Folded<S> {
    const last = events.at(-1)
    if (last === undefined) return before
    let { state, keys } = before
    for (const event of events) {
      state = this.kind.evolve(state, event)
      const { namespace, idempotencyKey, fingerprint } = event.metadata
      if (idempotencyKey !== undefined) {
        keys.set(keyOf(namespace, idempotencyKey), { fingerprint, revision: event.revision })
      }
    }
    for (const key of keys.keys()) {
      if (keys.size <= maxKeys) break
      keys.delete(key)
    }
    const hash = state === undefined ? '' : this.kind.hashOf(state)
    return { state, revision: last.revision, hash, at: last.metadata.at, position: last.position, keys }
  }

  private keep(stream: string, folded: Folded<S>): void {
    // A stream without events is not worth a place; there are endlessly many.
    if (folded.revision === 'none') return
    this.known.delete(stream)
    this.known.set(stream, folded)
    if (this.known.size <= this.limit) return
    const [oldest] = this.known.keys()
    if (oldest !== undefined) this.known.delete(oldest)
  }
}

const next = (revision: ExpectedRevision): Revision => (revision === 'none' ? 0 : revision + 1)
