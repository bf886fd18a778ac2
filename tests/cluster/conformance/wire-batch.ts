import type { Batch } from '@almanac/simulator'
import { FieldReader, FieldWriter } from './wire-fields.js'

const isTransactional = 0x10
const isControl = 0x20
const hasAppendTime = 0x08
const magic = 2
/** Before the checksum: base offset, length, leader epoch, magic. */
const unsummedBytes = 8 + 4 + 4 + 1

/** A record batch of the current format. */
export function batchBytes({ producerId, epoch, sequence, records }: Batch): Buffer {
  const base = records[0]?.timestamp ?? 0
  const summed = new FieldWriter()
    .int16(isTransactional)
    .int32(records.length - 1)
    .int64(base)
    .int64(Math.max(...records.map(({ timestamp }) => timestamp)))
    .int64(producerId)
    .int16(epoch)
    .int32(sequence)
    .list(records, ({ key, value, timestamp }, writer, index) => {
      const [keyBytes, valueBytes] = [Buffer.from(key), Buffer.from(value)]
      const record = new FieldWriter()
        .int8(0)
        .varint(timestamp - base)
        .varint(index)
        .varint(keyBytes.length)
        .raw(keyBytes)
        .varint(valueBytes.length)
        .raw(valueBytes)
        .varint(0).bytes
      writer.varint(record.length).raw(record)
    }).bytes
  const body = new FieldWriter().int32(-1).int8(magic).int32(checksum(summed)).raw(summed).bytes
  return new FieldWriter().int64(0).int32(body.length).raw(body).bytes
}

export interface WireRecord {
  readonly offset: number
  readonly key: string
  readonly value: string
  readonly timestamp: number
}

/** A batch as a fetch has it. */
export interface WireBatch {
  readonly producerId: number
  readonly epoch: number
  readonly lastOffset: number
  /** Null: it holds records. */
  readonly marker: 'commit' | 'abort' | null
  readonly records: readonly WireRecord[]
}

/** All whole batches; the last one of a fetch may be cut. */
export function readBatches(bytes: Buffer): readonly WireBatch[] {
  const batches: WireBatch[] = []
  let at = 0
  while (bytes.length - at >= unsummedBytes) {
    const length = bytes.readInt32BE(at + 8)
    if (bytes.length - at < 12 + length) break
    batches.push(readBatch(bytes.subarray(at, at + 12 + length)))
    at += 12 + length
  }
  return batches
}

function readBatch(bytes: Buffer): WireBatch {
  const reader = new FieldReader(bytes)
  const baseOffset = reader.int64()
  reader.raw(unsummedBytes - 8 + 4)
  const attributes = reader.int16()
  const lastOffset = baseOffset + reader.int32()
  const baseTimestamp = reader.int64()
  const maxTimestamp = reader.int64()
  const producerId = reader.int64()
  const epoch = reader.int16()
  reader.int32()
  const records = reader.list(() => readRecord(reader))
  const isMarker = (attributes & isControl) !== 0
  return {
    producerId,
    epoch,
    lastOffset,
    marker: isMarker ? (records[0]?.key.readInt16BE(2) === 1 ? 'commit' : 'abort') : null,
    records: isMarker
      ? []
      : records.map(({ delta, offsetDelta, key, value }) => ({
          offset: baseOffset + offsetDelta,
          key: key.toString(),
          value: value.toString(),
          timestamp: (attributes & hasAppendTime) !== 0 ? maxTimestamp : baseTimestamp + delta,
        })),
  }
}

function readRecord(batch: FieldReader) {
  const reader = new FieldReader(batch.raw(batch.varint()))
  reader.int8()
  const delta = reader.varint()
  const offsetDelta = reader.varint()
  const key = reader.raw(Math.max(0, reader.varint()))
  const value = reader.raw(Math.max(0, reader.varint()))
  return { delta, offsetDelta, key, value }
}

const castagnoli = 0x82f63b78
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte
  for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ castagnoli : sum >>> 1
  return sum
})

/** CRC-32C, as a signed number. */
function checksum(bytes: Buffer): number {
  let sum = 0xffffffff
  for (const byte of bytes) sum = (table[(sum ^ byte) & 0xff] ?? 0) ^ (sum >>> 8)
  return ~sum
}
