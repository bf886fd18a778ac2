import type { Instant } from '@almanac/recurrence'

/** Asks a wait or a loop to end. The engine's own, since pure code has no AbortSignal. */
export interface Stop {
  readonly stopped: boolean
  /** Calls back once, at once if already stopped. Returns a function that takes the callback back. */
  onStop(callback: () => void): () => void
}

/** The only source of time. Wall time decides what is due; elapsed time decides trust and backoff. */
export interface Clock {
  /** Wall clock. May step either way. */
  now(): Instant
  /** Milliseconds on a clock that never goes back; meaningful only as a difference. */
  elapsed(): number
  /** Resolves after `ms`, or at once when `stop` fires. Never rejects. Waits longer than 2^31 ms are allowed. */
  sleep(ms: number, stop?: Stop): Promise<void>
}

/** The only source of chance. */
export interface Random {
  /** In [0, 1). */
  next(): number
  /** `bytes` of chance as lower-case hex; unguessable in production. */
  token(bytes: number): string
}
