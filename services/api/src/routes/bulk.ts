import { type CommandContext, partOf, type RecordedEvent, type TaskState, withoutKey } from '@almanac/domain'
import type { Applied } from '@almanac/engine'
import {
  BulkBody,
  BulkJson,
  type BulkOperation,
  type BulkResult,
  CommandQuery,
  maxBulkOperations,
  NewTaskBody,
  newTaskInput,
  problemCodes,
  TaskBody,
  TaskPatch,
  taskInput,
} from '@almanac/protocol'
import type { Ajv, ValidateFunction } from 'ajv'
import type { FastifyRequest } from 'fastify'
import { bulkBodyLimit } from '../body.js'
import { changes } from '../fence.js'
import { type Api, type Host, namespacePath } from '../host.js'
import { ApiProblem, granted, problemBody, toProblem, valid } from '../problem.js'
import { waitMs } from '../reading.js'
import { commandContext, fingerprintOf } from '../request-context.js'
import { assertShape } from '../validation.js'
import { inNamespace, responses } from './answers.js'
import { overrideOf } from './task-actions.js'
import { disableTask, patchTask } from './tasks.js'

interface Shapes {
  readonly create: ValidateFunction<NewTaskBody>
  readonly put: ValidateFunction<TaskBody>
  readonly patch: ValidateFunction<TaskPatch>
}

/** Many operations in one request, each answered as the single request would be. */
export function bulkRoute(api: Api, host: Host, ajv: Ajv): void {
  const shapes: Shapes = {
    create: ajv.compile<NewTaskBody>(NewTaskBody),
    put: ajv.compile<TaskBody>(TaskBody),
    patch: ajv.compile<TaskPatch>(TaskPatch),
  }
  api.route({
    method: 'POST',
    url: `${namespacePath}/tasks/bulk`,
    config: { scope: 'tasks:write' },
    bodyLimit: bulkBodyLimit,
    schema: {
      tags: ['tasks'],
      summary: 'Many operations on tasks, each answered',
      description:
        'Each operation stands or falls alone, unless `atomic` is true. With an `Idempotency-Key` the whole ' +
        'request may be repeated. `POST /changes/{correlationId}/undo` takes it back as a whole.',
      params: inNamespace({}),
      querystring: CommandQuery,
      body: BulkBody,
      response: responses({ 200: BulkJson }, 413, 415),
    },
    preValidation: async (request) => refuseTooMany(request.body),
    handler: async (request, reply) => {
      const { operations, atomic = false } = request.body
      if (atomic) assertUndoable(operations)
      const contexts = operations.map((operation, index) => contextOf(host, request, operation, index))
      const results: BulkResult[] = []
      for (const batch of batchesOf(operations)) {
        const run = (operation: BulkOperation, offset: number) =>
          perform(host, shapes, contexts[batch.from + offset] ?? commandContext(host, request), operation)
        results.push(...(await Promise.all(batch.operations.map(run))))
        if (atomic && results.some(({ problem }) => problem !== undefined)) break
      }
      const isRolledBack = atomic && results.some(({ problem }) => problem !== undefined)
      if (isRolledBack) await takeBack(host, request, operations, results)
      const last = Math.max(0, ...results.map(({ position }) => position ?? 0))
      await host.app.queries.waitFor(last, waitMs)
      const changed = results.flatMap(({ id: taskId, position }) =>
        typeof taskId !== 'string' || typeof position !== 'number' ? [] : [{ kind: 'task' as const, taskId }],
      )
      changes(reply, changed, last)
      const failed = results.filter(({ problem }) => problem !== undefined).length
      const { id: correlationId } = request
      const answer = { results, succeeded: isRolledBack ? 0 : results.length - failed, failed, correlationId }
      return isRolledBack ? { ...answer, rolledBack: true } : answer
    },
  })
}

function refuseTooMany(body: unknown): void {
  const operations: unknown = Object(body).operations
  if (Array.isArray(operations) && operations.length > maxBulkOperations) {
    throw new ApiProblem(
      'too_many_operations',
      `${operations.length} operations are more than ${maxBulkOperations}.`,
    )
  }
}

function contextOf(
  host: Host,
  request: FastifyRequest,
  operation: BulkOperation,
  index: number,
): CommandContext {
  const reason = operation.reason ?? Object(request.body).reason
  const context = commandContext(host, request, { reason })
  const fingerprint = () => fingerprintOf(operation)
  const { idempotencyKey } = operation
  if (idempotencyKey === undefined) return partOf(context, index, fingerprint)
  return { ...context, idempotencyKey, fingerprint: fingerprint() }
}

interface Batch {
  readonly from: number
  readonly operations: BulkOperation[]
}

/**
 * Neighbours that cannot touch each other run together, so that they share one write to the disk: creations of
 * different names, or operations on different tasks that rename nothing. The outcome is as if one ran after another.
 */
export function batchesOf(operations: readonly BulkOperation[]): readonly Batch[] {
  const batches: Batch[] = []
  let keys = new Set<string>()
  let kind = ''
  operations.forEach((operation, index) => {
    const names = operation.op === 'create' || operation.op === 'put'
    const renames = operation.op === 'patch' && operation.changes?.name !== undefined
    const nextKind = renames ? `rename ${index}` : names ? 'names' : 'ids'
    const key = names ? String(operation.task?.name).normalize('NFC') : String(operation.id)
    const batch = batches.at(-1)
    if (batch !== undefined && nextKind === kind && !keys.has(key)) {
      batch.operations.push(operation)
      keys.add(key)
      return
    }
    batches.push({ from: index, operations: [operation] })
    keys = new Set([key])
    kind = nextKind
  })
  return batches
}

