import {
  type PartitionId,
  type PlannedRun,
  type RunCommand,
  runCommandOf,
  type TaskState,
} from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'

/**
 * A deleted task runs nothing any more, not even what was asked for just before; nor does one whose runs can't be
 * written, since they would keep those of the others from being written.
 */
export const mayRun = (state: TaskState | undefined): boolean =>
  state?.status === 'active' && state.quarantine?.code !== unroutable

/** Why such a task is in quarantine. */
export const unroutable = 'unroutable'

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
  const commands: RunCommand[] = []
  for (const run of runs) {
    const state = states.get(run.taskId)
    if (state === undefined) continue
    const command = runCommandOf(state, run, tick)
    const isReplayed = recoveredAt !== null && run.dispatchAt <= recoveredAt
    commands.push(isReplayed ? { ...command, replayed: true } : command)
  }
  return commands
}
