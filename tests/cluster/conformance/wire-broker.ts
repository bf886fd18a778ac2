import type { Batch, Isolation, Producer, TopicConfig, TopicPartition } from '@almanac/simulator'
import type { Answer, BrokerRequests, FetchedValues } from './subject.js'
import { batchBytes, readBatches, type WireBatch } from './wire-batch.js'
import { WireConnection } from './wire-connection.js'
import { errorNamed } from './wire-errors.js'
import { type FieldReader, FieldWriter } from './wire-fields.js'

const earliest = -2
const latest = -1
const levelOf: Readonly<Record<Isolation, number>> = { read_uncommitted: 0, read_committed: 1 }

/** The requests as bytes, one after the other on one connection, in versions that every broker from 2 to 4 has. */
export class WireBroker implements BrokerRequests {
  private readonly port: number
  private current: WireConnection | undefined

  constructor(port: number) {
    this.port = port
  }

  close(): void {
    this.current?.close()
  }

  async initProducerId(transactionalId: string, timeoutMs: number): Promise<Answer<Producer>> {
    const answer = await this.ask(22, 1, new FieldWriter().text(transactionalId).int32(timeoutMs))
    answer.int32()
    const error = answer.int16()
    return reply(error, () => ({ producerId: answer.int64(), epoch: answer.int16() }))
  }

  async addPartitionsToTxn(id: string, producer: Producer, places: readonly TopicPartition[]) {
    const body = identified(id, producer).list(places, ({ topic, partition }, writer) =>
      writer.text(topic).list([partition], (one) => writer.int32(one)),
    )
    const answer = await this.ask(24, 1, body)
    answer.int32()
    return firstError(errorsByPartition(answer))
  }

  async produce(batch: Batch) {
    const body = new FieldWriter()
      .text(batch.transactionalId)
      .int16(-1)
      .int32(5000)
      .list([batch], ({ topic, partition }, writer) =>
        writer.text(topic).list([partition], (one) => writer.int32(one).block(batchBytes(batch))),
      )
    const answer = await this.ask(0, 7, body)
    const [found] = answer
      .list(() => {
        answer.text()
        return answer.list(() => {
          answer.int32()
          const error = answer.int16()
          const appended = { baseOffset: answer.int64(), logAppendTime: answer.int64() }
          answer.int64()
          return reply(error, () => appended)
        })
      })
      .flat()
    return only(found)
  }

  async endTxn(id: string, producer: Producer, commit: boolean): Promise<Answer<null>> {
    const answer = await this.ask(26, 1, identified(id, producer).int8(commit ? 1 : 0))
    answer.int32()
    return done(answer.int16())
  }

  async fetch(place: TopicPartition, offset: number, isolation: Isolation): Promise<Answer<FetchedValues>> {
    const maxBytes = 2 ** 24
    const body = new FieldWriter()
      .int32(-1)
      .int32(0)
      .int32(0)
      .int32(maxBytes)
      .int8(levelOf[isolation])
      .list([place], ({ topic, partition }, writer) =>
        writer.text(topic).list([partition], (one) => writer.int32(one).int64(offset).int32(maxBytes)),
      )
    const answer = await this.ask(1, 4, body)
    answer.int32()
    const [found] = answer
      .list(() => {
        answer.text()
        return answer.list(() => readFetched(answer, offset))
      })
      .flat()
    return only(found)
  }

  async watermarks(place: TopicPartition) {
    // At once, and the stable one first: it must not be taken for behind because the end has moved meanwhile.
    const [lastStableOffset, highWatermark, logStartOffset] = await Promise.all([
      this.offsetAt(place, latest, 'read_committed'),
      this.offsetAt(place, latest, 'read_uncommitted'),
      this.offsetAt(place, earliest, 'read_uncommitted'),
    ])
    if (!logStartOffset.ok) return logStartOffset
    if (!lastStableOffset.ok) return lastStableOffset
    if (!highWatermark.ok) return highWatermark
    return reply(0, () => ({
      logStartOffset: logStartOffset.value,
      lastStableOffset: lastStableOffset.value,
      highWatermark: highWatermark.value,
    }))
  }

