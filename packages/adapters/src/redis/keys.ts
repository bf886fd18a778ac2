import type { PartitionId } from '@almanac/domain'

/** The names of everything that a cluster keeps in Redis. */
export interface RedisKeys {
  lease(partition: PartitionId): string
  /** Hash: members by node id. */
  readonly members: string
  /** Sorted set: node ids by the server's time at which their membership ends. */
  readonly membersUntil: string
  /** When the server has begun to keep members, by its own time. */
  readonly membersSince: string
  /** Hash: the last change by namespace. */
  readonly markers: string
  /** Channel: a marker has moved. */
  readonly markerMoved: string
  /** How full a bucket of a rate is. */
  rate(bucket: string): string
}

/**
 * In braces, `prefix` is the hash tag of a Redis Cluster: all keys are in one slot, so that a script may use several.
 */
export function keysOf(prefix: string): RedisKeys {
  if (prefix === '' || /[{}\s]/.test(prefix)) {
    throw new Error(`${JSON.stringify(prefix)} can't be the prefix of keys: no braces and no white space`)
  }
  const tag = `{${prefix}}`
  return {
    lease: (partition) => `${tag}:lease:${partition}`,
    members: `${tag}:members`,
    membersUntil: `${tag}:members:until`,
    membersSince: `${tag}:members:since`,
    markers: `${tag}:markers`,
    markerMoved: `${tag}:marker`,
    rate: (bucket) => `${tag}:rate:${bucket}`,
  }
}
