import type { Member } from '@almanac/domain'
import { byNodeId } from './registrations.js'

/** What the servers have answered. */
export interface Heard {
  readonly found: readonly Member[]
  /** By server: since when it has kept members, by its own clock. Another value than before: it has begun anew. */
  readonly since: ReadonlyMap<string, number>
  /** Whoever lives has renewed within this time. */
  readonly ttlMs: number
  /** Elapsed time. */
  readonly now: number
}

/**
 * Keeps whom a process knew over a break in what the servers know. After one, an answer does not tell who is gone, only
 * who has come back so far.
 */
export class Continuity {
  private readonly majority: number
  private readonly since = new Map<string, number>()
  private last: readonly Member[] = []
  /** Known before the break, and not heard of since. */
  private kept: readonly Member[] = []
  private isInterrupted = false
  private doubtUntil = Number.NEGATIVE_INFINITY

  constructor(majority: number) {
    this.majority = majority
  }

  /** A question was not answered. */
  interrupted(): void {
    this.isInterrupted = true
  }

  /** Members to go by: those that were found, and in doubt those who were known before it. */
  heard({ found, since, ttlMs, now }: Heard): readonly Member[] {
    const isBroken = this.isInterrupted || this.isAnew(since)
    this.isInterrupted = false
    for (const [server, begun] of since) this.since.set(server, begun)
    if (isBroken) {
      this.kept = this.last
      this.doubtUntil = now + ttlMs
    } else if (now >= this.doubtUntil) {
      this.kept = []
    }
    const ids = new Set(found.map(({ nodeId }) => nodeId))
    this.kept = this.kept.filter(({ nodeId }) => !ids.has(nodeId))
    this.last = [...found, ...this.kept].sort(byNodeId)
    return this.last
  }

  /** It has said so itself. */
  left(nodeId: string, instance: string): void {
    const stays = (member: Member) => member.nodeId !== nodeId || member.instance !== instance
    this.last = this.last.filter(stays)
    this.kept = this.kept.filter(stays)
  }

  /** Whether less than a majority has gone on since the last answer. */
  private isAnew(since: ReadonlyMap<string, number>): boolean {
    const steady = [...since].filter(([server, begun]) => this.since.get(server) === begun)
    return steady.length < this.majority
  }
}
