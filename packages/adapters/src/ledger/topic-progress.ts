import type { Clock } from '@almanac/engine'
import type { Instant } from '@almanac/recurrence'
import type { TopicKind } from './read-batch.js'

/** How far one topic has been read. */
export class TopicProgress {
  readonly kind: TopicKind
  private readonly clock: Clock
  private readonly idleMs: number
  private last: Instant = 0
  /** From when on, in elapsed time, nothing that comes means that there is nothing; undefined: it is not waited. */
  private quietFrom: number | undefined

  constructor(kind: TopicKind, clock: Clock, idleMs: number) {
    this.kind = kind
    this.clock = clock
    this.idleMs = idleMs
  }

  /** When the last record that was taken in was appended; 0: none. */
  get reachedAt(): Instant {
    return this.last
  }

  /** Records are being taken in. */
  reached(appendedAt: Instant): void {
    this.last = Math.max(this.last, appendedAt)
    this.quietFrom = undefined
  }

  /** The log has been asked for the first records: that takes longer than asking for more. */
  begins(): void {
    this.quietFrom = this.clock.elapsed() + beginningFactor * this.idleMs
  }

  /** The log has been asked for more. */
  waits(): void {
    this.quietFrom = this.clock.elapsed() + this.idleMs
  }

  /** The log can't be read. */
  fails(): void {
    this.quietFrom = undefined
  }

  /** What comes is new, or nothing has come for a while. */
  isAtEnd(): boolean {
    const { clock, quietFrom } = this
    const isQuiet = quietFrom !== undefined && clock.elapsed() >= quietFrom
    return isQuiet || clock.now() - this.last <= newMs
  }
}

const beginningFactor = 5
const newMs = 10_000
