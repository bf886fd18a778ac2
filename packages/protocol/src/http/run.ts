import type { RunKind, RunStatus } from '@almanac/domain'
import { type Static, Type } from 'typebox'
import {
  closed,
  count,
  freeObject,
  instant,
  listOf,
  minPosition,
  nullOr,
  oneOf,
  pageQuery,
  text,
} from './shape.js'

export const runKinds = ['scheduled', 'manual', 'backfill', 'catchUp'] as const satisfies readonly RunKind[]
export const runStatuses = [
  'queued',
  'running',
  'succeeded',
  'failed',
  'expired',
  'cancelled',
] as const satisfies readonly RunStatus[]

const command = {
  runId: text(
    'The same for one occurrence, however often it is handed out: make your work idempotent by it.',
  ),
  namespace: Type.String(),
  taskId: Type.String(),
  taskName: Type.String(),
  task: text('What to run.'),
  args: Type.Array(Type.Unknown()),
  kwargs: freeObject('Named arguments.'),
  headers: freeObject('Headers of the task.'),
  queue: Type.String(),
  routingKey: nullOr(Type.String()),
  priority: nullOr(Type.Integer()),
  scheduledAt: instant('The occurrence.'),
  emittedAt: instant('When it was put into the queue.'),
  expiresAt: nullOr(instant('Not worth running after this.')),
  kind: oneOf(runKinds),
  attempt: count('1 for the first time it is handed out.'),
  taskRevision: count('Revision of the task that decided it.'),
  replayed: Type.Optional(
    Type.Literal(true, {
      description:
        'There only when a lost checkpoint was recovered: the same run may have been handed out before.',
    }),
  ),
  traceparent: Type.Optional(
    text('W3C Trace Context: the step of a trace that you go on with. There only when the run is traced.'),
  ),
}

/** What a worker gets, over HTTP and in Kafka. */
export const RunCommandJson = Type.Object(command)
export type RunCommandJson = Static<typeof RunCommandJson>

export const LeaseBody = closed({
  max: Type.Optional(count('At most so many runs; default 1.', 1, 1_000)),
  waitMs: Type.Optional(count('How long to wait for the first; default 0.', 0, 30_000)),
  worker: Type.Optional(
    Type.String({ minLength: 1, maxLength: 200, description: 'Shown in the history; default `anonymous`.' }),
  ),
  leaseSeconds: Type.Optional(
    count('Without ack, fail or heartbeat the run is handed out again after this; default 60.', 1, 86_400),
  ),
})
export type LeaseBody = Static<typeof LeaseBody>

export const LeaseJson = Type.Object({
  runs: Type.Array(
    Type.Object({ ...command, leaseToken: Type.String(), leaseExpiresAt: nullOr(Type.String()) }),
  ),
})

const leaseToken = Type.String({ minLength: 1, maxLength: 200, description: 'As handed out with the run.' })

export const AckBody = closed({ leaseToken })
export type AckBody = Static<typeof AckBody>
export const FailBody = closed({
  leaseToken,
  error: Type.Optional(text('Shown in the history.', 8_192)),
  retryInSeconds: Type.Optional(
    nullOr(
      Type.Number({
        minimum: 0,
        maximum: 2_592_000,
        description:
          'Hand it out again after this, if attempts are left; null: never again. 0 when left out.',
      }),
    ),
  ),
})
export type FailBody = Static<typeof FailBody>
export const HeartbeatBody = closed({
  leaseToken,
  leaseSeconds: Type.Optional(count('From now on; default 60.', 1, 86_400)),
})
export type HeartbeatBody = Static<typeof HeartbeatBody>

export const SettledJson = Type.Object({ runId: Type.String(), status: oneOf(runStatuses) })
export const HeartbeatJson = Type.Object({
  runId: Type.String(),
  cancelRequested: Type.Boolean({ description: 'True: stop, a newer run takes its place.' }),
  leaseExpiresAt: nullOr(Type.String()),
})

export const RunJson = Type.Object({
  ...command,
  status: oneOf(runStatuses),
  startedAt: nullOr(instant('When it was last handed out.')),
  finishedAt: nullOr(instant('When it ended.')),
  notBefore: nullOr(instant('Not handed out before this.')),
  leaseExpiresAt: nullOr(instant('When the lease lapses.')),
  worker: nullOr(Type.String()),
  error: nullOr(Type.String()),
  maxAttempts: Type.Integer(),
  cancelRequested: Type.Boolean(),
})
export type RunJson = Static<typeof RunJson>

export const RunList = listOf(RunJson)
export const RunListQuery = closed({
  task: Type.Optional(text('Task id.', 64)),
  status: Type.Optional(oneOf(runStatuses)),
  queue: Type.Optional(text('Queue.', 200)),
  kind: Type.Optional(oneOf(runKinds)),
  from: Type.Optional(instant('Scheduled at or after this.')),
  until: Type.Optional(instant('Scheduled before this.')),
  ...pageQuery,
  minPosition,
})
export const RunQuery = closed({ minPosition })
