import type { RunCommand } from '@almanac/domain'
import type { Clock, Stop } from '../ports/clock.js'
import type { LeasedRun, RunReads, WorkQueue } from '../ports/run-store.js'
import { createStop } from '../stop.js'
import type { RunIntake } from './types.js'

interface IntakeParts {
  readonly runs: RunReads
  readonly queue: WorkQueue
  readonly clock: Clock
  readonly stop: Stop
}

/** Workers wait here for runs: a commit wakes those that wait for its queues. */
export class Intake implements RunIntake {
  private readonly runs: RunReads
  private readonly queue: WorkQueue
  private readonly clock: Clock
  private readonly stop: Stop
  private readonly waiting = new Map<string, Set<() => void>>()

  constructor({ runs, queue, clock, stop }: IntakeParts) {
    this.runs = runs
    this.queue = queue
    this.clock = clock
    this.stop = stop
  }

  /** Runs have been committed. */
  committed(commands: readonly RunCommand[]): void {
    if (this.waiting.size === 0) return
    const queues = new Set(commands.map((command) => queueKey(command.namespace, command.queue)))
    for (const key of queues) for (const wake of [...(this.waiting.get(key) ?? [])]) wake()
  }

  async lease(request: Parameters<RunIntake['lease']>[0]): Promise<readonly LeasedRun[]> {
    const { waitMs, ...wanted } = request
    const until = this.clock.elapsed() + waitMs
    for (;;) {
      // Listen before looking, so that a commit in between is not missed.
      const woken = createStop()
      const forget = this.listen(queueKey(request.namespace, request.queue), () => woken.stop())
      const now = this.clock.now()
      try {
        const leased = await this.queue.lease({ ...wanted, now })
        const left = until - this.clock.elapsed()
        if (leased.length > 0 || left <= 0 || this.stop.stopped) return leased
        const wakeAt = this.queue.nextWakeAt(request.namespace, request.queue, now)
        const forgetStop = this.stop.onStop(() => woken.stop())
        await this.clock.sleep(Math.min(left, wakeAt === null ? left : Math.max(1, wakeAt - now)), woken)
        forgetStop()
      } finally {
        forget()
      }
    }
  }

  async ack(namespace: string, runId: string, leaseToken: string) {
    if (!this.isOf(namespace, runId)) return 'unknown'
    const reply = await this.queue.ack(runId, leaseToken, this.clock.now())
    this.finished(runId)
    return reply
  }

  async fail(namespace: string, runId: string, leaseToken: string, error: string, retryInMs: number | null) {
    if (!this.isOf(namespace, runId)) return 'unknown'
    const now = this.clock.now()
    const reply = await this.queue.fail(
      runId,
      leaseToken,
      now,
      error,
      retryInMs === null ? null : now + retryInMs,
    )
    this.finished(runId)
    return reply
  }

  async heartbeat(namespace: string, runId: string, leaseToken: string, leaseMs: number) {
    if (!this.isOf(namespace, runId)) return { reply: 'unknown', cancelRequested: false } as const
    return await this.queue.heartbeat(runId, leaseToken, this.clock.now(), leaseMs)
  }

  /** A finished run may let a held one of its task go (overlap policy `queueOne`), and a failed one comes back. */
  private finished(runId: string): void {
    const command = this.runs.run(runId)?.command
    if (command === undefined) return
    this.committed([command])
    if (command.overlap !== 'queueOne') return
    // The held one was decided with the task as it was then, so it may stand in another queue.
    const { namespace, taskId } = command
    const held = this.runs.list(namespace, { taskId, status: 'queued' }, { limit: 10 })
    this.committed(held.items.map((run) => run.command))
  }

  private isOf(namespace: string, runId: string): boolean {
    return this.runs.run(runId)?.command.namespace === namespace
  }

  private listen(key: string, wake: () => void): () => void {
    const waiting = this.waiting.get(key) ?? new Set()
    waiting.add(wake)
    this.waiting.set(key, waiting)
    return () => {
      waiting.delete(wake)
      if (waiting.size === 0) this.waiting.delete(key)
    }
  }
}

const queueKey = (namespace: string, queue: string): string => `${namespace}|${queue}`
