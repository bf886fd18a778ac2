import {
  type Digest,
  digestOf,
  type MemberReport,
  type PartitionId,
  type Position,
  runIdOf,
} from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'
import type { Affected, Application, Commands, NodeStatus } from './application.js'
import { Chores } from './chores.js'
import type { ClockGuard } from './clock-guard.js'
import { Fitness } from './cluster/fitness.js'
import { LeasedTenure } from './cluster/leased-tenure.js'
import { createCommands } from './commands/commands.js'
import type { SystemCommands } from './commands/system-commands.js'
import { Gate } from './gate.js'
import { Intake } from './intake/run-intake.js'
import type { Clock, Random } from './ports/clock.js'
import type { DispatchLog } from './ports/dispatch-log.js'
import type { EventLog } from './ports/event-log.js'
import { PortFault } from './ports/faults.js'
import type { LeaseStore } from './ports/lease-store.js'
import type { Membership } from './ports/membership.js'
import type { RunReads, WorkQueue } from './ports/run-store.js'
import { noTelemetry, type Telemetry } from './ports/telemetry.js'
import type { ViewStore } from './ports/view-store.js'
import type { WebhookAdapters } from './ports/webhook.js'
import { Barrier } from './projection/barrier.js'
import { LiveKeyRing } from './projection/key-ring.js'
import { type Change, Projector } from './projection/projector.js'
import { ChangeFence } from './query/change-fence.js'
import { NodeQueries } from './query/queries.js'
import { Definitions } from './scheduling/definitions.js'
import { followUpsOf } from './scheduling/follow-ups.js'
import { ProgressMirror } from './scheduling/mirror.js'
import type { NodeOptions, NodeParts } from './scheduling/node-parts.js'
import { Scheduler } from './scheduling/scheduler.js'
import { SoleTenure } from './scheduling/tenure.js'
import { SteadyClock } from './steady-clock.js'
import { createStop } from './stop.js'
import { measured } from './telemetry/measured.js'
import { observeNode } from './telemetry/node-metrics.js'
import { type WebhookOffice, webhookOffice } from './webhook/office.js'

export interface NodeAdapters {
  readonly log: EventLog
  readonly dispatchLog: DispatchLog
  readonly views: ViewStore
  readonly runs: RunReads
  /** Where workers get runs over HTTP; absent: they read them elsewhere. */
  readonly queue?: WorkQueue
  readonly clock: Clock
  readonly random: Random
  /** A faster way than pure code to compute the same. Default: `digestOf`. */
  readonly digest?: Digest
  /** With other nodes: who they are, and who should do what. Without, this node owns every partition. */
  readonly cluster?: ClusterAdapters
  /** What the node tells of itself goes there; absent: it tells nothing. */
  readonly telemetry?: Telemetry
  /** Absent: there are no webhooks here. */
  readonly webhooks?: WebhookAdapters
}

export interface ClusterAdapters {
  readonly membership: Membership
  readonly leases: LeaseStore
  /** The clock of `NodeAdapters`, held against those of the servers that this node talks to. */
  readonly guard: ClockGuard
}

export interface NodeCallbacks {
  /** Read models being built at start: how far, of how much. */
  readonly onProgress: (position: Position, head: Position) => void
  /** Something went wrong and is tried again. */
  readonly onFault: (message: string, fault: unknown) => void
  /** A loop of the node has ended in an error: it must be stopped and started anew. */
  readonly onFatal: (fault: unknown) => void
}

