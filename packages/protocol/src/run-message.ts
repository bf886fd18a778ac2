import { type Json, type OverlapPolicy, type RunCommand, type Skip, traceparentOf } from '@almanac/domain'
import { parseInstant } from '@almanac/recurrence'
import { type RunCommandJson, runKinds } from './http/run.js'
import { overlapPolicies } from './http/task.js'
import { isoOf } from './instant-text.js'
import { runCommandJson } from './run-json.js'

/**
 * Headers of a run's message, for who routes or filters without reading the body: the body has all of it too. All
 * are text; instants are ISO 8601 in UTC; what does not apply is absent.
 */
export const runHeaders = {
  /** The same for one occurrence, however often it is delivered: make work idempotent by it. */
  runId: 'runId',
  taskId: 'taskId',
  /** The occurrence. */
  scheduledAt: 'scheduledAt',
  /** Not worth running after this. */
  expiresAt: 'expiresAt',
  priority: 'priority',
  /** `scheduled`, `manual`, `backfill` or `catchUp`. */
  kind: 'kind',
  /** The partition of the scheduler, and which of its ticks: together they name the checkpoint of the run. */
  partition: 'partition',
  seq: 'seq',
  /** `1`: a checkpoint had been lost, and the same run may have been delivered before. */
  replayed: 'replayed',
  /** W3C Trace Context: the step of a trace that the worker goes on with. */
  traceparent: 'traceparent',
} as const

/** A run in a topic: what every worker gets, and what only a topic's reader needs. */
export interface RunMessageJson extends RunCommandJson {
  readonly exchange: string | null
  readonly overlap: OverlapPolicy
  readonly maxAttempts: number
  readonly partition: number
  readonly seq: number
  /** The term of the tick: `(term, seq)` puts a partition's ticks in order, also after a checkpoint was lost. */
  readonly term?: number
  readonly replayed?: true
}

/** `term`: of the tick that the run is committed with. */
export function runMessageJson(run: RunCommand, term?: number): RunMessageJson {
  const message = runCommandJson(run, 1) as { -readonly [K in keyof RunMessageJson]: RunMessageJson[K] }
  message.exchange = run.exchange
  message.overlap = run.overlap
  message.maxAttempts = run.maxAttempts
  message.partition = run.partition
  message.seq = run.seq
  if (term !== undefined) message.term = term
  return message
}

export function runMessageHeaders(run: RunCommand): { readonly [name: string]: string } {
  const headers: { [name: string]: string } = {
    [runHeaders.runId]: run.runId,
    [runHeaders.taskId]: run.taskId,
    [runHeaders.scheduledAt]: isoOf(run.scheduledAt),
  }
  if (run.expiresAt !== null) headers[runHeaders.expiresAt] = isoOf(run.expiresAt)
  if (run.priority !== null) headers[runHeaders.priority] = String(run.priority)
  headers[runHeaders.kind] = run.kind
  headers[runHeaders.partition] = String(run.partition)
  headers[runHeaders.seq] = String(run.seq)
  if (run.replayed === true) headers[runHeaders.replayed] = '1'
  if (run.traceparent !== undefined) headers[runHeaders.traceparent] = run.traceparent
  return headers
}

/** The run of a message that `runMessageJson` has made. Throws when an instant in it can't be read. */
export function runOfMessage(message: RunMessageJson): RunCommand {
  const traceparent = traceparentOf(message.traceparent)
  return {
    runId: message.runId,
    namespace: message.namespace,
    taskId: message.taskId,
    taskName: message.taskName,
    task: message.task,
    args: message.args as readonly Json[],
    kwargs: message.kwargs as RunCommand['kwargs'],
    headers: message.headers as RunCommand['headers'],
    queue: message.queue,
    exchange: message.exchange,
    routingKey: message.routingKey,
    priority: message.priority,
    scheduledAt: instantOf(message.scheduledAt),
    emittedAt: instantOf(message.emittedAt),
    expiresAt: message.expiresAt === null ? null : instantOf(message.expiresAt),
    kind: message.kind,
    overlap: message.overlap,
    maxAttempts: message.maxAttempts,
    taskRevision: message.taskRevision,
    partition: message.partition,
    seq: message.seq,
    ...(message.replayed === true ? { replayed: true } : {}),
    ...(traceparent === undefined ? {} : { traceparent }),
  }
}

/** A run with the term of the tick that it was committed with; 0: the message does not tell. */
export interface TermedRun {
  readonly run: RunCommand
  readonly term: number
}

/** Reads the value of a record of a queue's or an exchange's topic. Throws when it is no run, with what is wrong. */
export function parseRunMessage(text: string): TermedRun {
  const message = JSON.parse(text) as RunMessageJson | null
  for (const [names, isFit] of memberChecks) {
    for (const name of names) {
      if (!isFit(message?.[name])) throw new Error(`No run: ${name} is ${JSON.stringify(message?.[name])}`)
    }
  }
  const known = message as RunMessageJson
  return { run: runOfMessage(known), term: known.term ?? 0 }
}

type MemberCheck = readonly [readonly (keyof RunMessageJson)[], (value: unknown) => boolean]

const isText = (value: unknown): boolean => typeof value === 'string'
const isWhole = (value: unknown): boolean => Number.isSafeInteger(value)
const isObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const orNull =
  (isFit: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    value === null || isFit(value)

/** Anybody who may write to a queue's topic could write anything. */
const memberChecks: readonly MemberCheck[] = [
  [['runId', 'namespace', 'taskId', 'taskName', 'task', 'queue', 'scheduledAt', 'emittedAt'], isText],
  [['exchange', 'routingKey', 'expiresAt'], orNull(isText)],
  [['maxAttempts', 'taskRevision', 'partition', 'seq'], isWhole],
  [['priority'], orNull(isWhole)],
  [['term'], (value) => value === undefined || isWhole(value)],
  [['args'], Array.isArray],
  [['kwargs', 'headers'], isObject],
  [['kind'], (value) => runKinds.some((kind) => kind === value)],
  [['overlap'], (value) => overlapPolicies.some((policy) => policy === value)],
]

/** Occurrences of one task that a tick decided not to run. */
export interface SkipJson extends Omit<Skip, 'first' | 'last'> {
  readonly first: string
  readonly last: string
}

export const skipJson = (skip: Skip): SkipJson => ({
  ...skip,
  first: isoOf(skip.first),
  last: isoOf(skip.last),
})

/** Throws when an instant in it can't be read. */
export const skipOfJson = (skip: SkipJson): Skip => ({
  ...skip,
  first: instantOf(skip.first),
  last: instantOf(skip.last),
})

function instantOf(text: string): number {
  const parsed = parseInstant(text)
  if (!parsed.ok) throw new Error(`${JSON.stringify(text)} is no instant`)
  return parsed.value
}
