import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createStop, ManualClock } from '@almanac/engine'
import { expect, it } from 'vitest'
import type { Calls } from './calls.js'
import { TopicReader } from './reader.js'
import { encodeBatch } from './record-batch.js'
import type { Fetched } from './requests.js'

/** Buffers are given back a little after the collection that found them unused. */
const collectGarbage = async (): Promise<void> => {
  setFlagsFromString('--expose-gc')
  for (let round = 0; round < 4; round++) {
    runInNewContext('gc')()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const answers = 400
const bytesOfAnswer = 100_000

/** One leader that has one record more each time that it is asked; nobody leads in the first `leaderless` looks. */
const calls = (leaderless = 0): Calls => {
  let offset = 0
  let looks = 0
  const fetched = (): Fetched => {
    const producer = { id: 1, epoch: 0, isTransactional: false }
    const bytes = encodeBatch([{ key: 'k', value: 'x'.repeat(bytesOfAnswer) }], producer, 0, 0)
    bytes.writeBigInt64BE(BigInt(offset), 0)
    offset += 1
    return { partition: 0, code: 0, stableOffset: offset, aborted: [], bytes }
  }
  const broker = {
    listOffsets: async () => ({ responses: [{ partitions: [{ partition: 0, offset: '0' }] }] }),
  }
  return {
    retrying: async (attempt: () => Promise<{ done: unknown }>) => (await attempt()).done,
    learn: async () => {},
    refresh: async () => {},
    partitionsOf: () => 1,
    // The first look finds out where the partition begins.
    leaderOf: () => (++looks > 1 && looks <= 1 + leaderless ? undefined : 1),
    node: async () => broker,
    ask: async () => [fetched()],
  } as unknown as Calls
}

const options = { maxWaitMs: 500, unreadableMs: 10_000, requestTimeoutMs: 5_000, refreshMs: 1e9, retryMs: 50 }

it('a reader lets go of what it has shown, however long it reads', async () => {
  const stop = createStop()
  const reader = new TopicReader('t', calls(), new ManualClock(0), options)
  await collectGarbage()
  const before = process.memoryUsage().arrayBuffers
  let shown = 0
  let kept = 0
  for await (const records of reader.read(new Map(), stop)) {
    shown += records.length
    if (shown < answers) continue
    await collectGarbage()
    kept = process.memoryUsage().arrayBuffers - before
    stop.stop()
  }
  expect(shown).toBe(answers)
  expect(kept).toBeLessThan((answers * bytesOfAnswer) / 4)
})

it('a reader goes on when the partition has a leader again', async () => {
  const clock = new ManualClock(0)
  const stop = createStop()
  const first = new TopicReader('t', calls(3), clock, options).read(new Map(), stop).next()
  await clock.advance(5_000)
  stop.stop()
  expect((await first).value).toHaveLength(1)
})

it('a reader tells that there is no leader', async () => {
  const clock = new ManualClock(0)
  const first = new TopicReader('t', calls(1e9), clock, options).read(new Map(), createStop()).next()
  const told = expect(first).rejects.toMatchObject({ code: 'unavailable' })
  await clock.advance(15_000)
  await told
})
