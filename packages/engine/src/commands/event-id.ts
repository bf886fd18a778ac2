import { type Digest, digestOf, type StoredEvent } from '@almanac/domain'
import type { ExpectedRevision } from '../ports/event-log.js'

/** Where an event is to stand, and what its command is told apart by. */
export interface EventPlace {
  readonly stream: string
  readonly expected: ExpectedRevision
  readonly index: number
  /** The command's idempotency key, or chance. */
  readonly token: string
}

/**
 * The id of an event before it is appended: made of its place and of all that it says. So an append whose
 * outcome is unknown can be made again, and is found again; and since a log answers a known id as appended,
 * two events that differ in anything, if only in their time, never have one id. In the form of a UUID
 * (version 8).
 */
export function eventIdOf(
  place: EventPlace,
  event: Omit<StoredEvent, 'id'>,
  digest: Digest = digestOf,
): string {
  const hex = digest(JSON.stringify({ place, event }))
  const variant = '89ab'[Number.parseInt(hex.slice(16, 17), 16) & 3] ?? '8'
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-')
}
