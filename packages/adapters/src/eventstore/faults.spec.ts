import { createStop } from '@almanac/engine'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Bench, event, events, Follower, idsOf, outcomeOf } from './event-log.fixture.js'

// Goal: what the adapter says of an append is true, and a follower misses and doubles nothing, whatever the server
// and its connection do. Method: the double's faults, one at a time; what the log holds is read from the double.

let bench: Bench
beforeEach(() => {
  bench = new Bench()
})
afterEach(() => bench.close())

const patient = { timeout: 20_000 }
/** A deadline that is waited for in the test. */
const impatient = { deadlineMs: 400, silenceMs: 200 }

describe('an append', () => {
  it.each([
    ['whose answer is lost', 'dropAnswers'],
    ['that is cut off before its answer', 'cutAfterApply'],
    ['that the server gives up, and has appended', 'timeoutAfterApply'],
  ] as const)('%s is unknown, and is answered when it is made again: one event', async (_what, fault) => {
    const double = await bench.double()
    const log = bench.log(double.connectionString, impatient)
    await log.append('s', 'none', [event('first')])
    double.faults[fault] = 1
    expect(await outcomeOf(log.append('s', 0, [event('a')]))).toBe('outcome_unknown')
    const again = await log.append('s', 0, [event('a')])
    const stream = await log.readStream('s')
    expect(idsOf(stream)).toEqual(['first', 'a'])
    expect(again).toMatchObject({ outcome: 'appended', revision: 1, positions: [stream[1]?.position] })
  })

  it('that a busy server has not looked at is unavailable, and appended by nobody', async () => {
    const double = await bench.double()
    const log = bench.log(double.connectionString)
    double.faults.tooBusy = 1
    expect(await outcomeOf(log.append('s', 'none', [event('a')]))).toBe('unavailable')
    expect(await log.readStream('s')).toEqual([])
  })

  it('while the server is down is unavailable, and works when it is back', async () => {
    const double = await bench.double()
    const { port } = double
    const log = bench.log(double.connectionString)
    await log.append('s', 'none', [event('a')])
    await double.stop()
    // This one may have been sent before the end of the connection was heard of.
    const sent = await outcomeOf(log.append('s', 0, [event('b')]))
    expect(['outcome_unknown', 'unavailable']).toContain(sent)
    expect(await outcomeOf(log.append('s', 0, [event('b')]))).toBe('unavailable')
    expect(await outcomeOf(log.head())).toBe('unavailable')
    await bench.double({ port })
    expect(await log.append('s', 'none', [event('c')])).toMatchObject({ outcome: 'appended' })
  })

  it('to a server that never was there is unavailable', async () => {
    const log = bench.log('esdb://127.0.0.1:1?tls=false')
    expect(await outcomeOf(log.append('s', 'none', [event('a')]))).toBe('unavailable')
    const cluster = bench.log('esdb+discover://127.0.0.1:1?tls=false', impatient)
    expect(await outcomeOf(cluster.append('s', 'none', [event('a')]))).toBe('unavailable')
  })

  it('that is repeated says where its events are, even when the server does not', async () => {
    const double = await bench.double()
    const log = bench.log(double.connectionString)
    const one = await log.append('s', 'none', [event('a')])
    const three = await log.append('s', 0, events('b', 3))
    const check = async () => {
      expect(await log.append('s', 'none', [event('a')])).toEqual(one)
      expect(await log.append('s', 0, events('b', 3))).toEqual(three)
    }
    double.faults.repeatsWithoutPosition = true
    await check()
    // Nor even that they are there.
    double.faults.forgetsRepeats = true
    await check()
    expect(await log.append('s', 0, events('b', 2))).toMatchObject({ outcome: 'appended', revision: 2 })
    expect(await log.append('s', 0, events('c', 3))).toEqual({ outcome: 'conflict', actual: 3 })
    expect(await log.append('s', 0, events('b', 4))).toEqual({ outcome: 'conflict', actual: 3 })
    expect(await log.append('s', 'none', [event('b-0')])).toMatchObject({ outcome: 'conflict' })
  })

  it('larger than the server takes is refused for good, here or there', async () => {
    const double = await bench.double({ maxAppendSize: 10_000 })
    const large = event('large', 'x'.repeat(11_000))
    for (const maxAppendSize of [10_000, 1_000_000]) {
      const log = bench.log(double.connectionString, { maxAppendSize })
      const refused = log.append('s', 'none', [large])
      await expect(refused).rejects.toMatchObject({ code: 'unavailable', retryable: false })
      expect(await log.append('s', 'none', [event('small')])).toMatchObject({ outcome: 'appended' })
    }
  })

  it('to a stream that somebody has ended for ever is refused for good', async () => {
    const double = await bench.double()
    const log = bench.log(double.connectionString)
    await log.append('s', 'none', [event('a')])
    await double.log.tombstone('almanac.s', 0)
    const refused = log.append('s', 0, [event('b')])
    await expect(refused).rejects.toMatchObject({ code: 'unavailable', retryable: false })
  })

  it('with data that JSON does not have is refused before it is sent', async () => {
    const double = await bench.double()
    const log = bench.log(double.connectionString)
    await expect(log.append('s', 'none', [event('a', () => 0)])).rejects.toThrow('no data')
    expect(await log.head()).toBe(0)
  })

  it('of one process is not touched by a broken connection of another in the same process', async () => {
    const [one, other] = [await bench.double(), await bench.double()]
    const [here, there] = [bench.log(one.connectionString), bench.log(other.connectionString)]
    await here.append('s', 'none', [event('a')])
    await there.append('s', 'none', [event('a')])
    other.faults.answerDelayMs = 300
    const pending = there.append('s', 0, [event('b')])
    one.faults.cutAfterApply = 1
    expect(await outcomeOf(here.append('s', 0, [event('b')]))).toBe('outcome_unknown')
    expect(await pending).toMatchObject({ outcome: 'appended', revision: 1 })
  })
})

