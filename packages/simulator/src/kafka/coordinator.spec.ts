import { describe, expect, it } from 'vitest'
import { Brokers } from './brokers.spec-support.js'

describe('the end of a transaction', () => {
  it('is answered before the markers are written: the last stable offset is behind right after a commit', async () => {
    const brokers = new Brokers()
    const producer = brokers.init('a')
    brokers.add('a', producer)
    brokers.produce('a', producer, ['one', 'two'])
    expect(brokers.end('a', producer)).toBeNull()
    expect(brokers.marks()).toEqual({ logStartOffset: 0, lastStableOffset: 0, highWatermark: 2 })
    expect(brokers.read()).toEqual([])
    await brokers.pass(20)
    expect(brokers.marks()).toEqual({ logStartOffset: 0, lastStableOffset: 3, highWatermark: 3 })
    expect(brokers.read()).toEqual(['one', 'two'])
  })

  it('makes the next transaction of the same producer wait for its markers', async () => {
    const brokers = new Brokers()
    const producer = brokers.init('a')
    brokers.add('a', producer)
    brokers.produce('a', producer, ['one'])
    brokers.end('a', producer)
    expect(brokers.add('a', producer)).toBe('CONCURRENT_TRANSACTIONS')
    expect(brokers.kafka.initProducerId('a', 10_000)).toEqual({ ok: false, error: 'CONCURRENT_TRANSACTIONS' })
    await brokers.pass(20)
    expect(brokers.add('a', producer)).toBeNull()
  })

  it('comes to each partition in its own time', async () => {
    const brokers = new Brokers({ markerMinMs: 0, markerMaxMs: 100 })
    const producer = brokers.init('a')
    for (const partition of [0, 1]) {
      brokers.add('a', producer, partition)
      brokers.produce('a', producer, ['x'], { partition })
    }
    brokers.end('a', producer)
    const seen = new Set<string>()
    for (let ms = 0; ms < 100; ms++) {
      seen.add(`${brokers.read(0).length} ${brokers.read(1).length}`)
      await brokers.pass(1)
    }
    expect([...seen].filter((both) => both === '0 1' || both === '1 0')).toHaveLength(1)
    expect([...seen].at(-1)).toBe('1 1')
  })

  it('answers again with OK when it is asked for again, and with an error when the other end is', async () => {
    const brokers = new Brokers()
    const producer = brokers.init('a')
    expect(brokers.end('a', producer)).toBe('INVALID_TXN_STATE')
    await brokers.write('a', producer, ['x'])
    expect(brokers.end('a', producer)).toBeNull()
    expect(brokers.end('a', producer, false)).toBe('INVALID_TXN_STATE')
  })

  it('hits a later transaction of the same epoch when it comes late', async () => {
    const brokers = new Brokers()
    const producer = brokers.init('a')
    await brokers.write('a', producer, ['first'])
    brokers.add('a', producer)
    brokers.produce('a', producer, ['half'])
    // That of the first transaction, asked for twice.
    expect(brokers.end('a', producer)).toBeNull()
    await brokers.pass(20)
    expect(brokers.read()).toEqual(['first', 'half'])
  })

  it('is refused when it comes late and somebody has taken over (E10)', async () => {
    const brokers = new Brokers()
    const old = brokers.init('a')
    await brokers.write('a', old, ['first'])
    const holder = brokers.init('a')
    brokers.add('a', holder)
    brokers.produce('a', holder, ['open'])
    expect(brokers.end('a', old)).toBe('INVALID_PRODUCER_EPOCH')
    await brokers.pass(20)
    expect(brokers.read()).toEqual(['first'])
    expect(brokers.end('a', holder)).toBeNull()
    await brokers.pass(20)
    expect(brokers.read()).toEqual(['first', 'open'])
  })
})

