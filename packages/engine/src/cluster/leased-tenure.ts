import type { Checkpoint, Member, MemberReport, PartitionId } from '@almanac/domain'
import type { ClockGuard } from '../clock-guard.js'
import type { Clock, Random, Stop } from '../ports/clock.js'
import type { DispatchLog } from '../ports/dispatch-log.js'
import { PortFault } from '../ports/faults.js'
import type { LeaseStore } from '../ports/lease-store.js'
import type { Membership } from '../ports/membership.js'
import type { NodeOptions } from '../scheduling/node-parts.js'
import type { Tenure, TenureEnd } from '../scheduling/tenure.js'
import { Signal } from '../signal.js'
import { createStop } from '../stop.js'
import type { Fitness } from './fitness.js'
import { Roster } from './roster.js'

interface LeasedTenureParts {
  readonly membership: Membership
  readonly leases: LeaseStore
  readonly dispatchLog: Pick<DispatchLog, 'seen'>
  readonly clock: Clock
  readonly random: Random
  readonly fitness: Fitness
  readonly guard: ClockGuard | undefined
  readonly options: NodeOptions
  /** What the others are told of this node. */
  readonly report: () => MemberReport
  readonly onFault: (message: string, fault: unknown) => void
}

/** What this node knows of one partition. Times are elapsed ones. */
interface Seat {
  /** Fires when the owner should let go; undefined while this node does not own it. */
  letGo: (Stop & { stop(): void }) | undefined
  hasLease: boolean
  /** The store did not answer when the lease was last asked for. */
  isUnanswered: boolean
  /** The lease is surely over then. */
  leaseUntil: number
  /** Not tried before. */
  notBefore: number
  /** Fenced so many times in a row. */
  strikes: number
  begunAt: number
  seen: Checkpoint | null
  /** When a new checkpoint was last seen. */
  seenAt: number
  /** Taken because it stood still: kept at least until then, whoever comes first in order. */
  keepUntil: number
}

/**
 * Membership, placement and leases: the share of the partitions that this node should own. No node decides for
 * another: each one computes the same order from the same members.
 *
 * - It takes what it is first in order for, once the lease is free; it lets go of what belongs to somebody who has
 *   settled.
 * - Without the lease store owners go on (the term protects them), and a partition whose checkpoints stand still is
 *   taken without a lease, by the first in order after `orphanMs`, the second after twice as long, and so on. The same
 *   with the store in reach, one place later: then the first in order is alive and yet does nothing.
 * - Fenced, it stays away for at least the time of a lease, and for two when it happens in a row: two nodes that both
 *   believe in their lease do not throw each other out all the time. No longer: it may be the only one who would take
 *   it.
 * - Unfit (see `Fitness`), or with a clock that others contradict, it registers with weight 0 and lets go.
 */
export class LeasedTenure implements Tenure {
  readonly ownsAll = false
  /** Why this node takes no share; null when it does. */
  problem: string | null = null
  private readonly parts: LeasedTenureParts
  private readonly roster: Roster
  private readonly seats: readonly Seat[]
  private readonly instance: string
  private readonly changed = new Signal()
  private isMember = false
  private isLeaving = false
  /** Since when this process has been a member without a break; elapsed. */
  private joinedAt = Number.POSITIVE_INFINITY
  /** Since when renewals have not been answered; undefined: the last one was. */
  private failingSince: number | undefined

  constructor(parts: LeasedTenureParts) {
    this.parts = parts
    const { nodeId, settleMs, homeRegions, partitions } = parts.options
    this.roster = new Roster({ nodeId, settleMs, homeRegions })
    this.instance = parts.random.token(8)
    const now = parts.clock.elapsed()
    this.seats = Array.from({ length: partitions }, (_, partition) => ({
      letGo: undefined,
      hasLease: false,
      isUnanswered: false,
      leaseUntil: Number.NEGATIVE_INFINITY,
      notBefore: 0,
      strikes: 0,
      begunAt: 0,
      seen: parts.dispatchLog.seen(partition),
      seenAt: now,
      keepUntil: 0,
    }))
  }

  /** All live nodes, as last heard; this one included. */
  get members(): readonly Member[] {
    return this.roster.members
  }

  /** Renews until `stop`, then leaves. `onHeard`: the first renewal was answered, or has failed. */
  async run(stop: Stop, onHeard: () => void): Promise<void> {
    const { clock, random, options } = this.parts
    let askedAt = clock.elapsed()
    while (!stop.stopped) {
      const wasFit = this.parts.fitness.isFit
      await this.parts.fitness.review()
      const stoodStill = clock.elapsed() - askedAt > options.leaseTtlMs
      askedAt = clock.elapsed()
      // What it has not seen going on while it was cut off, or stood still, is no orphan for that.
      if (!wasFit || stoodStill) for (const seat of this.seats) seat.seenAt = askedAt
      await this.renew()
      onHeard()
      await Promise.all(this.seats.map((_, partition) => this.look(partition)))
      this.changed.notify()
      await clock.sleep(options.renewEveryMs * (0.8 + 0.4 * random.next()), stop)
    }
  }