  private async offsetAt({ topic, partition }: TopicPartition, at: number, isolation: Isolation) {
    const body = new FieldWriter()
      .int32(-1)
      .int8(levelOf[isolation])
      .list([partition], (one, writer) => writer.text(topic).list([one], () => writer.int32(one).int64(at)))
    const answer = await this.ask(2, 2, body)
    answer.int32()
    const [found] = answer
      .list(() => {
        answer.text()
        return answer.list(() => {
          answer.int32()
          const error = answer.int16()
          answer.int64()
          const offset = answer.int64()
          return reply(error, () => offset)
        })
      })
      .flat()
    return only(found)
  }

  async txnOffsetCommit(
    id: string,
    producer: Producer,
    group: string,
    place: TopicPartition,
    offset: number,
  ) {
    const added = await this.ask(25, 1, identified(id, producer).text(group))
    added.int32()
    const error = added.int16()
    if (error !== 0) return done(error)
    const body = new FieldWriter()
      .text(id)
      .text(group)
      .int64(producer.producerId)
      .int16(producer.epoch)
      .list([place], ({ topic, partition }, writer) =>
        writer.text(topic).list([partition], (one) => writer.int32(one).int64(offset).text(null)),
      )
    const answer = await this.ask(28, 1, body)
    answer.int32()
    return firstError(errorsByPartition(answer))
  }

  async offsetFetch(group: string, { topic, partition }: TopicPartition): Promise<Answer<number>> {
    const body = new FieldWriter()
      .text(group)
      .list([topic], (name, writer) => writer.text(name).list([partition], (one) => writer.int32(one)))
    const answer = await this.ask(9, 4, body)
    answer.int32()
    const [found] = answer
      .list(() => {
        answer.text()
        return answer.list(() => {
          answer.int32()
          const offset = answer.int64()
          answer.text()
          const error = answer.int16()
          return reply(error, () => offset)
        })
      })
      .flat()
    const error = answer.int16()
    return error === 0 ? only(found) : reply(error, () => 0)
  }

  /** Resolves when the coordinators of transactions and of groups answer. */
  async warmUp(): Promise<void> {
    for (const type of [0, 1]) {
      await patiently('a coordinator', async () => {
        const answer = await this.ask(10, 1, new FieldWriter().text('any').int8(type))
        answer.int32()
        return answer.int16() === 0
      })
    }
    // Enough names to meet every partition of the coordinators.
    for (let n = 0; n < 24; n += 1) {
      await patiently('a producer id', async () => (await this.initProducerId(`warm-up-${n}`, 10_000)).ok)
    }
    await patiently(
      'a group',
      async () => (await this.offsetFetch('warm-up', { topic: 'any', partition: 0 })).ok,
    )
  }

  async createTopic(name: string, { partitions, cleanup, timestamps }: TopicConfig): Promise<void> {
    const configs =
      cleanup.policy === 'delete'
        ? {
            'cleanup.policy': 'delete',
            'retention.ms': cleanup.retentionMs,
            'segment.ms': cleanup.retentionMs,
          }
        : {
            'cleanup.policy': 'compact',
            'min.compaction.lag.ms': cleanup.minCompactionLagMs,
            'min.cleanable.dirty.ratio': 0,
            'segment.ms': 100,
          }
    const all = Object.entries({ ...configs, 'message.timestamp.type': timestamps })
    const body = new FieldWriter()
      .list([name], (topic, writer) =>
        writer
          .text(topic)
          .int32(partitions)
          .int16(1)
          .int32(0)
          .list(all, ([key, value]) => writer.text(key).text(`${value}`)),
      )
      .int32(10_000)
      .int8(0)
    const answer = await this.ask(19, 2, body)
    answer.int32()
    const [error] = answer.list(() => {
      answer.text()
      const code = answer.int16()
      answer.text()
      return code
    })
    if (error !== 0) throw new Error(`The topic ${name} can't be created: ${errorNamed(error ?? -1)}`)
    for (let partition = 0; partition < partitions; partition += 1) {
      await patiently(name, async () => (await this.watermarks({ topic: name, partition })).ok)
    }
  }

