import {
  type Checkpoint,
  type Cursor,
  type Definition,
  type Floor,
  genesis,
  type Lookups,
  nextCheckpoint,
  nextOccurrence,
  type PartitionId,
  type PartitionProgress,
  type Position,
  plan,
  raised,
  type TaskState,
} from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'
import type { Stop } from '../ports/clock.js'
import type { Claim } from '../ports/dispatch-log.js'
import { PortFault, Unroutable, unavailable } from '../ports/faults.js'
import type { Change } from '../projection/projector.js'
import { Signal } from '../signal.js'
import { TickRecorder } from '../telemetry/tick-recorder.js'
import { definitionsOf, statesOf } from './decided-on.js'
import type { Beginning, Decision } from './decision.js'
import { DueIndex } from './due-index.js'
import { type Carried, carriedOver } from './floors.js'
import type { NodeParts } from './node-parts.js'
import { commandsOf, mayRun } from './run-commands.js'
import { type Asked, isPlannable, Undecided } from './undecided.js'

/** `stale`: it took so long that the barrier says nothing any more; decided anew at once. */
export type TickOutcome = 'nothing' | 'committed' | 'fenced' | 'unknown' | 'parked' | 'stale'

/**
 * Owns one partition for one claim: keeps its due index, and decides what is due in one sequential loop. When a
 * commit is fenced or its outcome unknown, it is thrown away and the partition is claimed anew.
 */
export class PartitionOwner {
  readonly partition: PartitionId
  readonly index = new DueIndex()
  /** Events after this position have reached this owner as they were applied; earlier ones have to be replayed. */
  readonly liveAfter: Position
  private readonly parts: NodeParts
  private readonly claim: Claim
  private readonly undecided: Undecided
  private readonly recorder: TickRecorder
  private readonly dirty = new Set<string>()
  private readonly signal = new Signal()
  private checkpoint: Checkpoint | null
  private cursor: Cursor
  private lastBarrier: number
  /** Up to where ticks have decided, the one under way included. */
  private reached: Instant
  private readonly recoveredAt: Instant | null
  private mirroredAt: number
  private floors: readonly Floor[]
  /** The newest event of its tasks, or of what they refer to, that has reached this owner. */
  private heard: Position = 0
  private committedAt: number

  constructor(parts: NodeParts, claim: Claim, { checkpoint, startedAt, recoveredAt }: Beginning) {
    this.parts = parts
    this.claim = claim
    this.partition = claim.partition
    this.checkpoint = checkpoint
    this.cursor = checkpoint?.cursor ?? genesis(startedAt).cursor
    this.reached = this.cursor.at
    this.recoveredAt = recoveredAt
    this.floors = checkpoint?.floors ?? []
    this.undecided = new Undecided(parts.definitions)
    this.recorder = new TickRecorder(parts)
    // What another owner knew is not known here: before the first barrier nothing is decided.
    this.lastBarrier = Number.NEGATIVE_INFINITY
    this.mirroredAt = parts.clock.elapsed()
    this.committedAt = this.mirroredAt
    this.liveAfter = parts.views.position()
  }

  get term(): number {
    return this.claim.term
  }

  get lastCheckpoint(): Checkpoint | null {
    return this.checkpoint
  }

  /** Events after this position may still ask something of the next tick. */
  get position(): Position {
    return this.checkpoint?.position ?? 0
  }

  /** An event of one of this partition's tasks has been applied to the read models. */
  changed(change: Change & { readonly kind: 'task' }, lookups?: Lookups): void {
    this.heard = Math.max(this.heard, change.event.position)
    if (change.event.position > this.position) {
      this.undecided.add(change, lookups)
      this.recorder.heard(change.event, change.after.taskId)
      this.armedBehindCursor(change)
    }
    this.dirty.add(change.after.taskId)
    this.signal.notify()
  }

  /** A task that was armed before the cursor, by an event that is applied only now, has that much to be decided. */
  private armedBehindCursor({ event, after }: Change & { readonly kind: 'task' }): void {
    const isArmed = after.armedAt === event.metadata.at && isPlannable(after)
    if (isArmed && after.armedAt < this.reached) this.undecided.arm(after.taskId, event.position)
  }