  /**
   * Announces that this node is going, and resolves when the others have heard: whoever comes next asks for the leases
   * by then, so that a partition is without an owner for less than a second. What is owned is owned until then.
   */
  async retire(): Promise<void> {
    if (this.isLeaving) return
    this.isLeaving = true
    await this.renew()
    const { options, clock } = this.parts
    const isFollowed = this.roster.members.some(
      ({ nodeId, weight }) => weight > 0 && nodeId !== options.nodeId,
    )
    // Where the store was not in reach nobody has heard, and nobody will.
    if (isFollowed && this.failingSince === undefined) await clock.sleep(options.renewEveryMs * heardFactor)
  }

  /** Says goodbye, so that others need not wait for the membership to run out. */
  async leave(): Promise<void> {
    await this.guarded('leaving', () => this.parts.membership.leave(this.parts.options.nodeId, this.instance))
  }

  async begin(partition: PartitionId, stop: Stop): Promise<Stop | undefined> {
    const { clock } = this.parts
    const seat = this.seatOf(partition)
    while (!stop.stopped) {
      if (await this.mayBegin(partition, seat)) {
        seat.letGo = createStop()
        seat.begunAt = clock.elapsed()
        return seat.letGo
      }
      await this.changed.wait(clock, this.patience(partition, seat), stop)
    }
    return undefined
  }

  /**
   * How long to wait before the lease is asked for again; each renewal wakes as well. In between it is worth asking
   * only for a lease that should come free, and while this node is new nobody gives it anything.
   */
  private patience(partition: PartitionId, seat: Seat): number {
    const { clock, options } = this.parts
    if (this.roster.rank(partition, seat.seen) !== 0) return options.renewEveryMs * 2
    const newForMs = this.joinedAt + options.settleMs - clock.elapsed()
    return seat.hasLease || newForMs <= 0 ? options.renewEveryMs / 6 : newForMs
  }

  holds(partition: PartitionId): boolean {
    const { isUnanswered, leaseUntil, keepUntil } = this.seatOf(partition)
    return isUnanswered || this.parts.clock.elapsed() < Math.max(leaseUntil, keepUntil)
  }

  async end(partition: PartitionId, how: TenureEnd): Promise<void> {
    const { clock, random, options, fitness } = this.parts
    const seat = this.seatOf(partition)
    const now = clock.elapsed()
    const isLetGo = seat.letGo?.stopped === true
    seat.letGo = undefined
    if (how === 'fenced') {
      if (now - seat.begunAt > steadyMs) seat.strikes = 0
      seat.notBefore = now + options.leaseTtlMs * (1 + random.next()) * Math.min(seat.strikes + 1, maxStrikes)
      seat.strikes += 1
    } else if (how === 'halted') {
      seat.notBefore = now + options.orphanMs
    } else if (how !== 'released') {
      seat.notBefore = now + options.parkedRetryMs
    }
    if (how === 'failed') fitness.stuck()
    if (isLetGo || how === 'released' || how === 'fenced' || how === 'halted')
      await this.giveBack(partition, seat)
  }

  ticked(_partition: PartitionId, isParked: boolean): void {
    if (isParked) this.parts.fitness.stuck()
    else this.parts.fitness.progressed()
  }

  private seatOf(partition: PartitionId): Seat {
    const seat = this.seats[partition]
    if (seat === undefined) throw new Error(`there is no partition ${partition}`)
    return seat
  }

  private member(): Member {
    const { nodeId, region, weight, engineVersion, tzVersion } = this.parts.options
    const able = !this.isLeaving && this.parts.fitness.isFit && this.parts.guard?.mustLetGo() !== true
    return {
      nodeId,
      instance: this.instance,
      region,
      weight: able ? weight : 0,
      engineVersion,
      tzVersion,
      report: this.parts.report(),
    }
  }

  private async renew(): Promise<void> {
    const { membership, clock, guard, options } = this.parts
    const askedAt = clock.elapsed()
    const member = this.member()
    try {
      const { outcome, members, at } = await membership.renew(member, options.leaseTtlMs)
      const answeredAt = clock.elapsed()
      guard?.observe('leases', at, askedAt, answeredAt)
      const isMember = outcome === 'member'
      if (isMember && !this.isMember) this.joinedAt = answeredAt
      this.isMember = isMember
      this.failingSince = undefined
      this.roster.update(members, answeredAt)
    } catch (fault) {
      this.rethrow('renewing the membership', fault)
      this.failingSince ??= clock.elapsed()
      // What it says of itself holds whether or not the store has heard it.
      const others = this.roster.members.filter(({ nodeId }) => nodeId !== options.nodeId)
      if (this.isMember || others.length === 0) this.roster.update([...others, member], clock.elapsed())
    }
    this.problem = this.problemOf(member)
  }

