import { gunzipSync } from 'node:zlib'
import { crc32c } from './crc32c.js'
import { WireReader, WireWriter } from './wire.js'

/** A batch in version 2 of the format: the only one that has transactions. */
const magic = 2
const transactionalBit = 0x10
const controlBit = 0x20
const appendTimeBit = 0x08
const compressionBits = 0x07
const gzip = 1

/** Offset of the batch and length of the rest come first; the length does not count them. */
const lengthAt = 8
const beforeLength = 12
const crcAt = 17
const attributesAt = 21

export interface RecordToWrite {
  readonly key: string
  /** Null: a tombstone. */
  readonly value: string | null
  readonly headers?: { readonly [name: string]: string }
}

export interface BatchProducer {
  readonly id: number
  readonly epoch: number
  readonly isTransactional: boolean
}

/**
 * One batch of records. `timestamp` is what the topic keeps unless it takes the broker's own. It is written with
 * `writer`, which is good for the next batch at once.
 */
export function encodeBatch(
  records: readonly RecordToWrite[],
  producer: BatchProducer,
  firstSequence: number,
  timestamp: number,
  writer: WireWriter = new WireWriter(),
): Buffer {
  writer.clear()
  writer.int64(0).int32(0).int32(-1).int8(magic).uint32(0)
  writer.int16(producer.isTransactional ? transactionalBit : 0)
  writer
    .int32(records.length - 1)
    .int64(timestamp)
    .int64(timestamp)
  writer.int64(producer.id).int16(producer.epoch).int32(firstSequence).int32(records.length)
  let delta = 0
  for (const record of records) writeRecord(writer, record, delta++)
  writer.int32At(lengthAt, writer.length - beforeLength)
  writer.uint32At(crcAt, crc32c(writer.written, attributesAt))
  return Buffer.from(writer.written)
}

function writeRecord(writer: WireWriter, record: RecordToWrite, delta: number): void {
  const { key, value } = record
  const keyLength = Buffer.byteLength(key)
  const valueLength = value === null ? -1 : Buffer.byteLength(value)
  const headers = record.headers === undefined ? [] : Object.entries(record.headers)
  const headerLengths: number[] = []
  let size =
    2 + sizeOf(delta) + sizeOf(keyLength) + keyLength + sizeOf(valueLength) + Math.max(0, valueLength)
  size += sizeOf(headers.length)
  for (const [name, text] of headers) {
    const nameLength = Buffer.byteLength(name)
    const textLength = Buffer.byteLength(text)
    headerLengths.push(nameLength, textLength)
    size += sizeOf(nameLength) + nameLength + sizeOf(textLength) + textLength
  }
  // Attributes and the difference to the batch's time are 0.
  writer.varint(size).int8(0).int8(0).varint(delta).varText(key, keyLength)
  if (value === null) writer.varint(-1)
  else writer.varText(value, valueLength)
  writer.varint(headers.length)
  for (const [index, [name, text]] of headers.entries()) {
    writer.varText(name, headerLengths[2 * index] as number)
    writer.varText(text, headerLengths[2 * index + 1] as number)
  }
}

/** Bytes of a varint. */
function sizeOf(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0
  return zigzag < 2 ** 7 ? 1 : zigzag < 2 ** 14 ? 2 : zigzag < 2 ** 21 ? 3 : zigzag < 2 ** 28 ? 4 : 5
}

/** At least as many bytes as the record takes in a batch: no character takes more than three for each of its units. */
export function sizeAtMost({ key, value, headers }: RecordToWrite): number {
  let units = key.length + (value === null ? 0 : value.length)
  let size = 32
  for (const name in headers) {
    size += 10
    units += name.length + (headers[name]?.length ?? 0)
  }
  return size + 3 * units
}

export interface ReadRecord {
  readonly offset: number
  readonly key: string
  readonly value: string
  readonly headers: { readonly [name: string]: string }
  readonly timestamp: number
}

/** A batch as it stands in the log. Its records are read only when they are asked for. */
export interface ReadBatch {
  /** May be behind the last record that is still there: compaction leaves gaps, and even batches without records. */
  readonly lastOffset: number
  readonly producerId: number
  readonly epoch: number
  readonly isTransactional: boolean
  /** A mark that ends a transaction. */
  readonly control: 'none' | 'abort' | 'other'
  records(): Iterable<ReadRecord>
}

/** All whole batches; the last one may have been cut off by the limit of the answer. */
export function* batchesIn(bytes: Buffer): Generator<ReadBatch> {
  for (let at = 0; at + beforeLength <= bytes.length; ) {
    const end = at + beforeLength + bytes.readInt32BE(at + lengthAt)
    if (end > bytes.length) return
    yield batchIn(bytes.subarray(at, end))
    at = end
  }
}

function batchIn(bytes: Buffer): ReadBatch {
  const reader = new WireReader(bytes)
  const firstOffset = reader.int64()
  reader.int32()
  reader.int32()
  const version = reader.int8()
  if (version !== magic) throw new Error(`A batch has version ${version} of the format: only 2 is read`)
  reader.int32()
  const attributes = reader.int16()
  const lastOffset = firstOffset + reader.int32()
  const firstTimestamp = reader.int64()
  const maxTimestamp = reader.int64()
  const producerId = reader.int64()
  const epoch = reader.int16()
  reader.int32()
  const count = reader.int32()
  const isControl = (attributes & controlBit) !== 0
  const rest = () => new WireReader(inflate(reader.raw(reader.left), attributes & compressionBits))
  const appendedAt = (attributes & appendTimeBit) !== 0 ? maxTimestamp : null
  return {
    lastOffset,
    producerId,
    epoch,
    isTransactional: (attributes & transactionalBit) !== 0,
    control: isControl ? controlOf(count, rest) : 'none',
    *records() {
      if (isControl) return
      const body = rest()
      for (let index = 0; index < count; index++) {
        yield recordIn(body, firstOffset, firstTimestamp, appendedAt)
      }
    },
  }
}

function inflate(bytes: Buffer, compression: number): Buffer {
  if (compression === 0) return bytes
  if (compression === gzip) return gunzipSync(bytes)
  throw new Error(`A batch is compressed with codec ${compression}: only gzip is read`)
}

/** The key of a mark has a version and a kind: 0 aborts. */
function controlOf(count: number, rest: () => WireReader): 'abort' | 'other' {
  if (count === 0) return 'other'
  const reader = rest()
  reader.varint()
  reader.int8()
  reader.varlong()
  reader.varint()
  reader.varint()
  reader.int16()
  return reader.int16() === 0 ? 'abort' : 'other'
}

function recordIn(
  reader: WireReader,
  firstOffset: number,
  firstTimestamp: number,
  appendedAt: number | null,
): ReadRecord {
  reader.varint()
  reader.int8()
  const timestampDelta = reader.varlong()
  const offset = firstOffset + reader.varint()
  const key = reader.varText() ?? ''
  const value = reader.varText() ?? ''
  const headers: [string, string][] = []
  for (let left = reader.varint(); left > 0; left--) {
    headers.push([reader.varText() ?? '', reader.varText() ?? ''])
  }
  const timestamp = appendedAt ?? firstTimestamp + timestampDelta
  return { offset, key, value, headers: Object.fromEntries(headers), timestamp }
}
