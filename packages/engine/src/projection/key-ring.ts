import { type ApiKey, evolveKeys, type KeyRing, keysStream, type RecordedEvent } from '@almanac/domain'
import type { Clock, Stop } from '../ports/clock.js'
import type { EventLog } from '../ports/event-log.js'
import { PortFault } from '../ports/faults.js'

interface KeyRingParts {
  readonly log: EventLog
  readonly clock: Clock
  readonly retryMs: number
  readonly onFault: (message: string, fault: unknown) => void
}

/**
 * The API keys, in memory: read as a whole at the start, since they are few and no request can be let in without them,
 * and then kept by the events that the projector applies.
 */
export class LiveKeyRing {
  private readonly parts: KeyRingParts
  private ring: KeyRing | undefined
  private isLoaded = false

  constructor(parts: KeyRingParts) {
    this.parts = parts
  }

  /** Reads the stream, again and again until the log answers, or `stop`. */
  async load(stop: Stop): Promise<void> {
    const { log, clock, retryMs, onFault } = this.parts
    while (!stop.stopped) {
      try {
        for (const event of await log.readStream(keysStream)) this.apply(event)
        this.isLoaded = true
        return
      } catch (fault) {
        if (!(fault instanceof PortFault)) throw fault
        onFault('reading the API keys', fault)
        await clock.sleep(retryMs, stop)
      }
    }
  }

  /** Takes events of all streams; what it has already changes nothing. */
  apply(event: RecordedEvent): void {
    if (event.stream !== keysStream || event.revision <= (this.ring?.revision ?? -1)) return
    this.ring = evolveKeys(this.ring, event)
  }

  key(keyId: string): ApiKey | undefined {
    return this.ring?.keys.get(keyId)
  }

  /** In the order in which they were made. Undefined before `load` is through. */
  all(): readonly ApiKey[] | undefined {
    return this.isLoaded ? [...(this.ring?.keys.values() ?? [])] : undefined
  }
}
