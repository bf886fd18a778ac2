import {
  type Checkpoint,
  type PartitionId,
  type Position,
  partitionOf,
  type RecordedEvent,
  slotOfTaskStream,
  type TaskState,
} from '@almanac/domain'
import type { PartitionStatus, SharedDefinition } from '../application.js'
import { partitionHistoryOf } from '../genesis.js'
import type { Stop } from '../ports/clock.js'
import type { Claim, DispatchLog } from '../ports/dispatch-log.js'
import type { EventLog } from '../ports/event-log.js'
import { PortFault, unavailable } from '../ports/faults.js'
import type { Change } from '../projection/projector.js'
import { eitherStop } from '../stop.js'
import type { Beginning } from './decision.js'

import type { ProgressMirror } from './mirror.js'
import type { NodeParts } from './node-parts.js'
import { PartitionOwner } from './partition-owner.js'
import { changedAfter, formerLookups, reschedule } from './shared-changes.js'
import type { Tenure, TenureEnd } from './tenure.js'
import { isPlannable } from './undecided.js'

interface SchedulerParts {
  readonly log: EventLog
  readonly dispatchLog: DispatchLog
  readonly tenure: Tenure
  readonly recovered: ProgressMirror['recovered']
  readonly node: NodeParts
}

/** Keeps the partitions that are this node's to own deciding, each in a loop of its own. */
export class Scheduler {
  private readonly parts: SchedulerParts
  /** Opened, and filled when the filling under way is done. */
  private nextFill: { readonly partitions: PartitionId[]; readonly done: Promise<void> } | undefined
  private lastFill: Promise<void> = Promise.resolve()
  private readonly owners = new Map<PartitionId, PartitionOwner>()
  private fencedCount = 0
  private unknownCount = 0
  private takeoverCount = 0

  constructor(parts: SchedulerParts) {
    this.parts = parts
  }

  get counters() {
    return {
      fenced_total: this.fencedCount,
      commit_unknown_total: this.unknownCount,
      takeovers_total: this.takeoverCount,
    }
  }

  /** Runs until `stop`; every partition is released then. */
  async run(stop: Stop, onReady: () => void): Promise<void> {
    const { partitions } = this.parts.node.options
    const all = Array.from({ length: partitions }, (_, partition) => partition)
    if (this.parts.tenure.ownsAll) {
      await Promise.all(all.map((partition) => this.open(partition)))
      await this.fill(all)
    }
    onReady()
    await Promise.all(all.map((partition) => this.keep(partition, stop)))
  }

  /** Changes that the projector has just applied: in the same turn, so index and read models never differ. */
  changed(changes: readonly Change[]): void {
    const { definitions } = this.parts.node
    // The read models are behind the whole page already: what a task referred to before its own change is older then.
    const isMixed = changes.some(({ kind }) => kind === 'schedule' || kind === 'calendar')
    for (const change of changes) {
      if (change.kind === 'task') {
        const { event, after } = change
        const lookups = isMixed ? definitions.lookupsAsOf(after.namespace, event.position - 1) : undefined
        this.ownerOf(after.taskId)?.changed(change, lookups)
      } else if (change.kind === 'schedule' || change.kind === 'calendar') {
        this.sharedChanged(change, changedAfter(changes, change.event.position))
      }
    }
  }

  /** The wall clock has jumped: every partition looks at once whether something is due. */
  wakeAll(): void {
    for (const owner of this.owners.values()) owner.wake()
  }

  status(): readonly PartitionStatus[] {
    const { dispatchLog, node } = this.parts
    const { partitions, nodeId } = node.options
    return Array.from({ length: partitions }, (_, partition) => {
      const owner = this.owners.get(partition)
      const other = owner === undefined ? dispatchLog.owner(partition) : null
      const checkpoint = owner === undefined ? dispatchLog.seen(partition) : owner.lastCheckpoint
      return {
        partition,
        owner: owner === undefined ? (other?.nodeId ?? null) : nodeId,
        term: owner?.term ?? other?.term ?? null,
        seq: checkpoint?.seq ?? null,
        position: checkpoint?.position ?? null,
        cursorAt: checkpoint?.cursor.at ?? null,
        evaluatedAt: checkpoint?.evaluatedAt ?? null,
        tasks: owner?.index.length ?? null,
        nextDueAt: owner?.index.peek() ?? null,
      }
    })
  }