describe('a new holder', () => {
  it('aborts an open transaction, and waits until it is aborted', async () => {
    const brokers = new Brokers()
    const old = brokers.init('a')
    brokers.add('a', old)
    brokers.produce('a', old, ['open'])
    expect(brokers.kafka.initProducerId('a', 10_000)).toEqual({ ok: false, error: 'CONCURRENT_TRANSACTIONS' })
    // The leader has not heard of it yet: what comes now is aborted with the rest.
    expect(brokers.produce('a', old, ['zombie'])).toMatchObject({ baseOffset: 1 })
    const holder = await brokers.takeOver('a')
    expect(holder).toEqual({ producerId: old.producerId, epoch: old.epoch + 2 })
    expect(brokers.produce('a', old, ['zombie'])).toBe('INVALID_PRODUCER_EPOCH')
    expect(brokers.add('a', old)).toBe('INVALID_PRODUCER_EPOCH')
    expect(brokers.read(0, 'read_uncommitted')).toEqual(['open', 'zombie'])
    expect(brokers.read()).toEqual([])
  })

  it('is protected by the leaders themselves, even if they do not ask the coordinator', async () => {
    const brokers = new Brokers({ verifiesTransactions: false })
    const old = brokers.init('a')
    brokers.add('a', old)
    brokers.produce('a', old, ['open'])
    await brokers.takeOver('a')
    expect(brokers.produce('a', old, ['zombie'])).toBe('INVALID_PRODUCER_EPOCH')
    expect(brokers.marks().lastStableOffset).toBe(2)
  })

  it('completes a commit that has begun', async () => {
    const brokers = new Brokers()
    const old = brokers.init('a')
    brokers.add('a', old)
    brokers.produce('a', old, ['decided'])
    brokers.end('a', old)
    await brokers.takeOver('a')
    expect(brokers.read()).toEqual(['decided'])
  })

  it('gets a new producer id when the epochs are used up', async () => {
    const brokers = new Brokers({ lastEpoch: 4 })
    const first = brokers.init('a')
    const epochs = [first.epoch]
    let holder = first
    while (holder.producerId === first.producerId && epochs.length < 10) {
      holder = brokers.init('a')
      epochs.push(holder.epoch)
    }
    expect(epochs).toEqual([0, 1, 2, 3, 0])
    expect(brokers.add('a', { producerId: first.producerId, epoch: 3 })).toBe('INVALID_PRODUCER_ID_MAPPING')
    await brokers.write('a', holder, ['x'])
    expect(brokers.read()).toEqual(['x'])
  })

  it('gets one too when the last epoch is needed to fence', async () => {
    const brokers = new Brokers({ lastEpoch: 2 })
    brokers.init('a')
    const last = brokers.init('a')
    brokers.add('a', last)
    brokers.produce('a', last, ['open'])
    const holder = await brokers.takeOver('a')
    expect(holder).toEqual({ producerId: last.producerId + 1, epoch: 0 })
    expect(brokers.produce('a', last, ['zombie'])).toBe('INVALID_PRODUCER_ID_MAPPING')
    await brokers.write('a', holder, ['x'])
    expect(brokers.read()).toEqual(['x'])
  })

  it('finds an id forgotten that nobody has used for long', async () => {
    const brokers = new Brokers({ transactionalIdExpirationMs: 60_000 })
    const old = brokers.init('a')
    await brokers.pass(75_000)
    expect(brokers.add('a', old)).toBe('INVALID_PRODUCER_ID_MAPPING')
    expect(brokers.init('a').producerId).not.toBe(old.producerId)
  })
})