  /** A schedule or calendar that the task uses has changed; `before`: how it was planned until then. */
  rescheduled(taskId: string, before: Definition | undefined, at: Instant, position: Position): void {
    this.heard = Math.max(this.heard, position)
    if (before !== undefined && position > this.position) {
      const mayBeDue = this.undecided.isUnseen(taskId) || this.mayBeDue(before, at)
      if (mayBeDue) this.undecided.supersede(before, at, position)
      this.undecided.referredChanged(before, position)
    }
    this.dirty.add(taskId)
    this.signal.notify()
  }

  private mayBeDue(definition: Definition, until: Instant): boolean {
    const next = nextOccurrence(definition, this.cursor)
    return next !== undefined && next.scheduledAt <= until
  }

  /** Puts a task where it belongs in the due index, from the read models' state and the committed cursor. */
  place(state: TaskState | undefined): void {
    if (state === undefined) return
    if (!isPlannable(state)) {
      this.index.remove(state.taskId)
      return
    }
    const definition = this.parts.definitions.resolve(state)
    if (!definition.ok) {
      this.index.remove(state.taskId)
      this.parts.followUps.unplannable(state, definition.error)
      return
    }
    try {
      const next = nextOccurrence(raised(definition.value, this.floors), this.cursor)
      this.wait(state, definition.value, next?.dispatchAt ?? null)
    } catch (error) {
      this.index.remove(state.taskId)
      this.parts.followUps.poisoned(state.taskId, error instanceof Error ? error.message : String(error))
    }
  }

  /** Very many changes, such as an import's, are placed in parts, before the one turn in which a tick decides. */
  private async placeMost(): Promise<void> {
    for (let left = this.dirty.size; left > mostInATurn; left -= mostInATurn) {
      const some: string[] = []
      for (const taskId of this.dirty) if (some.push(taskId) === mostInATurn) break
      this.placeDirty(some)
      await this.parts.views.othersTurn()
    }
  }

  private placeDirty(taskIds: Iterable<string>): void {
    const states = this.parts.views.tasks([...taskIds])
    for (const taskId of taskIds) {
      this.place(states.get(taskId))
      this.dirty.delete(taskId)
    }
  }

  /** Ends the wait for the next due instant. */
  wake(): void {
    this.signal.notify()
  }

  /** Decides what is due until `stop`, or until the claim is lost. */
  async run(stop: Stop): Promise<'stopped' | 'fenced' | 'unknown'> {
    const { clock, options } = this.parts
    while (!stop.stopped) {
      const idleMs = this.untilNextTick()
      if (idleMs > 0) {
        await this.signal.wait(clock, idleMs, stop)
        continue
      }
      if (!this.parts.holds(this.partition)) {
        await clock.sleep(options.renewEveryMs / 30, stop)
        continue
      }
      const outcome = await this.parts.gate.run(async () => (stop.stopped ? 'nothing' : this.tick()))
      this.parts.onTicked(this.partition, outcome === 'parked')
      if (outcome === 'fenced' || outcome === 'unknown') return outcome
      if (outcome === 'parked') await clock.sleep(options.parkedRetryMs, stop)
    }
    this.mirror('handover')
    await this.claim.release()
    return 'stopped'
  }

  /** Leaves a mark of how far the partition is in the event log; in the background, and no harm when it fails. */
  mirror(cause: PartitionProgress['cause']): void {
    const { mirror } = this.parts
    if (mirror === undefined) return
    this.mirroredAt = this.parts.clock.elapsed()
    mirror(this.partition, this.claim.term, cause, this.checkpoint)
  }

  private untilNextTick(): number {
    if (this.dirty.size > 0 || !this.undecided.isEmpty || this.checkpoint === null || this.checkpoint.more)
      return 0
    const now = this.parts.clock.now()
    const due = this.index.peek() ?? Number.POSITIVE_INFINITY
    return Math.min(due - now, this.untilIdle(this.checkpoint, now), this.untilFence())
  }