describe('a server that hangs', () => {
  it('is given up by each call in its time, and is well again when it answers', async () => {
    const double = await bench.double()
    const log = bench.log(double.connectionString, impatient)
    await log.append('s', 'none', [event('a')])
    double.faults.hang()
    expect(await outcomeOf(log.append('s', 0, [event('b')]))).toBe('outcome_unknown')
    expect(await outcomeOf(log.head())).toBe('unavailable')
    expect(await outcomeOf(log.readStream('s'))).toBe('unavailable')
    expect(await outcomeOf(log.readAll(0, 10))).toBe('unavailable')
    double.faults.release()
    expect(await log.append('s', 0, [event('b')])).toMatchObject({ outcome: 'appended', revision: 1 })
    expect(idsOf(await log.readStream('s'))).toEqual(['a', 'b'])
  })

  it('is noticed by a follower, which reports it and goes on afterwards', async () => {
    const double = await bench.double()
    const log = bench.log(double.connectionString, impatient)
    const writer = bench.log(double.connectionString)
    const follower = new Follower(log)
    await writer.append('s', 'none', [event('a')])
    await follower.has(1)
    double.faults.hang()
    await expect.poll(() => bench.faults.length, patient).toBeGreaterThan(1)
    double.faults.release()
    await writer.append('s', 0, [event('b')])
    await follower.has(2)
    expect(follower.ids).toEqual(['a', 'b'])
    await follower.end()
  })
})

