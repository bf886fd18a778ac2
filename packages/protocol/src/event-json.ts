import { type RecordedEvent, traceIdOf, traceparentOf } from '@almanac/domain'
import type { EventJson, FieldChange } from './http/change.js'
import type { JsonObject } from './http/shape.js'
import { isoOf } from './instant-text.js'

/** Fields of a specification that hold instants: shown as ISO 8601 like everywhere else. */
const instantFields = new Set(['expires', 'startTime', 'from', 'until', 'lastRunAt', 'anchor'])

const objectOf = (value: unknown): JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {}

const shown = (field: string, value: unknown): unknown =>
  instantFields.has(field) && typeof value === 'number' ? isoOf(value) : value

const shownData = (value: unknown, depth = 0): JsonObject =>
  Object.fromEntries(
    Object.entries(objectOf(value)).map(([field, part]) => [
      field,
      depth < 2 && (field === 'spec' || field === 'changes' || field === 'imported')
        ? shownData(part, depth + 1)
        : shown(field, part),
    ]),
  )

/** What is known of an entity before an event: its specification, field by field. Undefined: not known. */
export type KnownFields = JsonObject | undefined

/** What an event changed, field by field, and what is known after it. */
export function changesOf(
  event: Pick<RecordedEvent, 'type' | 'data'>,
  before: KnownFields,
): { readonly changes: readonly FieldChange[]; readonly after: KnownFields } {
  const data = objectOf(event.data)
  switch (event.type) {
    case 'TaskCreated':
    case 'ScheduleCreated':
    case 'CalendarCreated':
      return diff({}, objectOf(data.spec))
    case 'TaskChanged':
    case 'ScheduleChanged':
    case 'CalendarChanged':
      return diff(before, objectOf(data.changes))
    case 'TaskEnabled':
      return diff(before, { enabled: true })
    case 'TaskDisabled':
      return diff(before, { enabled: false })
    default:
      return { changes: [], after: before }
  }
}

function diff(before: KnownFields, changed: JsonObject) {
  const changes = Object.entries(changed).map(
    ([field, value]): FieldChange => ({
      field,
      ...(before === undefined ? {} : { from: shown(field, before[field] ?? null) }),
      to: shown(field, value),
    }),
  )
  return { changes, after: before === undefined ? undefined : { ...before, ...changed } }
}

export function eventJson(event: RecordedEvent, changes: readonly FieldChange[]): EventJson {
  const { metadata } = event
  const trace = traceparentOf(metadata.traceparent)
  return {
    position: event.position,
    stream: event.stream,
    revision: event.revision,
    id: event.id,
    type: event.type,
    version: event.version,
    at: isoOf(metadata.at),
    namespace: metadata.namespace,
    actor: metadata.actor,
    reason: metadata.reason ?? null,
    correlationId: metadata.correlationId,
    causationId: metadata.causationId ?? null,
    ...(trace === undefined ? {} : { traceId: traceIdOf(trace) }),
    changes: [...changes],
    data: shownData(event.data),
  }
}

/** A whole stream, oldest first: each event with what it changed, from what to what. */
export function historyJson(events: readonly RecordedEvent[]): EventJson[] {
  let known: KnownFields
  return events.map((event) => {
    const { changes, after } = changesOf(event, known)
    known = after
    return eventJson(event, changes)
  })
}

/** One event out of its context: what the fields were before is not known. */
export const feedEventJson = (event: RecordedEvent): EventJson =>
  eventJson(event, changesOf(event, undefined).changes)