  owns(partition: PartitionId): boolean {
    return this.owners.has(partition)
  }

  private ownerOf(taskId: string): PartitionOwner | undefined {
    return this.owners.get(partitionOf(taskId, this.parts.node.options.partitions))
  }

  /**
   * A shared schedule or calendar changed: every task that uses it is planned anew. `later`: tasks that changed after
   * it in the same page, so that what the read models have of them was not so when it changed.
   */
  private sharedChanged(
    change: Change & { readonly kind: 'schedule' | 'calendar' },
    later: ReadonlySet<string>,
  ): void {
    const { definitions } = this.parts.node
    const { namespace } = change.event.metadata
    definitions.forgetShared()
    const present = definitions.lookupsOf(namespace)
    const former = formerLookups(change, present)
    for (const state of this.usersAfter(change.event)) {
      const owner = this.ownerOf(state.taskId)
      if (owner === undefined) continue
      const had = later.has(state.taskId) ? this.userBefore(state.taskId, change.event) : state
      reschedule(owner, { had, state }, { former, present }, definitions, change.event)
    }
  }

  /** The task as it was before the event, if it used what the event is about then, and had something to be planned. */
  private userBefore(taskId: string, event: RecordedEvent): TaskState | undefined {
    const { views, definitions } = this.parts.node
    const state = views.taskAsOf(taskId, event.position - 1)
    const shared = this.sharedOf(event)
    if (state === undefined || shared === undefined || !isPlannable(state)) return undefined
    const { schedule } = state.spec
    const isUser =
      shared.kind === 'schedule'
        ? 'ref' in schedule && schedule.ref === shared.name
        : definitions.uses(state, shared.name)
    return isUser ? state : undefined
  }

  /** The tasks that use the shared schedule or the calendar that the event is about. */
  private usersAfter(event: RecordedEvent): Iterable<TaskState> {
    const shared = this.sharedOf(event)
    return shared === undefined ? [] : this.usersOf(shared)
  }

  private sharedOf({ stream, metadata: { namespace } }: RecordedEvent): SharedDefinition | undefined {
    const { views } = this.parts.node
    const kind = stream.startsWith('schedule-') ? 'schedule' : 'calendar'
    const id = stream.slice(kind.length + 1)
    const name = (kind === 'schedule' ? views.schedule(id) : views.calendar(id))?.spec.name
    return name === undefined ? undefined : { kind, namespace, name }
  }

  /** The tasks that use a shared schedule or a calendar, and have something to be planned. */
  *usersOf({ kind, namespace, name }: SharedDefinition): Generator<TaskState> {
    const { views, definitions } = this.parts.node
    if (kind === 'schedule') {
      for (const state of views.tasks(views.tasksUsing(namespace, name)).values()) {
        if (isPlannable(state)) yield state
      }
      return
    }
    // Calendars are rare to change and may be used anywhere: all tasks are looked at.
    for (const states of this.plannable()) {
      for (const state of states) {
        if (state.namespace === namespace && definitions.uses(state, name)) yield state
      }
    }
  }

  /**
   * The tasks whose runs are decided by a change at `position` of what they refer to: those that referred to it before.
   * By now they may be disabled, deleted with it, or use something else, and their owner may not know it yet.
   */
  *usersBefore(shared: SharedDefinition, position: Position): Generator<TaskState> {
    yield* this.usersOf(shared)
    if (shared.kind !== 'schedule') return
    const filter = { scheduleRef: shared.name }
    let cursor: string | undefined
    do {
      const page = { limit: 1_000, ...(cursor === undefined ? {} : { cursor }) }
      const listed = this.parts.node.views.listTasks(shared.namespace, filter, page, position - 1)
      yield* listed.items
      cursor = listed.nextCursor ?? undefined
    } while (cursor !== undefined)
  }

