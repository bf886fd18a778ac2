import type { Rate, RateLimiter } from '@almanac/engine'

/** How often callers may ask. */
export interface RateOptions {
  readonly limiter: RateLimiter
  /** Of one credential; null: as often as it likes. */
  readonly perCaller: Rate | null
  /** Of all credentials in one namespace. */
  readonly perNamespace: Rate | null
}