async function perform(
  host: Host,
  shapes: Shapes,
  context: CommandContext,
  operation: BulkOperation,
): Promise<BulkResult> {
  const { op } = operation
  try {
    assertFields(operation)
    const { status, outcome } = await dispatch(host, shapes, context, operation)
    const { taskId, revision, spec } = outcome.state
    const runId = 'runId' in outcome && typeof outcome.runId === 'string' ? { runId: outcome.runId } : {}
    const repeated = outcome.repeated ? { repeated: true } : {}
    return {
      op,
      status,
      id: taskId,
      name: spec.name,
      revision,
      position: outcome.position,
      ...runId,
      ...repeated,
    }
  } catch (error) {
    const problem = toProblem(error)
    if (problem.code === 'internal') throw error
    const { status } = problemCodes[problem.code]
    const id = operation.id ?? null
    return { op, status, id, name: null, revision: null, position: null, problem: problemBody(problem) }
  }
}

interface Performed {
  readonly status: number
  readonly outcome: Applied<TaskState>
}

async function dispatch(
  host: Host,
  shapes: Shapes,
  context: CommandContext,
  operation: BulkOperation,
): Promise<Performed> {
  const { commands } = host.app
  const { op, revision, task, changes } = operation
  switch (op) {
    case 'create': {
      assertShape(shapes.create, task, 'task')
      const { input, imported } = valid(newTaskInput(task))
      return { status: 201, outcome: granted(await commands.createTask(context, input, imported)) }
    }
    case 'put': {
      assertShape(shapes.put, task, 'task')
      const expected = revision === undefined ? {} : { expected: revision }
      const options = { onlyCreate: operation.onlyCreate ?? false, ...expected }
      const outcome = granted(await commands.putTask(context, valid(taskInput(task)), options))
      return { status: outcome.created ? 201 : 200, outcome }
    }
    case 'patch': {
      assertShape(shapes.patch, changes, 'changes')
      return { status: 200, outcome: await patchTask(host, context, idOf(operation), changes, revision) }
    }
    case 'enable':
      return { status: 200, outcome: granted(await commands.enableTask(context, idOf(operation), revision)) }
    case 'disable':
      return {
        status: 200,
        outcome: await disableTask(host, context, idOf(operation), operation.until, revision),
      }
    case 'delete':
      return { status: 204, outcome: granted(await commands.deleteTask(context, idOf(operation), revision)) }
    case 'trigger':
      return trigger(host, context, operation)
  }
}

function assertUndoable(operations: readonly BulkOperation[]): void {
  const index = operations.findIndex(({ op }) => op === 'trigger')
  if (index < 0) return
  const path = `operations[${index}].op`
  throw new ApiProblem('invalid_body', 'A trigger can not be part of an atomic request: what ran has run.', [
    { path, code: 'not_allowed', message: 'can not be trigger when atomic is true' },
  ])
}

/** Takes back what the operations before the refused one did, and says so of each; those behind it were not tried. */
async function takeBack(
  host: Host,
  request: FastifyRequest,
  operations: readonly BulkOperation[],
  results: BulkResult[],
): Promise<void> {
  const reason = 'an operation of the same request was refused'
  const context = withoutKey(commandContext(host, request, { reason }))
  const done = results.flatMap(({ id, revision }) => (id === null || revision === null ? [] : [id]))
  const events: RecordedEvent[] = []
  for (const id of new Set(done)) {
    const history = await host.app.queries.history(context.namespace, id)
    events.push(...history.filter(({ metadata }) => metadata.correlationId === context.correlationId))
  }
  const undone = await host.app.commands.undoRequest(context, events, { force: true })
  const positions = undone.map((one) => ('position' in one ? one.position : 0))
  const position = Math.max(0, ...positions)
  for (const [index, { op, id = null }] of operations.entries()) {
    const result = results[index] ?? { op, id, name: null, revision: null, position: null }
    if (results[index]?.problem !== undefined) continue
    results[index] = { ...result, status: 409, position, problem: rolledBack() }
  }
}

const rolledBack = () => problemBody(new ApiProblem('rolled_back'))

async function trigger(host: Host, context: CommandContext, operation: BulkOperation): Promise<Performed> {
  const override = overrideOf(operation)
  const outcome = granted(await host.app.commands.triggerTask(context, idOf(operation), override))
  return { status: 202, outcome }
}

/** Which fields an operation reads, beside `op`, `idempotencyKey` and `reason`. */
const fieldsOfOp: Readonly<Record<BulkOperation['op'], readonly string[]>> = {
  create: ['task'],
  put: ['task', 'onlyCreate', 'revision'],
  patch: ['id', 'changes', 'revision'],
  enable: ['id', 'revision'],
  disable: ['id', 'revision', 'until'],
  delete: ['id', 'revision'],
  trigger: ['id', 'args', 'kwargs'],
}

/** A field that the operation would not read is refused, not dropped: somebody relies on it. */
function assertFields(operation: BulkOperation): void {
  const { op, idempotencyKey: _, reason: __, ...given } = operation
  const errors = Object.keys(given)
    .filter((field) => !fieldsOfOp[op].includes(field))
    .map((path) => ({ path, code: 'unknown_field', message: `is not a field of ${op}` }))
  if (errors.length > 0) throw new ApiProblem('invalid_body', `${op} has a field too many.`, errors)
}

function idOf({ id, op }: BulkOperation): string {
  if (id !== undefined) return id
  throw new ApiProblem('invalid_body', `${op} needs the id of the task.`, [
    { path: 'id', code: 'required', message: 'is required' },
  ])
}