  private *plannable(only?: PartitionId): Generator<readonly TaskState[]> {
    const { views, options } = this.parts.node
    const part = only === undefined ? undefined : { partition: only, partitions: options.partitions }
    let after = ''
    for (;;) {
      const states = views.plannable(after, scanSize, part)
      yield states
      const last = states.at(-1)
      if (last === undefined || states.length < scanSize) return
      after = last.taskId
    }
  }

  private async open(partition: PartitionId): Promise<PartitionOwner> {
    const { dispatchLog, node } = this.parts
    const claim = await dispatchLog.claim(partition)
    node.clock.notBefore(claim.checkpoint?.evaluatedAt ?? 0)
    const { checkpoint } = claim
    const owner =
      checkpoint === null
        ? await this.openWithout(claim)
        : new PartitionOwner(node, claim, continuing(checkpoint))
    this.owners.set(partition, owner)
    return owner
  }

  /** No checkpoint: the partition is new, or the dispatch log has lost it. Never "from now on", silently. */
  private async openWithout(claim: Claim): Promise<PartitionOwner> {
    const { log, dispatchLog, recovered, node } = this.parts
    const { partition } = claim
    const { nodeId, recovery } = node.options
    const { startedAt, mirrored, term } = await partitionHistoryOf(log, partition, nodeId, node.clock.now())
    if (mirrored !== null && recovery === 'halt') {
      await claim.release()
      throw new Halted(
        `partition ${partition} has lost its checkpoint ${mirrored.seq} and waits for a decision`,
      )
    }
    let own = claim
    if (claim.term <= term) {
      await claim.release()
      own = await dispatchLog.claim(partition, term)
    }
    if (own.checkpoint !== null) {
      return new PartitionOwner(node, own, continuing(own.checkpoint))
    }
    if (mirrored !== null) await recovered(partition, own.term, mirrored)
    // Somebody has owned it: what the log has lost may have been committed.
    const recoveredAt = term > 0 ? node.clock.now() : null
    return new PartitionOwner(node, own, { checkpoint: mirrored, startedAt, recoveredAt })
  }

  /**
   * Partitions that are opened while others are being filled are filled together when those are done: each filling
   * reads the log from the oldest of their checkpoints on, and a node that starts opens many.
   */
  private fillTogether(partition: PartitionId): Promise<void> {
    if (this.nextFill === undefined) {
      const partitions: PartitionId[] = []
      const done = this.lastFill.then(() => {
        this.nextFill = undefined
        return this.fill(partitions)
      })
      this.nextFill = { partitions, done }
      this.lastFill = done.catch(() => {})
    }
    this.nextFill.partitions.push(partition)
    return this.nextFill.done
  }

  /** Puts the tasks of newly opened partitions into their due indexes, and finds what was asked of them. */
  private async fill(opened: readonly PartitionId[]): Promise<void> {
    const { node } = this.parts
    const wanted = new Set(opened)
    // First what is undecided: what seems to be over may have something due that no tick has seen.
    const owners = opened.flatMap((partition) => this.owners.get(partition) ?? [])
    const from = Math.min(...owners.map((owner) => owner.position))
    await this.replay(wanted, from, Math.max(...owners.map((owner) => owner.liveAfter)))
    const { partitions } = node.options
    const isMost = 2 * opened.length > partitions
    for (const only of isMost ? [undefined] : opened) {
      for (const states of this.plannable(only)) {
        for (const state of states) {
          const partition = only ?? partitionOf(state.taskId, partitions)
          if (wanted.has(partition)) this.owners.get(partition)?.place(state)
        }
        await node.views.othersTurn()
      }
    }
  }