  /** A member that stays until its session is over. */
  async joinGroup(group: string, topic: string): Promise<void> {
    const subscription = new FieldWriter()
      .int16(0)
      .list([topic], (one, writer) => writer.text(one))
      .int32(-1)
    const join = new FieldWriter()
      .text(group)
      .int32(30_000)
      .int32(30_000)
      .text('')
      .text('consumer')
      .list(['range'], (name, writer) => writer.text(name).block(subscription.bytes))
    const joined = await this.ask(11, 2, join)
    joined.int32()
    const error = joined.int16()
    if (error !== 0) throw new Error(`Nobody may join ${group}: ${errorNamed(error)}`)
    const generation = joined.int32()
    joined.text()
    joined.text()
    const member = joined.text()
    const sync = new FieldWriter()
      .text(group)
      .int32(generation)
      .text(member)
      .list([member], (one, writer) => writer.text(one).block(Buffer.alloc(0)))
    const synced = await this.ask(14, 1, sync)
    synced.int32()
    const refused = synced.int16()
    if (refused !== 0) throw new Error(`The group ${group} does not settle: ${errorNamed(refused)}`)
  }

  private ask(apiKey: number, apiVersion: number, body: FieldWriter): Promise<FieldReader> {
    if (this.current?.isOpen !== true) this.current = new WireConnection(this.port)
    return this.current.ask(apiKey, apiVersion, body)
  }
}

const identified = (id: string, { producerId, epoch }: Producer): FieldWriter =>
  new FieldWriter().text(id).int64(producerId).int16(epoch)

const reply = <T>(error: number, value: () => T): Answer<T> =>
  error === 0 ? { ok: true, value: value() } : { ok: false, error: errorNamed(error) }

const done = (error: number): Answer<null> => reply(error, () => null)

const errorsByPartition = (answer: FieldReader): readonly number[] =>
  answer
    .list(() => {
      answer.text()
      return answer.list(() => {
        answer.int32()
        return answer.int16()
      })
    })
    .flat()

const firstError = (errors: readonly number[]): Answer<null> => done(errors.find((error) => error !== 0) ?? 0)

function only<T>(answer: T | undefined): T {
  if (answer === undefined) throw new Error('An answer without what was asked for')
  return answer
}

function readFetched(answer: FieldReader, from: number): Answer<FetchedValues> {
  answer.int32()
  const error = answer.int16()
  answer.int64()
  answer.int64()
  const aborted = answer.list(() => ({ producerId: answer.int64(), firstOffset: answer.int64() }))
  const batches = readBatches(answer.block())
  return reply(error, () => ({
    records: withoutAborted(batches, aborted)
      .flatMap(({ records }) => records)
      .filter(({ offset }) => offset >= from),
    nextOffset: (batches.at(-1)?.lastOffset ?? from - 1) + 1,
  }))
}

/** What a reader of committed records keeps, by the list of aborted transactions that the broker sends along. */
function withoutAborted(
  batches: readonly WireBatch[],
  aborted: readonly { readonly producerId: number; readonly firstOffset: number }[],
): readonly WireBatch[] {
  const waiting = [...aborted].sort((one, two) => one.firstOffset - two.firstOffset)
  const now = new Set<number>()
  return batches.filter(({ producerId, lastOffset, marker }) => {
    while (waiting[0] !== undefined && waiting[0].firstOffset <= lastOffset) {
      now.add(waiting[0].producerId)
      waiting.shift()
    }
    if (marker === 'abort') now.delete(producerId)
    return marker === null && !now.has(producerId)
  })
}

export async function patiently(what: string, isThere: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await isThere().catch(() => false)); tries += 1) {
    if (tries > 3000) throw new Error(`Waited in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
