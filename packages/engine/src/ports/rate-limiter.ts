/** How often something may be done. */
export interface Rate {
  /** In the long run. More than 0. */
  readonly perSecond: number
  /** At once, after a rest. At least 1. */
  readonly burst: number
}

/** Counts what is done against rates. */
export interface RateLimiter {
  /**
   * Takes one of `bucket`. Answers 0 when it was there, else how long to wait until it will be, in milliseconds, and
   * takes nothing. Never rejects: a limiter that can't count lets through what its own node may let through.
   */
  take(bucket: string, rate: Rate): number | Promise<number>
}
