import type { Position, RecordedEvent, Revision, StoredEvent } from '@almanac/domain'
import type {
  AppendResult,
  Clock,
  EventFilter,
  EventLog,
  EventPage,
  ExpectedRevision,
  PortFault,
  Random,
  Stop,
} from '@almanac/engine'
import type { EventStoreAddress } from './address.js'
import { Appender } from './appender.js'
import { follow } from './follow.js'
import { placeOf } from './place.js'
import { backwardsRequest, forwardsRequest, streamRequest } from './requests.js'
import { Sightings } from './sightings.js'
import { positionOf, recordedOf, type WireRecord } from './stored-event.js'
import { Wire } from './wire.js'

/** Every duration is in milliseconds. */
export interface EventStoreLogOptions {
  readonly address: EventStoreAddress
  /** Stands before the name of each stream, so that several clusters share a store. By custom `<cluster>.` */
  readonly prefix: string
  readonly clock: Clock
  /** Spreads out the attempts of many nodes to connect again. */
  readonly random: Random
  /** The connection's name in the server's logs. @default the prefix */
  readonly connectionName?: string
  /** An append, or a read that hears nothing, is over after this. @default 5_000 */
  readonly deadlineMs?: number
  /** A subscription that is silent for so long is held against the log's head. @default 15_000 */
  readonly silenceMs?: number
  /** The first wait before connecting again; it doubles. @default 100 */
  readonly retryMs?: number
  /** And the longest. @default 5_000 */
  readonly longestRetryMs?: number
  /** Bytes of an append, as the server counts them; the same as its own setting. @default 1_048_576 */
  readonly maxAppendSize?: number
  /** A subscription broke, or could not be opened; it goes on trying. */
  readonly onFault?: (message: string, fault: PortFault) => void
  /**
   * The server said when it took an event of ours: by its clock, and at some moment between the two of `elapsed()`.
   * Seen on the subscription alone, at no cost: without a follower nothing is said.
   */
  readonly onServerTime?: (serverTime: number, askedAt: number, answeredAt: number) => void
}

const defaults = {
  deadlineMs: 5_000,
  silenceMs: 15_000,
  retryMs: 100,
  longestRetryMs: 5_000,
  // The server's own default.
  maxAppendSize: 1_048_576,
}

/** All events of a stream: more than any has. */
const everything = Number.MAX_SAFE_INTEGER

/**
 * The event log in EventStoreDB 22.10 or later, or KurrentDB. Positions are commit positions: they grow with the bytes
 * written by everybody, so they have gaps.
 *
 * One for each process, since it is one connection. Everything but `follow` is asked of the leader.
 */
export class EventStoreLog implements EventLog {
  readonly #options: EventStoreLogOptions & typeof defaults
  readonly #wire: Wire
  readonly #appender: Appender
  readonly #sightings: Sightings
  /** The highest position of ours that is known to be in the log. */
  #known: Position = 0

  constructor(options: EventStoreLogOptions) {
    if (options.prefix === '' || options.prefix.startsWith('$')) {
      throw new Error(`"${options.prefix}" can't be the prefix of streams: it is empty, or the system's.`)
    }
    this.#options = { ...defaults, ...options }
    const { clock, onServerTime } = options
    this.#wire = new Wire(this.#options)
    this.#sightings = new Sightings(clock, onServerTime)
    this.#appender = new Appender({ ...this.#options, wire: this.#wire, sightings: this.#sightings })
  }

  async append(
    stream: string,
    expected: ExpectedRevision,
    events: readonly StoredEvent[],
  ): Promise<AppendResult> {
    if (events.length === 0) throw new Error('There is nothing to append.')
    const result = await this.#appender.append(this.#named(stream), expected, events)
    if (result.outcome === 'appended') this.#saw(result.position)
    return result
  }

  async readStream(stream: string, from: Revision = 0): Promise<readonly RecordedEvent[]> {
    const { records } = await this.#wire.read(streamRequest(this.#named(stream), from, everything))
    return records.map((record) => this.#recorded(record))
  }

  async readAll(after: Position, max: number, filter?: EventFilter): Promise<EventPage> {
    const { prefix } = this.#options
    const prefixes = filter?.streamPrefixes.map((wanted) => prefix + wanted) ?? [prefix]
    // Read before the page: all up to there has been looked at when the page ends, whether or not it passed.
    const head = filter === undefined ? 0 : await this.head()
    if (prefixes.length === 0) return { events: [], position: Math.max(after, head) }
    // The place is inclusive, and the event there need not be one of ours: so one more, and what is known is dropped.
    const asked = max + 1
    const request = forwardsRequest(after === 0 ? 'start' : after, asked, prefixes)
    const { records, count, lastPosition } = await this.#wire.read(request)
    const fresh = records.map((record) => this.#recorded(record)).filter(({ position }) => position > after)
    const events = fresh.slice(0, max)
    if (fresh.length > max) return { events, position: events.at(-1)?.position ?? after }
    const reached = lastPosition === undefined ? after : Math.max(after, placeOf(lastPosition))
    return { events, position: count < asked ? Math.max(reached, head) : reached }
  }

  async head(): Promise<Position> {
    const { prefix } = this.#options
    // More than one, since the newest may be the system's note that somebody has deleted a stream.
    const { records } = await this.#wire.read(backwardsRequest('end', 8, [prefix]))
    const [newest] = records
    this.#saw(newest === undefined ? 0 : (positionOf(newest) ?? 0))
    // A leader that was deposed and has not heard of it answers an old head. It is never taken for less than is known.
    return this.#known
  }

  follow(after: Position, stop: Stop): AsyncIterable<EventPage> {
    const parts = { ...this.#options, wire: this.#wire, head: () => this.head() }
    return follow(parts, after, stop, (record) => {
      this.#sightings.seen(record)
      return this.#recorded(record)
    })
  }

  /** Lets go of the connection. What is under way ends with a fault; following ends with its `stop`. */
  async close(): Promise<void> {
    await this.#wire.close()
  }

  #named(stream: string): string {
    return this.#options.prefix + stream
  }

  #recorded(record: WireRecord): RecordedEvent {
    const event = recordedOf(record, this.#options.prefix)
    this.#saw(event.position)
    return event
  }

  #saw(position: Position): void {
    if (position > this.#known) this.#known = position
  }
}
