import type { Member } from '@almanac/domain'
import type { Clock, Membership, Renewal } from '@almanac/engine'

interface Registration {
  readonly member: Member
  /** On the clock's elapsed scale: a step of the wall clock neither ends nor prolongs a membership. */
  readonly until: number
}

/** Members within this process: for tests of several nodes. The clock is the store's. */
export class MemoryMembership implements Membership {
  readonly #clock: Clock
  readonly #registrations = new Map<string, Registration>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async renew(member: Member, ttlMs: number): Promise<Renewal> {
    const now = this.#clock.elapsed()
    for (const [nodeId, { until }] of this.#registrations) {
      if (until <= now) this.#registrations.delete(nodeId)
    }
    const holder = this.#registrations.get(member.nodeId)?.member
    const isTaken = holder !== undefined && holder.instance !== member.instance
    if (!isTaken) this.#registrations.set(member.nodeId, { member, until: now + ttlMs })
    const members = [...this.#registrations.values()].map((registration) => registration.member)
    members.sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1))
    return { outcome: isTaken ? 'taken' : 'member', members, at: this.#clock.now() }
  }

  async leave(nodeId: string, instance: string): Promise<void> {
    if (this.#registrations.get(nodeId)?.member.instance === instance) this.#registrations.delete(nodeId)
  }
}
