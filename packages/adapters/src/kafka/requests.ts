/**
 * The two requests that carry records. kafkajs has them too, but what it makes of records is slow to write and, for
 * readers of committed records, wrong.
 */
import { code } from './codes.js'
import { type Exchange, encoded } from './kafkajs.js'
import { WireReader, WireWriter } from './wire.js'

export interface Place {
  readonly topic: string
  readonly partition: number
}

interface Request<T> {
  readonly apiKey: number
  readonly apiVersion: number
  readonly apiName: string
  /** About so many are written. */
  readonly bytes: number
  readonly write: (writer: WireWriter) => void
  readonly read: (reader: WireReader) => T
  /** Where the answer tells how long to wait: by the versions that are used, first or last. */
  readonly throttleTime?: 'first' | 'last'
}

interface Answered<T> {
  readonly answer: T
  readonly clientSideThrottleTime: number
}

/** kafkajs asks for the throttle time beside the answer, so that the answer comes in an envelope. */
const exchange = <T>(request: Request<T>, requestTimeout?: number): Exchange<Answered<T>> => ({
  request: {
    apiKey: request.apiKey,
    apiVersion: request.apiVersion,
    apiName: request.apiName,
    encode: async () => {
      const writer = new WireWriter(request.bytes)
      request.write(writer)
      return encoded(writer.written)
    },
  },
  response: {
    decode: async (bytes) => {
      const reader = new WireReader(bytes)
      const first = request.throttleTime === 'last' ? 0 : reader.int32()
      const answer = request.read(reader)
      return {
        answer,
        clientSideThrottleTime: request.throttleTime === 'last' ? reader.int32() : first,
      }
    },
    parse: async (decoded) => decoded,
  },
  ...(requestTimeout !== undefined && { requestTimeout }),
})

export type Call<T> = Exchange<Answered<T>>

export interface EncodedBatch extends Place {
  readonly bytes: Buffer
}

export interface Produced extends Place {
  readonly code: number
  readonly baseOffset: number
  /** -1 where the topic keeps the producers' own times. */
  readonly logAppendTime: number
}

/** One batch a partition at most; all replicas that are in sync have it when it is answered. */
export const produce = (
  transactionalId: string | null,
  batches: readonly EncodedBatch[],
  timeoutMs: number,
): Call<readonly Produced[]> =>
  exchange({
    apiKey: 0,
    apiVersion: 7,
    apiName: 'Produce',
    bytes: batches.reduce((sum, { topic, bytes }) => sum + bytes.length + topic.length + 16, 256),
    throttleTime: 'last',
    write: (writer) =>
      writer
        .text(transactionalId)
        .int16(-1)
        .int32(timeoutMs)
        .list([...byTopic(batches)], ([topic, theirs]) => {
          writer.text(topic).list(theirs, ({ partition, bytes }) => {
            writer.int32(partition).int32(bytes.length).raw(bytes)
          })
        }),
    read: (reader) =>
      reader
        .list(() => {
          const topic = reader.text()
          return reader.list(() => {
            const partition = reader.int32()
            const error = reader.int16()
            const baseOffset = reader.int64()
            const logAppendTime = reader.int64()
            reader.int64()
            return { topic, partition, code: error, baseOffset, logAppendTime }
          })
        })
        .flat(),
  })

export interface FetchOptions {
  readonly topic: string
  readonly from: readonly { readonly partition: number; readonly offset: number }[]
  /** How long the broker keeps the request when there is nothing. */
  readonly maxWaitMs: number
  readonly maxBytes: number
  readonly maxBytesOfPartition: number
}

export interface Fetched {
  readonly partition: number
  readonly code: number
  /** Everything before it is decided, and readers of committed records are shown nothing from it on. */
  readonly stableOffset: number
  /** Transactions that were aborted, as far as they concern what was fetched. In no order. */
  readonly aborted: readonly { readonly producerId: number; readonly firstOffset: number }[]
  /** Batches, the last of which may be cut off. */
  readonly bytes: Buffer
}

const readCommitted = 1

/** Up to the first record that is not decided. */
export const fetch = (options: FetchOptions, requestTimeoutMs: number): Call<readonly Fetched[]> =>
  exchange(
    {
      apiKey: 1,
      apiVersion: 11,
      apiName: 'Fetch',
      bytes: 256 + 32 * options.from.length,
      write: (writer) =>
        writer
          .int32(-1)
          .int32(options.maxWaitMs)
          .int32(1)
          .int32(options.maxBytes)
          .int8(readCommitted)
          .int32(0)
          .int32(-1)
          .list([options.topic], (topic) => {
            writer.text(topic).list(options.from, ({ partition, offset }) => {
              writer.int32(partition).int32(-1).int64(offset).int64(-1).int32(options.maxBytesOfPartition)
            })
          })
          .list([], () => {})
          .text(''),
      read: (reader) => {
        const error = reader.int16()
        reader.int32()
        const fetched = reader
          .list(() => {
            reader.text()
            return reader.list(() => fetchedPartition(reader))
          })
          .flat()
        return error === code.none ? fetched : fetched.map((one) => ({ ...one, code: error }))
      },
    },
    requestTimeoutMs,
  )

function fetchedPartition(reader: WireReader): Fetched {
  const partition = reader.int32()
  const error = reader.int16()
  reader.int64()
  const stableOffset = reader.int64()
  reader.int64()
  const aborted = reader.list(() => ({ producerId: reader.int64(), firstOffset: reader.int64() }))
  reader.int32()
  const length = reader.int32()
  return {
    partition,
    code: error,
    stableOffset,
    aborted,
    bytes: length > 0 ? reader.raw(length) : Buffer.alloc(0),
  }
}

export function byTopic<P extends Place>(places: readonly P[]): ReadonlyMap<string, readonly P[]> {
  const topics = new Map<string, P[]>()
  for (const place of places) {
    const theirs = topics.get(place.topic)
    if (theirs === undefined) topics.set(place.topic, [place])
    else theirs.push(place)
  }
  return topics
}
