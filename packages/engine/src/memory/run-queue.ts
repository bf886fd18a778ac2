import type { Instant } from '@almanac/recurrence'
import type { Random } from '../ports/clock.js'
import type { LeasedRun, LeaseReply, LeaseRequest } from '../ports/run-store.js'
import { change, isFinished, type Row, type RowState, type RunTable, recordOf } from './run-table.js'

/** The work queue over the table of runs. */
export class RunQueue {
  private readonly table: RunTable
  private readonly random: Random

  constructor(table: RunTable, random: Random) {
    this.table = table
    this.random = random
  }

  lease(request: LeaseRequest): readonly LeasedRun[] {
    const { namespace, queue, max, now } = request
    this.wake(namespace, queue, now)
    const leased: LeasedRun[] = []
    const taken = new Set<string>()
    for (const row of [...this.table.lane(namespace, queue).ready]) {
      if (leased.length === max) break
      const { overlap, taskId } = row.command
      const isTaken = taken.has(taskId)
      if (overlap === 'queueOne' && !isTaken && this.heldUntil(row, now).length > 0) continue
      if (this.finishedInstead(row, now) || (overlap === 'queueOne' && isTaken)) continue
      leased.push(this.hand(row, request))
      taken.add(taskId)
    }
    return leased
  }

  /** Once more with the same token is `ok` too: the first answer may not have reached the worker. */
  ack(runId: string, token: string, now: Instant): LeaseReply {
    const row = this.table.row(runId)
    if (row === undefined) return 'unknown'
    if (row.leaseToken !== token) return 'lost'
    if (row.state === 'succeeded') return 'ok'
    return isFinished(row) ? 'lost' : this.finish(row, 'succeeded', now, null)
  }

  fail(runId: string, token: string, now: Instant, error: string, retryAt: Instant | null): LeaseReply {
    const row = this.held(runId, token)
    if (typeof row === 'string') return row
    if (row.cancelRequested) return this.finish(row, 'cancelled', now, error)
    if (retryAt === null || row.attempt >= row.command.maxAttempts) {
      return this.finish(row, 'failed', now, error)
    }
    change(row, { notBefore: retryAt, error, leaseExpiresAt: null, leaseToken: null })
    this.table.move(row, 'delayed')
    return 'ok'
  }

  heartbeat(runId: string, token: string, now: Instant, leaseMs: number) {
    const row = this.held(runId, token)
    if (typeof row === 'string') return { reply: row, cancelRequested: false }
    row.leaseExpiresAt = now + leaseMs
    this.table.move(row, 'running')
    return { reply: 'ok' as const, cancelRequested: row.cancelRequested }
  }

  nextWakeAt(namespace: string, queue: string, now: Instant): Instant | null {
    const { ready, delayed, running } = this.table.lane(namespace, queue)
    let first = Number.POSITIVE_INFINITY
    for (const { notBefore } of delayed) first = Math.min(first, notBefore ?? first)
    for (const { leaseExpiresAt } of running) first = Math.min(first, leaseExpiresAt ?? first)
    for (const row of ready) {
      if (row.command.overlap === 'queueOne') first = Math.min(first, ...this.heldUntil(row, now))
    }
    return first === Number.POSITIVE_INFINITY ? null : Math.max(first, now)
  }

  finish(row: Row, to: RowState, now: Instant, error: string | null): 'ok' {
    const leaseToken = to === 'succeeded' ? row.leaseToken : null
    change(row, { finishedAt: now, error, leaseToken, leaseExpiresAt: null, notBefore: null })
    this.table.move(row, to)
    return 'ok'
  }

  /** Puts back what was delayed until now, and what was leased until now. */
  private wake(namespace: string, queue: string, now: Instant): void {
    const { delayed, running } = this.table.lane(namespace, queue)
    for (const row of [...delayed]) {
      if (row.notBefore !== null && row.notBefore > now) continue
      row.notBefore = null
      this.table.move(row, 'ready')
    }
    for (const row of [...running]) {
      if (row.leaseExpiresAt === null || row.leaseExpiresAt > now) continue
      row.leaseExpiresAt = null
      this.table.move(row, 'ready')
    }
  }

  /** When each run of the task that is running now may lapse; infinite when it never does. */
  private heldUntil({ command }: Row, now: Instant): readonly number[] {
    const ends: number[] = []
    for (const { leaseExpiresAt } of this.table.runningOf(command.taskId)) {
      const end = leaseExpiresAt ?? Number.POSITIVE_INFINITY
      if (end > now) ends.push(end)
    }
    return ends
  }

  private finishedInstead(row: Row, now: Instant): boolean {
    const { expiresAt } = row.command
    if (row.cancelRequested) this.finish(row, 'cancelled', now, null)
    else if (expiresAt !== null && expiresAt <= now) this.finish(row, 'expired', now, null)
    else return false
    return true
  }

  private hand(row: Row, { worker, leaseMs, now }: LeaseRequest): LeasedRun {
    const leaseToken = this.random.token(16)
    change(row, { leaseToken, worker, leaseExpiresAt: now + leaseMs, startedAt: now, notBefore: null })
    row.attempt += 1
    this.table.move(row, 'running')
    return { run: recordOf(row), leaseToken }
  }

  /** The row when the token is the one that was handed out last and the run is not finished. */
  private held(runId: string, token: string): Row | 'lost' | 'unknown' {
    const row = this.table.row(runId)
    if (row === undefined) return 'unknown'
    return !isFinished(row) && row.leaseToken === token ? row : 'lost'
  }
}