describe('a subscription', () => {
  it('that has gone silent while everything else is well is opened anew', async () => {
    const double = await bench.double()
    const log = bench.log(double.connectionString, { ...impatient, deadlineMs: 1_000 })
    const follower = new Follower(log)
    await log.append('s', 'none', [event('a')])
    await follower.has(1)
    double.faults.silenceSubscriptions()
    await log.append('s', 0, [event('b')])
    await follower.has(2)
    expect(follower.ids).toEqual(['a', 'b'])
    expect(bench.faults).toEqual([expect.stringContaining('does not send them')])
    await follower.end()
  })

  it('that is silent because nothing comes is left alone', async () => {
    const double = await bench.double()
    const log = bench.log(double.connectionString, { silenceMs: 20 })
    const follower = new Follower(log)
    await new Promise((resolve) => setTimeout(resolve, 200))
    await log.append('s', 'none', [event('a')])
    await follower.has(1)
    expect(bench.faults).toEqual([])
    await follower.end()
  })

  it('is opened again when the connection breaks, again and again: nothing missed, nothing twice', async () => {
    const double = await bench.double()
    const follower = new Follower(bench.log(double.connectionString))
    const writer = bench.log(double.connectionString)
    for (let n = 0; n < 8; n++) {
      const appending = writer.append(`s-${n}`, 'none', events(`e-${n}`, 3))
      if (n % 2 === 1) await double.disconnectAll()
      if ((await outcomeOf(appending)) === 'outcome_unknown' || n % 2 === 1) {
        await writer.append(`s-${n}`, 'none', events(`e-${n}`, 3))
      }
    }
    await follower.has(24)
    expect(follower.ids).toEqual(Array.from({ length: 8 }, (_, n) => idsOf(events(`e-${n}`, 3))).flat())
    await follower.end()
  })

  it('begins at an event of others that has been scavenged since, and misses nothing of ours', async () => {
    const double = await bench.double({ systemEventEvery: 1_000 })
    const log = bench.log(double.connectionString)
    await log.append('s', 'none', [event('a')])
    await double.log.append('others', -2, [foreign('x'), foreign('y')])
    const place = double.log.last
    await log.append('s', 0, [event('b')])
    await log.append('s', 1, [event('c')])
    await double.log.append('$$others', -2, [foreign('{"$maxCount":1}')])
    await double.log.append('others', -2, [foreign('z')])
    expect(await double.log.scavenge()).toBeGreaterThanOrEqual(2)
    const follower = new Follower(log, place)
    await follower.has(2)
    expect(follower.ids).toEqual(['b', 'c'])
    await follower.end()
  })

  it('moves on over events of others', async () => {
    const double = await bench.double()
    const log = bench.log(double.connectionString)
    await log.append('s', 'none', [event('a')])
    const follower = new Follower(log)
    await follower.has(1)
    for (let n = 0; n < 30; n++) {
      await double.log.append(
        'others',
        -2,
        Array.from({ length: 100 }, () => foreign('x')),
      )
    }
    await follower.until(() => (follower.positions.at(-1) ?? 0) > (follower.events[0]?.position ?? 0))
    expect(follower.ids).toEqual(['a'])
    await follower.end()
  })

  it('ends at once with its stop, while it waits to connect', async () => {
    const log = bench.log('esdb://127.0.0.1:1?tls=false', { retryMs: 100_000, longestRetryMs: 100_000 })
    const follower = new Follower(log)
    await expect.poll(() => bench.faults.length, patient).toBe(1)
    await follower.end()
    expect(follower.ids).toEqual([])
  })
})

const foreign = (text: string) => ({
  id: crypto.randomUUID(),
  type: 'Foreign',
  isJson: true,
  data: Buffer.from(text),
  metadata: new Uint8Array(),
})

it('a follower ends at once with its stop, while the server hangs', async () => {
  const double = await bench.double()
  double.faults.hang()
  const follower = new Follower(bench.log(double.connectionString, { deadlineMs: 100_000 }))
  const later = new Follower(bench.log(double.connectionString, { deadlineMs: 100_000 }), 5_000)
  await new Promise((resolve) => setTimeout(resolve, 50))
  await Promise.all([follower.end(), later.end()])
  expect(follower.ids).toEqual([])
})

