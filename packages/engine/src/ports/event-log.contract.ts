import { eventHash, type RecordedEvent, type StoredEvent } from '@almanac/domain'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createStop } from '../stop.js'
import type { EventLog, EventPage } from './event-log.js'

/** An empty log, and how to let go of it. */
export interface EventLogFixture {
  readonly log: EventLog
  close(): Promise<void>
}

/** What every event log keeps, whatever it is made of. The factory gives a new and empty one each time. */
export const eventLogContract = (name: string, factory: () => Promise<EventLogFixture>): void => {
  describe(`event log: ${name}`, () => {
    let fixture: EventLogFixture
    beforeEach(async () => {
      fixture = await factory()
    })
    afterEach(() => fixture.close())
    const log = () => fixture.log

    describe('append', () => appending(log))
    describe('append again', () => appendingAgain(log))
    describe('readStream', () => readingStreams(log))
    describe('readAll', () => readingAll(log))
    describe('follow', () => following(log))
  })
}

const event = (id: string, data: unknown = { n: id }): StoredEvent => ({
  id,
  type: 'Happened',
  version: 1,
  data,
  metadata: {
    namespace: 'default',
    actor: 'tester',
    at: 1_700_000_000_000,
    correlationId: 'c',
    previousHash: '',
  },
})

const events = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => event(`${prefix}-${index}`))

const idsOf = (list: readonly { readonly id: string }[]) => list.map(({ id }) => id)

/** Reads page by page until the head, as a projection does. */
const allOf = async (log: EventLog, max: number, prefixes?: readonly string[]) => {
  const found: RecordedEvent[] = []
  const head = await log.head()
  let position = 0
  while (position < head) {
    const page = await log.readAll(position, max, prefixes && { streamPrefixes: prefixes })
    expect(page.events.length).toBeLessThanOrEqual(max)
    expect(page.position).toBeGreaterThan(position)
    found.push(...page.events)
    position = page.position
  }
  return found
}

const appending = (log: () => EventLog) => {
  it('starts a stream at revision 0 and answers the places of the events', async () => {
    await log().append('s-other', 'none', events('o', 2))
    const appended = await log().append('s-a', 'none', events('a', 3))
    const positions = (await log().readStream('s-a')).map(({ position }) => position)
    const position = await log().head()
    expect(appended).toEqual({ outcome: 'appended', revision: 2, position, positions })
    expect(positions.at(-1)).toBe(position)
    expect(await log().append('s-a', 'none', events('a', 3))).toEqual(appended)
  })

  it('goes on from the expected revision', async () => {
    await log().append('s-a', 'none', events('a', 2))
    expect(await log().append('s-a', 1, [event('b')])).toMatchObject({ outcome: 'appended', revision: 2 })
  })

  it('conflicts, and writes nothing, when the stream exists and must not', async () => {
    await log().append('s-a', 'none', events('a', 2))
    expect(await log().append('s-a', 'none', [event('x')])).toEqual({ outcome: 'conflict', actual: 1 })
    expect(await log().readStream('s-a')).toHaveLength(2)
  })

  it('conflicts when the stream does not exist and must', async () => {
    expect(await log().append('s-a', 0, [event('x')])).toEqual({ outcome: 'conflict', actual: 'none' })
    expect(await log().head()).toBe(0)
  })

  it('conflicts when the expected revision is behind or ahead', async () => {
    await log().append('s-a', 'none', events('a', 3))
    expect(await log().append('s-a', 1, [event('x')])).toEqual({ outcome: 'conflict', actual: 2 })
    expect(await log().append('s-a', 3, [event('y')])).toEqual({ outcome: 'conflict', actual: 2 })
  })

  it('lets exactly one of many writers that expect the same revision win', async () => {
    await log().append('s-a', 'none', [event('first')])
    const tries = Array.from({ length: 40 }, (_, n) => log().append('s-a', 0, [event(`rival-${n}`)]))
    const results = await Promise.all(tries)
    const won = results.flatMap((result, n) => (result.outcome === 'appended' ? [`rival-${n}`] : []))
    expect(won).toHaveLength(1)
    for (const result of results) if (result.outcome === 'conflict') expect(result.actual).toBe(1)
    expect(idsOf(await log().readStream('s-a'))).toEqual(['first', ...won])
  })

  it('keeps a batch together and in order among concurrent writers', async () => {
    const streams = Array.from({ length: 20 }, (_, n) => `s-${n}`)
    await Promise.all(streams.map((stream) => log().append(stream, 'none', events(stream, 4))))
    const all = await allOf(log(), 7)
    expect(all).toHaveLength(80)
    for (let start = 0; start < 80; start += 4) {
      const batch = all.slice(start, start + 4)
      expect(new Set(batch.map(({ stream }) => stream)).size).toBe(1)
      expect(batch.map(({ revision }) => revision)).toEqual([0, 1, 2, 3])
    }
  })

  it('gives back what was appended, deeply equal', async () => {
    const data = {
      text: 'Ünïcödé \u2028 𝄞 "quoted"',
      list: [1, -0.5, null, true, { deep: [] }],
      big: 2 ** 53 - 1,
    }
    const full: StoredEvent = {
      ...event('full', data),
      version: 3,
      metadata: {
        namespace: 'ns',
        actor: 'a',
        reason: 'because',
        at: 42,
        correlationId: 'co',
        causationId: 'ca',
        idempotencyKey: 'key',
        fingerprint: 'print',
        previousHash: 'ff',
      },
    }
    await log().append('s-a', 'none', [full])
    expect(await log().readStream('s-a')).toEqual([
      { ...full, stream: 's-a', revision: 0, position: await log().head(), hash: eventHash(full) },
    ])
  })
}

