import type { Instant } from '@almanac/recurrence'

/** When a message is tried again, and when a webhook is given up. Every duration is in milliseconds. */
export const deliveryRules = {
  /** Before the second try; each further pause is three times as long. */
  firstPauseMs: 5_000,
  longestPauseMs: 6 * 3_600_000,
  /** So long a receiver may ask to be left alone (`Retry-After`). */
  longestRetryAfterMs: 24 * 3_600_000,
  /** A message that failed so often is given up, if others have got through since: about a day. */
  maxAttempts: 12,
  /** A webhook is switched off when nothing has got through for so long. */
  disableAfterMs: 3 * 24 * 3_600_000,
  /** From so many failures in a row on, the receiver is taken to be down: one message at a time, with pauses. */
  failuresUntilDown: 3,
  longestDownPauseMs: 60_000,
} as const

/** What came of one try. */
export interface DeliveryAnswer {
  /** HTTP status; null: there was no answer. */
  readonly status: number | null
  /** As the receiver asked for with `Retry-After`; null: it did not. */
  readonly retryAfterMs: number | null
  /** Why it did not succeed, in words; null: it did. */
  readonly error: string | null
  /** How long it took. */
  readonly ms: number
}

/** How a webhook as a whole has fared. */
export interface DeliveryHealth {
  /** When the first of the failures since the last success was; null: there is none. */
  readonly failingSince: Instant | null
  readonly failuresInRow: number
  readonly lastSuccessAt: Instant | null
}

export const healthy: DeliveryHealth = { failingSince: null, failuresInRow: 0, lastSuccessAt: null }

export const isDelivered = ({ status }: Pick<DeliveryAnswer, 'status'>): boolean =>
  status !== null && status >= 200 && status < 300

/** 410: the receiver says that it is there no more. */
export const isGone = ({ status }: Pick<DeliveryAnswer, 'status'>): boolean => status === 410

export function healthAfter(health: DeliveryHealth, answer: DeliveryAnswer, at: Instant): DeliveryHealth {
  if (isDelivered(answer)) return { failingSince: null, failuresInRow: 0, lastSuccessAt: at }
  const { failingSince, failuresInRow, lastSuccessAt } = health
  return { failingSince: failingSince ?? at, failuresInRow: failuresInRow + 1, lastSuccessAt }
}

/** One message that has been tried. */
export interface Tried {
  /** Tries so far, at least 1. */
  readonly attempts: number
  /** When it was tried first. */
  readonly firstAt: Instant
}

export type DeliveryVerdict =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'retry'; readonly pauseMs: number }
  /** No more tries: it can be sent again by hand. */
  | { readonly kind: 'given_up' }

/**
 * What is done after a try. `health`: after it. `chance`: in [0, 1), so that receivers which come back are not met by
 * all at once. A message is given up for its own sake only: while nothing gets through, it is not its fault.
 */
export function verdictOf(
  { attempts, firstAt }: Tried,
  answer: DeliveryAnswer,
  health: DeliveryHealth,
  chance: number,
): DeliveryVerdict {
  if (isDelivered(answer)) return { kind: 'delivered' }
  const othersGotThrough = health.lastSuccessAt !== null && health.lastSuccessAt >= firstAt
  if (attempts >= deliveryRules.maxAttempts && othersGotThrough) return { kind: 'given_up' }
  const own = pauseAfter(attempts, chance)
  const asked = Math.min(answer.retryAfterMs ?? 0, deliveryRules.longestRetryAfterMs)
  return { kind: 'retry', pauseMs: Math.max(own, asked) }
}

/** 5 s, 15 s, 45 s, ... 6 h, each a quarter shorter or longer by chance. */
export function pauseAfter(attempts: number, chance: number): number {
  const { firstPauseMs, longestPauseMs } = deliveryRules
  const pause = Math.min(firstPauseMs * 3 ** Math.min(attempts - 1, 20), longestPauseMs)
  return spread(pause, chance)
}

/** Whether the receiver is taken to be down. */
export const isDown = ({ failuresInRow }: DeliveryHealth): boolean =>
  failuresInRow >= deliveryRules.failuresUntilDown

/** How long nothing at all is sent after a failure: 0 while only single messages fail. */
export function downPauseMs(health: DeliveryHealth, chance: number): number {
  if (!isDown(health)) return 0
  const { failuresUntilDown, longestDownPauseMs } = deliveryRules
  const pause = 1_000 * 2 ** Math.min(health.failuresInRow - failuresUntilDown, 20)
  return spread(Math.min(pause, longestDownPauseMs), chance)
}

const spread = (ms: number, chance: number): number => Math.round(ms * (0.75 + chance / 2))

/** Whether nothing has got through for too long. */
export const isGivenUp = ({ failingSince }: DeliveryHealth, now: Instant): boolean =>
  failingSince !== null && now - failingSince >= deliveryRules.disableAfterMs
