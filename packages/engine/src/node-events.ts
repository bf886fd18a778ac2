import type { StoredEvent } from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'
import { eventIdOf } from './commands/event-id.js'
import type { AppendResult, EventLog, ExpectedRevision } from './ports/event-log.js'
import { isOutcomeUnknown } from './ports/faults.js'

/** Where an event of a node is to stand, and which node says it when. */
interface NodePlace {
  readonly stream: string
  readonly expected: ExpectedRevision
  readonly previousHash: string
  readonly nodeId: string
  readonly at: Instant
}

/** What a node says for itself, of no namespace. Its id is made of its place and all that it says. */
export function nodeEvent(place: NodePlace, type: string, data: unknown): StoredEvent {
  const { stream, expected, previousHash, nodeId, at } = place
  const metadata = { namespace: '', actor: nodeId, at, correlationId: stream, previousHash }
  const event = { type, version: 1, data, metadata }
  return { id: eventIdOf({ stream, expected, index: 0, token: type }, event), ...event }
}

const maxAttempts = 8

/** An append whose outcome is unknown is made again as it was: the log answers it as the first time. */
export async function appendSettled(
  log: EventLog,
  stream: string,
  expected: ExpectedRevision,
  event: StoredEvent,
): Promise<AppendResult> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await log.append(stream, expected, [event])
    } catch (fault) {
      if (!isOutcomeUnknown(fault) || attempt === maxAttempts) throw fault
    }
  }
}
