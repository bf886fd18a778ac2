import {
  evolveWebhooks,
  type RecordedEvent,
  type Webhook,
  type WebhookBook,
  webhooksStream,
} from '@almanac/domain'
import type { Clock, Stop } from '../ports/clock.js'
import type { EventLog } from '../ports/event-log.js'
import { PortFault } from '../ports/faults.js'

interface BookParts {
  readonly log: EventLog
  readonly clock: Clock
  readonly retryMs: number
  readonly onFault: (message: string, fault: unknown) => void
}

/** All webhooks, in memory: they are few. Read as a whole at the start, then kept by the events that are applied. */
export class LiveWebhooks {
  private readonly parts: BookParts
  private readonly listeners = new Set<() => void>()
  private book: WebhookBook | undefined

  constructor(parts: BookParts) {
    this.parts = parts
  }

  /** Reads the stream, again and again until the log answers, or `stop`. */
  async load(stop: Stop): Promise<void> {
    const { log, clock, retryMs, onFault } = this.parts
    while (!stop.stopped) {
      try {
        for (const event of await log.readStream(webhooksStream)) this.apply(event)
        return
      } catch (fault) {
        if (!(fault instanceof PortFault)) throw fault
        onFault('reading the webhooks', fault)
        await clock.sleep(retryMs, stop)
      }
    }
  }

  /** Takes events of all streams; what it has already changes nothing. */
  apply(event: RecordedEvent): void {
    if (event.stream !== webhooksStream || event.revision <= (this.book?.revision ?? -1)) return
    this.book = evolveWebhooks(this.book, event)
    for (const listener of this.listeners) listener()
  }

  onChange(listener: () => void): void {
    this.listeners.add(listener)
  }

  get(webhookId: string): Webhook | undefined {
    return this.book?.webhooks.get(webhookId)
  }

  /** In the order in which they were made. */
  all(): readonly Webhook[] {
    return [...(this.book?.webhooks.values() ?? [])]
  }
}
