import type { Checkpoint, RunCommand, Skip } from '@almanac/domain'
import type { Claim, Tick } from './dispatch-log.js'

/** Made-up values that the contract suites share. */

export const sampleRun = (runId: string, changes: Partial<RunCommand> = {}): RunCommand => ({
  runId,
  namespace: 'default',
  taskId: 'task-1',
  taskName: 'Nightly report ☾',
  task: 'reports.nightly',
  args: [1, 'two', { three: [null] }],
  kwargs: { region: 'eu', 'spaced key': 'ü' },
  headers: { trace: 'abc' },
  queue: 'default',
  exchange: null,
  routingKey: null,
  priority: null,
  scheduledAt: 1000,
  emittedAt: 1005,
  expiresAt: null,
  kind: 'scheduled',
  overlap: 'allow',
  maxAttempts: 1,
  taskRevision: 3,
  partition: 0,
  seq: 1,
  ...changes,
})

export const sampleSkip = (taskId: string, changes: Partial<Skip> = {}): Skip => ({
  taskId,
  reason: 'misfire',
  first: 100,
  last: 200,
  count: 2,
  revision: 3,
  ...changes,
})

/** The checkpoint that follows the claim's, or the first. */
export const nextCheckpoint = (
  claim: Pick<Claim, 'term' | 'checkpoint'>,
  changes: Partial<Checkpoint> = {},
): Checkpoint => ({
  seq: (claim.checkpoint?.seq ?? 0) + 1,
  term: claim.term,
  cursor: { at: 1000, taskId: 'task-1' },
  position: 7,
  evaluatedAt: 1005,
  more: false,
  engineVersion: '1',
  tzVersion: '2025b',
  runs: 0,
  skipped: 0,
  digest: 'd',
  previous: '',
  ...changes,
})

export const tickOf = (next: Checkpoint, parts: Partial<Tick> = {}): Tick => ({
  runs: [],
  skips: [],
  resets: [],
  next,
  ...parts,
})
