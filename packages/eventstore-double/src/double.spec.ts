import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  ANY,
  BACKWARDS,
  END,
  type EventData,
  EventStoreDBClient,
  eventTypeFilter,
  jsonEvent,
  NO_STREAM,
  persistentSubscriptionToStreamSettingsFromDefaults,
  type ReadAllOptions,
  STREAM_EXISTS,
  streamNameFilter,
} from '@eventstore/db-client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type DoubleOptions, type EventStoreDouble, obey, startDouble } from './index.js'

// Goal: the double keeps the rules of EventStoreDB as its documentation and its published source have them, so that
// what passes against it was not let through by it. Method: the client that programs use, unchanged.

let double: EventStoreDouble
let client: EventStoreDBClient
const open = async (options: DoubleOptions = {}) => {
  double = await startDouble({ systemEventEvery: 1_000, ...options })
  client = EventStoreDBClient.connectionString(double.connectionString)
}
beforeEach(() => open())
afterEach(async () => {
  await client.dispose()
  await double.stop()
})

const event = (type = 'Happened', data: object = {}) => jsonEvent({ type, data: { ...data } })
const append = (
  stream: string,
  expectedRevision: bigint | 'any' | 'no_stream' | 'stream_exists',
  ...list: EventData[]
) => client.appendToStream(stream, list.length === 0 ? event() : list, { expectedRevision })

/** What an error of the client says that a program may rely on. */
const refusal = async (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (error: { type?: string; code?: number }) => error.type ?? `code ${error.code}`,
  )

/** As the client appends when it is given credentials for one call: without the call that all appends share. */
const appendAlone = async (
  stream: string,
  data: EventData,
  expectedRevision: bigint | 'no_stream' = NO_STREAM,
) => {
  const alone = EventStoreDBClient.connectionString(double.connectionString)
  Object.assign(alone, { supports: async () => false })
  return alone.appendToStream(stream, data, { expectedRevision })
}

const revisions = async (stream: string, options = {}) => {
  const found: number[] = []
  for await (const { event: read } of client.readStream(stream, options)) found.push(Number(read?.revision))
  return found
}

const all = async (options: ReadAllOptions = {}) => {
  const found: { stream: string; type: string; position: bigint }[] = []
  for await (const { event: read } of client.readAll(options)) {
    if (read !== undefined) {
      found.push({ stream: read.streamId, type: read.type, position: read.position?.commit ?? 0n })
    }
  }
  return found
}

describe('expected revisions', () => {
  it('no_stream, exact, any and stream_exists', async () => {
    expect(await refusal(append('s', STREAM_EXISTS))).toBe('wrong-expected-version')
    expect(await refusal(append('s', 0n))).toBe('wrong-expected-version')
    expect(await append('s', NO_STREAM)).toMatchObject({ nextExpectedRevision: 0n })
    expect(await refusal(append('s', NO_STREAM))).toBe('wrong-expected-version')
    expect(await append('s', 0n, event(), event())).toMatchObject({ nextExpectedRevision: 2n })
    expect(await append('s', ANY)).toMatchObject({ nextExpectedRevision: 3n })
    expect(await append('s', STREAM_EXISTS)).toMatchObject({ nextExpectedRevision: 4n })
    await expect(append('s', 1n)).rejects.toMatchObject({ actualVersion: 4n, expectedVersion: 1n })
    await expect(append('t', 1n)).rejects.toMatchObject({ actualVersion: 'no_stream' })
  })

  it('hold for an append that is a call of its own', async () => {
    const [a, b] = [event(), event()]
    const first = await appendAlone('s', a)
    expect(first).toMatchObject({ success: true, nextExpectedRevision: 0n })
    expect(await appendAlone('s', a)).toEqual(first)
    await expect(appendAlone('s', b)).rejects.toMatchObject({ actualVersion: 0n })
    await expect(appendAlone('t', b, 4n)).rejects.toMatchObject({ actualVersion: 'no_stream' })
    double.faults.tooBusy = 1
    expect(await refusal(appendAlone('s', b, 0n))).toBe('unavailable')
    double.faults.timeoutAfterApply = 1
    expect(await refusal(appendAlone('s', b, 0n))).toBe('timeout')
    expect(await revisions('s')).toEqual([0, 1])
  })

  it('an exact one knows a repeated append for ever, a part of it never', async () => {
    const [a, b, c] = [event('a'), event('b'), event('c')]
    const first = await append('s', NO_STREAM, a, b)
    await append('s', 1n, c)
    expect(await append('s', NO_STREAM, a, b)).toEqual(first)
    expect(await refusal(append('s', NO_STREAM, a, c))).toBe('wrong-expected-version')
    expect(await refusal(append('s', NO_STREAM, a, b, event()))).toBe('wrong-expected-version')
    expect(await refusal(append('s', 0n, a))).toBe('wrong-expected-version')
    expect(await revisions('s')).toEqual([0, 1, 2])
  })

  it('any knows a repeated append only until the server starts again', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'double-'))
    await double.stop()
    await open({ folder })
    const [a, b] = [event(), event()]
    await append('s', ANY, a)
    await append('s', ANY, a)
    await append('s', NO_STREAM, a)
    expect(await revisions('s')).toEqual([0])
    await double.stop()
    await open({ folder })
    await append('s', NO_STREAM, a)
    expect(await revisions('s')).toEqual([0])
    await append('s', ANY, a, b)
    expect(await revisions('s')).toEqual([0, 1, 2])
    await rm(folder, { recursive: true })
  })
})