/** One node: read models, scheduler, commands, queries and work queue over the ports it is given. */
export class Node implements Application {
  readonly commands: Commands
  readonly queries: NodeQueries
  readonly intake: Intake | null
  readonly webhooks: WebhookOffice | null
  private readonly adapters: NodeAdapters
  private readonly telemetry: Telemetry
  private readonly unobserve: () => void
  private readonly options: NodeOptions
  private readonly callbacks: NodeCallbacks
  private readonly clock: SteadyClock
  private readonly stopping = createStop()
  /** Before everything else: ticks under way still need the projector. */
  private readonly draining = createStop()
  private scheduling: Promise<unknown> = Promise.resolve()
  private readonly chores: Chores
  private readonly projector: Projector
  private readonly keyRing: LiveKeyRing
  private readonly scheduler: Scheduler
  private readonly mirror: ProgressMirror
  private readonly tenure: LeasedTenure | undefined
  private readonly fence: ChangeFence
  private readonly system: SystemCommands
  private readonly startedAt: Instant
  private readonly counted = { ticks: 0, runs: 0, skips: 0, maxLatenessMs: 0, latenessMsSum: 0 }
  private loops: Promise<unknown> = Promise.resolve()
  private ready = false
  private problem: string | null = 'starting'

  constructor(given: NodeAdapters, options: NodeOptions, callbacks: NodeCallbacks) {
    const { telemetry = noTelemetry, clock: watch } = given
    const { ports: adapters, newest, leases } = measured(given, { telemetry, clock: watch })
    this.adapters = adapters
    this.telemetry = telemetry
    this.options = options
    this.callbacks = callbacks
    const { log, views, runs, random, dispatchLog, cluster, digest = digestOf } = adapters
    const { onFault } = callbacks
    const clock =
      cluster === undefined
        ? new SteadyClock(adapters.clock)
        : new SteadyClock(cluster.guard, () => cluster.guard.isVouchedFor())
    this.clock = clock
    this.startedAt = clock.now()
    this.chores = new Chores(clock, onFault)
    this.keyRing = new LiveKeyRing({ log, clock, onFault, retryMs: options.parkedRetryMs })
    this.projector = new Projector({
      log,
      views,
      clock,
      onChanges: (changes) => this.applied(changes),
      onFault,
      retryMs: options.parkedRetryMs,
      telemetry,
    })
    const definitions = new Definitions(views)
    const waitFor = (position: Position, timeoutMs: number) => this.projector.waitFor(position, timeoutMs)
    const deps = { log, clock, random, views, cluster: options.cluster, digest, waitFor }
    const commands = createCommands(deps)
    this.commands = commands
    this.system = commands
    const { queue } = adapters
    this.intake = queue === undefined ? null : new Intake({ runs, queue, clock, stop: this.stopping })
    const { intake } = this
    const { nodeId, partitions, parkedRetryMs: retryMs } = options
    const owns = (partition: number) => this.owns(partition)
    this.webhooks =
      adapters.webhooks === undefined
        ? null
        : webhookOffice(adapters.webhooks, { deps, intake, nodeId, partitions, owns, retryMs, onFault })
    const { projector, keyRing } = this
    this.queries = new NodeQueries({ log, views, runs, clock, projector, definitions, keyRing })
    this.fence = new ChangeFence({ dispatchLog, clock, partitions: options.partitions, stop: this.stopping })
    this.tenure = cluster === undefined ? undefined : this.leasedTenure(cluster)
    this.mirror = new ProgressMirror({ log, clock, nodeId: options.nodeId, onFault })
    this.scheduler = this.createScheduler(definitions)
    const clockOffsets = () => cluster?.guard.offsets() ?? new Map<string, number>()
    this.unobserve = observeNode(telemetry, { status: () => this.status(), newest, leases, clockOffsets })
  }

  private leasedTenure({ membership, leases, guard }: ClusterAdapters): LeasedTenure {
    const { log, dispatchLog, random } = this.adapters
    const { clock, options } = this
    const probe = async () => {
      await log.head()
      await dispatchLog.probe()
    }
    const fitness = new Fitness({ clock, unfitAfterMs: options.unfitAfterMs, probe })
    const { onFault } = this.callbacks
    const parts = { membership, leases, dispatchLog, clock, random, fitness, guard, options, onFault }
    return new LeasedTenure({ ...parts, report: () => this.report() })
  }

  /** What this node tells the others of itself. */
  private report(): MemberReport {
    return {
      startedAt: this.startedAt,
      now: this.clock.now(),
      ready: this.ready,
      problem: this.trouble(),
      viewPosition: this.adapters.views.position(),
    }
  }

