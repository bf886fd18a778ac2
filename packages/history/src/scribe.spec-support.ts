import {
  type Checkpoint,
  type Cursor,
  decideTask,
  eventHash,
  genesis,
  type Lookups,
  nextCheckpoint,
  nextOccurrence,
  type PartitionId,
  type Plan,
  partitionOf,
  plan,
  type RecordedEvent,
  runCommandOf,
  slotOf,
  type TaskCommand,
  taskStream,
} from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'
import { askedBy } from './asked.js'
import { erasOf } from './eras.js'
import { Model } from './model.js'
import type { HistoryRecord } from './types.js'

export const start = Date.parse('2026-03-01T12:00:00Z')
export const second = 1_000
export const minute = 60 * second
export const partitions = 2

/** What a tick decided, as a bug would change it. */
export type Sabotage = (
  planned: Plan,
  tick: { readonly partition: PartitionId; readonly seq: number },
) => Plan

interface Owned {
  term: number
  offset: number
  checkpoint: Checkpoint | null
  /** What is due by then may have been committed before. */
  recoveredAt: Instant | null
}

const lookups: Lookups = { schedule: () => undefined, calendar: () => undefined }

/**
 * A cluster that does everything right, second by second, and writes down what a watcher would have seen. Made of the
 * domain's own functions; that the real node leaves such histories is tested in tests/acceptance.
 */
export class Scribe {
  readonly records: HistoryRecord[] = []
  now: Instant = start
  /** Partitions whose owner is down: nothing is decided. */
  readonly down = new Set<PartitionId>()
  sabotage: Sabotage = (planned) => planned
  private readonly events: RecordedEvent[] = []
  private readonly owned: Owned[] = []
  private runOffset = 0
  private keys = 0

  constructor() {
    this.records.push({
      kind: 'meta',
      version: 1,
      cluster: 'almanac',
      partitions,
      misfireGraceMs: 2_000,
      maxDecisionsPerTick: 5,
      earlyToleranceMs: 250,
      lateToleranceMs: 5_000,
      recoveryMs: 30_000,
      source: 'a spec',
    })
    for (let partition = 0; partition < partitions; partition += 1) {
      this.owned.push({ term: 0, offset: 0, checkpoint: null, recoveredAt: null })
      this.append(`partition-${partition}`, 'PartitionInitialized', { at: this.now })
      this.takeOver(partition)
    }
  }

  append(stream: string, type: string, data: unknown, idempotencyKey?: string): RecordedEvent {
    const earlier = this.events.filter((event) => event.stream === stream)
    const before = earlier.at(-1)
    const stored = {
      id: `${stream}-${earlier.length}`,
      type,
      version: 1,
      data,
      metadata: {
        namespace: stream.startsWith('partition-') ? '' : 'default',
        actor: 'alice',
        at: this.now,
        correlationId: 'c',
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
        previousHash: before?.hash ?? '',
      },
    }
    const place = { stream, revision: earlier.length, position: this.events.length + 1 }
    const event = { ...stored, ...place, hash: eventHash(stored) }
    this.events.push(event)
    this.records.push({ kind: 'event', event })
    return event
  }

  /** A command that is accepted, and answered a little later; `isFenced`: when the tick after it has decided. */
  command(taskId: string, command: TaskCommand, isFenced = false): void {
    const state = this.model().stateAt(taskId, this.events.length)
    const decided = decideTask(state, command, { at: this.now, lookups })
    if (!decided.ok) throw new Error(decided.error.message)
    this.keys += 1
    const idempotencyKey = `key ${this.keys}`
    const sentAt = this.now
    for (const { type, data } of decided.value) this.append(taskStream(taskId), type, data, idempotencyKey)
    if (isFenced) this.tick(partitionOf(taskId, partitions))
    this.records.push({
      kind: 'answer',
      sentAt,
      answeredAt: this.now + 30,
      idempotencyKey,
      position: this.events.findLast(({ stream }) => stream === taskStream(taskId))?.position ?? 0,
      command: command.type,
      namespace: 'default',
      taskId,
      isFenced,
    })
  }

  create(taskId: string, input: object): string {
    const base = { name: taskId, task: 'app.task', schedule: { interval: { every: 1, period: 'minutes' } } }
    this.command(taskId, { type: 'create', taskId, input: { ...base, ...input } })
    return taskId
  }

  takeOver(partition: PartitionId): void {
    const owned = this.ownedOf(partition)
    owned.term += 1
    owned.offset += 2
    this.records.push({
      kind: 'owner',
      partition,
      offset: owned.offset,
      appendedAt: this.now,
      nodeId: `node-${owned.term % 2}`,
      term: owned.term,
    })
    this.down.delete(partition)
  }

