import { createHash } from 'node:crypto'
import type { EventMetadata, Position, RecordedEvent, Revision, StoredEvent } from '@almanac/domain'
import { upcast } from '@almanac/protocol/upcast'

/** An event as its columns hold it; `data` and `metadata` are JSON. */
export interface EventRow {
  readonly position: number
  readonly stream: string
  readonly revision: number
  readonly id: string
  readonly type: string
  readonly version: number
  readonly data: string
  readonly metadata: string
}

export const eventColumns = 'position, stream, revision, id, type, version, data, metadata'

/** The running hash: every stored byte of every event up to this one. */
export const nextChain = (previous: string, row: EventRow): string =>
  createHash('sha256')
    .update(previous)
    .update(
      JSON.stringify([
        row.position,
        row.stream,
        row.revision,
        row.id,
        row.type,
        row.version,
        row.data,
        row.metadata,
      ]),
    )
    .digest('hex')

/** As `eventHash` of the domain, over the stored text as it is. */
export const hashOf = (row: EventRow): string =>
  createHash('sha256')
    .update(
      `[${JSON.stringify(row.id)},${JSON.stringify(row.type)},${row.version},${row.data},${row.metadata}]`,
    )
    .digest('hex')

/** The event in its present form. One of a newer form than is known here gets a type that no fold knows. */
export const recorded = (row: EventRow): RecordedEvent => {
  const event = {
    id: row.id,
    type: row.type,
    version: row.version,
    data: JSON.parse(row.data) as unknown,
    metadata: JSON.parse(row.metadata) as EventMetadata,
    stream: row.stream,
    revision: row.revision,
    position: row.position,
    hash: hashOf(row),
  }
  const lifted = upcast(event)
  if (lifted.ok) return lifted.event
  return lifted.code === 'future_version' ? { ...event, type: `${row.type}@${row.version}` } : event
}

export const rowOf = (
  event: StoredEvent,
  stream: string,
  revision: Revision,
  position: Position,
): EventRow => ({
  position,
  stream,
  revision,
  id: event.id,
  type: event.type,
  version: event.version,
  data: JSON.stringify(event.data),
  metadata: JSON.stringify(event.metadata),
})
