import {
  type Checkpoint,
  type Cursor,
  checkpointHash,
  compareCursor,
  type Floor,
  genesis,
  type PartitionId,
  type PartitionProgress,
  type PartitionRecovered,
  type Position,
  type RecordedEvent,
  type Skip,
} from '@almanac/domain'
import type { Findings } from './findings.js'
import { lastIndexAt } from './search.js'
import { listOf, type Seen } from './seen.js'
import type { CheckpointSeen, RunRecordSeen } from './types.js'

/** What a tick went on from. */
export interface Before {
  readonly cursor: Cursor
  readonly position: Position
  readonly floors?: readonly Floor[]
}

/** A committed checkpoint with what it says that it decided. */
export interface Tick {
  readonly partition: PartitionId
  readonly seen: CheckpointSeen
  readonly checkpoint: Checkpoint
  /** Null: not known, checkpoints before it are missing. */
  readonly before: Before | null
  readonly runs: RunRecordSeen[]
  readonly skips: Skip[]
}

export interface Chain {
  readonly partition: PartitionId
  /** All, in the order of the log. */
  readonly ticks: readonly Tick[]
  /** Those that later ones went on from: without what a recovery decided anew. Positions and cursors grow. */
  readonly lasting: readonly Tick[]
  /** Numbers of ticks that are missing in the middle. */
  readonly missing: ReadonlySet<number>
  readonly isRecovered: boolean
}

/** The checkpoints of every partition of the cluster, each with the one that it went on from. */
export function chainsOf(seen: Seen, findings: Findings): readonly Chain[] {
  const head = seen.events.reduce((highest, { position }) => Math.max(highest, position), 0)
  const known = new Map<string, RecordedEvent[]>()
  for (const event of seen.events) {
    if (!event.stream.startsWith('partition-')) continue
    listOf(known, event.stream).push(event)
  }
  return Array.from({ length: seen.meta.partitions }, (_, partition) => {
    const events = known.get(`partition-${partition}`) ?? []
    const chain = new ChainReader(partition, events, head, findings)
    for (const checkpoint of seen.checkpoints.get(partition) ?? []) chain.add(checkpoint)
    checkOwners(seen, partition, chain.chain.isRecovered, findings)
    return chain.chain
  })
}

class ChainReader {
  private readonly ticks: Tick[] = []
  private lasting: Tick[] = []
  private readonly missing = new Set<number>()
  private isBroken = false
  private lastHash = ''
  private highestTerm = 0
  private readonly partition: PartitionId
  private readonly head: Position
  private readonly findings: Findings
  private readonly startedAt: number | undefined
  private readonly mirrored: ReadonlyMap<string, Checkpoint>
  /** Where the event log first had a checkpoint to go on from. */
  private readonly mirroredFrom: Position

  constructor(partition: PartitionId, events: readonly RecordedEvent[], head: Position, findings: Findings) {
    this.partition = partition
    this.head = head
    this.findings = findings
    this.startedAt = events.find(({ type }) => type === 'PartitionInitialized')?.metadata.at
    const progress = events.find(
      ({ type, data }) => type === 'PartitionProgress' && (data as PartitionProgress).checkpoint !== null,
    )
    this.mirroredFrom = progress?.position ?? Number.POSITIVE_INFINITY
    const recoveries = events.filter(({ type }) => type === 'PartitionRecovered')
    this.mirrored = new Map(
      recoveries.map(({ data }) => {
        const { checkpoint } = data as PartitionRecovered
        return [checkpointHash(checkpoint), checkpoint]
      }),
    )
  }

  get chain(): Chain {
    const { partition, ticks, lasting, missing, isBroken, mirrored } = this
    return { partition, ticks, lasting, missing, isRecovered: isBroken || mirrored.size > 0 }
  }

  add(seen: CheckpointSeen): void {
    const { checkpoint } = seen
    this.findings.checked('gap')
    const last = this.ticks.at(-1)?.checkpoint ?? null
    const lastHash = this.lastHash
    this.lastHash = checkpointHash(checkpoint)
    const mirrored = this.mirrored.get(checkpoint.previous)
    const isAfterLast = last !== null && checkpoint.previous === lastHash
    let previous = last
    if (!isAfterLast && (mirrored !== undefined || this.isBegunAnew(checkpoint, last))) {
      previous = mirrored ?? null
      this.isBroken = true
      this.lasting = this.lasting.filter((tick) => tick.checkpoint.seq <= (mirrored?.seq ?? 0))
    }
    // What the dispatch log had of terms is lost with it: the event log knows those that were mirrored, not all.
    if (this.isBroken || mirrored !== undefined)
      this.highestTerm = Math.min(this.highestTerm, checkpoint.term)
    const isChained = isAfterLast || mirrored !== undefined || previous === null
    const faults = [...this.faultsOf(checkpoint, previous, isChained), ...this.termFaults(checkpoint)]
    if (faults.length > 0) {
      const message = `checkpoint ${checkpoint.seq} of partition ${this.partition} ${faults.join(', ')}`
      this.findings.violated('gap', message, { at: seen.appendedAt, partition: this.partition })
    }
    const tick = {
      partition: this.partition,
      seen,
      checkpoint,
      before: this.beforeOf(checkpoint, previous),
      runs: [],
      skips: [],
    }
    this.ticks.push(tick)
    if (tick.before !== null || this.lasting.every(({ checkpoint: { seq } }) => seq < checkpoint.seq)) {
      this.lasting.push(tick)
    }
  }

