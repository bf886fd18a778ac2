import type {
  Checkpoint,
  Definition,
  Digest,
  PartitionId,
  PartitionProgress,
  RunCommand,
  Skip,
  TaskState,
} from '@almanac/domain'
import type { Instant, Problem } from '@almanac/recurrence'
import type { Gate } from '../gate.js'
import type { Unroutable } from '../ports/faults.js'
import type { RunReads } from '../ports/run-store.js'
import type { Telemetry } from '../ports/telemetry.js'
import type { ViewStore } from '../ports/view-store.js'
import type { Barrier } from '../projection/barrier.js'
import type { SteadyClock } from '../steady-clock.js'
import type { Definitions } from './definitions.js'

/** Limits and habits of a node. Every duration is in milliseconds. */
export interface NodeOptions {
  /** Names the cluster: part of every run id, so it never changes. */
  readonly cluster: string
  /** Names this node in leases, status and events. */
  readonly nodeId: string
  /** Groups of slots; fixed at the cluster's birth. 1 to 256. */
  readonly partitions: number
  /** Decisions of one tick; more due work is split into several. */
  readonly maxDecisionsPerTick: number
  /**
   * Ticks that go on at a time, all partitions together. When everything is due at once, each one is then committed
   * well before it is too old, instead of all of them being too old in the end.
   */
  readonly ticksAtOnce: number
  /** Older than this when decided means missed: the task's catch-up policy decides. */
  readonly misfireGraceMs: number
  /** A partition with nothing due leaves a checkpoint this often. */
  readonly idleCheckpointMs: number
  /**
   * A change of one of its tasks is in a partition's checkpoint within this, though nothing is due: so long may a
   * command wait until it is fenced. Null: with the next checkpoint (standalone: there nobody waits).
   */
  readonly fenceEveryMs: number | null
  /** How long a tick waits for the head of the log to be applied. */
  readonly barrierDeadlineMs: number
  /** Without the log, dispatch goes on with the last definitions this long, then parks. */
  readonly staleLimitMs: number
  /** How long a partition waits after a failure before it tries again. */
  readonly parkedRetryMs: number
  /** Steps of the wall clock (set by hand, or the machine was asleep) are noticed within this. */
  readonly clockWatchMs: number
  /** How often old runs are looked for. */
  readonly housekeepingMs: number
  /** Finished runs and skips are forgotten after this; totals stay. */
  readonly runRetentionMs: number
  /** Where this node stands; '' when there is one region only. */
  readonly region: string
  /** Its share of the partitions in relation to other nodes; 0: it serves and schedules nothing. */
  readonly weight: number
  /** Home region by partition: its nodes come first there. Partitions that are not in it have none. */
  readonly homeRegions: ReadonlyMap<number, string>
  /** How long membership and leases hold without renewal. */
  readonly leaseTtlMs: number
  /** How often they are renewed; also how soon a free partition is noticed. */
  readonly renewEveryMs: number
  /** Taken off a lease's time: the store's clock and this one may run at different speeds. */
  readonly leaseMarginMs: number
  /** A partition moves to a node that came when it has been there this long: a node that flaps moves nothing. */
  readonly settleMs: number
  /**
   * Without the lease store, a partition whose checkpoints stand still this long is taken by the first node in
   * order of preference, by the second one after twice as long, and so on.
   */
  readonly orphanMs: number
  /** When nothing this node owns has progressed for this long, it leaves its share to others for as long. */
  readonly unfitAfterMs: number
  /** A tick that was not committed within this after its barrier is decided anew. */
  readonly tickDeadlineMs: number
  /** How often a partition's progress is mirrored in the event log; null: never (standalone). */
  readonly mirrorEveryMs: number | null
  /** When a partition's checkpoint is lost: go on from the mirror, with equal run ids marked `replayed`, or halt. */
  readonly recovery: 'replay' | 'halt'
  /** Version of the planner's rules, and of the zone database: recorded in every checkpoint. */
  readonly engineVersion: string
  /** As `process.versions.tz` gives it. */
  readonly tzVersion: string
}

export const defaultNodeOptions = {
  cluster: 'almanac',
  partitions: 64,
  maxDecisionsPerTick: 5_000,
  // Commits that come together share one write to the disk.
  ticksAtOnce: 256,
  misfireGraceMs: 2_000,
  idleCheckpointMs: 30_000,
  fenceEveryMs: null,
  barrierDeadlineMs: 1_000,
  staleLimitMs: 30_000,
  parkedRetryMs: 1_000,
  clockWatchMs: 1_000,
  housekeepingMs: 60_000,
  runRetentionMs: 7 * 86_400_000,
  region: '',
  weight: 1,
  homeRegions: new Map<number, string>(),
  leaseTtlMs: 10_000,
  renewEveryMs: 3_000,
  leaseMarginMs: 200,
  settleMs: 5_000,
  orphanMs: 60_000,
  unfitAfterMs: 15_000,
  tickDeadlineMs: 2_000,
  mirrorEveryMs: null,
  recovery: 'replay',
  engineVersion: '1',
} as const satisfies Partial<NodeOptions>

/**
 * With other nodes there is somebody to wait for a change to be fenced, and a dispatch log that may be lost; and a tick
 * is a transaction of a broker, which has a deadline.
 */
export const clusterNodeOptions = {
  ...defaultNodeOptions,
  maxDecisionsPerTick: 1_000,
  ticksAtOnce: 8,
  fenceEveryMs: 500,
  mirrorEveryMs: 60_000,
} as const satisfies Partial<NodeOptions>

/** What a tick finds out that has to become an event. */
export interface FollowUps {
  ended(state: TaskState, cause: 'completed' | 'expired'): void
  unplannable(state: TaskState, problems: readonly Problem[]): void
  poisoned(taskId: string, message: string): void
  unroutable(fault: Unroutable): void
}

/** What the owners of a node's partitions share. */
export interface NodeParts {
  readonly clock: SteadyClock
  readonly views: ViewStore
  readonly runs: RunReads
  readonly barrier: Barrier
  readonly definitions: Definitions
  readonly followUps: FollowUps
  readonly options: NodeOptions
  /** As `runIdOf` names scheduled runs, by `digest`. */
  readonly identify: (definition: Definition, scheduledAt: Instant) => string
  readonly digest: Digest
  readonly gate: Gate
  readonly telemetry: Telemetry
  /** Something went wrong and is tried again. */
  readonly onFault: (message: string, fault: unknown) => void
  readonly onCommitted: (runs: readonly RunCommand[], skips: readonly Skip[], next: Checkpoint) => void
  /** Whether the owner of the partition may tick just now (see `Tenure`). */
  readonly holds: (partition: PartitionId) => boolean
  readonly onTicked: (partition: PartitionId, isParked: boolean) => void
  /** Mirrors a partition's progress in the event log; undefined: not done (standalone). */
  readonly mirror:
    | ((
        partition: PartitionId,
        term: number,
        cause: PartitionProgress['cause'],
        checkpoint: Checkpoint | null,
      ) => void)
    | undefined
}
