import type { Position, RecordedEvent, Revision, StoredEvent } from '@almanac/domain'
import type { Stop } from './clock.js'

/** `none`: the stream must not exist yet; a number: the revision of its last event. */
export type ExpectedRevision = Revision | 'none'

export type AppendResult =
  | {
      readonly outcome: 'appended'
      /** Of the last event. */
      readonly revision: Revision
      /** Of the last event. */
      readonly position: Position
      /** Of each event, in order: they grow, and need not be next to each other. */
      readonly positions: readonly Position[]
    }
  /** Somebody else was first. `actual` is the stream's last revision, or `none`. */
  | { readonly outcome: 'conflict'; readonly actual: ExpectedRevision }

/** The answer to an append whose events have these places; throws when there are none. */
export function appendedAt(
  places: readonly { readonly revision: Revision; readonly position: Position }[],
): AppendResult {
  const last = places.at(-1)
  if (last === undefined) throw new Error('There is nothing to append.')
  const { revision, position } = last
  return { outcome: 'appended', revision, position, positions: places.map((place) => place.position) }
}

export interface EventPage {
  readonly events: readonly RecordedEvent[]
  /** Everything up to here has been read, whether or not it passed the filter. */
  readonly position: Position
}

export interface EventFilter {
  /** Only streams whose name starts with one of these. */
  readonly streamPrefixes: readonly string[]
}

/**
 * Streams of events with optimistic concurrency, in one total order.
 *
 * An append is durable when it resolves. Appending the same event ids again at the same expected revision
 * answers as the first time (idempotent); it never appends twice. Throws `Unavailable` when the log can't be
 * reached and nothing was appended, `OutcomeUnknown` when it may or may not have been.
 */
export interface EventLog {
  append(stream: string, expected: ExpectedRevision, events: readonly StoredEvent[]): Promise<AppendResult>
  /** Events of one stream from `from` (inclusive) on, in order; empty when there are none. */
  readStream(stream: string, from?: Revision): Promise<readonly RecordedEvent[]>
  /** At most `max` events of the whole log after `after` (exclusive), in order. */
  readAll(after: Position, max: number, filter?: EventFilter): Promise<EventPage>
  /** Position of the newest event, 0 when empty: everything acknowledged before the call is at or before it. */
  head(): Promise<Position>
  /** Pages of events after `after`, without end: first what there is, then what comes. Ends when `stop` fires. */
  follow(after: Position, stop: Stop): AsyncIterable<EventPage>
}
