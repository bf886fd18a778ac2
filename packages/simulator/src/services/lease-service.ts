import type { Member, PartitionId } from '@almanac/domain'
import type { Renewal } from '@almanac/engine'
import type { Instant } from '@almanac/recurrence'
import { MachineClock, type SimWorld } from '../world/index.js'

/** What may be wrong with the service apart from its links; to be changed in place. */
export interface LeaseFaults {
  /** Everybody gets every lease, and every node id. */
  isLying: boolean
  /** It does as it is asked but answers so much later, when what it grants may be over. Milliseconds. */
  frozenMs: number
}

const healthy: LeaseFaults = { isLying: false, frozenMs: 0 }

interface Lease {
  readonly holder: string
  /** True time since when it is this holder's, without a break. */
  readonly since: Instant
  readonly until: number
}

interface Registered {
  readonly member: Member
  readonly until: number
}

/** One server without a disk that keeps leases and members, and lets them end by its own clock. */
export class LeaseService {
  readonly name: string
  readonly faults: LeaseFaults = { ...healthy }
  readonly clock: MachineClock
  private readonly world: SimWorld
  private readonly leases = new Map<PartitionId, Lease>()
  private readonly members = new Map<string, Registered>()

  constructor(world: SimWorld, name = 'leases', clock = new MachineClock(world)) {
    this.world = world
    this.name = name
    this.clock = clock
  }

  acquire(
    lease: PartitionId,
    holder: string,
    ttlMs: number,
  ): 'held' | 'refused' | Promise<'held' | 'refused'> {
    const now = this.clock.elapsed()
    const current = this.leases.get(lease)
    const isFree = current === undefined || current.until <= now || current.holder === holder
    const since = current?.holder === holder && current.until > now ? current.since : this.world.now
    if (isFree) this.leases.set(lease, { holder, since, until: now + ttlMs })
    else if (this.faults.isLying) this.world.count('fault: lease held twice')
    const outcome = isFree || this.faults.isLying ? 'held' : 'refused'
    this.world.trace(`${this.name} ${lease} ${holder} ${outcome}`)
    return this.answer(outcome)
  }

  release(lease: PartitionId, holder: string): void | Promise<void> {
    if (this.leases.get(lease)?.holder === holder) this.leases.delete(lease)
    return this.answer(undefined)
  }

  renew(member: Member, ttlMs: number): Renewal | Promise<Renewal> {
    const now = this.clock.elapsed()
    const current = this.members.get(member.nodeId)
    const isFree =
      current === undefined || current.until <= now || current.member.instance === member.instance
    if (isFree || this.faults.isLying) this.members.set(member.nodeId, { member, until: now + ttlMs })
    const outcome = isFree || this.faults.isLying ? 'member' : 'taken'
    const members = this.alive(now)
    this.world.trace(`${this.name} ${member.nodeId} ${outcome} of ${members.length}`)
    return this.answer({ outcome, members, at: this.clock.wall() })
  }

  leave(nodeId: string, instance: string): void | Promise<void> {
    if (this.members.get(nodeId)?.member.instance === instance) this.members.delete(nodeId)
    return this.answer(undefined)
  }

  /** Who has the lease now, and since when; for those who watch from outside. */
  holderOf(lease: PartitionId): Pick<Lease, 'holder' | 'since'> | undefined {
    const current = this.leases.get(lease)
    return current === undefined || current.until <= this.clock.elapsed() ? undefined : current
  }

  private alive(now: number): readonly Member[] {
    return [...this.members.values()]
      .filter(({ until }) => until > now)
      .map(({ member }) => member)
      .sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1))
  }

  private answer<T>(value: T): T | Promise<T> {
    const { frozenMs } = this.faults
    if (frozenMs === 0) return value
    this.world.count('fault: lease answered late')
    return new Promise((resolve) => this.world.after(frozenMs, () => resolve(value)))
  }

  /** It forgets everything. */
  flush(): void {
    this.world.count('fault: leases forgotten')
    this.world.trace(`${this.name} forgets`)
    this.leases.clear()
    this.members.clear()
  }

  /** It is down for `downMs`, and has forgotten everything afterwards. */
  restart(downMs: number): void {
    const state = this.world.network.service(this.name)
    this.flush()
    state.isDown = true
    state.life += 1
    const { life } = state
    this.world.schedule(downMs, () => {
      if (state.life === life) state.isDown = false
    })
  }

  /** No fault of its own is left. */
  heal(): void {
    Object.assign(this.faults, healthy)
    this.clock.synchronize()
  }
}
