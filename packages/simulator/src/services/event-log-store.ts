import { eventHash, type Position, type RecordedEvent, type StoredEvent } from '@almanac/domain'
import {
  type AppendResult,
  appendedAt,
  type EventFilter,
  type EventPage,
  type ExpectedRevision,
} from '@almanac/engine'

/** What an append came to, and what has to be on the disk before anybody may hear of it. */
export interface Appended {
  readonly result: AppendResult
  readonly after: Position
}

/**
 * A log on a disk that is slower than its memory: appends go to a tail, and only what has been flushed is read by
 * anybody and survives a crash for sure.
 */
export class EventLogStore {
  private readonly events: RecordedEvent[] = []
  private readonly streams = new Map<string, RecordedEvent[]>()
  /** Last positions of the batches in the tail. */
  private tail: Position[] = []
  private flushedTo: Position = 0

  /** The last position that is on the disk. */
  get durable(): Position {
    return this.flushedTo
  }

  append(stream: string, expected: ExpectedRevision, events: readonly StoredEvent[]): Appended {
    const recorded = this.streams.get(stream) ?? []
    const next = expected === 'none' ? 0 : expected + 1
    if (recorded.length !== next) return this.repeated(recorded, next, events)
    const added: RecordedEvent[] = []
    for (const [index, event] of events.entries()) {
      const position = this.events.length + 1
      const placed = { ...event, stream, revision: next + index, position, hash: eventHash(event) }
      freeze(placed)
      this.events.push(placed)
      recorded.push(placed)
      added.push(placed)
    }
    if (recorded.length > 0) this.streams.set(stream, recorded)
    const position = this.events.length
    if (position > (this.tail.at(-1) ?? this.flushedTo)) this.tail.push(position)
    return { result: appendedAt(added), after: position }
  }

  /** The same events at the same place are answered as the first time; anything else is a conflict. */
  private repeated(
    recorded: readonly RecordedEvent[],
    next: number,
    events: readonly StoredEvent[],
  ): Appended {
    const there = recorded.slice(next, next + events.length)
    const last = there.at(-1)
    const isSame = there.length === events.length && there.every((event, i) => event.id === events[i]?.id)
    if (last !== undefined && isSame) return { result: appendedAt(there), after: last.position }
    const actual = recorded.at(-1)
    return {
      result: { outcome: 'conflict', actual: actual?.revision ?? 'none' },
      after: actual?.position ?? 0,
    }
  }

  /** Everything up to there is on the disk. */
  flush(position: Position): void {
    this.flushedTo = Math.max(this.flushedTo, Math.min(position, this.events.length))
    this.tail = this.tail.filter((end) => end > this.flushedTo)
  }

  /** A crash: of the batches in the tail only the first part is found again, `kept` of all in [0, 1]. */
  tear(kept: number): number {
    const survive = Math.floor(kept * (this.tail.length + 1))
    const end = this.tail[survive - 1] ?? this.flushedTo
    const lost = this.events.splice(end)
    for (const { stream } of lost) this.streams.get(stream)?.pop()
    for (const { stream } of lost) if (this.streams.get(stream)?.length === 0) this.streams.delete(stream)
    this.flushedTo = end
    this.tail = []
    return lost.length
  }

  /** Of one stream, up to position `limit`. */
  stream(stream: string, from: number, limit: Position): readonly RecordedEvent[] {
    const recorded = this.streams.get(stream)?.slice(from) ?? []
    const end = Math.min(limit, this.flushedTo)
    while ((recorded.at(-1)?.position ?? 0) > end) recorded.pop()
    return recorded
  }

  /** Of the whole log, up to position `limit`. */
  page(after: Position, max: number, limit: Position, filter?: EventFilter): EventPage {
    const end = Math.min(limit, this.flushedTo)
    const events: RecordedEvent[] = []
    let position = after
    while (position < end && events.length < max) {
      const event = this.events[position]
      position += 1
      if (event !== undefined && passes(event, filter)) events.push(event)
    }
    return { events, position }
  }
}

const passes = (event: RecordedEvent, filter: EventFilter | undefined): boolean =>
  filter === undefined || filter.streamPrefixes.some((prefix) => event.stream.startsWith(prefix))

/** All readers get the same object: one that changes it would be heard by the others. */
function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return
  Object.freeze(value)
  for (const part of Object.values(value)) freeze(part)
}
