import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EventStoreLog, parseEventStore } from '@almanac/adapters/eventstore'
import { systemClock, systemRandom } from '@almanac/adapters/system'
import type { StoredEvent } from '@almanac/domain'
import {
  type AppendResult,
  createStop,
  type EventLog,
  type ExpectedRevision,
  PortFault,
} from '@almanac/engine'
import { eventLogContract } from '@almanac/engine/contracts/event-log'
import { type EventStoreDoubleServer, startEventStoreDouble } from '@almanac/infra'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

// Goal: the event log on a server that is a process of its own, and dies. Method: the double is killed, frozen and
// told to be at fault while writers and followers go on; what was acknowledged must be there, once, and be followed
// in order.
// With ALMANAC_TEST_EVENTSTORE=esdb://... a real server is held to the same contract.

let folder: string
let server: EventStoreDoubleServer
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'almanac-eventstore-'))
  server = await startEventStoreDouble({ folder })
})
afterAll(async () => {
  await server.stop()
  await rm(folder, { recursive: true, force: true })
})

let made = 0
const run = `t${process.pid}-${Date.now().toString(36)}`

/** A log of its own in a store that others use too. */
const logAt = (connectionString: string, prefix = `${run}-${made++}.`, deadlineMs = 5_000) =>
  new EventStoreLog({
    address: parseEventStore(connectionString),
    prefix,
    clock: systemClock(),
    random: systemRandom(),
    deadlineMs,
    silenceMs: 1_000,
    retryMs: 20,
    longestRetryMs: 200,
  })

const event = (id: string): StoredEvent => ({
  id,
  type: 'Happened',
  version: 1,
  data: { id, text: 'x'.repeat(150) },
  metadata: { namespace: 'n', actor: 'a', at: 1_700_000_000_000, correlationId: 'c', previousHash: '' },
})

const events = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, n) => event(`${prefix}-${n}`))

/** Appends until the outcome is known, as commands do. */
async function settled(
  log: EventLog,
  stream: string,
  expected: ExpectedRevision,
  list: readonly StoredEvent[],
): Promise<AppendResult> {
  for (;;) {
    try {
      return await log.append(stream, expected, list)
    } catch (fault) {
      if (!(fault instanceof PortFault)) throw fault
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

/** Follows until it has `count` events. */
async function followed(log: EventLog, count: number, after = 0): Promise<readonly string[]> {
  const stop = createStop()
  const ids: string[] = []
  for await (const page of log.follow(after, stop)) {
    ids.push(...page.events.map(({ id }) => id))
    if (ids.length >= count) break
  }
  return ids
}

eventLogContract('EventStoreDB, the double as a process', async () => {
  const log = logAt(server.connectionString)
  return { log, close: () => log.close() }
})

describe('a server that dies', () => {
  it('with kill -9 in the middle: what was acknowledged is there, once, and followers go on', async () => {
    const prefix = `${run}-killed.`
    const [log, watcher] = [logAt(server.connectionString, prefix), logAt(server.connectionString, prefix)]
    const following = followed(watcher, 300)
    let appended = 0
    const writer = async (name: string) => {
      for (let n = 0; n < 50; n++) {
        const result = await settled(log, name, n === 0 ? 'none' : 2 * n - 1, events(`${name}-${n}`, 2))
        expect(result).toMatchObject({ outcome: 'appended', revision: 2 * n + 1 })
        appended += 1
      }
    }
    const writing = Promise.all(['a', 'b', 'c'].map(writer))
    for (const at of [20, 60, 100]) {
      await expect.poll(() => appended, { timeout: 30_000, interval: 1 }).toBeGreaterThan(at)
      await server.kill()
      server = await startEventStoreDouble({ folder, port: server.port })
    }
    await writing
    const ids = await following
    expect(new Set(ids).size).toBe(300)
    for (const name of ['a', 'b', 'c']) {
      const wanted = Array.from({ length: 50 }, (_, n) => [`${name}-${n}-0`, `${name}-${n}-1`]).flat()
      expect(ids.filter((id) => id.startsWith(`${name}-`))).toEqual(wanted)
      expect((await log.readStream(name)).map(({ id }) => id)).toEqual(wanted)
    }
    await Promise.all([log.close(), watcher.close()])
  })

  it('that stands still for a while: calls end in their time, then all goes on', async () => {
    const log = logAt(server.connectionString, undefined, 500)
    await log.append('s', 'none', [event('a')])
    const following = followed(log, 2)
    server.freeze()
    await expect(log.append('s', 0, [event('b')])).rejects.toMatchObject({ code: 'outcome_unknown' })
    await expect(log.head()).rejects.toMatchObject({ code: 'unavailable' })
    server.thaw()
    expect(await settled(log, 's', 0, [event('b')])).toMatchObject({ outcome: 'appended', revision: 1 })
    expect(await following).toEqual(['a', 'b'])
    await log.close()
  })

  it('that does what it is told over its standard input', async () => {
    const log = logAt(server.connectionString, undefined, 500)
    await log.append('s', 'none', [event('a')])
    await server.order({ do: 'set', faults: { dropAnswers: 1 } })
    await expect(log.append('s', 0, [event('b')])).rejects.toMatchObject({ code: 'outcome_unknown' })
    expect(await log.append('s', 0, [event('b')])).toMatchObject({ outcome: 'appended', revision: 1 })
    await expect(server.order({ do: 'set', faults: { nonsense: 1 } })).rejects.toThrow('nonsense')
    await server.order({ do: 'foreign', stream: 'others', count: 100 })
    expect((await log.readAll(await log.head(), 10)).events).toEqual([])
    await log.close()
  })
})

const real = process.env.ALMANAC_TEST_EVENTSTORE

/** What a server must do with any number of processes, real or not. */
const manyProcesses = (name: string, connectionString: () => string) => {
  describe(`several processes on ${name}`, () => {
    it('that append to one stream at once: one is first, the others are told', async () => {
      const prefix = `${run}-${made++}.`
      const logs = Array.from({ length: 4 }, () => logAt(connectionString(), prefix))
      for (let n = 0; n < 10; n++) {
        const tries = logs.map((log, i) => log.append('s', n === 0 ? 'none' : n - 1, [event(`${n}-${i}`)]))
        const results = await Promise.all(tries)
        expect(results.filter(({ outcome }) => outcome === 'appended')).toHaveLength(1)
        expect(results.filter(({ outcome }) => outcome === 'conflict')).toHaveLength(3)
      }
      await Promise.all(logs.map((log) => log.close()))
    })

    it('follow 10 000 events of theirs in one order', async () => {
      const prefix = `${run}-${made++}.`
      const logs = Array.from({ length: 2 }, () => logAt(connectionString(), prefix))
      const following = logs.map((log) => followed(log, 10_000))
      for (let n = 0; n < 50; n++) {
        await Promise.all(logs.map((log, i) => log.append(`s-${i}-${n}`, 'none', events(`${i}-${n}`, 100))))
      }
      const [one, other] = await Promise.all(following)
      expect(new Set(one).size).toBe(10_000)
      expect(other).toEqual(one)
      await Promise.all(logs.map((log) => log.close()))
    })
  })
}

manyProcesses('the double', () => server.connectionString)

if (real === undefined) {
  process.stderr.write('No real EventStoreDB was tried: ALMANAC_TEST_EVENTSTORE names none.\n')
} else {
  eventLogContract('EventStoreDB, a real server', async () => {
    const log = logAt(real)
    return { log, close: () => log.close() }
  })
  manyProcesses('a real server', () => real)
}
