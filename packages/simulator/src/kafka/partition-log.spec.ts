import { describe, expect, it } from 'vitest'
import { Brokers, kept } from './brokers.spec-support.js'

const minute = 60_000
const compacted = (minCompactionLagMs: number) =>
  kept(2, { cleanup: { policy: 'compact', minCompactionLagMs } })

describe('a batch', () => {
  it('is known again when it comes twice, and gets the same answer', async () => {
    const brokers = new Brokers()
    const producer = brokers.init('a')
    brokers.add('a', producer)
    const batch = brokers.batch('a', producer, ['one', 'two'])
    const first = brokers.kafka.produce(batch)
    await brokers.pass(5)
    brokers.produce('a', producer, ['three'])
    expect(brokers.kafka.produce(batch)).toEqual(first)
    expect(brokers.read(0, 'read_uncommitted')).toEqual(['one', 'two', 'three'])
  })

  it('is refused when it is not the next, or repeats one of long ago', () => {
    const brokers = new Brokers()
    const producer = brokers.init('a')
    brokers.add('a', producer)
    for (let n = 0; n < 7; n++) brokers.produce('a', producer, [`${n}`])
    const refused = 'OUT_OF_ORDER_SEQUENCE_NUMBER'
    expect(brokers.produce('a', producer, ['gap'], { sequence: 8 })).toBe(refused)
    expect(brokers.produce('a', producer, ['0'], { sequence: 0 })).toBe(refused)
    expect(brokers.produce('a', producer, ['6'], { sequence: 6 })).toMatchObject({ baseOffset: 6 })
    expect(brokers.produce('a', producer, ['7'], { sequence: 7 })).toMatchObject({ baseOffset: 7 })
  })

  it('is refused outside of a transaction when the leader asks, and hangs in the log when it does not', () => {
    const asking = new Brokers()
    const producer = asking.init('a')
    asking.add('a', producer, 1)
    expect(asking.produce('a', producer, ['stray'])).toBe('INVALID_TXN_STATE')
    const trusting = new Brokers({ verifiesTransactions: false })
    expect(trusting.produce('a', trusting.init('a'), ['stray'])).toMatchObject({ baseOffset: 0 })
    expect(trusting.marks().lastStableOffset).toBe(0)
  })

  it('carries the time of its append, not that of the commit, by the clock of the broker', async () => {
    const brokers = new Brokers({ clockOffsetMs: 5000 })
    const producer = brokers.init('a')
    brokers.add('a', producer)
    const at = brokers.world.now + 5000
    expect(brokers.produce('a', producer, ['x'])).toEqual({ baseOffset: 0, logAppendTime: at })
    await brokers.pass(300)
    brokers.end('a', producer)
    await brokers.pass(20)
    expect(brokers.kafka.committedDump('t')).toMatchObject([{ value: 'x', timestamp: at, appendedAt: at }])
  })
})

describe('a transaction that hangs', () => {
  it('holds up its partition alone, until it is aborted (F11)', async () => {
    const brokers = new Brokers()
    const producer = brokers.init('a')
    await brokers.write('a', producer, ['before'])
    const abort = brokers.kafka.hangTransaction({ topic: 't', partition: 0 })
    await brokers.write('a', producer, ['behind'])
    await brokers.write('a', producer, ['free'], { partition: 1 })
    await brokers.pass(30 * minute)
    expect(brokers.read(0)).toEqual(['before'])
    expect(brokers.read(1)).toEqual(['free'])
    abort()
    expect(brokers.read(0)).toEqual(['before', 'behind'])
  })
})

describe('retention', () => {
  const short = (timestamps: 'LogAppendTime' | 'CreateTime') =>
    kept(2, { cleanup: { policy: 'delete', retentionMs: 60 * minute }, timestamps })
  const catchUp = async (timestamps: 'LogAppendTime' | 'CreateTime') => {
    const brokers = new Brokers({}, short(timestamps))
    const producer = brokers.init('a')
    const timestamp = brokers.world.now - 90 * minute
    const records = [{ key: 'k', value: 'late run', headers: {}, timestamp }]
    await brokers.write('a', producer, ['late run'], { records })
    await brokers.pass(6 * minute)
    return brokers
  }

  it('deletes at once what claims to be old, and by the time of the append does not', async () => {
    const claimed = await catchUp('CreateTime')
    expect(claimed.read()).toEqual([])
    expect(claimed.kafka.committedDump('t').map(({ value }) => value)).toEqual(['late run'])
    expect((await catchUp('LogAppendTime')).read()).toEqual(['late run'])
  })

  it('tells a reader that is behind', async () => {
    const brokers = await catchUp('CreateTime')
    expect(brokers.read(0, 'read_committed', 0)).toBe('OFFSET_OUT_OF_RANGE')
  })

  it('deletes what has become old, from the beginning, and goes on with the offsets', async () => {
    const brokers = new Brokers({}, short('LogAppendTime'))
    const producer = brokers.init('a')
    await brokers.write('a', producer, ['old'])
    await brokers.pass(40 * minute)
    await brokers.write('a', producer, ['young'])
    await brokers.pass(26 * minute)
    expect(brokers.marks().logStartOffset).toBe(2)
    expect(brokers.read()).toEqual(['young'])
  })
})

