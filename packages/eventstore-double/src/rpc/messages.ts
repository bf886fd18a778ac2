import type * as Shared from '@eventstore/db-client/generated/shared_pb.js'
import shared from '@eventstore/db-client/generated/shared_pb.js'
import type * as Streams from '@eventstore/db-client/generated/streams_pb.js'
import streams from '@eventstore/db-client/generated/streams_pb.js'
import { type LogRecord, type ProposedEvent, tombstoneRevision } from '../store/record.js'
import { invalid, metadataMissing } from './refusals.js'

const ticksPerMs = 10_000n
const longMax = `${2n ** 63n - 1n}`

export const wireRevision = (revision: number): string =>
  revision === tombstoneRevision ? longMax : `${revision}`

/** The bytes of a stream's name, as text; undefined: none was given. */
export const streamNameOf = (identifier: Shared.StreamIdentifier | undefined): string | undefined =>
  identifier === undefined ? undefined : Buffer.from(identifier.getStreamName_asU8()).toString('utf8')

export const identifierOf = (stream: string): Shared.StreamIdentifier =>
  new shared.StreamIdentifier().setStreamName(Uint8Array.from(Buffer.from(stream, 'utf8')))

/** A UUID as text, however it came. */
export function uuidOf(uuid: Shared.UUID | undefined): string {
  if (uuid === undefined) throw invalid('An id is missing.')
  const structured = uuid.getStructured()
  if (structured === undefined) {
    const text = uuid.getString()
    if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) throw invalid(`'${text}' is not a UUID`)
    return text.toLowerCase()
  }
  const hexOf = (bits: string) => BigInt.asUintN(64, BigInt(bits)).toString(16).padStart(16, '0')
  const hex = hexOf(structured.getMostSignificantBits()) + hexOf(structured.getLeastSignificantBits())
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

const messageOf = (
  record: LogRecord,
  offset: bigint,
  structuredIds: boolean,
): Streams.ReadResp.ReadEvent.RecordedEvent => {
  const id = new shared.UUID()
  if (structuredIds) {
    const hex = record.id.replaceAll('-', '')
    const bitsOf = (part: string) => `${BigInt.asIntN(64, BigInt(`0x${part}`))}`
    const structured = new shared.UUID.Structured()
    structured.setMostSignificantBits(bitsOf(hex.slice(0, 16)))
    structured.setLeastSignificantBits(bitsOf(hex.slice(16)))
    id.setStructured(structured)
  } else id.setString(record.id)
  const position = `${BigInt(record.position) + offset}`
  const message = new streams.ReadResp.ReadEvent.RecordedEvent()
  message.setId(id)
  message.setStreamIdentifier(identifierOf(record.stream))
  message.setStreamRevision(wireRevision(record.revision))
  message.setCommitPosition(position)
  message.setPreparePosition(position)
  const metadata = message.getMetadataMap()
  metadata.set('type', record.type)
  metadata.set('created', `${BigInt(record.created) * ticksPerMs}`)
  metadata.set('content-type', record.isJson ? 'application/json' : 'application/octet-stream')
  message.setData(record.data)
  message.setCustomMetadata(record.metadata)
  return message
}

export interface EventShape {
  /** Added to every position on the wire, to try what large ones do. */
  readonly offset: bigint
  readonly structuredIds: boolean
}

export function eventMessage(record: LogRecord, shape: EventShape): Streams.ReadResp {
  const event = new streams.ReadResp.ReadEvent()
  event.setEvent(messageOf(record, shape.offset, shape.structuredIds))
  event.setCommitPosition(`${BigInt(record.position) + shape.offset}`)
  return new streams.ReadResp().setEvent(event)
}

interface ProposedMessage {
  getId(): Shared.UUID | undefined
  getMetadataMap(): { get(key: string): string | undefined }
  getData_asU8(): Uint8Array
  getCustomMetadata_asU8(): Uint8Array
}

export function proposedOf(message: ProposedMessage): ProposedEvent {
  const type = message.getMetadataMap().get('type')
  const contentType = message.getMetadataMap().get('content-type')
  if (type === undefined) throw metadataMissing('type')
  if (contentType === undefined) throw metadataMissing('content-type')
  return {
    id: uuidOf(message.getId()),
    type,
    isJson: contentType === 'application/json',
    data: message.getData_asU8(),
    metadata: message.getCustomMetadata_asU8(),
  }
}