  /** Checkpoints were lost before the first one had been mirrored: the partition begins anew from its genesis. */
  private isBegunAnew({ seq, previous, position }: Checkpoint, last: Checkpoint | null): boolean {
    return last !== null && seq === 1 && previous === '' && position < this.mirroredFrom
  }

  /** A hole in the numbers is told once; what was decided in it can't be judged. */
  private beforeOf(checkpoint: Checkpoint, previous: Checkpoint | null): Before | null {
    const expected = (previous?.seq ?? 0) + 1
    for (let seq = expected; seq < checkpoint.seq && seq < expected + maxMissing; seq += 1) {
      this.missing.add(seq)
    }
    if (checkpoint.seq !== expected) return null
    if (previous !== null) return previous
    return this.startedAt === undefined ? null : { cursor: genesis(this.startedAt).cursor, position: 0 }
  }

  private faultsOf(
    checkpoint: Checkpoint,
    previous: Checkpoint | null,
    isChained: boolean,
  ): readonly string[] {
    const { seq, cursor, position, evaluatedAt } = checkpoint
    const isBeyond = position > this.head ? [`is of position ${position}, behind the last event`] : []
    if (previous === null) {
      return [
        ...(seq === 1 ? [] : ['is the first one, and its number is not 1']),
        ...(this.startedAt === undefined ? ['is the first one, and no event tells when it began'] : []),
        ...(seq !== 1 || checkpoint.previous === '' ? [] : ['is the first one, and names another before it']),
        ...isBeyond,
      ]
    }
    const moved = compareCursor(cursor.at, cursor.taskId, previous.cursor.at, previous.cursor.taskId)
    const isResumed = !previous.more || evaluatedAt === previous.evaluatedAt
    return [
      ...(seq === previous.seq + 1 ? [] : [`follows number ${previous.seq}`]),
      ...(seq !== previous.seq + 1 || isChained ? [] : ['does not hold the hash of the one before it']),
      ...(moved >= 0 ? [] : ['goes back in time']),
      ...(position >= previous.position ? [] : [`goes back to position ${position}`]),
      ...(isResumed ? [] : ['does not go on with the time of the tick that was cut']),
      ...isBeyond,
    ]
  }

  private termFaults({ term }: Checkpoint): readonly string[] {
    const highest = this.highestTerm
    this.highestTerm = Math.max(highest, term)
    return term >= highest ? [] : [`is of term ${term}, after term ${highest}`]
  }
}

const maxMissing = 1_000_000

/** At every place of the log the writer is the last one who took the partition over. */
function checkOwners(
  { owners, checkpoints }: Seen,
  partition: PartitionId,
  isRecovered: boolean,
  findings: Findings,
): void {
  const owned = owners.get(partition) ?? []
  const written = checkpoints.get(partition) ?? []
  // One who takes over may write several records until its term is the highest: those count that were written under.
  const writers = owned.filter(({ offset }, index) => {
    const end = owned[index + 1]?.offset ?? Number.POSITIVE_INFINITY
    return (written[lastIndexAt(written, end - 1, (record) => record.offset)]?.offset ?? -1) > offset
  })
  for (const [index, { term, nodeId, appendedAt }] of writers.entries()) {
    const before = writers[index - 1]
    if (before === undefined) continue
    findings.checked('two-writers')
    // With a lost log the terms are lost that it knew.
    if (isRecovered || term > before.term || (term === before.term && nodeId === before.nodeId)) continue
    const message = `node ${nodeId} took partition ${partition} over with term ${term}, after term ${before.term}`
    findings.violated('two-writers', message, { at: appendedAt, partition })
  }
  for (const { offset, appendedAt, checkpoint } of written) {
    const owner = owned[lastIndexAt(owned, offset, (record) => record.offset)]
    if (owner === undefined) continue
    findings.checked('two-writers')
    if (owner.term === checkpoint.term) continue
    const message =
      `checkpoint ${checkpoint.seq} of partition ${partition} was written with term ${checkpoint.term}, ` +
      `after node ${owner.nodeId} had taken over with term ${owner.term}`
    findings.violated('two-writers', message, { at: appendedAt, partition })
  }
}
