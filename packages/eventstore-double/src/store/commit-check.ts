import type { ProposedEvent } from './record.js'

/** -2 any, -4 the stream must exist, -1 it must not, else the revision of its last event. */
export type ExpectedVersion = number
export const expectAny: ExpectedVersion = -2
export const expectExists: ExpectedVersion = -4
export const expectNone: ExpectedVersion = -1

export type CommitDecision =
  | { readonly kind: 'ok'; readonly revives: boolean }
  | { readonly kind: 'wrong version' }
  | { readonly kind: 'deleted' }
  /** The same events were appended before, up to this revision. */
  | { readonly kind: 'repeated'; readonly last: number }

/** What the check has to know of the stream. */
export interface CommitFacts {
  /** Revision of the last event; -1: there is none. */
  readonly current: number
  readonly isTombstoned: boolean
  readonly isSoftDeleted: boolean
  readonly hasMetadata: boolean
  /** Revision of an event in this stream whose id is still in the cache of recent ids. */
  recent(id: string): number | undefined
  idAt(revision: number): string | undefined
}

const wrong = { kind: 'wrong version' } as const

/**
 * The server's rules. With an exact revision a repeated append is found in the stream itself; with `any` only as long
 * as the ids are in a cache that does not survive a restart. An append of which only a part is there is refused.
 */
export function checkCommit(
  facts: CommitFacts,
  expected: ExpectedVersion,
  events: readonly ProposedEvent[],
): CommitDecision {
  if (facts.isTombstoned) return { kind: 'deleted' }
  if (expected === expectExists) {
    if (facts.isSoftDeleted) return { kind: 'deleted' }
    if (facts.current < 0 && !facts.hasMetadata) return wrong
  }
  if (expected === expectAny || expected === expectExists) return checkAny(facts, events)
  if (expected < facts.current) return checkRepeated(facts, expected, events)
  if (expected > facts.current) return wrong
  return { kind: 'ok', revives: facts.isSoftDeleted }
}

function checkAny(facts: CommitFacts, events: readonly ProposedEvent[]): CommitDecision {
  let last: number | undefined
  for (const [index, { id }] of events.entries()) {
    const revision = facts.recent(id)
    if (revision === undefined) return index === 0 ? { kind: 'ok', revives: facts.isSoftDeleted } : wrong
    last = revision
  }
  return last === undefined ? { kind: 'ok', revives: facts.isSoftDeleted } : { kind: 'repeated', last }
}

function checkRepeated(
  facts: CommitFacts,
  expected: ExpectedVersion,
  events: readonly ProposedEvent[],
): CommitDecision {
  let revision = expected
  for (const [index, { id }] of events.entries()) {
    revision += 1
    if (facts.recent(id) === revision || facts.idAt(revision) === id) continue
    const isFirst = index === 0
    if (isFirst && expected === expectNone && facts.isSoftDeleted) return { kind: 'ok', revives: true }
    return wrong
  }
  return events.length === 0 ? wrong : { kind: 'repeated', last: revision }
}
