import type { Instant } from '@almanac/recurrence'
import type { Clock, Stop } from './ports/clock.js'

/**
 * Wall time that never goes back. A step forward is followed at once. After a step back, time goes on at half
 * speed until the wall has caught up: no instant is decided twice, and intervals do not fall silent for the
 * length of the step (CELERY.md, acceptance case 38). `ahead` tells how far it is from the wall meanwhile.
 */
export class SteadyClock implements Clock {
  private readonly source: Clock
  private readonly isVouchedFor: () => boolean
  private last: number
  private lastElapsed: number

  /**
   * `isVouchedFor`: other clocks say now that the source is right. A large step back is then followed at once: what
   * this clock has said before was wrong, and every commit was held against the dispatch log's own clock.
   */
  constructor(source: Clock, isVouchedFor: () => boolean = () => false) {
    this.source = source
    this.isVouchedFor = isVouchedFor
    this.last = source.now()
    this.lastElapsed = source.elapsed()
  }

  now(): Instant {
    const elapsed = this.source.elapsed()
    const slow = this.last + (elapsed - this.lastElapsed) / 2
    const now = this.source.now()
    this.last = slow - now > vouchedStepMs && this.isVouchedFor() ? now : Math.max(now, slow)
    this.lastElapsed = elapsed
    return Math.floor(this.last)
  }

  /**
   * What was decided until `instant` is decided: time goes on from there, as after a step back, when the wall is
   * behind it. More than a day ahead is taken for a wrong clock then, and left alone.
   */
  notBefore(instant: Instant): void {
    if (instant > this.last && instant - this.source.now() <= maxAheadMs) this.last = instant
  }

  /** Milliseconds by which this clock is ahead of the wall; 0 unless the wall has stepped back. */
  ahead(): number {
    return Math.max(0, this.now() - this.source.now())
  }

  elapsed(): number {
    return this.source.elapsed()
  }

  sleep(ms: number, stop?: Stop): Promise<void> {
    return this.source.sleep(ms, stop)
  }
}

const maxAheadMs = 86_400_000

/** Less is waited out, also when others vouch for the source. */
const vouchedStepMs = 500
