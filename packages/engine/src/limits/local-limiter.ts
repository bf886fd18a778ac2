import type { Clock } from '../ports/clock.js'
import type { Rate, RateLimiter } from '../ports/rate-limiter.js'

/**
 * Rates of this node alone, by the virtual scheduling algorithm (GCRA, ITU-T I.371): a bucket is one instant, that at
 * which it would be full again. One that is full is not kept.
 */
export class LocalRateLimiter implements RateLimiter {
  private readonly clock: Pick<Clock, 'elapsed'>
  private readonly fullAt = new Map<string, number>()

  constructor(clock: Pick<Clock, 'elapsed'>) {
    this.clock = clock
  }

  take(bucket: string, { perSecond, burst }: Rate): number {
    const now = this.clock.elapsed()
    const each = 1_000 / perSecond
    const next = Math.max(now, this.fullAt.get(bucket) ?? 0) + each
    const wait = next - now - burst * each
    // Half a microsecond: what arithmetic leaves of zero is no time to wait.
    if (wait > 0.0005) return wait
    this.fullAt.set(bucket, next)
    if (this.fullAt.size > maxBuckets) this.forget(now)
    return 0
  }

  /** Those that are full, and if they are still too many, the ones that were begun first. */
  private forget(now: number): void {
    for (const [bucket, at] of this.fullAt) if (at <= now) this.fullAt.delete(bucket)
    for (const bucket of this.fullAt.keys()) {
      if (this.fullAt.size <= maxBuckets) return
      this.fullAt.delete(bucket)
    }
  }
}

const maxBuckets = 10_000