  /** Why nobody should count on this node; null: they may. */
  private trouble(): string | null {
    const problem = this.problem ?? this.tenure?.problem ?? null
    // A node that owns nothing has no tick that would be stuck: it sees it as a reader.
    const isCutOff = this.projector.cutOffMs() > this.options.unfitAfterMs
    return problem ?? (isCutOff ? 'the event log is out of reach' : null)
  }

  private createScheduler(definitions: Definitions): Scheduler {
    const { log, dispatchLog, views, runs, digest = digestOf } = this.adapters
    const { clock, options, callbacks, tenure, mirror } = this
    const { onFault } = callbacks
    const node: NodeParts = {
      clock,
      views,
      runs,
      barrier: new Barrier(log, this.projector, clock, options.barrierDeadlineMs),
      definitions,
      followUps: followUpsOf(this.chores, this.system, log, clock),
      options,
      telemetry: this.telemetry,
      digest,
      gate: new Gate(options.ticksAtOnce),
      identify: ({ namespace, taskId }, scheduledAt) =>
        runIdOf(options.cluster, namespace, taskId, scheduledAt, digest),
      onFault,
      onCommitted: (committed, skips) => {
        this.count(committed, skips.length)
        this.intake?.committed(committed)
      },
      holds: (partition) => tenure?.holds(partition) ?? true,
      onTicked: (partition, isParked) => tenure?.ticked(partition, isParked),
      mirror:
        options.mirrorEveryMs === null
          ? undefined
          : (...progress) => {
              void mirror.note(...progress)
            },
    }
    return new Scheduler({
      log,
      dispatchLog,
      tenure: tenure ?? new SoleTenure(clock, options.parkedRetryMs),
      recovered: (...recovery) => mirror.recovered(...recovery),
      node,
    })
  }

  /** Resolves when the read models are up to date; as the only node, also when every partition is owned. */
  async start(): Promise<void> {
    await this.keyRing.load(this.stopping)
    await this.webhooks?.load(this.stopping)
    await this.projector.catchUp(this.callbacks.onProgress, this.stopping)
    await new Promise<void>((resolve, reject) => {
      const scheduling = this.schedule(resolve)
      this.scheduling = scheduling.catch(() => {})
      const loops = [
        this.projector.run(this.stopping),
        scheduling,
        this.chores.run(this.stopping),
        this.housekeeping(),
        this.watchClock(),
        ...(this.webhooks === null ? [] : [this.webhooks.service.run(this.stopping)]),
      ]
      this.loops = Promise.allSettled(loops)
      for (const loop of loops) {
        loop.catch((fault: unknown) => {
          this.problem = fault instanceof Error ? fault.message : String(fault)
          this.ready = false
          reject(fault instanceof Error ? fault : new Error(String(fault)))
          this.callbacks.onFatal(fault)
        })
      }
    })
    this.ready = true
    this.problem = null
  }

  /** Membership first, so that the clock has been held against another one before anything is decided by it. */
  private async schedule(onReady: () => void): Promise<void> {
    const { tenure, scheduler, draining, options } = this
    if (tenure === undefined) return scheduler.run(draining, onReady)
    const heard = createStop()
    const renewing = tenure.run(draining, () => heard.stop())
    await Promise.race([renewing, new Promise<void>((resolve) => heard.onStop(resolve))])
    if (options.weight === 0) onReady()
    // Together: a node whose renewals have ended in an error must not go on as if it were a member.
    await Promise.all([renewing, options.weight > 0 ? scheduler.run(draining, onReady) : undefined])
    await tenure.leave()
  }

  /** Ends the loops: ticks under way finish, partitions are released. May be called twice. */
  async stop(): Promise<void> {
    this.ready = false
    this.problem ??= 'stopping'
    await this.tenure?.retire()
    this.draining.stop()
    await this.scheduling
    await this.mirror.settledNotes()
    this.stopping.stop()
    await this.loops
    this.unobserve()
  }