  private problemOf(member: Member): string | null {
    if (this.isHeard && !this.isMember) return 'another process is running under this node id'
    if (member.weight > 0 || this.parts.options.weight === 0 || this.isLeaving) return null
    return this.parts.fitness.isFit
      ? 'the clock is contradicted by others'
      : 'the event log or the dispatch log is out of reach'
  }

  /**
   * Whether the store is in reach. Not, when it has been asked for the time of a lease without an answer. A process
   * that stood still has not asked, and must not take what only seems to be an orphan to it.
   */
  private get isHeard(): boolean {
    const { failingSince } = this
    return (
      failingSince === undefined || this.parts.clock.elapsed() - failingSince < this.parts.options.leaseTtlMs
    )
  }

  /** One partition at each renewal: notes its progress, keeps its lease, lets go of what is not this node's. */
  private async look(partition: PartitionId): Promise<void> {
    const { clock, dispatchLog } = this.parts
    const seat = this.seatOf(partition)
    const seen = dispatchLog.seen(partition)
    if (seen?.seq !== seat.seen?.seq || seen?.term !== seat.seen?.term) seat.seenAt = clock.elapsed()
    seat.seen = seen
    if (seat.letGo === undefined || seat.letGo.stopped) return
    const now = clock.elapsed()
    if (!this.isLeaving && this.mustLetGo(partition, seen, now < seat.keepUntil)) {
      seat.letGo.stop()
      return
    }
    const answer = await this.acquire(partition, seat)
    // Unanswered, the owner goes on: nobody else may write unless it claims, and then this one is fenced.
    if (answer === 'refused' && now >= seat.keepUntil) seat.letGo?.stop()
  }

  private mustLetGo(partition: PartitionId, seen: Checkpoint | null, isKept: boolean): boolean {
    if (this.roster.rank(partition, seen) < 0) return true
    // What the store said last does not count for ever: the others may be gone as well.
    if (!this.isHeard || isKept) return false
    return !this.isMember || this.roster.belongsToOther(partition, seen, this.parts.clock.elapsed())
  }

  private async mayBegin(partition: PartitionId, seat: Seat): Promise<boolean> {
    const { clock, fitness, options } = this.parts
    const now = clock.elapsed()
    if (now < seat.notBefore || !fitness.isFit || this.isLeaving) return false
    if (this.isHeard && !this.isMember) return false
    const rank = this.roster.rank(partition, seat.seen)
    if (rank < 0) return false
    const patience = options.orphanMs * (1 + rank) * (this.isHeard && this.seesNothing(now) ? 3 : 1)
    if (!fitness.isTroubled && now - seat.seenAt > patience && (rank > 0 || !this.isHeard)) {
      seat.seenAt = now
      seat.keepUntil = now + options.orphanMs
      return true
    }
    if (rank > 0 || !this.isHeard) return false
    if (seat.hasLease && now < seat.leaseUntil) return true
    return (await this.acquire(partition, seat)) === 'held' && clock.elapsed() < seat.leaseUntil
  }

  /** No partition at all has got on: then it is more likely that this node can't see them than that all stand still. */
  private seesNothing(now: number): boolean {
    return this.seats.every(({ seenAt }) => now - seenAt > this.parts.options.orphanMs)
  }

  /** Trust in a lease counts from when it was asked for, on a clock that nobody sets. */
  private async acquire(partition: PartitionId, seat: Seat): Promise<'held' | 'refused' | 'unanswered'> {
    const { leases, clock, options } = this.parts
    const askedAt = clock.elapsed()
    const holder = `${options.nodeId}/${this.instance}`
    try {
      const answer = await leases.acquire(partition, holder, options.leaseTtlMs)
      seat.hasLease = answer === 'held'
      seat.isUnanswered = false
      if (seat.hasLease) seat.leaseUntil = askedAt + options.leaseTtlMs - options.leaseMarginMs
      return answer
    } catch (fault) {
      this.rethrow(`lease of partition ${partition}`, fault)
      seat.isUnanswered = true
      return 'unanswered'
    }
  }

  private async giveBack(partition: PartitionId, seat: Seat): Promise<void> {
    if (!seat.hasLease) return
    seat.hasLease = false
    const holder = `${this.parts.options.nodeId}/${this.instance}`
    await this.guarded(`giving partition ${partition} back`, () =>
      this.parts.leases.release(partition, holder),
    )
  }

  /** Where a failure changes nothing: what was not given back runs out. */
  private async guarded(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (fault) {
      this.rethrow(what, fault)
    }
  }

  private rethrow(what: string, fault: unknown): void {
    if (!(fault instanceof PortFault)) throw fault
    this.parts.onFault(what, fault)
  }
}

/** An owner that has lasted this long was not thrown out in a quarrel. */
const steadyMs = 60_000

/** The others renew at times of their own: the slowest has heard after so many renewals. */
const heardFactor = 1.25

/** How many leases' time a node stays away at most. */
const maxStrikes = 2
