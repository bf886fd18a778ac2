import { describe, expect, it } from 'vitest'
import { PartitionReading } from './partition-reading.js'
import { encodeBatch } from './record-batch.js'

interface Written {
  readonly id?: number
  readonly epoch?: number
  readonly isTransactional?: boolean
}

/** A log as a broker has it: batches and marks, one after the other. */
class Log {
  private readonly batches: Buffer[] = []
  private offset = 0

  data(values: string, { id = 1, epoch = 0, isTransactional = true }: Written = {}): this {
    const records = [...values].map((value) => ({ key: value, value }))
    return this.add(encodeBatch(records, { id, epoch, isTransactional }, 0, 0), records.length)
  }

  mark(kind: 'abort' | 'commit', { id = 1, epoch = 0 }: Written = {}): this {
    const key = String.fromCharCode(0, 0, 0, kind === 'abort' ? 0 : 1)
    const bytes = encodeBatch([{ key, value: null }], { id, epoch, isTransactional: true }, -1, 0)
    bytes.writeInt16BE(0x30, 21)
    return this.add(bytes, 1)
  }

  /** Compaction leaves a batch without its records. */
  empty(offsets: number): this {
    const bytes = Buffer.from(encodeBatch([], { id: 9, epoch: 0, isTransactional: true }, 0, 0))
    bytes.writeInt32BE(offsets - 1, 23)
    return this.add(bytes, offsets)
  }

  bytes(from = 0, to = this.batches.length): Buffer {
    return Buffer.concat(this.batches.slice(from, to))
  }

  private add(bytes: Buffer, offsets: number): this {
    bytes.writeBigInt64BE(BigInt(this.offset), 0)
    this.batches.push(bytes)
    this.offset += offsets
    return this
  }
}

const reading = (offset = 0) => new PartitionReading('t', 3, offset)
const nothing = Buffer.alloc(0)
/** There is more behind it. */
const farAhead = 1_000

const take = (
  from: PartitionReading,
  bytes: Buffer,
  aborted: { producerId: number; firstOffset: number }[] = [],
  stableOffset = farAhead,
): string =>
  from
    .take({ aborted, bytes, stableOffset })
    .map(({ value }) => value)
    .join('')

describe('what is committed in a partition', () => {
  it('is all that a transaction has, once its mark is there', () => {
    const log = new Log().data('ab').data('c').mark('commit').data('d', { isTransactional: false })
    const one = reading()
    expect(take(one, log.bytes())).toBe('abcd')
    expect(one.offset).toBe(5)
  })

  it('begins where it is told to, in the middle of a batch too', () => {
    const log = new Log().data('abcd').mark('commit')
    expect(take(reading(2), log.bytes())).toBe('cd')
  })

  it('has nothing of aborted transactions, in whatever order they ended', () => {
    const log = new Log().data('a', { id: 1 }).data('b', { id: 2 }).data('c', { id: 1 }).data('d', { id: 3 })
    log.mark('abort', { id: 2 }).mark('commit', { id: 3 }).mark('abort', { id: 1 })
    const aborted = [
      { producerId: 2, firstOffset: 1 },
      { producerId: 1, firstOffset: 0 },
    ]
    expect(take(reading(), log.bytes(), aborted)).toBe('d')
    expect(take(reading(1), log.bytes(), aborted)).toBe('d')
    expect(take(reading(2), log.bytes(), aborted)).toBe('d')
  })

  it('has a transaction that follows an aborted one of the same producer', () => {
    const log = new Log().data('a').mark('abort').data('b').mark('commit')
    expect(take(reading(), log.bytes(), [{ producerId: 1, firstOffset: 0 }])).toBe('b')
  })

  it('keeps the order of the log: what is decided waits for what is not', () => {
    const log = new Log()
      .data('a', { id: 1 })
      .data('b', { id: 2 })
      .mark('commit', { id: 2 })
      .mark('commit', { id: 1 })
    const one = reading()
    expect(take(one, log.bytes(0, 3))).toBe('')
    expect(take(one, log.bytes(3))).toBe('ab')
  })

  it('has nothing of a fenced holder whose abort was never marked', () => {
    const log = new Log().data('a').mark('commit').data('bc', { epoch: 0 })
    log.data('d', { epoch: 1 }).mark('commit', { epoch: 1 })
    expect(take(reading(), log.bytes())).toBe('ad')
    const one = reading()
    expect(take(one, log.bytes(0, 3))).toBe('a')
    expect(take(one, log.bytes(3))).toBe('d')
  })

  it('does not wait for a mark that was compacted away', () => {
    const log = new Log().data('a').data('b', { id: 2 }).mark('commit', { id: 2 })
    const one = reading()
    expect(take(one, log.bytes())).toBe('')
    expect(take(one, nothing)).toBe('')
    expect(take(one, nothing, [], 3)).toBe('ab')
    expect(take(reading(), log.bytes(), [], 3)).toBe('ab')
  })

  it('goes on behind what was compacted away', () => {
    const log = new Log().data('a').mark('commit').empty(7).data('b').mark('commit')
    const one = reading()
    expect(take(one, log.bytes(0, 3))).toBe('a')
    expect(one.offset).toBe(9)
    expect(take(one, log.bytes(2))).toBe('b')
  })

  it('tells where each record stands', () => {
    const log = new Log().data('ab').mark('commit')
    expect(reading().take({ aborted: [], bytes: log.bytes(), stableOffset: 3 })[1]).toEqual({
      topic: 't',
      partition: 3,
      offset: 1,
      key: 'b',
      value: 'b',
      headers: {},
      appendedAt: 0,
    })
  })
})
