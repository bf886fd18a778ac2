import {
  type Checkpoint,
  type Member,
  mayContinue,
  type PartitionId,
  placementChance,
  rankedOwners,
} from '@almanac/domain'

interface RosterParts {
  readonly nodeId: string
  readonly settleMs: number
  readonly homeRegions: ReadonlyMap<PartitionId, string>
}

/** Who is in the cluster as this node last heard, and since when. */
export class Roster {
  private readonly parts: RosterParts
  private readonly since = new Map<string, number>()
  private current: readonly Member[] = []
  private orders = new Map<string, readonly Member[]>()
  /** By node, of each partition: a change of the members must not cost a hash for every pair again. */
  private readonly chances = new Map<string, Map<PartitionId, number>>()

  constructor(parts: RosterParts) {
    this.parts = parts
  }

  get members(): readonly Member[] {
    return this.current
  }

  /** `now`: elapsed time. A process that was started anew under the same node id counts as newly come. */
  update(members: readonly Member[], now: number): void {
    const isSame = placementOf(members) === placementOf(this.current)
    this.current = members
    if (isSame) return
    const known = new Set(members.map(identity))
    for (const key of this.since.keys()) if (!known.has(key)) this.since.delete(key)
    for (const key of known) if (!this.since.has(key)) this.since.set(key, now)
    this.orders = new Map()
    const nodeIds = new Set(members.map(({ nodeId }) => nodeId))
    for (const nodeId of this.chances.keys()) if (!nodeIds.has(nodeId)) this.chances.delete(nodeId)
  }

  /** Best owner first; only those that may go on from the newest checkpoint that has been seen. */
  ranked(partition: PartitionId, seen: Checkpoint | null): readonly Member[] {
    const key = `${partition}|${seen?.engineVersion ?? ''}|${seen?.tzVersion ?? ''}`
    let order = this.orders.get(key)
    if (order === undefined) {
      const able = this.current.filter((member) => mayContinue(member, seen))
      order = rankedOwners(partition, able, this.parts.homeRegions.get(partition), this.chanceOf)
      this.orders.set(key, order)
    }
    return order
  }

  private readonly chanceOf = (partition: PartitionId, nodeId: string): number => {
    let known = this.chances.get(nodeId)
    if (known === undefined) {
      known = new Map()
      this.chances.set(nodeId, known)
    }
    let chance = known.get(partition)
    if (chance === undefined) {
      chance = placementChance(partition, nodeId)
      known.set(partition, chance)
    }
    return chance
  }

  /** This node's place in the order; -1 when it takes none. */
  rank(partition: PartitionId, seen: Checkpoint | null): number {
    return this.ranked(partition, seen).findIndex(({ nodeId }) => nodeId === this.parts.nodeId)
  }

  /** Whether somebody else should have the partition, and has been there long enough to be given it. */
  belongsToOther(partition: PartitionId, seen: Checkpoint | null, now: number): boolean {
    const [first] = this.ranked(partition, seen)
    if (first === undefined || first.nodeId === this.parts.nodeId) return false
    return now - (this.since.get(identity(first)) ?? now) >= this.parts.settleMs
  }
}

/** What nodes tell of themselves for people moves nothing. */
const placementOf = (members: readonly Member[]): string =>
  JSON.stringify(members.map(({ report: _, ...member }) => member))

/** A weight that changes is a change of mind, not of the process: it counts anew as well. */
const identity = ({ nodeId, instance, weight }: Member): string => `${nodeId}/${instance}/${weight > 0}`
