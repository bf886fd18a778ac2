import type { RunCommand, RunRecord, RunStatus } from '@almanac/domain'

/** The numbers of the column `runs.state`; ready and delayed are both `queued` to the outside. */
export const runState = {
  ready: 0,
  delayed: 1,
  running: 2,
  succeeded: 3,
  failed: 4,
  expired: 5,
  cancelled: 6,
} as const

const statuses: readonly RunStatus[] = [
  'queued',
  'queued',
  'running',
  'succeeded',
  'failed',
  'expired',
  'cancelled',
]

export const statusOf = (state: number): RunStatus => {
  const status = statuses[state]
  if (status === undefined) throw new Error(`There is no run state ${state}.`)
  return status
}

export const statesOf = (status: RunStatus): readonly number[] =>
  statuses.flatMap((known, state) => (known === status ? [state] : []))

export interface RunRow {
  readonly body: string
  readonly state: number
  readonly attempt: number
  readonly worker: string | null
  readonly started_at: number | null
  readonly finished_at: number | null
  readonly not_before: number | null
  readonly lease_expires_at: number | null
  readonly error: string | null
  readonly cancel_requested: number
}

export const recordColumns =
  'body, state, attempt, worker, started_at, finished_at, not_before, lease_expires_at, error, cancel_requested'

export const recordOf = (row: RunRow): RunRecord => ({
  command: JSON.parse(row.body) as RunCommand,
  status: statusOf(row.state),
  attempt: row.attempt,
  worker: row.worker,
  startedAt: row.started_at,
  finishedAt: row.finished_at,
  notBefore: row.not_before,
  leaseExpiresAt: row.lease_expires_at,
  error: row.error,
  cancelRequested: row.cancel_requested === 1,
})

/** How a file has its runs: the columns of a row, and what they come to. */
export interface RunShape {
  readonly columns: string
  readonly recordOf: (row: RunRow) => RunRecord
}

export const mainRuns: RunShape = { columns: recordColumns, recordOf }