describe('streams that are gone', () => {
  it('a deleted one is not found, and goes on after its last revision when it is written again', async () => {
    await append('s', NO_STREAM, event(), event())
    await client.deleteStream('s', { expectedRevision: 1n })
    expect(await refusal(revisions('s'))).toBe('stream-not-found')
    expect(await append('s', NO_STREAM)).toMatchObject({ nextExpectedRevision: 2n })
    expect(await revisions('s')).toEqual([2])
    // In the whole log its events stay, until it is scavenged.
    expect((await all()).filter(({ stream }) => stream === 's')).toHaveLength(3)
    await double.log.scavenge()
    expect((await all()).filter(({ stream }) => stream === 's')).toHaveLength(1)
  })

  it('a tombstoned one is deleted for ever', async () => {
    await append('s', NO_STREAM)
    await client.tombstoneStream('s', { expectedRevision: 0n })
    expect(await refusal(revisions('s'))).toBe('stream-deleted')
    expect(await refusal(append('s', ANY))).toBe('stream-deleted')
    expect((await all()).at(-1)).toMatchObject({ stream: 's', type: '$streamDeleted' })
  })

  it('deletion has expected revisions too', async () => {
    await append('s', NO_STREAM)
    expect(await refusal(client.deleteStream('s', { expectedRevision: 4n }))).toBe('wrong-expected-version')
    expect(await revisions('s')).toEqual([0])
  })
})

describe('reading', () => {
  it('one stream, from where and how many, both ways', async () => {
    await append('s', NO_STREAM, ...Array.from({ length: 5 }, () => event()))
    expect(await revisions('s', { fromRevision: 3n })).toEqual([3, 4])
    expect(await revisions('s', { maxCount: 2 })).toEqual([0, 1])
    expect(await revisions('s', { direction: BACKWARDS, fromRevision: END, maxCount: 2 })).toEqual([4, 3])
    expect(await revisions('s', { direction: BACKWARDS, fromRevision: 1n })).toEqual([1, 0])
    expect(await revisions('s', { fromRevision: 9n })).toEqual([])
    expect(await refusal(revisions('nobody'))).toBe('stream-not-found')
  })

  it('$maxCount, $maxAge and $tb hide events of a stream', async () => {
    const list = Array.from({ length: 5 }, () => event())
    for (const stream of ['count', 'age', 'before'])
      await append(stream, NO_STREAM, ...list.map(() => event()))
    await client.setStreamMetadata('count', { maxCount: 2 })
    await client.setStreamMetadata('before', { truncateBefore: 4 })
    await client.setStreamMetadata('age', { maxAge: 0 })
    expect(await revisions('count')).toEqual([3, 4])
    expect(await revisions('before')).toEqual([4])
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(await revisions('age')).toEqual([])
    expect((await client.getStreamMetadata('count')).metadata).toEqual({ maxCount: 2 })
  })

  it('the whole log has positions with gaps, and events of the system', async () => {
    await append('s', NO_STREAM, event(), event())
    await client.setStreamMetadata('s', { maxCount: 10 })
    const list = await all()
    expect(
      list.map(({ stream }) => stream).filter((stream) => stream.startsWith('$')).length,
    ).toBeGreaterThan(3)
    for (const [index, { position }] of list.entries()) {
      if (index > 0) expect(position - (list[index - 1]?.position ?? 0n)).toBeGreaterThan(100n)
    }
    const backwards = await all({ direction: BACKWARDS, fromPosition: END })
    expect(backwards).toEqual([...list].reverse())
    const middle = list[2]?.position ?? 0n
    const fromPosition = { commit: middle, prepare: middle }
    // Forwards a place is in, backwards it is not.
    expect(await all({ fromPosition })).toEqual(list.slice(2))
    expect(await all({ fromPosition, direction: BACKWARDS })).toEqual(list.slice(0, 2).reverse())
  })
})

