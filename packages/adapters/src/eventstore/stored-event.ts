import { createHash } from 'node:crypto'
import type { EventMetadata, RecordedEvent, StoredEvent } from '@almanac/domain'
import { upcast } from '@almanac/protocol/upcast'
import type * as Shared from '@eventstore/db-client/generated/shared_pb.js'
import type * as Streams from '@eventstore/db-client/generated/streams_pb.js'
import { knownPlaceOf, placeOf } from './place.js'

/** An event as it goes over the wire. */
export interface WireEvent {
  /** A UUID. */
  readonly id: string
  readonly type: string
  readonly data: Buffer
  readonly metadata: Buffer
}

const uuidShape = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The store knows events by UUID. An id of another form gets one made of it, always the same. */
export function wireIdOf(id: string): string {
  if (uuidShape.test(id)) return id
  const hex = createHash('sha256').update('almanac event id ').update(id).digest('hex')
  const variant = '89ab'[Number.parseInt(hex.slice(16, 17), 16) & 3]
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-')
}

/** Throws when the data is nothing that JSON has. */
export function wireEventOf(event: StoredEvent): WireEvent {
  const data: string | undefined = JSON.stringify(event.data)
  if (data === undefined) throw new Error(`The event ${event.id} has no data that could be stored.`)
  const id = wireIdOf(event.id)
  const own = id === event.id ? '' : `"id":${JSON.stringify(event.id)},`
  // In this order, so that the text of our metadata can be cut out of it again: its bytes are part of the hash.
  const metadata = `{"version":${event.version},${own}"metadata":${JSON.stringify(event.metadata)}}`
  return { id, type: event.type, data: Buffer.from(data), metadata: Buffer.from(metadata) }
}

/** What the server counts against its limit for one append. */
export const sizeOf = ({ type, data, metadata }: WireEvent): number =>
  data.length + metadata.length + 2 * type.length

export type WireRecord = Streams.ReadResp.ReadEvent.RecordedEvent

/** The event of a read answer; undefined for one of the system's own, such as a deletion by hand. */
export const wireRecordOf = (message: Streams.ReadResp): WireRecord | undefined => {
  const record = message.getEvent()?.getEvent()
  return record === undefined || typeOf(record).startsWith('$') ? undefined : record
}

const textOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')

const typeOf = (record: WireRecord): string => record.getMetadataMap().get('type') ?? ''

export const streamOf = (record: WireRecord): string =>
  textOf(record.getStreamIdentifier()?.getStreamName_asU8() ?? new Uint8Array())

export const revisionOf = (record: WireRecord): number => placeOf(record.getStreamRevision())

/** Undefined when the server does not say where in the whole log the event is. */
export const positionOf = (record: WireRecord): number | undefined => knownPlaceOf(record.getCommitPosition())

/** When the server took the event, by its clock; in milliseconds since 1970. */
export const createdAt = (record: WireRecord): number =>
  Number(BigInt(record.getMetadataMap().get('created') ?? '0') / 10_000n)

export const uuidTextOf = (uuid: Shared.UUID | undefined): string => uuid?.getString() ?? ''

const envelope = /^\{"version":(\d+),(?:"id":("(?:[^"\\]|\\.)*"),)?"metadata":(\{.*\})\}$/s

/** The event in its present form. One of a newer form than is known here gets a type that no fold knows. */
export function recordedOf(record: WireRecord, prefix: string): RecordedEvent {
  const stream = streamOf(record).slice(prefix.length)
  const revision = revisionOf(record)
  const type = typeOf(record)
  const position = positionOf(record)
  if (position === undefined) {
    throw new Error(
      `The event store does not say where ${revision}@${stream} is: it is too old, use version 22.10 or a later one.`,
    )
  }
  const match = envelope.exec(textOf(record.getCustomMetadata_asU8()))
  if (match === null) throw new Error(`${revision}@${stream} (${type}) was not written by this program.`)
  const [, versionText = '', idText, metadataText = ''] = match
  const id = idText === undefined ? uuidTextOf(record.getId()) : (JSON.parse(idText) as string)
  const dataText = textOf(record.getData_asU8())
  const version = Number(versionText)
  const event = {
    id,
    type,
    version,
    data: JSON.parse(dataText) as unknown,
    metadata: JSON.parse(metadataText) as EventMetadata,
    stream,
    revision,
    position,
    hash: createHash('sha256')
      .update(`[${JSON.stringify(id)},${JSON.stringify(type)},${version},${dataText},${metadataText}]`)
      .digest('hex'),
  }
  const lifted = upcast(event)
  if (lifted.ok) return lifted.event
  return lifted.code === 'future_version' ? { ...event, type: `${type}@${version}` } : event
}
