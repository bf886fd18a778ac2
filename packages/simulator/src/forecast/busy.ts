import type { Busy, Definition } from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'

/**
 * Which tasks are running, when every run takes the same time and starts at once, unless its task queues it behind
 * the one that is running. Only tasks whose overlap policy asks are followed.
 */
export class BusyTasks {
  private readonly runMs: number
  private readonly known = new Map<string, { previousEnd: Instant; start: Instant; end: Instant }>()

  constructor(runMs: number) {
    this.runMs = runMs
  }

  emitted({ taskId, overlap }: Definition, at: Instant): void {
    if (overlap !== 'skip' && overlap !== 'queueOne') return
    const last = this.known.get(taskId)
    const start = Math.max(at, last?.end ?? at)
    this.known.set(taskId, { previousEnd: last?.end ?? at, start, end: start + this.runMs })
  }

  of(taskId: string, now: Instant): Busy {
    const last = this.known.get(taskId)
    if (last === undefined) return idle
    const isWaiting = now < last.start
    const isRunning = isWaiting ? now < last.previousEnd : now < last.end
    return { running: isRunning ? 1 : 0, queued: isWaiting ? 1 : 0 }
  }
}

const idle: Busy = { running: 0, queued: 0 }
