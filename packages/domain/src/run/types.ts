import type { Instant } from '@almanac/recurrence'
import type { RunCommand } from '../dispatch/types.js'

export type RunStatus = 'queued' | 'running' | 'succeeded' | 'failed' | 'expired' | 'cancelled'

/** A run with what became of it. */
export interface RunRecord {
  readonly command: RunCommand
  readonly status: RunStatus
  /** How often it has been leased. */
  readonly attempt: number
  readonly worker: string | null
  readonly startedAt: Instant | null
  readonly finishedAt: Instant | null
  /** Not leased before this (delay between attempts). */
  readonly notBefore: Instant | null
  readonly leaseExpiresAt: Instant | null
  readonly error: string | null
  readonly cancelRequested: boolean
}

export interface RunTotals {
  readonly taskId: string
  readonly totalRunCount: number
  /** Emission time of the newest run. */
  readonly lastRunAt: Instant | null
  /** Its scheduled instant. */
  readonly lastScheduledAt: Instant | null
}
