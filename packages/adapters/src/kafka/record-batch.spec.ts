import { createRequire } from 'node:module'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { Partitioners } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { crc32c } from './crc32c.js'
import { partitionOf } from './murmur2.js'
import { batchesIn, encodeBatch, type RecordToWrite, sizeAtMost } from './record-batch.js'
import { WireReader, WireWriter } from './wire.js'

const require = createRequire(import.meta.url)

interface DecodedByKafkajs {
  readonly offset: string
  readonly key: Buffer
  readonly value: Buffer
  readonly headers: Readonly<Record<string, Buffer>>
  readonly batchContext: Readonly<Record<string, unknown>>
}

const crcOfKafkajs = require('kafkajs/src/protocol/recordBatch/crc32C/index.js') as (bytes: Buffer) => number
const Decoder = require('kafkajs/src/protocol/decoder.js') as new (bytes: Buffer) => object
const decodeByKafkajs = require('kafkajs/src/protocol/recordBatch/v0/decoder.js') as (
  decoder: object,
) => Promise<{ readonly records: readonly DecodedByKafkajs[] }>

const text = fc.string({ unit: 'binary', maxLength: 60 })
const name = text.filter((one) => one !== '__proto__')
const recordWith = (header: fc.Arbitrary<string>): fc.Arbitrary<RecordToWrite> =>
  fc.record(
    { key: text, value: text, headers: fc.dictionary(header, text, { maxKeys: 4, noNullPrototype: true }) },
    { requiredKeys: ['key', 'value'] },
  )
const record = recordWith(name)
// kafkajs gathers headers in an object with a prototype: it reads "toString" as a second value of that name.
const recordForKafkajs = recordWith(name.filter((one) => !(one in Object.prototype)))
const producer = { id: 2 ** 40 + 7, epoch: 12, isTransactional: true }

/** As a broker stores it: at an offset, and with its own time. */
function stored(bytes: Buffer, firstOffset: number, appendedAt: number | null): Buffer {
  const copy = Buffer.from(bytes)
  copy.writeBigInt64BE(BigInt(firstOffset), 0)
  if (appendedAt !== null) {
    copy.writeInt16BE(copy.readInt16BE(21) | 0x08, 21)
    copy.writeBigInt64BE(BigInt(appendedAt), 35)
  }
  return copy
}

describe('a batch of records', () => {
  it('is read by kafkajs as it was written', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(recordForKafkajs, { minLength: 1, maxLength: 200 }), async (records) => {
        const bytes = encodeBatch(records, producer, 5, 1_700_000_000_000)
        const { records: read } = await decodeByKafkajs(new Decoder(bytes))
        expect(
          read.map(({ key, value, headers }) => ({
            key: key.toString(),
            value: value.toString(),
            headers: Object.fromEntries(Object.entries(headers).map(([one, of]) => [one, of.toString()])),
          })),
        ).toEqual(records.map(({ key, value, headers = {} }) => ({ key, value, headers })))
        expect(read[0]?.batchContext).toMatchObject({
          producerId: `${producer.id}`,
          producerEpoch: 12,
          firstSequence: 5,
          inTransaction: true,
          isControlBatch: false,
          lastOffsetDelta: records.length - 1,
          firstTimestamp: '1700000000000',
        })
        expect(bytes.readUInt32BE(17)).toBe(crcOfKafkajs(bytes.subarray(21)))
      }),
      { numRuns: 60 },
    )
  })

  it('is read as it was written, at the offset and time that the broker gave it', () => {
    fc.assert(
      fc.property(
        fc.array(record, { minLength: 1, maxLength: 40 }),
        fc.nat({ max: 2 ** 45 }),
        fc.option(fc.nat({ max: 2 ** 42 }), { nil: null }),
        (records, firstOffset, appendedAt) => {
          const sentAt = 1_700_000_000_000
          const bytes = stored(encodeBatch(records, producer, 0, sentAt), firstOffset, appendedAt)
          const [batch] = [...batchesIn(bytes)]
          expect(batch).toMatchObject({
            lastOffset: firstOffset + records.length - 1,
            producerId: producer.id,
            isTransactional: true,
            control: 'none',
          })
          expect([...(batch?.records() ?? [])]).toEqual(
            records.map(({ key, value, headers = {} }, index) => ({
              offset: firstOffset + index,
              key,
              value,
              headers,
              timestamp: appendedAt ?? sentAt,
            })),
          )
        },
      ),
    )
  })

  it('takes no more bytes than were counted for it', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 40 }), (records) => {
        const { length } = encodeBatch(records, producer, 0, 0)
        expect(length).toBeLessThanOrEqual(61 + records.reduce((sum, one) => sum + sizeAtMost(one), 0))
      }),
    )
  })

  it('may have a record without a value', () => {
    const [batch] = [...batchesIn(encodeBatch([{ key: 'k', value: null }], producer, 0, 1))]
    expect([...(batch?.records() ?? [])]).toMatchObject([{ key: 'k', value: '' }])
  })

  it('that was cut off is left for the next time', () => {
    const whole = stored(encodeBatch([{ key: 'a', value: '1' }], producer, 0, 1), 10, null)
    const next = stored(encodeBatch([{ key: 'b', value: '2' }], producer, 1, 1), 11, null)
    for (let bytes = 0; bytes < next.length; bytes++) {
      const read = [...batchesIn(Buffer.concat([whole, next.subarray(0, bytes)]))]
      expect(read.map(({ lastOffset }) => lastOffset)).toEqual([10])
    }
  })

  it('may be compressed by others with gzip, and with nothing else', () => {
    const plain = encodeBatch([{ key: 'a', value: 'x'.repeat(500) }], producer, 0, 1)
    const packed = gzipSync(plain.subarray(61))
    const bytes = Buffer.concat([plain.subarray(0, 61), packed])
    bytes.writeInt32BE(bytes.length - 12, 8)
    bytes.writeInt16BE(1, 21)
    const [batch] = [...batchesIn(bytes)]
    expect([...(batch?.records() ?? [])]).toMatchObject([{ value: 'x'.repeat(500) }])
    bytes.writeInt16BE(2, 21)
    expect(() => [...([...batchesIn(bytes)][0]?.records() ?? [])]).toThrow('only gzip is read')
  })
})

describe('what the format is made of', () => {
  it('goes both ways', () => {
    const long = fc.integer({ min: -(2 ** 52), max: 2 ** 52 })
    fc.assert(
      fc.property(long, fc.integer(), text, (int64, varint, string) => {
        const writer = new WireWriter(1).int64(int64).varint(varint).text(string)
        const reader = new WireReader(writer.written)
        expect([reader.int64(), reader.varint(), reader.text(), reader.left]).toEqual([
          int64,
          varint,
          string,
          0,
        ])
      }),
    )
  })

  it('has the checksum of Castagnoli', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(crc32c(bytes)).toBe(crcOfKafkajs(Buffer.from(bytes)))
      }),
    )
  })

  it("puts a key where Kafka's own clients put it", () => {
    const pick = Partitioners.DefaultPartitioner()
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 200 }), (key, count) => {
        const partitionMetadata = Array.from({ length: count }, (_, partitionId) => ({
          partitionId,
          leader: 1,
          partitionErrorCode: 0,
          replicas: [],
          isr: [],
        }))
        const message = { key, value: '' }
        expect(partitionOf(key, count)).toBe(pick({ topic: 't', partitionMetadata, message }))
      }),
    )
  })
})