const appendingAgain = (log: () => EventLog) => {
  it('answers the same batch at the same revision as the first time', async () => {
    await log().append('s-a', 'none', events('a', 2))
    const first = await log().append('s-a', 1, events('b', 2))
    await log().append('s-a', 3, [event('later')])
    await log().append('s-other', 'none', [event('other')])
    expect(await log().append('s-a', 1, events('b', 2))).toEqual(first)
    expect(idsOf(await log().readStream('s-a'))).toEqual(['a-0', 'a-1', 'b-0', 'b-1', 'later'])
  })

  it('appends a batch once when it is handed in many times at once', async () => {
    const tries = Array.from({ length: 10 }, () => log().append('s-a', 'none', events('a', 3)))
    const results = await Promise.all(tries)
    expect(new Set(results.map((result) => JSON.stringify(result))).size).toBe(1)
    expect(results[0]).toMatchObject({ outcome: 'appended', revision: 2 })
    expect(await log().readStream('s-a')).toHaveLength(3)
  })

  it('conflicts when only a part of the batch is there', async () => {
    await log().append('s-a', 'none', [event('a'), event('b')])
    expect(await log().append('s-a', 'none', [event('a'), event('c')])).toEqual({
      outcome: 'conflict',
      actual: 1,
    })
    expect(await log().append('s-a', 'none', [event('a'), event('b'), event('c')])).toEqual({
      outcome: 'conflict',
      actual: 1,
    })
    expect(await log().readStream('s-a')).toHaveLength(2)
  })
}

const readingStreams = (log: () => EventLog) => {
  it('is empty for a stream that does not exist', async () => {
    expect(await log().readStream('nobody')).toEqual([])
  })

  it('starts at the given revision', async () => {
    await log().append('s-a', 'none', events('a', 5))
    expect(idsOf(await log().readStream('s-a', 3))).toEqual(['a-3', 'a-4'])
    expect(await log().readStream('s-a', 5)).toEqual([])
  })

  it('keeps streams apart whose names start alike', async () => {
    await log().append('s-a', 'none', [event('a')])
    await log().append('s-ab', 'none', [event('ab')])
    expect(idsOf(await log().readStream('s-a'))).toEqual(['a'])
  })
}

