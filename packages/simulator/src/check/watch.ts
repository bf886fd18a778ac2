import type { PartitionId } from '@almanac/domain'
import type { CheckpointSeen, HistoryRecord } from '@almanac/history'
import type { Instant } from '@almanac/recurrence'
import type { LeaseService } from '../services/index.js'
import type { CallOptions } from '../world/types.js'

interface Clocked {
  readonly now: Instant
}

/** What was found against a node by watching its calls. */
export interface Watched {
  readonly rule: 'against-lease' | 'blind-tick'
  readonly message: string
  readonly at: Instant
  readonly partition: PartitionId
}

/**
 * Watches the calls of nodes from outside, for what no history shows: that a node asks where the event log ends before
 * it decides, and that it keeps to the leases while the lease store is honest and in reach. The second saves work and
 * is no matter of safety; without a rule of its own nobody would notice that it is broken.
 */
export class Watch {
  readonly found: Watched[] = []
  private readonly world: Clocked
  private readonly leases: LeaseService
  private readonly transactionsOf: (partition: PartitionId) => string
  private readonly partitions: number
  /** Leases tell nothing while their store is not honest, not in reach, or its clock is not like others. */
  private readonly isHonest: boolean
  /** Instants of answered reads of the log's head, by node id. */
  private readonly heads = new Map<string, Instant[]>()
  private readonly claimed = new Map<string, Instant>()
  /** Nodes and partitions of transactions that are just beginning. */
  private readonly adding = new Set<string>()
  private readonly progress = new Map<PartitionId, Instant>()

  constructor(parts: {
    readonly world: Clocked
    readonly leases: LeaseService
    readonly partitions: number
    readonly transactionsOf: (partition: PartitionId) => string
    readonly isHonest: boolean
  }) {
    this.world = parts.world
    this.leases = parts.leases
    this.partitions = parts.partitions
    this.transactionsOf = parts.transactionsOf
    this.isHonest = parts.isHonest
  }

  /** A node is about to make a call. */
  sent(nodeId: string, { service, label, connection }: CallOptions): void {
    if (!this.isHonest || service !== 'kafka' || connection === undefined) return
    if (label !== 'InitProducerId' && label !== 'AddPartitionsToTxn' && label !== 'Produce') return
    for (let partition = 0; partition < this.partitions; partition += 1) {
      if (!connection.endsWith(` ${this.transactionsOf(partition)}`)) continue
      const key = `${nodeId}|${partition}`
      if (label === 'InitProducerId') this.claims(nodeId, partition)
      // A transaction that is under way may be asked for again, also after its process stood still.
      else if (label === 'AddPartitionsToTxn' && !this.adding.has(key)) this.ticks(nodeId, partition)
      if (label === 'AddPartitionsToTxn') this.adding.add(key)
      else this.adding.delete(key)
    }
  }

  private claims(nodeId: string, partition: PartitionId): void {
    const key = `${nodeId}|${partition}`
    const last = this.claimed.get(key) ?? Number.NEGATIVE_INFINITY
    this.claimed.set(key, this.world.now)
    // A claim that is under way asks again and again.
    if (this.world.now - last > claimMs) this.judge(nodeId, partition, 'claims', 0)
  }

  private ticks(nodeId: string, partition: PartitionId): void {
    this.judge(nodeId, partition, 'writes to', tickMs)
    this.progress.set(partition, this.world.now)
  }

  private judge(nodeId: string, partition: PartitionId, does: string, slackMs: number): void {
    const { now } = this.world
    const holder = this.leases.holderOf(partition)
    if (holder === undefined || holder.holder.startsWith(`${nodeId}/`) || now - holder.since <= slackMs)
      return
    // What has stood still for long may be taken without a lease.
    if (now - (this.progress.get(partition) ?? 0) > orphanMs) return
    const heldMs = now - holder.since
    const message = `${nodeId} ${does} partition ${partition}, a lease of ${holder.holder} for ${heldMs} ms`
    this.found.push({ rule: 'against-lease', message, at: now, partition })
  }

  /** A node has been told where the event log ends. */
  headAnswered(nodeId: string): void {
    const heads = this.heads.get(nodeId)
    if (heads === undefined) this.heads.set(nodeId, [this.world.now])
    else heads.push(this.world.now)
  }

  /** Once all is over: no tick was decided by a node that had not asked for the head of the log for too long. */
  judgeTicks(history: readonly HistoryRecord[], staleLimitMs: number): void {
    const owners = new Map<string, string>()
    for (const record of history) {
      if (record.kind === 'owner') owners.set(`${record.partition}|${record.term}`, record.nodeId)
      if (record.kind !== 'checkpoint') continue
      // After a loss terms may come again: the owner's record stands before what it wrote.
      const owner = owners.get(`${record.partition}|${record.checkpoint.term}`)
      if (owner !== undefined) this.judgeTick(record, owner, staleLimitMs)
    }
  }

  private judgeTick(
    { partition, appendedAt, checkpoint }: CheckpointSeen,
    owner: string,
    staleLimitMs: number,
  ) {
    const heads = this.heads.get(owner) ?? []
    const last = heads.findLast((at) => at <= appendedAt) ?? Number.NEGATIVE_INFINITY
    if (appendedAt - last <= staleLimitMs + tickMs) return
    const tick = `tick ${checkpoint.seq} of partition ${partition}`
    const message = `${tick} was decided by ${owner}, which had not asked for the end of the log`
    this.found.push({ rule: 'blind-tick', message, at: appendedAt, partition })
  }
}

/** Longest time that one claim takes, with its process stopped in the middle. */
const claimMs = 90_000
/** Longest time from a tick's beginning to its last call, with the drift of clocks. */
const tickMs = 5_000
/** Less than an orphan is left alone for. */
const orphanMs = 50_000
