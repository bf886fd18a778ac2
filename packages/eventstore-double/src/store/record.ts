/** An event that somebody wants to be appended. */
export interface ProposedEvent {
  readonly id: string
  readonly type: string
  readonly isJson: boolean
  readonly data: Uint8Array
  readonly metadata: Uint8Array
}

/** An event as the log holds it. */
export interface LogRecord extends ProposedEvent {
  /** Offset of its record, as a log file has it: grows by the size of what is written. */
  readonly position: number
  readonly stream: string
  readonly revision: number
  /** Milliseconds since 1970. */
  readonly created: number
}

/** Revision of the event that ends a stream for ever; on the wire it is 2^63 - 1. */
export const tombstoneRevision = Number.MAX_SAFE_INTEGER

export const systemTypes = {
  metadata: '$metadata',
  deleted: '$streamDeleted',
  stats: '$statsCollected',
} as const

/** What an event counts for against the limit of an append. */
export const sizeOf = ({ type, data, metadata }: ProposedEvent): number =>
  data.length + metadata.length + type.length * 2

/** A record has a header, the stream's name and a trailer round its event. */
export const recordSize = (stream: string, event: ProposedEvent): number =>
  sizeOf(event) + 2 * stream.length + 113

export const metaStreamOf = (stream: string): string => `$$${stream}`
export const isMetaStream = (stream: string): boolean => stream.startsWith('$$')