describe('others in the same store', () => {
  it('do not show in the head, and do not keep it from being reached', async () => {
    const double = await bench.double()
    const log = bench.log(double.connectionString)
    await double.log.append(
      'others',
      -2,
      Array.from({ length: 2_000 }, () => foreign('x')),
    )
    expect(await log.head()).toBe(0)
    const appended = await log.append('s', 'none', [event('a')])
    await double.log.append(
      'others',
      -2,
      Array.from({ length: 2_000 }, () => foreign('x')),
    )
    const head = await log.head()
    expect(appended).toMatchObject({ position: head })
    expect(await log.readAll(0, 100)).toMatchObject({ position: head, events: [{ id: 'a' }] })
    expect(await log.readAll(head, 100)).toEqual({ events: [], position: head })
  })

  it('are clusters with a prefix of their own', async () => {
    const double = await bench.double()
    const one = bench.log(double.connectionString, { prefix: 'one.' })
    const two = bench.log(double.connectionString, { prefix: 'two.' })
    const follower = new Follower(two)
    await one.append('s', 'none', events('one', 3))
    expect(await two.head()).toBe(0)
    await two.append('s', 'none', events('two', 3))
    await follower.has(3)
    expect([follower.ids, idsOf(await one.readStream('s'))]).toEqual([
      ['two-0', 'two-1', 'two-2'],
      ['one-0', 'one-1', 'one-2'],
    ])
    await follower.end()
  })

  it('have deleted a stream of ours by hand: its end is not taken for an event', async () => {
    const double = await bench.double()
    const log = bench.log(double.connectionString)
    await log.append('s', 'none', [event('a')])
    await double.log.tombstone('almanac.s', 0)
    await log.append('t', 'none', [event('b')])
    const follower = new Follower(log)
    await follower.has(2)
    expect(follower.ids).toEqual(['a', 'b'])
    expect(idsOf((await log.readAll(0, 10)).events)).toEqual(['a', 'b'])
    await follower.end()
  })
})

describe('a cluster of servers', () => {
  const pair = async () => {
    const leader = await bench.double()
    const follower = await bench.double({ log: leader.log })
    follower.faults.leader = { host: leader.host, port: leader.port }
    return { leader, follower }
  }

  it('is followed to its leader', async () => {
    const { follower } = await pair()
    expect(await bench.log(follower.connectionString).head()).toBe(0)
    const log = bench.log(follower.connectionString)
    const tries = ['a', 'b', 'c'].map((id) => log.append(`s-${id}`, 'none', [event(id)]))
    for (const result of await Promise.all(tries)) expect(result).toMatchObject({ outcome: 'appended' })
    expect(await log.head()).toBeGreaterThan(0)
    expect(idsOf(await log.readStream('s-b'))).toEqual(['b'])
  })

  it('whose leader changes under load is followed: each event once', async () => {
    const { leader, follower } = await pair()
    const log = bench.log(leader.connectionString)
    const watching = new Follower(bench.log(leader.connectionString))
    const wanted = Array.from({ length: 40 }, (_, n) => `e-${n}`)
    for (const [n, id] of wanted.entries()) {
      if (n === 20) {
        follower.faults.leader = null
        leader.faults.leader = { host: follower.host, port: follower.port }
      }
      let result = await outcomeOf(log.append('s', n === 0 ? 'none' : n - 1, [event(id)]))
      while (typeof result === 'string') {
        result = await outcomeOf(log.append('s', n === 0 ? 'none' : n - 1, [event(id)]))
      }
      expect(result).toMatchObject({ outcome: 'appended', revision: n })
    }
    await watching.has(wanted.length)
    expect(watching.ids).toEqual(wanted)
    await watching.end()
  })

  it('whose old leader breaks with an append unanswered: it, and those at the new one, are answered', async () => {
    const { leader, follower } = await pair()
    const log = bench.log(leader.connectionString, { deadlineMs: 20_000 })
    leader.faults.answerDelayMs = 100_000
    const first = log.append('first', 'none', [event('a')])
    await expect.poll(() => leader.log.lastRevisionOf('almanac.first'), patient).toBe(0)
    follower.faults.leader = null
    follower.faults.answerDelayMs = 300
    leader.faults.leader = { host: follower.host, port: follower.port }
    expect(await log.head()).toBeGreaterThan(0)
    const second = log.append('second', 'none', [event('b')])
    await expect.poll(() => leader.log.lastRevisionOf('almanac.second'), patient).toBe(0)
    await leader.disconnectAll()
    expect([await first, await second]).toMatchObject([{ revision: 0 }, { revision: 0 }])
    expect(idsOf((await log.readAll(0, 10)).events)).toEqual(['a', 'b'])
  })

  it('without a leader that can be reached is unavailable', async () => {
    const double = await bench.double()
    double.faults.leader = { host: '127.0.0.1', port: 1 }
    const log = bench.log(double.connectionString)
    expect(await outcomeOf(log.append('s', 'none', [event('a')]))).toBe('unavailable')
    double.faults.leader = null
    expect(await log.readStream('s')).toEqual([])
  })

  it('is found through any of its nodes', async () => {
    const { leader, follower } = await pair()
    const hosts = [follower, leader].map(({ host, port }) => `${host}:${port}`)
    for (const address of [`esdb+discover://${hosts[0]}?tls=false`, `esdb://${hosts.join(',')}?tls=false`]) {
      const log = bench.log(address, { prefix: `p-${bench.logs.length}.` })
      expect(await log.append('s', 'none', [event('a')])).toMatchObject({ outcome: 'appended' })
      expect(await log.head()).toBeGreaterThan(0)
    }
  })

  it('whose leader was deposed and has not heard of it: the head never goes back behind what is known', async () => {
    const double = await bench.double()
    const log = bench.log(double.connectionString)
    await log.append('s', 'none', [event('a')])
    double.faults.frozenAt = double.log.last
    const later = await log.append('s', 0, [event('b')])
    expect(later).toMatchObject({ position: await log.head() })
    // Another process can't know: to it the old leader shows the old head, as servers do for a moment.
    expect(await bench.log(double.connectionString).head()).toBeLessThan(await log.head())
  })
})

