import { type Static, Type } from 'typebox'
import { ProblemJson } from './problem.js'
import { closed, count, freeObject, nullOr, oneOf, reason } from './shape.js'

export const maxBulkOperations = 500
export const bulkOps = ['create', 'put', 'patch', 'enable', 'disable', 'delete', 'trigger'] as const

/**
 * One flat form for all operations, so that a mistake is answered by naming the field; which fields an `op`
 * needs is checked per operation, and answered per operation.
 */
export const BulkOperation = closed({
  op: oneOf(bulkOps),
  id: Type.Optional(
    Type.String({ maxLength: 64, description: 'Of the task: patch, enable, disable, delete, trigger.' }),
  ),
  task: Type.Optional(freeObject('create, put: as the body of `POST /tasks`.')),
  changes: Type.Optional(freeObject('patch: as the body of `PATCH /tasks/{id}`.')),
  onlyCreate: Type.Optional(Type.Boolean({ description: 'put: leave an existing task untouched.' })),
  revision: Type.Optional(count('As If-Match.')),
  args: Type.Optional(Type.Array(Type.Unknown(), { description: 'trigger.' })),
  kwargs: Type.Optional(freeObject('trigger.')),
  idempotencyKey: Type.Optional(
    Type.String({ pattern: '^[\\x21-\\x7e]{1,200}$', description: 'As the header.' }),
  ),
  reason,
})
export type BulkOperation = Static<typeof BulkOperation>

export const BulkBody = closed({
  operations: Type.Array(BulkOperation, {
    minItems: 1,
    description: 'At most 500; done in order, each on its own.',
  }),
  reason,
})
export type BulkBody = Static<typeof BulkBody>

export const BulkResult = Type.Object({
  op: oneOf(bulkOps),
  status: count('As the single request would have been answered.'),
  id: nullOr(Type.String()),
  name: nullOr(Type.String()),
  revision: nullOr(Type.Integer()),
  position: nullOr(Type.Integer()),
  runId: Type.Optional(Type.String()),
  repeated: Type.Optional(
    Type.Boolean({
      description: 'True: the idempotency key is known, this is the answer of the first time.',
    }),
  ),
  problem: Type.Optional(ProblemJson),
})
export type BulkResult = Static<typeof BulkResult>

export const BulkJson = Type.Object({
  results: Type.Array(BulkResult, { description: 'One for each operation, in order.' }),
  succeeded: count('How many.'),
  failed: count('How many.'),
})
