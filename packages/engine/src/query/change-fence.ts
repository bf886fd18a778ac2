import { type Position, partitionOf } from '@almanac/domain'
import type { Clock, Stop } from '../ports/clock.js'
import type { DispatchLog } from '../ports/dispatch-log.js'

interface ChangeFenceParts {
  readonly dispatchLog: DispatchLog
  readonly clock: Clock
  /** Of the cluster. */
  readonly partitions: number
  /** Nobody waits any longer then: the process ends. */
  readonly stop: Stop
}

/**
 * Waits until a change can't be missed any more: once a checkpoint that has used its position is committed, no run of
 * the old definition ever follows. Told by the checkpoints that are seen here, whichever node owns the partition; seen
 * late means waiting longer, never a wrong yes.
 */
export class ChangeFence {
  private readonly parts: ChangeFenceParts

  constructor(parts: ChangeFenceParts) {
    this.parts = parts
  }

  /**
   * For a change that concerns these tasks. False: not within `timeoutMs`, or not before the end; the change is stored
   * all the same, and will be used.
   */
  async fenced(taskIds: Iterable<string>, position: Position, timeoutMs: number): Promise<boolean> {
    const { clock, dispatchLog, partitions, stop } = this.parts
    const deadline = clock.elapsed() + timeoutMs
    let open = [...new Set([...taskIds].map((taskId) => partitionOf(taskId, partitions)))]
    for (let stepMs = firstStepMs; ; stepMs = Math.min(2 * stepMs, lastStepMs)) {
      open = open.filter((partition) => (dispatchLog.seen(partition)?.position ?? -1) < position)
      if (open.length === 0) return true
      const leftMs = deadline - clock.elapsed()
      if (leftMs <= 0 || stop.stopped) return false
      await clock.sleep(Math.min(stepMs, leftMs), stop)
    }
  }
}

/** Most ticks commit within the first step or two; who waits longer looks less often. */
const firstStepMs = 10
const lastStepMs = 100
