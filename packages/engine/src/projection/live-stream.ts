import type { RecordedEvent, Revision } from '@almanac/domain'
import type { Clock, Stop } from '../ports/clock.js'
import type { EventLog } from '../ports/event-log.js'
import { PortFault } from '../ports/faults.js'

export interface LiveStreamParts {
  readonly log: EventLog
  readonly clock: Clock
  readonly retryMs: number
  readonly onFault: (message: string, fault: unknown) => void
}

interface Kind<S> {
  readonly stream: string
  /** As a message names what is in it. */
  readonly what: string
  readonly evolve: (state: S | undefined, event: RecordedEvent) => S
}

/**
 * What one small stream amounts to, in memory: read as a whole at the start, and then kept by the events that the
 * projector applies.
 */
export class LiveStream<S extends { readonly revision: Revision }> {
  private readonly parts: LiveStreamParts
  private readonly kind: Kind<S>
  private readonly listeners = new Set<() => void>()
  private folded: S | undefined
  private isThrough = false

  constructor(parts: LiveStreamParts, kind: Kind<S>) {
    this.parts = parts
    this.kind = kind
  }

  /** Reads the stream, again and again until the log answers, or `stop`. */
  async load(stop: Stop): Promise<void> {
    const { log, clock, retryMs, onFault } = this.parts
    const { stream, what } = this.kind
    while (!stop.stopped) {
      try {
        for (const event of await log.readStream(stream)) this.apply(event)
        this.isThrough = true
        return
      } catch (fault) {
        if (!(fault instanceof PortFault)) throw fault
        onFault(`reading ${what}`, fault)
        await clock.sleep(retryMs, stop)
      }
    }
  }

  /** Takes events of all streams; what it has already changes nothing. */
  apply(event: RecordedEvent): void {
    const { stream, evolve } = this.kind
    if (event.stream !== stream || event.revision <= (this.folded?.revision ?? -1)) return
    this.folded = evolve(this.folded, event)
    for (const listener of this.listeners) listener()
  }

  onChange(listener: () => void): void {
    this.listeners.add(listener)
  }

  /** Undefined before the first event. */
  state(): S | undefined {
    return this.folded
  }

  /** All that was in the stream at the start has been read. */
  isLoaded(): boolean {
    return this.isThrough
  }
}
