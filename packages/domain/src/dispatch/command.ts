import type { Instant } from '@almanac/recurrence'
import type { TaskSpec, TaskState } from '../task/types.js'
import type { PartitionId, PlannedRun, RunCommand } from './types.js'

/** Where a run goes when its task names no queue. */
export const defaultQueue = 'default'

/**
 * The queue of a task's runs: its queue, else that of its exchange (`exchange:<name>`), else `default`.
 */
export const queueOf = (spec: Pick<TaskSpec, 'queue' | 'exchange'>): string =>
  spec.queue ?? (spec.exchange === null ? defaultQueue : `exchange:${spec.exchange}`)

/** Attaches the task's payload to a planned run. */
export function runCommandOf(
  state: TaskState,
  planned: PlannedRun,
  tick: { readonly emittedAt: Instant; readonly partition: PartitionId; readonly seq: number },
): RunCommand {
  const { spec } = state
  return {
    runId: planned.runId,
    namespace: state.namespace,
    taskId: state.taskId,
    taskName: spec.name,
    task: spec.task,
    args: planned.override?.args ?? spec.args,
    kwargs: planned.override?.kwargs ?? spec.kwargs,
    headers: spec.headers,
    queue: queueOf(spec),
    exchange: spec.exchange,
    routingKey: spec.routingKey,
    priority: spec.priority,
    scheduledAt: planned.scheduledAt,
    emittedAt: tick.emittedAt,
    expiresAt: expiryOf(spec, tick.emittedAt),
    kind: planned.kind,
    overlap: spec.overlap,
    maxAttempts: spec.maxAttempts,
    taskRevision: planned.revision,
    partition: tick.partition,
    seq: tick.seq,
  }
}

/** `expireSeconds` counts from each emission; 0 counts as none, as in Celery (CELERY.md 4.5). */
const expiryOf = (spec: TaskSpec, emittedAt: Instant): Instant | null =>
  spec.expires ??
  (spec.expireSeconds === null || spec.expireSeconds === 0 ? null : emittedAt + spec.expireSeconds * 1000)
