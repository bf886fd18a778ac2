import { type Static, Type } from 'typebox'
import { count, instant, nullOr, oneOf, text } from './shape.js'

export const ClusterJson = Type.Object({
  cluster: Type.String(),
  nodeId: Type.String({ description: 'The node that answers.' }),
  head: count('Newest position of the event log that any node has in its read models.'),
  nodes: Type.Array(
    Type.Object({
      nodeId: Type.String(),
      region: Type.String({ description: 'Where it stands; empty: there is one region only.' }),
      weight: Type.Number({
        description: 'Its share of the partitions in relation to other nodes; 0: it takes none.',
      }),
      version: Type.String(),
      owned: count('Partitions that it owns.'),
      startedAt: instant('When it started.'),
      now: instant('Its clock.'),
      ready: Type.Boolean(),
      problem: nullOr(text('Why not ready.')),
      viewPosition: count('Position that its read models have.'),
      lag: count('How far its read models are behind `head`.'),
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
      tasks: nullOr(
        Type.Integer({ description: 'Tasks that wait; null: only the node that owns the partition knows.' }),
      ),
      nextDueAt: nullOr(instant('Next dispatch; null as well where only the owner knows.')),
    }),
  ),
})
export type ClusterJson = Static<typeof ClusterJson>

export const HealthJson = Type.Object({
  status: oneOf(['ok', 'unavailable']),
  problem: Type.Optional(nullOr(Type.String())),
})
