import type { DeliverySource, WebhookMessage } from '../ports/webhook.js'

/** Where messages come from: each has places of its own. */
export type Feed = 'events' | 'runs'

/** A message that is not through yet. */
export interface Pending {
  readonly message: WebhookMessage
  readonly source: DeliverySource
  /** What it is about. Messages about one subject are sent one after the other. */
  readonly subject: string
  readonly feed: Feed
  readonly place: number
  attempts: number
  /** When it was tried first; null: it was not yet. */
  firstAt: number | null
  /** Not tried before, on elapsed time. */
  notBefore: number
  isSending: boolean
}

/**
 * The messages between what is through and what has been read: so many that one which fails does not hold up all the
 * others, and so few that they can be sent once more after a crash.
 */
export class Window {
  private readonly pending = new Set<Pending>()

  get size(): number {
    return this.pending.size
  }

  get sending(): number {
    let count = 0
    for (const { isSending } of this.pending) if (isSending) count += 1
    return count
  }

  add(entry: Pending): void {
    this.pending.add(entry)
  }

  settle(entry: Pending): void {
    this.pending.delete(entry)
  }

  /** The oldest that may be sent now: the first of its subject, and not waiting. */
  due(elapsed: number): Pending | undefined {
    for (const entry of this.heads()) if (!entry.isSending && entry.notBefore <= elapsed) return entry
    return undefined
  }

  /** When the next may be sent, on elapsed time; infinity: all are being sent, or there is none. */
  nextDueAt(): number {
    let next = Number.POSITIVE_INFINITY
    for (const entry of this.heads()) if (!entry.isSending) next = Math.min(next, entry.notBefore)
    return next
  }

  /** The place of the first that is not through; undefined: all of the feed are. */
  first(feed: Feed): number | undefined {
    for (const entry of this.pending) if (entry.feed === feed) return entry.place
    return undefined
  }

  private *heads(): Iterable<Pending> {
    const seen = new Set<string>()
    for (const entry of this.pending) {
      if (seen.has(entry.subject)) continue
      seen.add(entry.subject)
      yield entry
    }
  }
}
