import { expect, it } from 'vitest'
import type { TransactionBench } from './transaction-bench.contract.js'

/** Long enough for anything that could be shown by mistake to be shown. */
const aWhileMs = 300

/** What readers of committed records see, and when. */
export const visibilityContract = (bench: () => TransactionBench): void => {
  records(bench)
  transactions(bench)
  stableOffset(bench)
}

const records = (bench: () => TransactionBench) => {
  it('shows a committed record as it was sent, and when it was appended', async () => {
    const topic = await bench().topic('runs')
    const reader = bench().read(topic)
    const holder = await bench().takeOver('a')
    const headers = { runId: 'r-1', name: 'ταsk ☾' }
    const record = { topic, partition: 2, key: 'k ü', value: '{"n":1,"text":"☾"}', headers }
    const sent = await bench().settled(holder.send([record]))
    expect(await bench().settled(holder.commit())).toBe('committed')
    await bench().until(() => reader.records.length > 0, 'the record')
    const appendedAt = sent.outcome === 'sent' ? sent.appendedAt : undefined
    expect(reader.records).toEqual([{ ...record, offset: expect.any(Number), appendedAt }])
  })

  it('keeps one key in one partition when it is the log that picks it', async () => {
    const topic = await bench().topic('runs')
    const reader = bench().read(topic)
    const holder = await bench().takeOver('a')
    const sent = Array.from({ length: 60 }, (_, n) => ({ key: `key-${n % 12}`, value: `v-${n}` }))
    await bench().settled(holder.send(sent.map((record) => ({ topic, partition: null, ...record }))))
    await bench().settled(holder.commit())
    await bench().until(() => reader.records.length === 60, 'all of them')
    const places = new Set(reader.records.map(({ key, partition }) => `${key} in ${partition}`))
    expect(places.size).toBe(12)
    expect(new Set(reader.records.map(({ partition }) => partition)).size).toBeGreaterThan(1)
    const ofOneKey = reader.records.filter(({ key }) => key === 'key-3').map(({ value }) => value)
    expect(ofOneKey).toEqual(['v-3', 'v-15', 'v-27', 'v-39', 'v-51'])
  })

  it('counts round the partitions of the topic where the record says so, whatever its key', async () => {
    const topic = await bench().topic('runs')
    const reader = bench().read(topic)
    const holder = await bench().takeOver('a')
    const spreads = [0, 1, 2, 3, 1_001]
    const records = spreads.map((spread) => ({
      topic,
      partition: null,
      spread,
      key: 'k',
      value: `${spread}`,
    }))
    await bench().settled(holder.send(records))
    await bench().settled(holder.commit())
    await bench().until(() => reader.records.length === spreads.length, 'all of them')
    const placeOf = (spread: number) => reader.records.find(({ value }) => value === `${spread}`)?.partition
    expect([0, 1, 2, 3].map(placeOf)).toEqual([0, 1, 2, 3])
    expect(placeOf(1_001)).toBeLessThan(1_001)
  })

  it('shows what there is to a reader that comes late, then what comes', async () => {
    const topic = await bench().topic('runs')
    const holder = await bench().takeOver('a')
    await bench().write(holder, topic, 0, ['one', 'two'])
    const reader = bench().read(topic, bench().other())
    expect(await bench().before(reader, 'two')).toEqual(['one'])
    await bench().write(holder, topic, 0, ['three'])
    expect(await bench().before(reader, 'three')).toEqual(['one', 'two'])
  })

  it('begins where it is told to, partition by partition, and elsewhere at the earliest', async () => {
    const topic = await bench().topic('runs')
    const all = bench().read(topic)
    const holder = await bench().takeOver('a')
    await bench().write(holder, topic, 0, ['one', 'two', 'three'])
    await bench().write(holder, topic, 1, ['four'])
    await bench().until(() => all.records.length === 4, 'all of them')
    const second = all.records.find(({ value }) => value === 'two')
    const reader = bench().read(topic, bench().other(), new Map([[0, second?.offset ?? -1]]))
    await bench().until(() => reader.records.length === 3, 'the rest')
    await bench().write(holder, topic, 0, ['five'])
    expect(await bench().before(reader, 'five')).toEqual(['two', 'three'])
    expect(reader.values(1)).toEqual(['four'])
  })

  it('shows transactions in the order of their commits, at growing offsets', async () => {
    const topic = await bench().topic('runs')
    const reader = bench().read(topic)
    const holder = await bench().takeOver('a')
    const values = Array.from({ length: 20 }, (_, n) => `v-${n}`)
    for (const value of values) await bench().write(holder, topic, 1, [value])
    await bench().before(reader, 'v-19', 1)
    expect(reader.values(1)).toEqual(values)
    const offsets = reader.records.map(({ offset }) => offset)
    expect(offsets).toEqual([...new Set(offsets)].sort((a, b) => a - b))
  })
}

