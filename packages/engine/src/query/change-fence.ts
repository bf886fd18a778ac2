import { type PartitionId, type Position, partitionOf } from '@almanac/domain'
import type { Clock } from '../ports/clock.js'
import type { DispatchLog } from '../ports/dispatch-log.js'

interface ChangeFenceParts {
  readonly dispatchLog: DispatchLog
  readonly clock: Clock
  /** Of the cluster. */
  readonly partitions: number
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

  /** For a change of one task. False: not within `timeoutMs`; the change is stored all the same, and will be used. */
  fenced(taskId: string, position: Position, timeoutMs: number): Promise<boolean> {
    return this.wait([partitionOf(taskId, this.parts.partitions)], position, timeoutMs)
  }

  /** For a change that any partition may use: of a shared schedule, or a calendar. */
  fencedAll(position: Position, timeoutMs: number): Promise<boolean> {
    const all = Array.from({ length: this.parts.partitions }, (_, partition) => partition)
    return this.wait(all, position, timeoutMs)
  }

  private async wait(
    partitions: readonly PartitionId[],
    position: Position,
    timeoutMs: number,
  ): Promise<boolean> {
    const { clock, dispatchLog } = this.parts
    const deadline = clock.elapsed() + timeoutMs
    let open = partitions
    for (let stepMs = firstStepMs; ; stepMs = Math.min(2 * stepMs, lastStepMs)) {
      open = open.filter((partition) => (dispatchLog.seen(partition)?.position ?? -1) < position)
      if (open.length === 0) return true
      const leftMs = deadline - clock.elapsed()
      if (leftMs <= 0) return false
      await clock.sleep(Math.min(stepMs, leftMs))
    }
  }
}

/** Most ticks commit within the first step or two; who waits longer looks less often. */
const firstStepMs = 10
const lastStepMs = 100