  /** Events between the last checkpoints and the read models, which no tick has decided yet. */
  private async replay(wanted: ReadonlySet<PartitionId>, from: number, upTo: number): Promise<void> {
    const { log } = this.parts
    const filter = { streamPrefixes: ['task-', 'schedule-', 'calendar-'] }
    for (let position = from; position < upTo; ) {
      const page = await log.readAll(position, scanSize, filter)
      for (const event of page.events) {
        if (event.position > upTo) return
        if (event.stream.startsWith('task-')) this.replayTask(wanted, event)
        else this.replayShared(wanted, event)
      }
      // A server that is behind has answered: what it does not show yet must not be passed over.
      if (page.position <= position) throw unavailable(`the event log is read no further than ${position}`)
      position = page.position
    }
  }

  private replayTask(wanted: ReadonlySet<PartitionId>, event: RecordedEvent): void {
    const { views, definitions, options } = this.parts.node
    const partition = slotOfTaskStream(event.stream) % options.partitions
    const owner = wanted.has(partition) ? this.owners.get(partition) : undefined
    if (owner === undefined || event.position > owner.liveAfter) return
    const taskId = event.stream.slice('task-00-'.length)
    const after = views.taskAsOf(taskId, event.position)
    if (after === undefined) return
    const before = views.taskAsOf(taskId, event.position - 1)
    const lookups = definitions.lookupsAsOf(after.namespace, event.position - 1)
    owner.changed({ kind: 'task', event, before, after }, lookups)
  }

  /** A change of a shared schedule or calendar: what its tasks had due by the old one is superseded. */
  private replayShared(wanted: ReadonlySet<PartitionId>, event: RecordedEvent): void {
    const { definitions } = this.parts.node
    const { namespace } = event.metadata
    const former = definitions.lookupsAsOf(namespace, event.position - 1)
    const present = definitions.lookupsAsOf(namespace, event.position)
    for (const state of this.usersAfter(event)) {
      const owner = this.ownerOf(state.taskId)
      if (owner === undefined || !wanted.has(owner.partition) || event.position > owner.liveAfter) continue
      const had = this.userBefore(state.taskId, event)
      reschedule(owner, { had, state }, { former, present }, definitions, event)
    }
  }

  /** Owns one partition whenever it is this node's to own, until `stop`. */
  private async keep(partition: PartitionId, stop: Stop): Promise<void> {
    const { tenure } = this.parts
    for (;;) {
      const letGo = await tenure.begin(partition, stop)
      if (letGo === undefined) return
      const { stop: until, forget } = eitherStop(letGo, stop)
      const how = await this.own(partition, until)
      forget()
      this.owners.delete(partition)
      if (how === 'fenced') this.fencedCount += 1
      if (how === 'unknown') this.unknownCount += 1
      await tenure.end(partition, how)
    }
  }

  private async own(partition: PartitionId, until: Stop): Promise<TenureEnd> {
    const { node } = this.parts
    try {
      let owner = this.owners.get(partition)
      if (owner === undefined) {
        const begunAt = node.clock.elapsed()
        owner = await this.open(partition)
        await this.fillTogether(partition)
        node.telemetry.record('takeover_seconds', (node.clock.elapsed() - begunAt) / 1_000)
        this.takeoverCount += 1
        owner.mirror('takeover')
      }
      const ended = await owner.run(until)
      return ended === 'stopped' ? 'released' : ended
    } catch (fault) {
      node.onFault(`partition ${partition}`, fault)
      if (fault instanceof Halted) return 'halted'
      if (!(fault instanceof PortFault)) throw fault
      return fault.code === 'outcome_unknown' ? 'unknown' : 'failed'
    }
  }
}

const continuing = (checkpoint: Checkpoint): Beginning => ({
  checkpoint,
  startedAt: 0,
  recoveredAt: checkpoint.replayUntil ?? null,
})

/** A person has to look before the partition goes on. */
class Halted extends Error {}

const scanSize = 2_000
