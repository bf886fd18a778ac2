import { digestOf } from '@almanac/domain'
import type { ExpectedRevision } from '../ports/event-log.js'

/**
 * The id of an event before it is appended: the same command at the same place makes the same id, so that an append
 * whose outcome is unknown can be made again, and is found again. In the form of a UUID (version 8).
 */
export function eventIdOf(stream: string, token: string, expected: ExpectedRevision, index: number): string {
  const hex = digestOf(`event|${stream}|${token}|${expected}|${index}`)
  const variant = '89ab'[Number.parseInt(hex.slice(16, 17), 16) & 3] ?? '8'
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-')
}
