import type { RunCommand, RunRecord } from '@almanac/domain'
import type { RunCommandJson, RunJson } from './http/run.js'
import { isoOf, isoOrNull } from './instant-text.js'

type Building<T> = { -readonly [K in keyof T]: T[K] }

/**
 * A run command as it is on the wire. `attempt` counts how often the run has been handed out, from 1. Members that may
 * be absent are put in afterwards: objects that are spread into others cost several times as much, for every run.
 */
export function runCommandJson(command: RunCommand, attempt: number): RunCommandJson {
  const json: Building<RunCommandJson> = {
    runId: command.runId,
    namespace: command.namespace,
    taskId: command.taskId,
    taskName: command.taskName,
    task: command.task,
    args: command.args as RunCommandJson['args'],
    kwargs: command.kwargs,
    headers: command.headers,
    queue: command.queue,
    routingKey: command.routingKey,
    priority: command.priority,
    scheduledAt: isoOf(command.scheduledAt),
    emittedAt: isoOf(command.emittedAt),
    expiresAt: isoOrNull(command.expiresAt),
    kind: command.kind,
    attempt,
    taskRevision: command.taskRevision,
  }
  if (command.replayed === true) json.replayed = true
  if (command.traceparent !== undefined) json.traceparent = command.traceparent
  return json
}

/** A run with what became of it. */
export function runJson(run: RunRecord): RunJson {
  return {
    ...runCommandJson(run.command, run.attempt),
    status: run.status,
    startedAt: isoOrNull(run.startedAt),
    finishedAt: isoOrNull(run.finishedAt),
    notBefore: isoOrNull(run.notBefore),
    leaseExpiresAt: isoOrNull(run.leaseExpiresAt),
    worker: run.worker,
    error: run.error,
    maxAttempts: run.command.maxAttempts,
    cancelRequested: run.cancelRequested,
  }
}