  /** Until the next sign of life. Counted in elapsed time as well: a clock that was set back must not silence it. */
  private untilIdle({ evaluatedAt }: Checkpoint, now: Instant): number {
    const { idleCheckpointMs } = this.parts.options
    return idleCheckpointMs - Math.max(now - evaluatedAt, this.parts.clock.elapsed() - this.committedAt)
  }

  /** How long until the changes that have been heard of must be in a checkpoint. */
  private untilFence(): number {
    const { fenceEveryMs } = this.parts.options
    if (fenceEveryMs === null || this.heard <= this.position) return Number.POSITIVE_INFINITY
    return this.committedAt + fenceEveryMs - this.parts.clock.elapsed()
  }

  /** One pass: everything between the barrier and the commit happens in one turn, on one position. */
  async tick(): Promise<TickOutcome> {
    const { parts } = this
    const begunAt = parts.clock.elapsed()
    const isReached = await parts.barrier.reach()
    const elapsed = parts.clock.elapsed()
    parts.telemetry.record('barrier_wait_seconds', (elapsed - begunAt) / 1_000)
    if (isReached) this.lastBarrier = elapsed
    else if (elapsed - this.lastBarrier > parts.options.staleLimitMs) return 'parked'
    await this.placeMost()
    // The process may have stood still meanwhile: what was reached then says nothing now.
    if (isReached && parts.clock.elapsed() - begunAt > parts.options.tickDeadlineMs) return 'stale'
    const position = parts.views.position()
    if (position < this.position) return this.behind(isReached)
    const asked = this.undecided.upTo(position)
    const carried = carriedOver(asked, this.checkpoint?.floors ?? [], this.cursor, parts)
    this.floors = carried.floors
    // These may have been placed beforehand, without their floors.
    for (const { taskId } of asked.changed) this.dirty.add(taskId)
    this.placeDirty(this.dirty)
    const now = this.checkpoint?.more === true ? this.checkpoint.evaluatedAt : parts.clock.now()
    const decision = this.decide(now, position, { ...asked, ...carried })
    if (decision === undefined) return 'nothing'
    try {
      return await this.commit(decision, begunAt)
    } catch (fault) {
      // Surely not written: the claim is still good, and everything taken is due again.
      if (!(fault instanceof PortFault) || fault.code === 'outcome_unknown') throw fault
      parts.onFault(`partition ${this.partition}`, fault)
      if (fault instanceof Unroutable) parts.followUps.unroutable(fault)
      for (const { taskId, due } of decision.taken) if (!this.dirty.has(taskId)) this.index.set(taskId, due)
      return 'parked'
    }
  }

  /** The partition was decided by newer definitions than this node has: never by older ones again. */
  private behind(isReached: boolean): TickOutcome {
    if (isReached) {
      const fault = unavailable(
        `the event log ends before position ${this.position}: has a backup been restored?`,
      )
      this.parts.onFault(`partition ${this.partition}`, fault)
    }
    return 'parked'
  }

  private decide(now: Instant, position: Position, asked: Asked & Carried): Decision | undefined {
    const { parts } = this
    const limit = parts.options.maxDecisionsPerTick
    const taken = this.index.take(now, limit)
    if (taken.length === 0 && this.undecided.isEmpty && !this.isCheckpointDue(now)) return undefined
    const due = taken.map(({ taskId }) => taskId)
    const states = statesOf(parts, due, asked)
    const definitions = definitionsOf(parts, due, states, this.floors)
    const last = taken.at(-1)
    const isCut = taken.length === limit && (this.index.peek() ?? Number.POSITIVE_INFINITY) <= now
    const exclusive = definitions.filter((d) => d.overlap !== 'allow').map((d) => d.taskId)
    const busy = parts.runs.busy(exclusive, now)
    const decided = plan({
      cluster: parts.options.cluster,
      cursor: this.cursor,
      now,
      definitions,
      retired: asked.retired,
      overdue: asked.overdue,
      armed: definitionsOf(parts, asked.armed, states, this.floors),
      requests: asked.requests,
      busy: (taskId) => busy.get(taskId) ?? { running: 0, queued: 0 },
      limits: { maxDecisions: limit, misfireGraceMs: parts.options.misfireGraceMs },
      identify: parts.identify,
      ...(isCut && last !== undefined ? { horizon: { at: last.due, taskId: last.taskId } } : {}),
    })
    this.reached = Math.max(this.reached, decided.cursor.at)
    return { now, position, plan: decided, taken, states, resets: asked.resets, armed: asked.armed }
  }

