import {
  keysStream,
  type RecordedEvent,
  subjectOf,
  traceIdOf,
  traceparentOf,
  webhooksStream,
} from '@almanac/domain'
import { changesOf, type KnownFields, objectOf, shown } from './event-diff.js'
import { sentenceOf } from './event-text.js'
import type { EventJson, EventKind, FieldChange } from './http/change.js'
import type { JsonObject } from './http/shape.js'
import { isoOf } from './instant-text.js'

const shownData = (value: unknown, depth = 0): JsonObject =>
  Object.fromEntries(
    Object.entries(objectOf(value))
      // Of use to nobody but who checks keys.
      .filter(([field]) => field !== 'secretHash')
      .map(([field, part]) => [
        field,
        depth < 2 && (field === 'spec' || field === 'changes' || field === 'imported')
          ? shownData(part, depth + 1)
          : shown(field, part),
      ]),
  )

/** What is known by its stream alone. */
const kindsOfStreams: { readonly [stream: string]: EventKind } = {
  [keysStream]: 'key',
  [webhooksStream]: 'webhook',
}

const shownSubject = (stream: string): { readonly kind: EventKind; readonly id: string } =>
  subjectOf(stream) ?? { kind: kindsOfStreams[stream] ?? 'cluster', id: stream }

/** `name`: of what the event is about, where it is known. `undone`: the revision of its stream that it takes back. */
interface Around {
  readonly changes: readonly FieldChange[]
  readonly name: string | null
  readonly undone?: number | undefined
}

function eventJson(event: RecordedEvent, { changes, name, undone }: Around): EventJson {
  const { metadata } = event
  const trace = traceparentOf(metadata.traceparent)
  return {
    position: event.position,
    stream: event.stream,
    revision: event.revision,
    id: event.id,
    type: event.type,
    version: event.version,
    subject: { ...shownSubject(event.stream), name },
    at: isoOf(metadata.at),
    namespace: metadata.namespace,
    actor: metadata.actor,
    reason: metadata.reason ?? null,
    correlationId: metadata.correlationId,
    causationId: metadata.causationId ?? null,
    ...(trace === undefined ? {} : { traceId: traceIdOf(trace) }),
    ...(undone === undefined ? {} : { undoes: undone }),
    text: sentenceOf(event, changes, undone),
    changes: [...changes],
    data: shownData(event.data),
  }
}

const nameIn = (known: KnownFields): string | null => (typeof known?.name === 'string' ? known.name : null)

/** A whole stream, oldest first: each event with what it changed, from what to what. */
export function historyJson(events: readonly RecordedEvent[]): EventJson[] {
  let known: KnownFields
  const revisions = new Map<string, number>()
  return events.map((event) => {
    const { changes, after } = changesOf(event, known)
    known = after
    // What follows from events of other streams has their ids.
    const undone = revisions.get(event.metadata.causationId ?? '')
    revisions.set(event.id, event.revision)
    return eventJson(event, { changes, name: nameIn(known), undone })
  })
}

/** One event with what its subject was before, as far as that is known. */
export function knownEventJson(event: RecordedEvent, before: object | undefined): EventJson {
  const { changes, after } = changesOf(event, before as KnownFields)
  return eventJson(event, { changes, name: nameIn(after) })
}

/** One event out of its context: what the fields were before is not known. */
export const feedEventJson = (event: RecordedEvent): EventJson => knownEventJson(event, undefined)
