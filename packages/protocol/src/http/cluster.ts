import { type Static, Type } from 'typebox'
import { count, instant, nullOr, oneOf, text } from './shape.js'

export const ClusterJson = Type.Object({
  cluster: Type.String(),
  nodes: Type.Array(
    Type.Object({
      nodeId: Type.String(),
      startedAt: instant('When it started.'),
      now: instant('Its clock.'),
      ready: Type.Boolean(),
      problem: nullOr(text('Why not ready.')),
      head: count('Newest position of the event log.'),
      viewPosition: count('Position that its read models have.'),
      lag: count('Events that its read models lack.'),
    }),
  ),
  tasks: Type.Object({
    tasks: count('All.'),
    enabled: count('Enabled.'),
    quarantined: count('Quarantined.'),
  }),
  runs: Type.Record(Type.String(), Type.Integer()),
  counters: Type.Record(Type.String(), Type.Number()),
  partitions: Type.Array(
    Type.Object({
      partition: Type.Integer(),
      owner: nullOr(Type.String()),
      term: nullOr(Type.Integer()),
      seq: nullOr(Type.Integer()),
      position: nullOr(Type.Integer()),
      cursorAt: nullOr(instant('Everything up to here is decided.')),
      evaluatedAt: nullOr(instant('Clock of its last tick.')),
      tasks: Type.Integer(),
      nextDueAt: nullOr(instant('Next dispatch.')),
    }),
  ),
})
export type ClusterJson = Static<typeof ClusterJson>

export const HealthJson = Type.Object({
  status: oneOf(['ok', 'unavailable']),
  problem: Type.Optional(nullOr(Type.String())),
})
