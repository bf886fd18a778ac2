import type { Instant } from '@almanac/recurrence'
import type { Checkpoint, PartitionId } from '../dispatch/types.js'
import type { Position } from '../event.js'
import { digestOf } from '../ids.js'

/** One process of the cluster, as it registers itself. */
export interface Member {
  readonly nodeId: string
  /** Chance, new with every start of the process: tells two processes of one node id apart. */
  readonly instance: string
  /** Where it stands; '' when there is one region only. */
  readonly region: string
  /** Its share of the partitions in relation to the others; 0: it takes none. */
  readonly weight: number
  /** Versions of the planner's rules and of the zone database: a node does not take over from newer ones. */
  readonly engineVersion: string
  readonly tzVersion: string
  /** What it told of itself when it registered last: for people, nothing is decided by it. */
  readonly report?: MemberReport
}

/** The state of a node, told by itself. */
export interface MemberReport {
  readonly startedAt: Instant
  /** Its clock when it told. */
  readonly now: Instant
  readonly ready: boolean
  /** Why not ready; null when ready. */
  readonly problem: string | null
  /** Position that its read models have. */
  readonly viewPosition: Position
}

/**
 * Who should own a partition, best first: weighted rendezvous hashing. Each pair of node and partition has its own
 * score, so a node that comes or goes moves only the partitions that it gets or had. Members of the partition's
 * home region come before all others. Members of weight 0 are left out. Pure: every node gets the same answer from
 * the same members, in whatever order they are given. `chanceOf` may answer `placementChance` from memory.
 */
export function rankedOwners(
  partition: PartitionId,
  members: readonly Member[],
  homeRegion = '',
  chanceOf = placementChance,
): readonly Member[] {
  const isHome = (member: Member) => homeRegion !== '' && member.region === homeRegion
  return members
    .filter(({ weight }) => weight > 0)
    .map((member) => ({
      member,
      home: isHome(member),
      score: -member.weight / Math.log(chanceOf(partition, member.nodeId)),
    }))
    .sort(
      (a, b) =>
        Number(b.home) - Number(a.home) ||
        b.score - a.score ||
        (a.member.nodeId < b.member.nodeId ? -1 : a.member.nodeId > b.member.nodeId ? 1 : 0),
    )
    .map(({ member }) => member)
}

/**
 * The chance of a pair of partition and node, uniform in (0, 1): with -weight / ln(chance) as the score, the highest
 * one falls to each node in proportion to its weight. The same for ever, so callers may keep it.
 */
export function placementChance(partition: PartitionId, nodeId: string): number {
  const bits = Number.parseInt(digestOf(`place|${partition}|${nodeId}`).slice(0, 12), 16)
  return (bits + 0.5) / 2 ** 48
}

/**
 * Whether a member may go on from the checkpoint: not with older zone data, nor with rules of an older major version
 * than those it was made with. Versions that can't be compared are taken for equal.
 */
export function mayContinue(
  { engineVersion, tzVersion }: Pick<Member, 'engineVersion' | 'tzVersion'>,
  checkpoint: Pick<Checkpoint, 'engineVersion' | 'tzVersion'> | null,
): boolean {
  if (checkpoint === null) return true
  const isZoneData = (text: string) => /^\d{4}[a-z]?$/.test(text)
  if (isZoneData(tzVersion) && isZoneData(checkpoint.tzVersion) && tzVersion < checkpoint.tzVersion)
    return false
  const major = (version: string) => Number.parseInt(version, 10)
  return !(major(engineVersion) < major(checkpoint.engineVersion))
}