const readingAll = (log: () => EventLog) => {
  it('is empty, at the position asked for, in an empty log', async () => {
    expect(await log().readAll(0, 10)).toEqual({ events: [], position: 0 })
    expect(await log().head()).toBe(0)
  })

  it('pages through the whole log once, in order of strictly growing positions', async () => {
    await log().append('s-a', 'none', events('a', 5))
    await log().append('s-b', 'none', events('b', 5))
    for (const max of [1, 3, 10, 1000]) {
      const all = await allOf(log(), max)
      expect(idsOf(all)).toEqual([...idsOf(events('a', 5)), ...idsOf(events('b', 5))])
      expect(all.every(({ position }, n) => n === 0 || position > (all[n - 1]?.position ?? 0))).toBe(true)
      expect(all.at(-1)?.position).toBe(await log().head())
    }
  })

  it('ends a full page at its last event', async () => {
    await log().append('s-a', 'none', events('a', 4))
    const page = await log().readAll(0, 2)
    expect(page.position).toBe(page.events[1]?.position)
  })

  it('passes only streams with one of the prefixes, and says how far it has read', async () => {
    await log().append('task-0a-x', 'none', events('x', 2))
    await log().append('task-0b-y', 'none', events('y', 2))
    await log().append('schedule-z', 'none', events('z', 2))
    await log().append('task-0a-w', 'none', events('w', 2))
    await log().append('%_', 'none', events('wild', 1))
    const read = async (...prefixes: string[]) => idsOf(await allOf(log(), 3, prefixes))
    expect(await read('task-0a-')).toEqual(['x-0', 'x-1', 'w-0', 'w-1'])
    expect(await read('task-0a-', 'schedule-')).toEqual(['x-0', 'x-1', 'z-0', 'z-1', 'w-0', 'w-1'])
    expect(await read('task-')).toEqual(['x-0', 'x-1', 'y-0', 'y-1', 'w-0', 'w-1'])
    expect(await read('%')).toEqual(['wild-0'])
    expect(await read('nothing-')).toEqual([])
    expect(await read()).toEqual([])
  })

  it('does not stand still at events that the filter keeps back', async () => {
    await log().append('s-a', 'none', events('a', 50))
    const page = await log().readAll(0, 5, { streamPrefixes: ['other-'] })
    expect(page).toEqual({ events: [], position: await log().head() })
  })

  it('has at its head everything that was acknowledged before', async () => {
    const result = await log().append('s-a', 'none', events('a', 3))
    expect(result.outcome === 'appended' && result.position <= (await log().head())).toBe(true)
  })
}

/** Reads pages until `count` events have come. */
const take = async (log: EventLog, after: number, count: number): Promise<readonly RecordedEvent[]> => {
  const stop = createStop()
  const found: RecordedEvent[] = []
  for await (const page of log.follow(after, stop)) {
    found.push(...page.events)
    if (found.length >= count) break
  }
  stop.stop()
  return found
}

const following = (log: () => EventLog) => {
  it('gives what there is, from the position on', async () => {
    await log().append('s-a', 'none', events('a', 5))
    const [, second] = await log().readStream('s-a')
    expect(idsOf(await take(log(), second?.position ?? 0, 3))).toEqual(['a-2', 'a-3', 'a-4'])
  })

  it('then gives what comes', async () => {
    await log().append('s-a', 'none', [event('early')])
    const taken = take(log(), 0, 3)
    await log().append('s-a', 0, [event('later')])
    await log().append('s-b', 'none', [event('last')])
    expect(idsOf(await taken)).toEqual(['early', 'later', 'last'])
  })

  it('misses and doubles nothing while many append, for each of several followers', async () => {
    const streams = Array.from({ length: 100 }, (_, n) => `s-${n}`)
    const followers = [take(log(), 0, 300), take(log(), 0, 300)]
    for (let start = 0; start < streams.length; start += 10) {
      const some = streams.slice(start, start + 10)
      await Promise.all(some.map((stream) => log().append(stream, 'none', events(stream, 2))))
      followers.push(take(log(), 0, 300))
      await Promise.all(some.map((stream) => log().append(stream, 1, [event(`${stream}-2`)])))
    }
    const all = idsOf(await allOf(log(), 1000))
    for (const follower of followers) expect(idsOf(await follower)).toEqual(all)
  })

  it('ends when stop fires while it waits', async () => {
    const stop = createStop()
    const pages: EventPage[] = []
    await log().append('s-a', 'none', [event('a')])
    const done = (async () => {
      for await (const page of log().follow(0, stop)) {
        pages.push(page)
        // Fires when the follower has gone back to waiting.
        void Promise.resolve().then(() => stop.stop())
      }
    })()
    await done
    expect(pages).toHaveLength(1)
  })

  it('gives nothing after stop', async () => {
    await log().append('s-a', 'none', [event('a')])
    const stop = createStop()
    stop.stop()
    for await (const _page of log().follow(0, stop)) throw new Error('A page came after stop.')
  })
}
