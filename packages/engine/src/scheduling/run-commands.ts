import {
  type PartitionId,
  type PlannedRun,
  type RunCommand,
  runCommandOf,
  type TaskState,
} from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'

/**
 * The commands of planned runs, with the payload of their tasks. `recoveredAt`: the checkpoint had been lost, and what
 * was to be dispatched by then may have been committed before.
 */
export function commandsOf(
  runs: readonly PlannedRun[],
  states: ReadonlyMap<string, TaskState>,
  tick: { readonly emittedAt: Instant; readonly partition: PartitionId; readonly seq: number },
  recoveredAt: Instant | null,
): readonly RunCommand[] {
  return runs.flatMap((run) => {
    const state = states.get(run.taskId)
    if (state === undefined) return []
    const command = runCommandOf(state, run, tick)
    const isReplayed = recoveredAt !== null && run.dispatchAt <= recoveredAt
    return [isReplayed ? { ...command, replayed: true } : command]
  })
}
