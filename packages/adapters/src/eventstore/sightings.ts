import type { Clock } from '@almanac/engine'
import { createdAt, uuidTextOf, type WireRecord } from './stored-event.js'

const mostAwaited = 64

/** Appends of ours that the subscription will show: when it does, the server's clock can be told from them. */
export class Sightings {
  readonly #clock: Clock
  readonly #tell: ((serverTime: number, askedAt: number, answeredAt: number) => void) | undefined
  /** By the id of the append's first event: when it was sent. */
  readonly #sent = new Map<string, number>()

  constructor(
    clock: Clock,
    tell: ((serverTime: number, askedAt: number, answeredAt: number) => void) | undefined,
  ) {
    this.#clock = clock
    this.#tell = tell
  }

  /**
   * When it was sent for the first time: an append whose answer was lost is sent again, and the server's time is that
   * of the first. Two processes never send events with one id, since their time is part of it.
   */
  sent(id: string): void {
    if (this.#tell === undefined || this.#sent.has(id)) return
    this.#sent.set(id, this.#clock.elapsed())
    const [oldest] = this.#sent.keys()
    if (this.#sent.size > mostAwaited && oldest !== undefined) this.#sent.delete(oldest)
  }

  /** It was not appended. */
  forget(id: string): void {
    this.#sent.delete(id)
  }

  seen(record: WireRecord): void {
    if (this.#sent.size === 0) return
    const id = uuidTextOf(record.getId())
    const askedAt = this.#sent.get(id)
    if (askedAt === undefined) return
    this.#sent.delete(id)
    this.#tell?.(createdAt(record), askedAt, this.#clock.elapsed())
  }
}
