import type { PartitionId } from '@almanac/domain'
import type { LeaseStore } from '@almanac/engine'
import Redlock, { ExecutionError, type ExecutionStats, Lock, ResourceLockedError } from 'redlock'
import { keysOf, type RedisKeys } from './keys.js'
import type { RedisServers } from './servers.js'

export interface RedisLeaseStoreOptions {
  /** The cluster's name: leases of other clusters on the same servers are apart. */
  readonly prefix: string
}

/** In place of redlock's own for an extension: takes as well, and knows a holder by name. */
const takeOrExtend = `
for _, key in ipairs(KEYS) do
  local holder = redis.call('get', key)
  if holder and holder ~= ARGV[1] then return 0 end
end
for _, key in ipairs(KEYS) do redis.call('set', key, ARGV[1], 'PX', ARGV[2]) end
return #KEYS
`

/** What a server's clock may gain on ours within the time of a lease, and its grain. Redlock's own figures. */
const driftFactor = 0.01
const driftMs = 2

/**
 * Leases by Redlock, over one server or a majority of 2k + 1. The package counts the votes and talks to the servers.
 * What it does not do well is not left to it:
 *
 * - A lease's value is its holder's name, not chance: who asks again extends what an unanswered attempt has taken, and
 *   is never kept out by itself. So there are no retries either: whoever wants the lease asks again.
 * - Nothing is judged by `Date.now`. A grant that comes when its time is over, counted from the question on a clock
 *   that nobody sets, is none: it is `unavailable`.
 * - A call ends within the deadline of the servers, or the time of the lease when that is shorter.
 *
 * `refused`: a majority has answered, and does not agree. `unavailable`: less than a majority has answered.
 *
 * What no lease can do: a server that forgets (FLUSHALL, or started again without its data) grants it to a second
 * holder while the first believes in it. So does one whose clock is set, or a holder that stood still. A lease saves
 * work; that only one can write is the term's business.
 */
export class RedisLeaseStore implements LeaseStore {
  private readonly servers: RedisServers
  private readonly keys: RedisKeys
  private readonly redlock: Redlock
  /** Leases that were granted and are not over: what is left of them on a minority must not be cleared away. */
  private readonly granted = new Map<string, number>()

  constructor(servers: RedisServers, options: RedisLeaseStoreOptions) {
    this.servers = servers
    this.keys = keysOf(options.prefix)
    this.redlock = new Redlock(servers.all, { retryCount: 0 }, { extendScript: () => takeOrExtend })
  }

  async acquire(lease: PartitionId, holder: string, ttlMs: number): Promise<'held' | 'refused'> {
    const { clock } = this.servers
    const what = `Lease of partition ${lease}`
    const ttl = Math.max(1, Math.floor(ttlMs))
    const usableMs = ttl - Math.round(ttl * driftFactor) - driftMs
    const over = clock.elapsed() + usableMs
    const answer = await this.servers.inTime(what, this.ask(what, lease, holder, ttl), usableMs)
    if (answer === 'refused') this.granted.delete(grantOf(lease, holder))
    else this.granted.set(grantOf(lease, holder), over)
    return answer
  }

  async release(lease: PartitionId, holder: string): Promise<void> {
    const what = `Giving back the lease of partition ${lease}`
    this.granted.delete(grantOf(lease, holder))
    const work = this.redlock.release(this.lockOf(lease, holder)).catch((error) => this.refusal(what, error))
    await this.servers.inTime(what, work)
  }

  private async ask(
    what: string,
    lease: PartitionId,
    holder: string,
    ttl: number,
  ): Promise<'held' | 'refused'> {
    const lock = this.lockOf(lease, holder)
    try {
      await this.redlock.extend(lock, ttl)
      return 'held'
    } catch (error) {
      const votes = this.refusal(what, error)
      // Sent at once, so that it can't overtake the next attempt.
      if (!this.isGranted(lease, holder)) void this.redlock.release(lock).catch(() => {})
      await votes
      return 'refused'
    }
  }

  /** Redlock asks for an extension of something that is not over: never, as far as it can tell. */
  private lockOf(lease: PartitionId, holder: string): Lock {
    return new Lock(this.redlock, [this.keys.lease(lease)], holder, [], Number.POSITIVE_INFINITY)
  }

  private isGranted(lease: PartitionId, holder: string): boolean {
    const over = this.granted.get(grantOf(lease, holder))
    return over !== undefined && this.servers.clock.elapsed() < over
  }

  /** Resolves when a majority has said no; throws `unavailable` when that many have not even answered. */
  private async refusal(what: string, error: unknown): Promise<void> {
    if (!(error instanceof ExecutionError)) throw error
    const votes = await error.attempts[0]
    if (votes === undefined) throw error
    const failures = failuresOf(votes)
    if (this.servers.all.length - failures.length < this.servers.majority) {
      throw this.servers.fault(what, failures)
    }
  }
}

const failuresOf = ({ votesAgainst }: ExecutionStats): readonly Error[] =>
  [...votesAgainst.values()].filter((error) => !(error instanceof ResourceLockedError))

const grantOf = (lease: PartitionId, holder: string): string => `${lease} ${holder}`