  /** The checkpoints are lost, and the owner goes on from one that was mirrored. */
  recover(partition: PartitionId, mirrored: Checkpoint): void {
    this.takeOver(partition)
    const owned = this.ownedOf(partition)
    const data = { nodeId: 'node-1', term: owned.term, checkpoint: mirrored }
    this.append(`partition-${partition}`, 'PartitionRecovered', data)
    owned.checkpoint = mirrored
    owned.recoveredAt = this.now
  }

  checkpointOf(partition: PartitionId): Checkpoint {
    const { checkpoint } = this.ownedOf(partition)
    if (checkpoint === null) throw new Error('no tick yet')
    return checkpoint
  }

  /** Lets time pass, second by second; every partition decides what is due. */
  pass(ms: number): void {
    for (const until = this.now + ms; this.now < until; ) {
      this.now += second
      for (let partition = 0; partition < partitions; partition += 1) {
        if (this.down.has(partition)) continue
        while (this.isTickDue(partition)) this.tick(partition)
      }
    }
  }

  private isTickDue(partition: PartitionId): boolean {
    const { checkpoint } = this.ownedOf(partition)
    if (checkpoint === null || checkpoint.more || checkpoint.position < this.events.length) return true
    if (this.now - checkpoint.evaluatedAt >= 30 * second) return true
    return this.definitions(partition).some((definition) => {
      const next = nextOccurrence(definition, checkpoint.cursor)
      return next !== undefined && next.dispatchAt <= this.now
    })
  }

  tick(partition: PartitionId): void {
    const owned = this.ownedOf(partition)
    const { checkpoint: previous } = owned
    const position = this.events.length
    const now = previous?.more === true ? previous.evaluatedAt : this.now
    const cursor: Cursor = previous?.cursor ?? genesis(start).cursor
    const model = this.model()
    const begun = new Map(
      [...model.tasks.values()]
        .filter((task) => task.partition === partition)
        .map((task) => [
          task.taskId,
          erasOf(model, task).filter(({ from }) => from > (previous?.position ?? 0)),
        ]),
    )
    const right = plan({
      cluster: 'almanac',
      cursor,
      now,
      definitions: this.definitions(partition),
      ...askedBy(model, begun, cursor),
      busy: () => ({ running: 0, queued: 0 }),
      limits: { maxDecisions: 5, misfireGraceMs: 2_000 },
    })
    const seq = (previous?.seq ?? 0) + 1
    const isActive = (taskId: string) => model.stateAt(taskId, position)?.status === 'active'
    const allowed = { ...right, runs: right.runs.filter(({ taskId }) => isActive(taskId)) }
    const planned = this.sabotage(allowed, { partition, seq })
    const appendedAt = this.now + 20
    for (const run of planned.runs) {
      const state = model.stateAt(run.taskId, position)
      if (state === undefined) continue
      const command = runCommandOf(state, run, { emittedAt: now, partition, seq })
      this.runOffset += 1
      this.records.push({
        kind: 'run',
        topic: 'queue.default',
        partition: slotOf(run.taskId) % 3,
        offset: this.runOffset,
        appendedAt,
        run: run.dispatchAt <= (owned.recoveredAt ?? 0) ? { ...command, replayed: true } : command,
      })
    }
    for (const skip of planned.skips) this.records.push({ kind: 'skip', partition, seq, skip })
    const checkpoint = nextCheckpoint(previous, {
      term: owned.term,
      cursor: planned.cursor,
      position,
      evaluatedAt: now,
      more: planned.more,
      engineVersion: '1',
      tzVersion: 'test',
      runIds: planned.runs.map(({ runId }) => runId),
      floors: [],
      replayUntil: owned.recoveredAt,
      skipped: planned.skips.reduce((sum, { count }) => sum + count, 0),
    })
    owned.offset += 2
    owned.checkpoint = checkpoint
    this.records.push({ kind: 'checkpoint', partition, offset: owned.offset, appendedAt, checkpoint })
  }

  private definitions(partition: PartitionId) {
    const model = this.model()
    return [...model.tasks.values()]
      .filter((task) => task.partition === partition)
      .flatMap((task) => erasOf(model, task).at(-1)?.definition ?? [])
  }

  private known: { readonly size: number; readonly model: Model } | undefined

  private model(): Model {
    if (this.known?.size !== this.events.length) {
      this.known = { size: this.events.length, model: new Model(this.events, partitions) }
    }
    return this.known.model
  }

  private ownedOf(partition: PartitionId): Owned {
    const owned = this.owned[partition]
    if (owned === undefined) throw new Error(`no partition ${partition}`)
    return owned
  }
}