it('two processes that append to one stream at once: one of them is first', async () => {
  const double = await bench.double()
  const logs = [bench.log(double.connectionString), bench.log(double.connectionString)]
  const all: string[] = []
  for (let n = 0; n < 20; n++) {
    const expected = n === 0 ? 'none' : n - 1
    const results = await Promise.all(logs.map((log, i) => log.append('s', expected, [event(`${n}-${i}`)])))
    const first = results.findIndex(({ outcome }) => outcome === 'appended')
    expect(results[1 - first]).toEqual({ outcome: 'conflict', actual: n })
    all.push(`${n}-${first}`)
  }
  expect(idsOf(await bench.log(double.connectionString).readStream('s'))).toEqual(all)
})

it('10 000 events are followed in order, while they are written', async () => {
  const double = await bench.double()
  const [log, other] = [bench.log(double.connectionString), bench.log(double.connectionString)]
  const follower = new Follower(log)
  for (let n = 0; n < 50; n++) {
    const batches = [log, other].map((each, i) =>
      each.append(`s-${n}-${i}`, 'none', events(`${n}-${i}`, 100)),
    )
    await Promise.all(batches)
  }
  await follower.has(10_000)
  const positions = follower.events.map(({ position }) => position)
  expect(positions).toEqual([...new Set(positions)].sort((a, b) => a - b))
  expect(follower.events).toHaveLength(10_000)
  expect((await log.readAll(0, 20_000)).events.map(({ position }) => position)).toEqual(positions)
  await follower.end()
})

it('a place beyond 2^53 - 1 ends what reads it, and is never rounded', async () => {
  const double = await bench.double({ positionOffset: 2n ** 53n })
  const log = bench.log(double.connectionString)
  await expect(log.append('s', 'none', events('a', 2))).rejects.toThrow('2^53')
  await expect(log.readStream('s')).rejects.toThrow('2^53')
  await expect(log.head()).rejects.toThrow('2^53')
  await expect(new Follower(log).ended).rejects.toThrow('2^53')
})

it('the server tells its time through the subscription, once for each append', async () => {
  const double = await bench.double()
  const told: (readonly [number, number, number])[] = []
  const log = bench.log(double.connectionString, {
    onServerTime: (...times) => told.push(times),
  })
  const follower = new Follower(log)
  const before = Date.now()
  await log.append('s', 'none', events('a', 3))
  await log.append('s', 'none', [event('loser')])
  await follower.has(3)
  expect(told).toHaveLength(1)
  const [[serverTime, askedAt, answeredAt] = [0, 0, 0]] = told
  expect(serverTime).toBeGreaterThanOrEqual(before)
  expect(askedAt).toBeLessThanOrEqual(answeredAt)
  await follower.end()
})

it('nothing is asked of a log that is closed', async () => {
  const double = await bench.double()
  const log = bench.log(double.connectionString)
  const stop = createStop()
  await log.append('s', 'none', [event('a')])
  await log.close()
  expect(await outcomeOf(log.head())).toBe('unavailable')
  expect(await outcomeOf(log.append('s', 0, [event('b')]))).toBe('unavailable')
  stop.stop()
})
