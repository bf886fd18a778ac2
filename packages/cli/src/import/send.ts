import type { BulkResult } from '@almanac/protocol'
import { Failure, type FieldProblem } from '../failure.js'
import { chunked } from '../http/chunks.js'
import { failureOf, type Server } from '../http/server.js'
import type { Clock, Stop } from '../world.js'
import { existingNames } from './existing.js'
import type { TaskBody } from './task-body.js'
import type { MappedTask } from './task-row.js'

export type OnConflict = 'skip' | 'replace' | 'fail'

/**
 * What became of a row: `created`; `exists`: a task of that name is there and was left alone; `replaced`;
 * `refused`; `unsent`: the server could not be reached, or Ctrl-C came first.
 */
export type Fate = 'created' | 'exists' | 'replaced' | 'refused' | 'unsent'

export interface Sent {
  readonly fate: Fate
  readonly id: string | null
  /** Why, when it is refused. */
  readonly message?: string
  readonly problems: readonly FieldProblem[]
}

export interface SendOptions {
  readonly onConflict: OnConflict
  /** Of a row: the same in every attempt, so that an answer that was lost makes nothing twice. */
  readonly keyOf: (task: MappedTask) => string
  readonly clock: Clock
  readonly stop: Stop
  readonly progress: (done: number) => void
}

/** A row that is to be sent; its mapping found no problem. */
export interface Sendable {
  readonly task: MappedTask
  readonly body: TaskBody
}

interface Operation {
  readonly op: 'create' | 'put'
  readonly task: unknown
  readonly reason: string
  readonly idempotencyKey?: string
}

const concurrency = 3
const attempts = 6
const firstRetryMs = 500

// The file's name is no part of it: the same row of a renamed file is the same request.
const reasonOf = ({ row }: MappedTask) => `imported from django-celery-beat, periodictask ${row.pk}`

const creation = ({ task, body }: Sendable, options: SendOptions): Operation => ({
  op: 'create',
  task: body,
  reason: reasonOf(task),
  idempotencyKey: options.keyOf(task),
})

/** A replacement keeps the run history that the task has, and needs no key: repeated, it changes nothing. */
const replacement = ({ task, body }: Sendable): Operation => {
  const { imported: _, ...rest } = body
  return { op: 'put', task: rest, reason: reasonOf(task) }
}

interface Entry<T> {
  readonly item: T
  readonly operation: Operation
}

const isPassing = (fault: unknown): fault is Failure => fault instanceof Failure && fault.exitCode === 3

/** Asks again while the server is away: every operation may be repeated. */
const sendChunk = async (
  server: Server,
  operations: readonly Operation[],
  options: SendOptions,
): Promise<readonly BulkResult[] | undefined> => {
  for (let attempt = 1; ; attempt++) {
    if (options.stop.stopped) return undefined
    try {
      const { body } = await server.ask<{ results: readonly BulkResult[] }>('/tasks/bulk', {
        method: 'POST',
        body: { operations },
        timeoutMs: 120_000,
      })
      return body.results
    } catch (fault) {
      if (!isPassing(fault)) throw fault
      if (attempt === attempts) return undefined
      await options.clock.sleep(firstRetryMs * 2 ** (attempt - 1), options.stop)
    }
  }
}

const refusedBy = (failure: Failure): Sent => ({
  fate: 'refused',
  id: null,
  message: failure.message,
  problems: failure.details.problems ?? [],
})

const unsent: Sent = { fate: 'unsent', id: null, problems: [] }

/** Sends all chunks, a few at a time, and hands each result to `settle`. */
const sendAll = async (
  server: Server,
  entries: readonly Entry<Sendable>[],
  options: SendOptions,
  settle: (item: Sendable, result: BulkResult | Failure | undefined) => void,
): Promise<void> => {
  const chunks = [...chunked(entries)]
  const worker = async () => {
    for (let chunk = chunks.shift(); chunk; chunk = chunks.shift()) {
      const operations = chunk.map(({ operation }) => operation)
      const results = await sendChunk(server, operations, options).catch((fault: unknown) => {
        if (fault instanceof Failure) return fault
        throw fault
      })
      for (const [index, { item }] of chunk.entries()) {
        settle(item, results instanceof Failure ? results : results?.[index])
      }
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
}

/** The name or the key is in use: what the policy for conflicts is about. */
const isConflict = ({ repeated, problem }: BulkResult) =>
  repeated === true || problem?.code === 'name_taken' || problem?.code === 'idempotency_conflict'

type Settle = (item: Sendable, sent: Sent) => void

const settleCreation = (item: Sendable, result: BulkResult, onConflict: OnConflict, settle: Settle) => {
  if (result.status === 201 && result.repeated !== true) {
    settle(item, { fate: 'created', id: result.id, problems: [] })
  } else if (!isConflict(result)) {
    settle(item, refusedBy(failureOf(result.status, result.problem)))
  } else if (onConflict === 'skip') {
    settle(item, { fate: 'exists', id: result.id, problems: [] })
  } else {
    const message = 'A task of this name exists.'
    settle(item, { fate: 'refused', id: result.id, message, problems: [] })
  }
}

/** Answered with what became of a task that this very file made before: that may have been deleted since. */
const gone = async (server: Server, repeated: readonly Sendable[], options: SendOptions) => {
  if (repeated.length === 0 || options.stop.stopped) return []
  const names = await existingNames(
    server,
    repeated.map(({ body }) => body.name),
    () => undefined,
  )
  return repeated.filter(({ body }) => !names.has(body.name.normalize('NFC')))
}

/**
 * Creates the rows, at most 500 in a request and a few requests at once, and answers what became of each, in the
 * order given. Rows whose name is taken are then left alone, replaced or refused, by `onConflict`. Sending the same
 * rows again makes nothing twice; a task that was made before and deleted since is made anew.
 */
export const sendTasks = async (
  server: Server,
  items: readonly Sendable[],
  options: SendOptions,
): Promise<readonly Sent[]> => {
  const { onConflict } = options
  const fates = new Map<Sendable, Sent>()
  const conflicts: Sendable[] = []
  const repeated: Sendable[] = []
  const settle: Settle = (item, sent) => {
    fates.set(item, sent)
    options.progress(fates.size)
  }
  const settleAny = (then: (item: Sendable, result: BulkResult) => void) => {
    return (item: Sendable, result: BulkResult | Failure | undefined) => {
      if (result === undefined) settle(item, unsent)
      else if (result instanceof Failure) settle(item, refusedBy(result))
      else then(item, result)
    }
  }
  const created = settleAny((item, result) => {
    if (onConflict === 'replace' && isConflict(result)) conflicts.push(item)
    else if (result.repeated === true) repeated.push(item)
    settleCreation(item, result, onConflict, settle)
  })
  const creations = items.map((item) => ({ item, operation: creation(item, options) }))
  await sendAll(server, creations, options, created)
  const again = (await gone(server, repeated, options)).map((item) => {
    const { idempotencyKey: _, ...operation } = creation(item, options)
    return { item, operation }
  })
  await sendAll(server, again, options, created)
  const replacements = conflicts.map((item) => ({ item, operation: replacement(item) }))
  const replaced = settleAny((item, result) => {
    const fate = result.status === 201 ? 'created' : 'replaced'
    if (result.status < 300) settle(item, { fate, id: result.id, problems: [] })
    else settle(item, refusedBy(failureOf(result.status, result.problem)))
  })
  await sendAll(server, replacements, options, replaced)
  return items.map((item) => fates.get(item) ?? unsent)
}
