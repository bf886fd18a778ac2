import {
  InvalidRedisAddress,
  openRedis,
  RedisLeaseStore,
  RedisMarker,
  RedisMembership,
  type RedisServers,
} from '@almanac/adapters/redis'
import type { Clock, LeaseStore, Membership, ViewStore } from '@almanac/engine'
import { StartProblem } from './service/index.js'

interface RedisParts {
  readonly url: string
  readonly cluster: string
  readonly clock: Clock
  readonly notice: (message: string) => void
  readonly onFault: (message: string, fault: unknown) => void
}

export interface OpenRedis {
  readonly membership: Membership
  readonly leases: LeaseStore
  readonly marker: RedisMarker
  close(): void
}

/**
 * Resolves when each server has been tried: one that is out of reach is tried again for ever. Throws `StartProblem`
 * when the address can't be used.
 */
export async function openLeases({ url, cluster, clock, notice, onFault }: RedisParts): Promise<OpenRedis> {
  const servers = await connected({ url, clock, notice })
  const prefix = cluster
  return {
    membership: new RedisMembership(servers, { prefix }),
    leases: new RedisLeaseStore(servers, { prefix }),
    marker: new RedisMarker(servers, { prefix, onFault: (fault) => onFault('publishing the marker', fault) }),
    close: () => servers.close(),
  }
}

async function connected(options: Parameters<typeof openRedis>[0]): Promise<RedisServers> {
  try {
    return await openRedis(options)
  } catch (error) {
    if (error instanceof InvalidRedisAddress) throw new StartProblem(error.message, error)
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
