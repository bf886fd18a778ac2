import { type Static, Type } from 'typebox'
import { ProblemJson } from './problem.js'
import { closed, count, freeObject, instant, nullOr, oneOf, reason, text } from './shape.js'
import { taskFilters } from './task.js'

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
  until: Type.Optional(instant('disable: only until then.')),
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
    description: 'At most 500; done in order, each on its own unless `atomic`.',
  }),
  atomic: Type.Optional(
    Type.Boolean({
      description:
        'All or none: when one is refused, those before it are taken back by new events. Others may see what was ' +
        'between, and a crash in the middle leaves it. Not with `trigger`, which can not be taken back.',
    }),
  ),
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
  correlationId: text('Of all events that it made: with it, it can be taken back as a whole.'),
  rolledBack: Type.Optional(
    Type.Boolean({ description: 'With `atomic`: one was refused, and those before it were taken back.' }),
  ),
})

/** Tasks that one bulk operation by query may change. */
export const maxQueried = 10_000

export const BulkQueryBody = closed({
  filter: closed(taskFilters, {
    description: 'As the query of `GET /tasks`; {}: every task of the namespace.',
  }),
  op: oneOf(['patch', 'enable', 'disable', 'delete', 'trigger']),
  changes: Type.Optional(freeObject('patch: as the body of `PATCH /tasks/{id}`, without name.')),
  until: Type.Optional(instant('disable: only until then.')),
  token: Type.Optional(
    text('Of the preview of exactly this. Left out: only a preview is made, and nothing is changed.', 200),
  ),
  reason,
})
export type BulkQueryBody = Static<typeof BulkQueryBody>

export const BulkQueryJson = Type.Object({
  total: count('Tasks that match.'),
  sample: Type.Array(Type.Object({ id: Type.String(), name: Type.String() }), {
    description: 'The first 20, by name.',
  }),
  token: nullOr(text('Send the same again with it to do it, to exactly these tasks. Null: it was done.')),
  done: nullOr(
    Type.Object({
      succeeded: count('How many.'),
      failed: count('How many were refused, such as those that are gone by now.'),
      problems: Type.Array(Type.Object({ id: Type.String(), name: Type.String(), problem: ProblemJson }), {
        description: 'The first 100 that were refused.',
      }),
      correlationId: text('Of all events that it made: with it, it can be taken back as a whole.'),
    }),
  ),
})