  private isCheckpointDue(now: Instant): boolean {
    const { checkpoint } = this
    if (checkpoint === null || checkpoint.more || this.untilFence() <= 0) return true
    return this.untilIdle(checkpoint, now) <= 0
  }

  private async commit(decision: Decision, begunAt: number): Promise<TickOutcome> {
    const { parts } = this
    const { now, position, resets, states } = decision
    const { skips, cursor, more } = decision.plan
    const runs = decision.plan.runs.filter((run) => mayRun(states.get(run.taskId)))
    const next = nextCheckpoint(
      this.checkpoint,
      {
        term: this.claim.term,
        cursor,
        position,
        evaluatedAt: now,
        more,
        engineVersion: parts.options.engineVersion,
        tzVersion: parts.options.tzVersion,
        runIds: runs.map((run) => run.runId),
        skipped: skips.reduce((sum, skip) => sum + skip.count, 0),
        floors: this.floors,
        replayUntil: this.recoveredAt,
      },
      parts.digest,
    )
    const tick = { emittedAt: parts.clock.now(), partition: this.partition, seq: next.seq }
    const commands = commandsOf(runs, states, tick, this.recoveredAt)
    const decided = { next, planned: runs, commands, skips, begunAt }
    const outcome = await this.recorder.commit(decided, (traced) =>
      this.claim.commit({ runs: traced, skips, resets, next }),
    )
    if (outcome === 'early') throw unavailable('by the clock of the dispatch log it is not time yet')
    if (outcome !== 'committed') return outcome
    this.checkpoint = next
    this.committedAt = parts.clock.elapsed()
    this.cursor = cursor
    for (const taskId of decision.armed) this.dirty.add(taskId)
    this.undecided.settled(position)
    this.settle(decision)
    parts.onCommitted(commands, skips, next)
    const { mirrorEveryMs } = parts.options
    if (mirrorEveryMs !== null && parts.clock.elapsed() - this.mirroredAt >= mirrorEveryMs)
      this.mirror('interval')
    return 'committed'
  }

  /** Puts the decided tasks back into the index, or ends them. */
  private settle({ plan: decided, taken, states }: Decision): void {
    const { definitions, followUps } = this.parts
    for (const [taskId, message] of decided.poisoned) followUps.poisoned(taskId, message)
    for (const { taskId } of taken) {
      const state = states.get(taskId)
      if (
        state === undefined ||
        !isPlannable(state) ||
        decided.poisoned.has(taskId) ||
        this.dirty.has(taskId)
      )
        continue
      const definition = definitions.of(state)
      if (definition.ok) this.wait(state, definition.value, decided.next.get(taskId) ?? null)
    }
  }

  /** `due`: the next dispatch; null: none is left, so the task ends, now or when it expires. */
  private wait(state: TaskState, definition: Definition, due: Instant | null): void {
    const { expires, finalAt } = definition
    if (due !== null) {
      this.index.set(state.taskId, due)
      return
    }
    const isExpired = expires !== null && expires <= this.parts.clock.now()
    const isUsedUp = state.runsLeft === 0 || (finalAt !== null && finalAt <= this.cursor.at)
    const isOver = isUsedUp || definition.recurrence.next(this.cursor.at) === undefined
    if (expires !== null && !isExpired && !isOver) {
      this.index.set(state.taskId, expires)
      return
    }
    this.index.remove(state.taskId)
    // Not before a tick has decided what it had due behind the cursor.
    if (this.undecided.isArmed(state.taskId)) return
    this.parts.followUps.ended(state, isOver || !isExpired ? 'completed' : 'expired')
  }
}

/** Tasks that are placed before others have their turn. */
const mostInATurn = 500