const transactions = (bench: () => TransactionBench) => {
  it('hides a pending transaction until it is committed (E1)', async () => {
    const topic = await bench().topic('runs')
    const reader = bench().read(topic)
    const holder = await bench().takeOver('a')
    await bench().send(holder, topic, 0, ['pending'])
    await bench().pass(aWhileMs)
    expect(reader.values()).toEqual([])
    expect(await bench().settled(holder.commit())).toBe('committed')
    expect(await bench().before(reader, 'pending')).toEqual([])
  })

  it('never shows an aborted transaction, and its holder goes on (E1)', async () => {
    const topic = await bench().topic('runs')
    const reader = bench().read(topic)
    const holder = await bench().takeOver('a')
    await bench().send(holder, topic, 0, ['aborted'])
    await bench().settled(holder.abort())
    await bench().write(holder, topic, 0, ['after'])
    expect(await bench().before(reader, 'after')).toEqual([])
    await bench().pass(aWhileMs)
    expect(reader.values()).toEqual(['after'])
  })

  it('commits several sends to several topics and partitions as one, or none of them', async () => {
    const [one, two] = [await bench().topic('runs'), await bench().topic('checkpoints')]
    const readers = [bench().read(one), bench().read(two)]
    const seen = () => readers.flatMap((reader) => reader.values()).sort()
    const holder = await bench().takeOver('a')
    const sendAll = async (mark: string) => {
      await bench().send(holder, one, 0, [`${mark}-1`])
      await bench().send(holder, one, 3, [`${mark}-2`])
      await bench().send(holder, two, 1, [`${mark}-3`, `${mark}-4`])
    }
    await sendAll('aborted')
    await bench().settled(holder.abort())
    await sendAll('kept')
    expect(await bench().settled(holder.commit())).toBe('committed')
    await bench().until(() => seen().length === 4, 'all four')
    await bench().pass(aWhileMs)
    expect(seen()).toEqual(['kept-1', 'kept-2', 'kept-3', 'kept-4'])
  })

  it('tells when each record was appended, not when the transaction was committed (E1)', async () => {
    const topic = await bench().topic('runs')
    const reader = bench().read(topic)
    const holder = await bench().takeOver('a')
    const first = await bench().send(holder, topic, 0, ['first'])
    await bench().pass(500)
    const second = await bench().send(holder, topic, 0, ['second'])
    await bench().pass(500)
    expect(await bench().settled(holder.commit())).toBe('committed')
    await bench().before(reader, 'second')
    if (first.outcome !== 'sent' || second.outcome !== 'sent') throw new Error('fenced by nobody')
    expect(reader.records.map(({ appendedAt }) => appendedAt)).toEqual([first.appendedAt, second.appendedAt])
    // A little less than 500: the log's clock need not run as the waiting one does.
    expect(second.appendedAt - first.appendedAt).toBeGreaterThan(400)
  })
}

const stableOffset = (bench: () => TransactionBench) => {
  it('shows nothing of a partition behind a pending transaction that may yet be committed (E4)', async () => {
    const topic = await bench().topic('runs')
    const reader = bench().read(topic)
    const [slow, quick] = [await bench().takeOver('slow'), await bench().takeOver('quick')]
    await bench().send(slow, topic, 0, ['earlier'])
    await bench().write(quick, topic, 0, ['later'])
    await bench().pass(aWhileMs)
    expect(reader.values()).toEqual([])
    expect(await bench().settled(slow.commit())).toBe('committed')
    expect(await bench().before(reader, 'later')).toEqual(['earlier'])
  })

  it('lets a pending transaction hold up no partition but its own (E4)', async () => {
    const topic = await bench().topic('runs')
    const reader = bench().read(topic)
    const [slow, quick] = [await bench().takeOver('slow'), await bench().takeOver('quick')]
    await bench().send(slow, topic, 0, ['pending'])
    await bench().write(quick, topic, 1, ['free'])
    expect(await bench().before(reader, 'free', 1)).toEqual([])
    expect(reader.values(0)).toEqual([])
  })
}
