import {
  InvalidRedisAddress,
  openRedis,
  RedisLeaseStore,
  RedisMarker,
  RedisMembership,
  RedisRateLimiter,
  type RedisServers,
} from '@almanac/adapters/redis'
import type { ServerAccess } from '@almanac/adapters/system'
import type { Clock, LeaseStore, Membership, RateLimiter, ViewStore } from '@almanac/engine'
import { accessProblem, StartProblem } from './service/index.js'

interface RedisParts {
  readonly url: string
  readonly access: ServerAccess
  readonly cluster: string
  readonly clock: Clock
  readonly notice: (message: string) => void
  readonly onFault: (message: string, fault: unknown) => void
}

export interface OpenRedis {
  readonly membership: Membership
  readonly leases: LeaseStore
  readonly marker: RedisMarker
  readonly limiter: RateLimiter
  close(): void
}

/**
 * Resolves when each server has been tried: one that is out of reach is tried again for ever. Throws `StartProblem`
 * when the address can't be used, or when there is no majority of servers, and one of them does not let us in.
 */
export async function openLeases(parts: RedisParts): Promise<OpenRedis> {
  const { url, access, cluster, clock, notice, onFault } = parts
  const servers = await connected({ url, access, clock, notice })
  const prefix = cluster
  return {
    membership: new RedisMembership(servers, { prefix }),
    leases: new RedisLeaseStore(servers, { prefix }),
    marker: new RedisMarker(servers, { prefix, onFault: (fault) => onFault('publishing the marker', fault) }),
    limiter: new RedisRateLimiter(servers, { prefix }),
    close: () => servers.close(),
  }
}

async function connected(options: Parameters<typeof openRedis>[0]): Promise<RedisServers> {
  try {
    const servers = await openRedis(options)
    const { refusal } = servers
    if (refusal === undefined) return servers
    servers.close()
    throw new StartProblem(accessProblem('redis', refusal), refusal)
  } catch (error) {
    if (error instanceof InvalidRedisAddress) throw new StartProblem(`ALMANAC_REDIS: ${error.message}`, error)
    throw error
  }
}

/** From now on the read models hand on each marker that they move. */
export function publishMarkers(views: ViewStore, marker: RedisMarker): void {
  const apply = views.apply.bind(views)
  views.apply = (batch) => {
    apply(batch)
    for (const [namespace, moved] of batch.markers) marker.set(namespace, moved)
  }
}
