import type { ImportedHistory, Json, RunTotals, TaskSchedule, TaskSpec, TaskState } from '@almanac/domain'
import { blankSpec, catchUpDefault } from '@almanac/domain'
import type { Instant, Problem, Result } from '@almanac/recurrence'
import type { Static } from 'typebox'
import type { JsonObject } from './http/shape.js'
import type { imported, NewTaskBody, TaskBody, TaskJson, TaskPatch } from './http/task.js'
import { InstantReader, isoOf, isoOrNull } from './instant-text.js'
import { mergePatch } from './merge-patch.js'

/** A task's state with what the schedule and the run ledger add. */
export interface TaskFacts {
  readonly state: TaskState
  readonly scheduleText: string
  readonly nextRunAt: Instant | null
  readonly totals: Pick<RunTotals, 'totalRunCount' | 'lastRunAt'> | null
}

export function taskJson({ state, scheduleText, nextRunAt, totals }: TaskFacts): TaskJson {
  const { spec } = state
  return {
    id: state.taskId,
    namespace: state.namespace,
    ...specJson(spec),
    revision: state.revision,
    scheduleText,
    nextRunAt: isoOrNull(nextRunAt),
    lastRunAt: isoOrNull(totals?.lastRunAt ?? null),
    totalRunCount: totals?.totalRunCount ?? null,
    dateChanged: isoOf(state.changedAt),
    createdAt: isoOf(state.createdAt),
    changedBy: state.changedBy,
    runsLeft: state.runsLeft,
    disabledCause: state.disabledCause,
    disabledReason: state.disabledReason,
    pausedUntil: isoOrNull(state.pausedUntil),
    quarantine: state.quarantine,
    imported: state.imported === null ? null : importedJson(state.imported),
  }
}

/** A task's specification as it is posted. */
export function specJson(spec: TaskSpec) {
  return {
    name: spec.name,
    task: spec.task,
    schedule: { ...spec.schedule },
    args: [...spec.args],
    kwargs: spec.kwargs,
    headers: spec.headers,
    queue: spec.queue,
    exchange: spec.exchange,
    routingKey: spec.routingKey,
    priority: spec.priority,
    expires: isoOrNull(spec.expires),
    expireSeconds: spec.expireSeconds,
    oneOff: spec.oneOff,
    maxRuns: spec.maxRuns,
    startTime: isoOrNull(spec.startTime),
    enabled: spec.enabled,
    description: spec.description,
    labels: spec.labels,
    catchUp: { ...spec.catchUp },
    overlap: spec.overlap,
    jitterSeconds: spec.jitterSeconds,
    maxAttempts: spec.maxAttempts,
  }
}

const importedJson = ({ lastRunAt, totalRunCount, anchor }: ImportedHistory): Static<typeof imported> => ({
  lastRunAt: isoOrNull(lastRunAt),
  totalRunCount,
  anchor: isoOf(anchor),
})

export type TaskInputFields = Pick<TaskSpec, 'name' | 'task' | 'schedule'> & Partial<TaskSpec>

/** A posted task as the commands take it. Instants are read here; every other rule is the domain's. */
export function taskInput(body: TaskBody): Result<TaskInputFields> {
  const { reason: _, schedule, args, kwargs, headers, expires, startTime, catchUp, ...rest } = body
  const reader = new InstantReader()
  const input: TaskInputFields = {
    ...rest,
    schedule: domainSchedule(schedule),
    ...(args === undefined ? {} : { args: args.map(domainJson) }),
    ...(kwargs === undefined ? {} : { kwargs: domainObject(kwargs) }),
    ...(headers === undefined ? {} : { headers: domainObject(headers) }),
    ...(expires === undefined ? {} : { expires: reader.readOrNull(expires, 'expires') }),
    ...(startTime === undefined ? {} : { startTime: reader.readOrNull(startTime, 'startTime') }),
    ...(catchUp === undefined ? {} : { catchUp: { ...catchUpDefault, ...catchUp } }),
  }
  return settle(reader, input)
}

export function newTaskInput(
  body: NewTaskBody,
): Result<{ readonly input: TaskInputFields; readonly imported?: ImportedHistory }> {
  const { imported, ...task } = body
  const input = taskInput(task)
  if (imported === undefined || !input.ok)
    return input.ok ? { ok: true, value: { input: input.value } } : input
  const reader = new InstantReader()
  const history = {
    lastRunAt: reader.readOrNull(imported.lastRunAt, 'imported.lastRunAt'),
    totalRunCount: imported.totalRunCount,
    anchor: reader.read(imported.anchor, 'imported.anchor'),
  }
  return settle(reader, { input: input.value, imported: history })
}

/** True when the outcome of a patch depends on the present state, so that it must be applied to exactly that state. */
export const mergesWithState = (patch: TaskPatch): boolean =>
  [patch.labels, patch.kwargs, patch.headers, patch.catchUp].some(
    (part) => part !== undefined && part !== null,
  )

/** The changes that a merge patch means for a task of this specification. */
export function taskChanges(patch: TaskPatch, spec: TaskSpec): Result<Partial<TaskSpec>> {
  const { reason: _, ...fields } = patch
  const reader = new InstantReader()
  const changes: { [field: string]: unknown } = {}
  for (const [field, value] of Object.entries(fields)) {
    if (value === null) changes[field] = blankSpec[field as keyof TaskSpec]
    else if (field === 'expires' || field === 'startTime') changes[field] = reader.read(String(value), field)
    else if (field === 'labels' || field === 'kwargs' || field === 'headers') {
      changes[field] = mergePatch(spec[field], value)
    } else if (field === 'catchUp') {
      changes[field] = { ...catchUpDefault, ...Object(mergePatch(spec.catchUp, value)) }
    } else changes[field] = value
  }
  return settle(reader, changes as Partial<TaskSpec>)
}

const settle = <T>(reader: InstantReader, value: T): Result<T, readonly Problem[]> =>
  reader.problems.length === 0 ? { ok: true, value } : { ok: false, error: reader.problems }

/*
 * The body was parsed from JSON and its shape was checked, so its free parts are JSON; the schedule is checked by the
 * domain, field by field, before anything is made of it.
 */
const domainJson = (value: unknown): Json => value as Json
export const domainObject = (value: JsonObject): { readonly [key: string]: Json } =>
  value as { [key: string]: Json }
export const domainList = (value: readonly unknown[]): readonly Json[] => value.map(domainJson)
const domainSchedule = (value: JsonObject): TaskSchedule => value as unknown as TaskSchedule
