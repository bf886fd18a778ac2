import type { Member } from '@almanac/domain'

/** A member as one server shows it. */
export interface Registration {
  readonly member: Member
  /** Which renewal of its process it is: a higher one is newer. */
  readonly number: number
  /** Until its time is over there. */
  readonly leftMs: number
}

interface Seen {
  newest: Registration
  servers: number
  leftMs: number
}

/**
 * One list from those of several servers: everybody that any of them shows, by node id. Of two processes under one node
 * id it is the one that more servers show, or which is there for longer; of two renewals, the newer one.
 */
export function membersOf(lists: readonly (readonly Registration[])[]): readonly Member[] {
  const nodes = new Map<string, Map<string, Seen>>()
  for (const registration of lists.flat()) {
    const { nodeId, instance } = registration.member
    const instances = nodes.get(nodeId) ?? new Map<string, Seen>()
    nodes.set(nodeId, instances)
    instances.set(instance, withOne(instances.get(instance), registration))
  }
  return [...nodes.values()].map(mostSeen).sort(byNodeId)
}

function withOne(seen: Seen | undefined, registration: Registration): Seen {
  const { number, leftMs } = registration
  if (seen === undefined) return { newest: registration, servers: 1, leftMs }
  return {
    newest: number > seen.newest.number ? registration : seen.newest,
    servers: seen.servers + 1,
    leftMs: Math.max(leftMs, seen.leftMs),
  }
}

const mostSeen = (instances: ReadonlyMap<string, Seen>): Member =>
  [...instances.values()].reduce((best, seen) =>
    seen.servers > best.servers || (seen.servers === best.servers && seen.leftMs > best.leftMs) ? seen : best,
  ).newest.member

export const byNodeId = (a: Member, b: Member): number => (a.nodeId < b.nodeId ? -1 : 1)

/** The middle one; of an even number, the lower of the two in the middle. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted[Math.floor((sorted.length - 1) / 2)]
  if (middle === undefined) throw new Error('There is no middle of nothing.')
  return middle
}