describe('compaction', () => {
  const write = (brokers: Brokers, producer: ReturnType<Brokers['init']>, key: string, value: string) =>
    brokers.write('a', producer, [value], {
      records: [{ key, value, headers: {}, timestamp: brokers.world.now }],
    })
  const fill = async (brokers: Brokers, owner: string) => {
    const producer = brokers.init('a')
    for (const n of [1, 2, 3]) await write(brokers, producer, '0:checkpoint', `checkpoint ${n}`)
    await write(brokers, producer, owner, 'owner')
    return producer
  }

  it('keeps the newest record of each key: of two kinds under one key, one is eaten', async () => {
    const apart = new Brokers({}, compacted(0))
    await fill(apart, '0:owner')
    await apart.pass(2 * minute)
    expect(apart.read()).toEqual(['checkpoint 3', 'owner'])
    const shared = new Brokers({}, compacted(0))
    await fill(shared, '0:checkpoint')
    await shared.pass(2 * minute)
    expect(shared.read()).toEqual(['owner'])
    expect(shared.kafka.committedDump('t')).toHaveLength(4)
  })

  it('keeps offsets, so that a reader in the middle goes on', async () => {
    const brokers = new Brokers({}, compacted(0))
    await fill(brokers, '0:owner')
    await brokers.pass(2 * minute)
    expect(brokers.read(0, 'read_committed', 1)).toEqual(['checkpoint 3', 'owner'])
    expect(brokers.fetch(0, 'read_committed', 5)).toMatchObject([
      { records: [{ value: 'owner', offset: 6 }], nextOffset: 8 },
    ])
  })

  it('leaves alone what is young', async () => {
    const brokers = new Brokers({}, compacted(60 * minute))
    const producer = await fill(brokers, '0:owner')
    await brokers.pass(58 * minute)
    expect(brokers.read()).toHaveLength(4)
    await write(brokers, producer, '0:checkpoint', 'checkpoint 4')
    await brokers.pass(4 * minute)
    expect(brokers.read()).toEqual(['checkpoint 3', 'owner', 'checkpoint 4'])
  })

  it('stops below the last stable offset', async () => {
    const brokers = new Brokers({}, compacted(0))
    const abort = brokers.kafka.hangTransaction({ topic: 't', partition: 0 })
    await fill(brokers, '0:owner')
    await brokers.pass(2 * minute)
    abort()
    expect(brokers.read()).toHaveLength(4)
    await brokers.pass(2 * minute)
    expect(brokers.read()).toEqual(['checkpoint 3', 'owner'])
  })
})

describe('a topic', () => {
  it('that is emptied goes on with its offsets; one that is created anew does not (F10)', async () => {
    const brokers = new Brokers()
    const producer = brokers.init('a')
    await brokers.write('a', producer, ['one'])
    brokers.add('a', producer)
    brokers.produce('a', producer, ['never seen'])
    brokers.kafka.emptyTopic('t')
    brokers.end('a', producer)
    await brokers.pass(20)
    await brokers.write('a', producer, ['two'])
    expect(brokers.read()).toEqual(['two'])
    expect(brokers.read(0, 'read_committed', 0)).toBe('OFFSET_OUT_OF_RANGE')
    brokers.kafka.deleteTopic('t')
    expect(brokers.add('a', producer)).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    brokers.kafka.createTopic('t', kept())
    await brokers.write('a', brokers.init('a'), ['three'])
    expect(brokers.marks().logStartOffset).toBe(0)
    const dump = brokers.kafka.committedDump('t')
    expect(dump.map(({ value, offset, incarnation }) => ({ value, offset, incarnation }))).toEqual([
      { value: 'one', offset: 0, incarnation: 1 },
      { value: 'two', offset: 4, incarnation: 1 },
      { value: 'three', offset: 0, incarnation: 2 },
    ])
  })
})
