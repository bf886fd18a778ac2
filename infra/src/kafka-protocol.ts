/** The requests that faults are aimed at, by Kafka's names and numbers; the others are known by their number. */
const apis = {
  0: 'Produce',
  1: 'Fetch',
  2: 'ListOffsets',
  3: 'Metadata',
  8: 'OffsetCommit',
  9: 'OffsetFetch',
  10: 'FindCoordinator',
  11: 'JoinGroup',
  12: 'Heartbeat',
  13: 'LeaveGroup',
  14: 'SyncGroup',
  17: 'SaslHandshake',
  18: 'ApiVersions',
  19: 'CreateTopics',
  22: 'InitProducerId',
  24: 'AddPartitionsToTxn',
  25: 'AddOffsetsToTxn',
  26: 'EndTxn',
  28: 'TxnOffsetCommit',
  36: 'SaslAuthenticate',
} as const satisfies Record<number, string>

export type KafkaApi = (typeof apis)[keyof typeof apis]

/** What a request says of itself. */
export interface KafkaRequest {
  readonly api: KafkaApi | `api ${number}`
  readonly apiVersion: number
  /** Counts up on one connection; its answer carries the same. */
  readonly correlationId: number
  readonly clientId: string | null
  /** Null where the request has none. */
  readonly transactionalId: string | null
  /** False: the broker sends no answer (a Produce with acks 0). */
  readonly isAnswered: boolean
}

/** Requests whose body begins with a transactional id, and the first version of each with compact strings. */
const transactional: Readonly<Record<number, { readonly since: number; readonly compactSince: number }>> = {
  0: { since: 3, compactSince: 9 },
  22: { since: 0, compactSince: 2 },
  24: { since: 0, compactSince: 3 },
  25: { since: 0, compactSince: 3 },
  26: { since: 0, compactSince: 3 },
  28: { since: 0, compactSince: 3 },
}

/** From this version on, AddPartitionsToTxn carries a list of transactions; the first one counts. */
const batchedAddPartitions = 4

/** Reads the head of a whole frame, its size included. Throws `RangeError` when it is none. */
export function readRequest(frame: Buffer): KafkaRequest {
  const reader = new FieldReader(frame, 4)
  const apiKey = reader.int16()
  const apiVersion = reader.int16()
  const correlationId = reader.int32()
  const clientId = reader.string()
  const api = (apis as Readonly<Record<number, KafkaApi>>)[apiKey] ?? (`api ${apiKey}` as const)
  const head = { api, apiVersion, correlationId, clientId }
  const form = transactional[apiKey]
  if (form === undefined || apiVersion < form.since) {
    return { ...head, transactionalId: null, isAnswered: true }
  }
  const isCompact = apiVersion >= form.compactSince
  if (isCompact) reader.tags()
  if (api === 'AddPartitionsToTxn' && apiVersion >= batchedAddPartitions) reader.unsigned()
  const transactionalId = isCompact ? reader.compactString() : reader.string()
  return { ...head, transactionalId, isAnswered: api !== 'Produce' || reader.int16() !== 0 }
}

/** The correlation id of an answer's frame. */
export const correlationIdOf = (frame: Buffer): number => frame.readInt32BE(4)

class FieldReader {
  private readonly bytes: Buffer
  private at: number

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes
    this.at = at
  }

  int16(): number {
    this.at += 2
    return this.bytes.readInt16BE(this.at - 2)
  }

  int32(): number {
    this.at += 4
    return this.bytes.readInt32BE(this.at - 4)
  }

  unsigned(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.bytes.readUInt8(this.at)
      this.at += 1
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    throw new RangeError('A number that does not end')
  }

  string(): string | null {
    const length = this.int16()
    return length < 0 ? null : this.text(length)
  }

  compactString(): string | null {
    const length = this.unsigned()
    return length === 0 ? null : this.text(length - 1)
  }

  tags(): void {
    for (let left = this.unsigned(); left > 0; left -= 1) {
      this.unsigned()
      const bytes = this.unsigned()
      this.at += bytes
    }
  }

  private text(length: number): string {
    const end = this.at + length
    if (end > this.bytes.length) throw new RangeError('A text that is longer than its frame')
    const text = this.bytes.toString('utf8', this.at, end)
    this.at = end
    return text
  }
}

/** A broker's own limit for a request is 100 MB; answers to fetches may be larger than one record only. */
const maxFrameBytes = 256 * 2 ** 20

/** Cuts a stream into whole frames, however it arrives in pieces. */
export class FrameSplitter {
  private pieces: Buffer[] = []
  private bytes = 0

  /** The frames that are whole now. Throws `RangeError` when the stream is not Kafka's. */
  push(piece: Buffer): readonly Buffer[] {
    this.pieces.push(piece)
    this.bytes += piece.length
    const frames: Buffer[] = []
    for (let frame = this.next(); frame !== undefined; frame = this.next()) frames.push(frame)
    return frames
  }

  private next(): Buffer | undefined {
    if (this.bytes < 4) return undefined
    const size = 4 + this.sizeAhead()
    if (this.bytes < size) return undefined
    const all = this.joined()
    this.pieces = all.length === size ? [] : [all.subarray(size)]
    this.bytes -= size
    return all.subarray(0, size)
  }

  private sizeAhead(): number {
    if ((this.pieces[0]?.length ?? 0) < 4) this.pieces = [this.joined()]
    const size = this.pieces[0]?.readInt32BE(0) ?? 0
    if (size < 4 || size > maxFrameBytes) throw new RangeError(`A frame of ${size} bytes`)
    return size
  }

  private joined(): Buffer {
    const [first] = this.pieces
    return first !== undefined && this.pieces.length === 1 ? first : Buffer.concat(this.pieces)
  }
}