describe('a subscription to $all', () => {
  const collected = async (
    subscription: ReturnType<typeof client.subscribeToAll>,
    count: number,
  ): Promise<string[]> => {
    const types: string[] = []
    for await (const { event: read } of subscription) {
      types.push(read?.type ?? '')
      if (types.length === count) break
    }
    return types
  }

  it('filters by stream or type, by prefix or expression', async () => {
    await append('task-1', NO_STREAM, event('A'), event('B'))
    await append('other-1', NO_STREAM, event('C'), event('AA'))
    const byPrefix = streamNameFilter({ prefixes: ['task-', 'nobody-'] })
    const byType = eventTypeFilter({ prefixes: ['A'] })
    const byExpression = streamNameFilter({ regex: '^(task|other)-' })
    expect(await collected(client.subscribeToAll({ filter: byPrefix }), 2)).toEqual(['A', 'B'])
    expect(await collected(client.subscribeToAll({ filter: byType }), 2)).toEqual(['A', 'AA'])
    expect(await collected(client.subscribeToAll({ filter: byExpression }), 4)).toEqual(['A', 'B', 'C', 'AA'])
  })

  it('confirms, catches up, says so, and goes on with what comes', async () => {
    await append('s', NO_STREAM, event('A'))
    const subscription = client.subscribeToAll({ filter: streamNameFilter({ prefixes: ['s'] }) })
    const order: string[] = []
    subscription.on('confirmation', () => order.push('confirmation'))
    subscription.on('caughtUp', () => {
      order.push('caughtUp')
      void append('s', 0n, event('B'))
    })
    for await (const { event: read } of subscription) {
      order.push(read?.type ?? '')
      if (read?.type === 'B') break
    }
    expect(order).toEqual(['confirmation', 'A', 'caughtUp', 'B'])
  })

  it('makes a checkpoint after 32 events times the interval, when it has caught up exactly then', async () => {
    const checkpoints: bigint[] = []
    const filter = streamNameFilter({
      prefixes: ['mine'],
      checkpointInterval: 2,
      checkpointReached: (_subscription, { commit }) => {
        checkpoints.push(commit)
      },
    })
    const subscription = client.subscribeToAll({ fromPosition: END, filter })
    await new Promise((resolve) => subscription.on('caughtUp', resolve))
    await append('others', NO_STREAM, ...Array.from({ length: 63 }, () => event()))
    await append('mine', NO_STREAM, event('A'))
    await append('mine', 0n, event('B'))
    expect(await collected(subscription, 2)).toEqual(['A', 'B'])
    const mine = (await all()).filter(({ stream }) => stream === 'mine')
    expect(checkpoints).toEqual([mine[0]?.position])
  })

  it('leaves out the first event at or after its place, even one that nobody has seen', async () => {
    await append('s', NO_STREAM, event('A'), event('B'), event('C'))
    const places = (await all()).filter(({ stream }) => stream === 's').map(({ position }) => position)
    const filter = streamNameFilter({ prefixes: ['s'] })
    const from = (place: bigint) =>
      client.subscribeToAll({ filter, fromPosition: { commit: place, prepare: place } })
    const [a = 0n, b = 0n] = places
    expect(await collected(from(a), 2)).toEqual(['B', 'C'])
    expect(await collected(from(b - 1n), 1)).toEqual(['C'])
  })
})

describe('limits and what is not there', () => {
  it('an append has at most so many bytes', async () => {
    const large = event('large', { text: 'x'.repeat(1_048_576) })
    expect(await refusal(append('s', NO_STREAM, large))).toBe('maximum-append-size-exceeded')
    expect(await refusal(appendAlone('s', large))).toBe('maximum-append-size-exceeded')
    expect(await refusal(revisions('s'))).toBe('stream-not-found')
  })

  it('what the double does not have it does not pretend to have', async () => {
    const settings = persistentSubscriptionToStreamSettingsFromDefaults()
    const unimplemented = 12
    await expect(client.createPersistentSubscriptionToStream('s', 'g', settings)).rejects.toMatchObject({
      code: unimplemented,
    })
    await expect(client.getProjectionStatus('p')).rejects.toMatchObject({ code: unimplemented })
    const toStream = client.subscribeToStream('s')
    await expect(new Promise((_, reject) => toStream.on('error', reject))).rejects.toThrow(
      'no subscriptions to single streams',
    )
  })

  it('an order that it does not know is refused', async () => {
    await expect(obey(double, { do: 'dance' } as never)).rejects.toThrow('dance')
    await expect(obey(double, { do: 'set', faults: { x: 1 } as never })).rejects.toThrow('x')
  })
})