describe('the broker itself', () => {
  it('ends a transaction that takes too long: its owner sees what a fenced one sees', async () => {
    const brokers = new Brokers({ abortScanMs: 10_000 })
    const slow = brokers.init('a', 4000)
    brokers.add('a', slow)
    brokers.produce('a', slow, ['slow'])
    await brokers.pass(9990)
    expect(brokers.marks().lastStableOffset).toBe(0)
    await brokers.pass(30)
    expect(brokers.marks().lastStableOffset).toBe(2)
    expect(brokers.end('a', slow)).toBe('INVALID_PRODUCER_EPOCH')
    expect(brokers.produce('a', slow, ['slow'])).toBe('INVALID_PRODUCER_EPOCH')
    expect(brokers.read()).toEqual([])
  })

  it('ends what was open when it died, by the same timeout', async () => {
    const brokers = new Brokers()
    const producer = brokers.init('a', 4000)
    brokers.add('a', producer)
    brokers.produce('a', producer, ['open'])
    brokers.kafka.crash()
    expect(brokers.produce('a', producer, ['x'])).toBe('BROKER_NOT_AVAILABLE')
    await brokers.pass(15_000)
    brokers.kafka.restart()
    expect(brokers.marks().lastStableOffset).toBe(0)
    await brokers.pass(5100)
    expect(brokers.marks().lastStableOffset).toBe(2)
    expect(brokers.read()).toEqual([])
  })

  it('writes after a restart the markers of what was decided before', async () => {
    const brokers = new Brokers({ loadAfterRestartMs: 1000 })
    const producer = brokers.init('a')
    brokers.add('a', producer)
    brokers.produce('a', producer, ['decided'])
    brokers.end('a', producer)
    brokers.kafka.crash()
    await brokers.pass(500)
    brokers.kafka.restart()
    expect(brokers.add('a', producer)).toBe('COORDINATOR_LOAD_IN_PROGRESS')
    await brokers.pass(900)
    expect(brokers.read()).toEqual([])
    await brokers.pass(200)
    expect(brokers.read()).toEqual(['decided'])
  })
})

describe('a coordinator that moves', () => {
  it('refuses, then loads, then goes on with the markers', async () => {
    const brokers = new Brokers()
    const [producer, other] = [brokers.init('a'), brokers.init('b')]
    brokers.add('a', producer)
    brokers.produce('a', producer, ['decided'])
    brokers.end('a', producer)
    brokers.kafka.moveCoordinator('a', 1000)
    expect(brokers.end('a', producer)).toBe('NOT_COORDINATOR')
    expect(brokers.add('b', other)).toBeNull()
    await brokers.pass(600)
    expect(brokers.add('a', producer)).toBe('COORDINATOR_LOAD_IN_PROGRESS')
    expect(brokers.read()).toEqual([])
    await brokers.pass(450)
    expect(brokers.read()).toEqual(['decided'])
    expect(brokers.add('a', producer)).toBeNull()
  })

  it('lets a batch wait that would open a transaction, and none of a transaction that is open', async () => {
    const brokers = new Brokers()
    const producer = brokers.init('a')
    brokers.add('a', producer, 0)
    brokers.add('a', producer, 1)
    brokers.produce('a', producer, ['x'])
    brokers.kafka.moveCoordinator('all', 1000)
    expect(brokers.produce('a', producer, ['y'])).toMatchObject({ baseOffset: 1 })
    expect(brokers.produce('a', producer, ['z'], { partition: 1, sequence: 0 })).toBe('NOT_ENOUGH_REPLICAS')
    await brokers.pass(1000)
    expect(brokers.produce('a', producer, ['z'], { partition: 1, sequence: 0 })).toMatchObject({
      baseOffset: 0,
    })
  })
})

describe('offsets of a group', () => {
  const place = { topic: 't', partition: 0 }
  const commit = (brokers: Brokers, offset: number) => {
    const producer = brokers.init('a')
    const answer = brokers.kafka.txnOffsetCommit('a', producer, 'group', [{ ...place, offset }])
    expect(answer.ok).toBe(true)
    return producer
  }
  const fetch = (brokers: Brokers) => brokers.kafka.offsetFetch('group', place)

  it('are invisible while pending, without an error (E1), and for a little after the commit (E11)', async () => {
    const brokers = new Brokers()
    brokers.end('a', commit(brokers, 7))
    await brokers.pass(30)
    const producer = commit(brokers, 9)
    await brokers.pass(1000)
    expect(fetch(brokers)).toEqual({ ok: true, value: 7 })
    brokers.end('a', producer)
    expect(fetch(brokers)).toEqual({ ok: true, value: 7 })
    await brokers.pass(30)
    expect(fetch(brokers)).toEqual({ ok: true, value: 9 })
  })

  it('are gone some time after their commit, without an error (E5)', async () => {
    const brokers = new Brokers({ offsetsRetentionMs: 60_000 })
    brokers.end('a', commit(brokers, 7))
    await brokers.pass(59_000)
    expect(fetch(brokers)).toEqual({ ok: true, value: 7 })
    await brokers.pass(3000)
    expect(fetch(brokers)).toEqual({ ok: true, value: -1 })
  })
})
