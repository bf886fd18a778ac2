import type { OverlapPolicy, Plan, PlannedRun, Skip, TaskState } from '@almanac/domain'
import type { Tick } from './chain.js'
import { listOf } from './seen.js'

/** The tasks for which a plan and what was committed are not the same. */
export function differingTasks(
  planned: Plan,
  { runs, skips }: Tick,
  stateOf: (taskId: string) => TaskState | undefined,
): string[] {
  const overlapOf = (taskId: string): OverlapPolicy => stateOf(taskId)?.spec.overlap ?? 'allow'
  const expected = outcomesByTask(planned.runs, planned.skips, overlapOf)
  const actual = outcomesByTask(
    runs.map(({ run }) => run),
    skips,
    overlapOf,
  )
  const textOf = (outcomes: readonly string[] | undefined) => [...(outcomes ?? [])].sort().join('\n')
  return [...new Set([...expected.keys(), ...actual.keys()])]
    .filter((taskId) => textOf(expected.get(taskId)) !== textOf(actual.get(taskId)))
    .sort()
}

function outcomesByTask(
  runs: readonly Pick<PlannedRun, 'runId' | 'taskId' | 'kind' | 'scheduledAt'>[],
  skips: readonly Skip[],
  overlapOf: (taskId: string) => OverlapPolicy,
): Map<string, string[]> {
  const outcomes = new Map<string, string[]>()
  for (const { runId, taskId, kind, scheduledAt } of runs) {
    const isByChance = isBusyAsked(overlapOf(taskId)) && (kind === 'scheduled' || kind === 'catchUp')
    listOf(outcomes, taskId).push(isByChance ? `offered ${scheduledAt}` : `${kind} ${runId}`)
  }
  for (const { taskId, reason, first, last, count, revision } of skips) {
    const text = `${reason} ${first} ${last} ${count} ${revision}`
    listOf(outcomes, taskId).push(reason === 'overlap' ? `offered ${first}` : text)
  }
  return outcomes
}

/** Whether such a task's occurrence runs hangs on what its workers were doing: either outcome is right. */
const isBusyAsked = (overlap: OverlapPolicy): boolean => overlap === 'skip' || overlap === 'queueOne'
