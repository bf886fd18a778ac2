import { KafkaTransactionLog, parseKafka } from '@almanac/adapters/kafka'
import { systemClock } from '@almanac/adapters/system'
import type { SendOutcome, Transactor } from '@almanac/adapters/transactions'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { RealBroker, type RealSubject } from './conformance/real-subject.js'
import { patiently } from './conformance/wire-broker.js'

let real: RealBroker
let subject: RealSubject
let topic: string
let id: string
let endsBefore: number
const holders: Transactor[] = []

beforeAll(async () => {
  real = await RealBroker.start()
})
afterAll(() => real.stop())

beforeEach(async () => {
  subject = real.subject()
  topic = `${subject.prefix}t`
  id = `${subject.prefix}a`
  endsBefore = real.ends.length
  await subject.createTopic(topic, {
    partitions: 1,
    cleanup: { policy: 'delete', retentionMs: 3_600_000 },
    timestamps: 'LogAppendTime',
  })
})

afterEach(async () => {
  real.proxy.heal()
  for (const holder of holders.splice(0)) await holder.close()
  await subject.close()
})

async function takeOver(): Promise<Transactor> {
  const log = new KafkaTransactionLog({
    connection: parseKafka(real.bootstrap),
    clock: systemClock(),
    options: { requestTimeoutMs: 800, deadlineMs: 4000 },
  })
  const holder = await log.takeOver(id)
  holders.push(holder)
  return holder
}

const send = (holder: Transactor, value: string): Promise<SendOutcome> =>
  holder.send([{ topic, partition: 0, key: value, value }])

/** How it ended: the outcome, or the code of the fault. */
const outcomeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.catch((fault: { readonly code?: string }) => fault.code ?? String(fault))

/** As a reader has it who does not go through the proxy. */
async function committed(): Promise<readonly string[]> {
  const answer = await subject.broker.fetch({ topic, partition: 0 }, 0, 'read_committed')
  if (!answer.ok) throw new Error(answer.error)
  return answer.value.records.map(({ value }) => value)
}

const ends = () => real.ends.slice(endsBefore)

describe('an end of a transaction', () => {
  it('reaches the broker, which commits, and its answer is lost (E7)', async () => {
    const old = await takeOver()
    await send(old, 'tick')
    const fault = real.proxy.faults.loseAnswer({ api: 'EndTxn', transactionalId: id })
    expect(await outcomeOf(old.commit())).toBe('outcome_unknown')
    expect(fault.hits).toBe(1)
    expect(ends()).toEqual(['OK'])
    const holder = await takeOver()
    expect(await committed()).toEqual(['tick'])
    await send(holder, 'next')
    expect(await holder.commit()).toBe('committed')
    await patiently('both', async () => (await committed()).length === 2)
    expect(await committed()).toEqual(['tick', 'next'])
  })

  it('is lost with the connection, and nothing is committed', async () => {
    const old = await takeOver()
    await send(old, 'tick')
    real.proxy.faults.loseRequest({ api: 'EndTxn' }, { thenResets: true })
    expect(await outcomeOf(old.commit())).toBe('outcome_unknown')
    await takeOver()
    expect(ends()).toEqual([])
    expect(await committed()).toEqual([])
  })

  it('is delayed until a new epoch has begun, and refused, although its sender has gone (E10)', async () => {
    const old = await takeOver()
    await send(old, 'stale')
    const held = real.proxy.faults.holdRequest({ api: 'EndTxn', transactionalId: id })
    expect(await outcomeOf(old.commit())).toBe('outcome_unknown')
    await old.close()
    const holder = await takeOver()
    await send(holder, 'open')
    expect(ends()).toEqual([])
    held.end()
    await patiently('the late answer', async () => ends().length === 1)
    expect(ends()).toEqual(['INVALID_PRODUCER_EPOCH'])
    expect(await committed()).toEqual([])
    await send(holder, 'open still')
    expect(await holder.commit()).toBe('committed')
    await patiently('both', async () => (await committed()).length === 2)
    expect(await committed()).toEqual(['open', 'open still'])
  })
})

describe('other requests', () => {
  it('lose the answer of a Produce: the broker knows the batch again, and has it once', async () => {
    const holder = await takeOver()
    const fault = real.proxy.faults.loseAnswer({ api: 'Produce', transactionalId: id })
    expect(await outcomeOf(send(holder, 'tick'))).toMatchObject({ outcome: 'sent' })
    expect(fault.hits).toBe(1)
    expect(await holder.commit()).toBe('committed')
    await takeOver()
    expect(await committed()).toEqual(['tick'])
  })

  it('lose the answer of a take-over: it is asked for again', async () => {
    const fault = real.proxy.faults.loseAnswer({ api: 'InitProducerId', transactionalId: id })
    const holder = await takeOver()
    expect(fault.hits).toBe(1)
    await send(holder, 'tick')
    expect(await holder.commit()).toBe('committed')
  })
})

describe('a link', () => {
  it('that is slow and narrow changes no outcome', async () => {
    real.proxy.changeLink({ latencyMs: 20, jitterMs: 20, bytesPerSecond: 64_000 })
    const holder = await takeOver()
    for (const value of ['one', 'two', 'three']) {
      expect((await send(holder, value)).outcome).toBe('sent')
      expect(await holder.commit()).toBe('committed')
    }
    await patiently('all three', async () => (await committed()).length === 3)
    expect(await committed()).toEqual(['one', 'two', 'three'])
  })

  it('that swallows answers leaves a commit in doubt, and the log tells what became of it', async () => {
    const old = await takeOver()
    await send(old, 'stale')
    real.proxy.changeLink({ blackhole: 'to-client' })
    expect(await outcomeOf(old.commit())).toBe('outcome_unknown')
    real.proxy.heal()
    const holder = await takeOver()
    await send(holder, 'next')
    expect(await holder.commit()).toBe('committed')
    await patiently('both', async () => (await committed()).length === 2)
    expect(await committed()).toEqual(['stale', 'next'])
  })

  it('that is cut ends what was open, and the next holder goes on', async () => {
    const old = await takeOver()
    await send(old, 'lost')
    real.proxy.cut()
    real.proxy.changeLink({ refusesNew: true })
    expect(await outcomeOf(takeOver())).toBe('unavailable')
    expect(await outcomeOf(old.commit())).not.toBe('committed')
    real.proxy.heal()
    const holder = await takeOver()
    await send(holder, 'next')
    expect(await holder.commit()).toBe('committed')
    await patiently('one', async () => (await committed()).length === 1)
    expect(await committed()).toEqual(['next'])
  })
})