  async fenced(affected: readonly Affected[], position: Position, timeoutMs: number): Promise<boolean> {
    const { clock } = this
    const deadline = clock.elapsed() + timeoutMs
    // Whoever uses the shared schedule by now is known here only when the change itself is.
    const isShared = affected.some(({ kind }) => kind !== 'task')
    if (isShared && !(await this.projector.waitFor(position, timeoutMs, this.stopping))) return false
    const taskIds = affected.flatMap((one) =>
      one.kind === 'task'
        ? [one.taskId]
        : [...this.scheduler.usersBefore(one, position)].map((state) => state.taskId),
    )
    return this.fence.fenced(taskIds, position, deadline - clock.elapsed())
  }

  /** Whether this node owns the partition now. */
  owns(partition: PartitionId): boolean {
    return this.scheduler.owns(partition)
  }

  status(): NodeStatus {
    const { views, runs } = this.adapters
    const { ticks, runs: emitted, skips, maxLatenessMs, latenessMsSum } = this.counted
    return {
      nodeId: this.options.nodeId,
      cluster: this.options.cluster,
      engineVersion: this.options.engineVersion,
      startedAt: this.startedAt,
      now: this.clock.now(),
      ready: this.ready,
      problem: this.trouble(),
      head: views.position(),
      viewPosition: views.position(),
      members: this.tenure?.members ?? [],
      partitions: this.scheduler.status(),
      counters: {
        ticks_total: ticks,
        runs_emitted_total: emitted,
        skips_total: skips,
        lateness_ms_sum: latenessMsSum,
        lateness_ms_max: maxLatenessMs,
        chores_waiting: this.chores.length,
        chores_failed_total: this.chores.failed,
        clock_ahead_ms: this.clock.ahead(),
        ...this.scheduler.counters,
      },
      tasks: views.counts(),
      runs: Object.fromEntries(runs.counts()),
    }
  }

  private applied(changes: readonly Change[]): void {
    this.scheduler.changed(changes)
    this.webhooks?.service.wake()
    for (const change of changes) {
      if (change.kind === 'other') {
        this.keyRing.apply(change.event)
        this.webhooks?.apply(change.event)
      }
      if (change.kind !== 'schedule' || change.event.type !== 'ScheduleDeleted') continue
      const { event } = change
      this.chores.add(`schedule deleted ${event.id}`, () => this.system.reactToScheduleDeleted(event))
    }
  }

  private count(
    committed: readonly { scheduledAt: Instant; emittedAt: Instant; kind: string }[],
    skips: number,
  ): void {
    const { counted } = this
    counted.ticks += 1
    counted.runs += committed.length
    counted.skips += skips
    for (const run of committed) {
      if (run.kind !== 'scheduled') continue
      const lateness = run.emittedAt - run.scheduledAt
      counted.latenessMsSum += lateness
      counted.maxLatenessMs = Math.max(counted.maxLatenessMs, lateness)
    }
  }

  /** Waits are counted in elapsed time; when the wall clock jumps, whoever waits has to look again. */
  private async watchClock(): Promise<void> {
    let offset = this.clock.now() - this.clock.elapsed()
    while (!this.stopping.stopped) {
      await this.clock.sleep(this.options.clockWatchMs, this.stopping)
      const next = this.clock.now() - this.clock.elapsed()
      if (Math.abs(next - offset) > stepMs) this.scheduler.wakeAll()
      offset = next
    }
  }

  private async housekeeping(): Promise<void> {
    while (!this.stopping.stopped) {
      await this.clock.sleep(this.options.housekeepingMs, this.stopping)
      try {
        const before = this.clock.now() - this.options.runRetentionMs
        while (!this.stopping.stopped && (await this.adapters.runs.prune(before, pruneSize)) === pruneSize);
      } catch (fault) {
        this.callbacks.onFault('pruning runs', fault)
        if (!(fault instanceof PortFault)) throw fault
      }
    }
  }
}

/** Less than this is drift and the slowness of timers, not a step. */
const stepMs = 100
const pruneSize = 5_000
