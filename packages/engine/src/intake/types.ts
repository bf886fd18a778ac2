import type { LeasedRun, LeaseReply } from '../ports/run-store.js'

/** The worker's side. */
export interface RunIntake {
  /** Waits up to `waitMs` for the first run; then answers at once what there is, at most `max`. */
  lease(request: {
    readonly namespace: string
    readonly queue: string
    readonly max: number
    readonly waitMs: number
    readonly worker: string
    readonly leaseMs: number
  }): Promise<readonly LeasedRun[]>
  ack(namespace: string, runId: string, leaseToken: string): Promise<LeaseReply>
  fail(
    namespace: string,
    runId: string,
    leaseToken: string,
    error: string,
    retryInMs: number | null,
  ): Promise<LeaseReply>
  heartbeat(
    namespace: string,
    runId: string,
    leaseToken: string,
    leaseMs: number,
  ): Promise<{ readonly reply: LeaseReply; readonly cancelRequested: boolean }>
}
