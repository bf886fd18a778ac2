import { eventHash, type Position, type RecordedEvent, type StoredEvent } from '@almanac/domain'
import type { Stop } from '../ports/clock.js'
import {
  type AppendResult,
  appendedAt,
  type EventFilter,
  type EventLog,
  type EventPage,
  type ExpectedRevision,
} from '../ports/event-log.js'

/** Events in one page of `follow`. */
const followPage = 500

/**
 * An event log that lives in this process: for tests and the simulator. It keeps the port's whole contract
 * but durability. What is stored has been through JSON, so nobody holds a reference into it, and a value that
 * JSON would alter shows.
 */
export function memoryEventLog(): EventLog {
  return new MemoryEventLog()
}

class MemoryEventLog implements EventLog {
  private readonly events: RecordedEvent[] = []
  private readonly streams = new Map<string, RecordedEvent[]>()
  private readonly waiting = new Set<() => void>()

  async append(
    stream: string,
    expected: ExpectedRevision,
    events: readonly StoredEvent[],
  ): Promise<AppendResult> {
    const recorded = this.streams.get(stream) ?? []
    const next = expected === 'none' ? 0 : expected + 1
    if (recorded.length !== next) return this.repeated(recorded, next, events)
    const copies = JSON.parse(JSON.stringify(events)) as StoredEvent[]
    const placed = copies.map((event, index) => ({
      ...event,
      stream,
      revision: next + index,
      position: this.events.length + index + 1,
      hash: eventHash(event),
    }))
    this.events.push(...placed)
    recorded.push(...placed)
    if (recorded.length > 0) this.streams.set(stream, recorded)
    for (const wake of [...this.waiting]) wake()
    return appendedAt(placed)
  }

  /** The same events at the same place are answered as the first time; anything else is a conflict. */
  private repeated(
    recorded: readonly RecordedEvent[],
    next: number,
    events: readonly StoredEvent[],
  ): AppendResult {
    const there = recorded.slice(next, next + events.length)
    const isSame = there.length === events.length && there.every((event, i) => event.id === events[i]?.id)
    if (there.length > 0 && isSame) return appendedAt(there)
    return { outcome: 'conflict', actual: recorded.at(-1)?.revision ?? 'none' }
  }

  async readStream(stream: string, from = 0): Promise<readonly RecordedEvent[]> {
    return (this.streams.get(stream) ?? []).slice(from)
  }

  async readAll(after: Position, max: number, filter?: EventFilter): Promise<EventPage> {
    return this.page(after, max, filter)
  }

  async head(): Promise<Position> {
    return this.events.length
  }

  async *follow(after: Position, stop: Stop): AsyncIterable<EventPage> {
    let position = after
    while (!stop.stopped) {
      const page = this.page(position, followPage)
      if (page.events.length === 0) {
        await this.nextAppend(stop)
        continue
      }
      position = page.position
      yield page
    }
  }

  private page(after: Position, max: number, filter?: EventFilter): EventPage {
    const events: RecordedEvent[] = []
    let position = after
    while (position < this.events.length && events.length < max) {
      const event = this.events[position]
      position += 1
      if (event !== undefined && passes(event, filter)) events.push(event)
    }
    return { events, position }
  }

  private nextAppend(stop: Stop): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.waiting.delete(wake)
        forget()
        resolve()
      }
      let forget = (): void => {}
      this.waiting.add(wake)
      forget = stop.onStop(wake)
    })
  }
}

const passes = (event: RecordedEvent, filter: EventFilter | undefined): boolean =>
  filter === undefined || filter.streamPrefixes.some((prefix) => event.stream.startsWith(prefix))
