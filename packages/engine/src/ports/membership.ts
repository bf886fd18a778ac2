import type { Member } from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'

/** What a renewal answers. */
export interface Renewal {
  /** `taken`: another process is alive under this node id; nothing was changed. */
  readonly outcome: 'member' | 'taken'
  /** All live members, by node id; the caller too when it is one. */
  readonly members: readonly Member[]
  /** The store's own wall clock when it answered. */
  readonly at: Instant
}

/**
 * Who is in the cluster. It decides who should do what, never who may: a store that lies or forgets costs work,
 * not safety.
 */
export interface Membership {
  /**
   * Registers `member`, or keeps it registered, for `ttlMs` on the store's clock. A process that has the node id
   * keeps it until it leaves or its time is over. Throws `unavailable` when the store did not answer.
   */
  renew(member: Member, ttlMs: number): Promise<Renewal>
  /** Takes the process of that instance out; does nothing when another one has the node id. */
  leave(nodeId: string, instance: string): Promise<void>
}
