import { type Member, rankedOwners } from '@almanac/domain'
import type { HistoryRecord } from '@almanac/history'
import type { Instant } from '@almanac/recurrence'
import type { Entry } from './diary.js'
import type { GivenBack } from './meter.js'

type Owner = Extract<HistoryRecord, { kind: 'owner' }>

/** A partition got another owner, or its owner anew. */
export interface Move {
  readonly partition: number
  /** When the new owner could decide: its record is committed. */
  readonly at: Instant
  /** Since the former owner was killed or asked to end, or else since the new one was started. */
  readonly tookMs: number
  /** Since the former owner gave it back, or was killed. */
  readonly ownerlessMs: number
}

/** What is known of who owned what. */
export interface Ownership {
  /** In the order of time. */
  readonly owners: readonly Owner[]
  readonly givenBack: readonly GivenBack[]
  readonly diary: readonly Entry[]
}

/** The moves of [from, until). */
export function movesOf(
  { owners, givenBack, diary }: Ownership,
  from: Instant,
  until: Instant,
): readonly Move[] {
  const former = new Map<number, Owner>()
  const moves: Move[] = []
  for (const owner of owners) {
    const { partition, appendedAt: at, nodeId } = owner
    const before = former.get(partition)
    former.set(partition, owner)
    if (at < from || at >= until) continue
    const isOf = (it: { readonly nodeId: string; readonly at: Instant }): boolean =>
      it.nodeId === before?.nodeId && it.at >= before.appendedAt && it.at <= at
    const gone = diary.findLast((entry) => entry.what !== 'started' && isOf(entry))
    const came = diary.findLast(
      (entry) => entry.what === 'started' && entry.nodeId === nodeId && entry.at <= at,
    )
    const given = givenBack.findLast((it) => it.partition === partition && isOf(it))
    const leftAt = given?.at ?? gone?.at ?? at
    moves.push({ partition, at, tookMs: at - ((gone ?? came)?.at ?? at), ownerlessMs: at - leftAt })
  }
  return moves
}

/** How many partitions come to another first node when one set of nodes follows another. */
export function differing(partitions: number, before: readonly string[], after: readonly string[]): number {
  const first = (nodeIds: readonly string[], partition: number) =>
    rankedOwners(partition, nodeIds.map(memberOf))[0]?.nodeId
  return Array.from({ length: partitions }, (_, partition) => first(after, partition)).filter(
    (owner, partition) => owner !== undefined && owner !== first(before, partition),
  ).length
}

const memberOf = (nodeId: string): Member => ({
  nodeId,
  instance: '',
  region: '',
  weight: 1,
  engineVersion: '1',
  tzVersion: '2026a',
})
