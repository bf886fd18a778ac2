import type { Checkpoint, RecordedEvent } from '@almanac/domain'
import { eventHash } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import { partitionHistoryOf } from '../genesis.js'
import { memoryEventLog } from '../memory/event-log.js'
import { ManualClock } from '../memory/manual-clock.js'
import type { EventLog } from '../ports/event-log.js'
import { outcomeUnknown, PortFault, unavailable } from '../ports/faults.js'
import { ProgressMirror } from './mirror.js'

const start = 1_700_000_000_000

const checkpoint = (term: number, seq: number): Checkpoint => ({
  seq,
  term,
  cursor: { at: start + seq, taskId: '' },
  position: 10 * seq,
  evaluatedAt: start + seq,
  more: false,
  engineVersion: '1',
  tzVersion: '2025c',
  runs: 0,
  skipped: 0,
  digest: '',
  previous: '',
})

function node(log: EventLog, nodeId = 'a', clock = new ManualClock(start)) {
  const faults: unknown[] = []
  const onFault = (_: string, fault: unknown) => faults.push(fault)
  return { mirror: new ProgressMirror({ log, clock, nodeId, onFault }), faults, clock }
}

/** A log whose next calls go wrong as told, and that keeps what it was asked. */
function faulty(log: EventLog) {
  const appends: { readonly id: string | undefined; readonly expected: unknown }[] = []
  const reads: number[] = []
  const next: ((write: () => Promise<unknown>) => Promise<void>)[] = []
  const wrapped: EventLog = {
    ...bound(log),
    append: async (stream, expected, events) => {
      appends.push({ id: events[0]?.id, expected })
      const write = () => log.append(stream, expected, events)
      await next.shift()?.(write)
      return write()
    },
    readStream: (stream, from = 0) => {
      reads.push(from)
      return log.readStream(stream, from)
    },
  }
  return { log: wrapped, appends, reads, next }
}

const bound = (log: EventLog): EventLog => ({
  append: log.append.bind(log),
  readStream: log.readStream.bind(log),
  readAll: log.readAll.bind(log),
  head: log.head.bind(log),
  follow: log.follow.bind(log),
})

const isChained = (events: readonly RecordedEvent[]): boolean =>
  events.every(({ metadata }, index) => {
    const before = events[index - 1]
    return metadata.previousHash === (before === undefined ? '' : eventHash(before))
  })

describe('the history of a partition', () => {
  it('begins once, and whoever comes later gets the same beginning', async () => {
    const log = memoryEventLog()
    expect(await partitionHistoryOf(log, 3, 'a', start)).toEqual({
      startedAt: start,
      mirrored: null,
      term: 0,
    })
    expect((await partitionHistoryOf(log, 3, 'b', start + 5_000)).startedAt).toBe(start)
    expect(await log.readStream('partition-3')).toMatchObject([
      { type: 'PartitionInitialized', data: { at: start }, metadata: { actor: 'a', previousHash: '' } },
    ])
  })

  it('begins once in a race, and both get what is stored', async () => {
    const log = memoryEventLog()
    const claimed = await Promise.all([
      partitionHistoryOf(log, 3, 'a', start + 7),
      partitionHistoryOf(log, 3, 'b', start),
      partitionHistoryOf(log, 3, 'b', start + 9),
    ])
    const stored = await log.readStream('partition-3')
    expect(stored).toHaveLength(1)
    expect(claimed.map(({ startedAt }) => startedAt)).toEqual(Array(3).fill(stored[0]?.metadata.at))
  })

  it('ends with the newest checkpoint that was mirrored, by term and number', async () => {
    const log = memoryEventLog()
    await partitionHistoryOf(log, 3, 'a', start)
    const { mirror } = node(log)
    await mirror.note(3, 2, 'takeover', null)
    await mirror.note(3, 2, 'interval', checkpoint(2, 9))
    await mirror.note(3, 2, 'interval', checkpoint(2, 8))
    expect(await partitionHistoryOf(log, 3, 'b', start)).toEqual({
      startedAt: start,
      mirrored: checkpoint(2, 9),
      term: 2,
    })
    await mirror.recovered(3, 4, checkpoint(3, 1))
    await mirror.note(3, 5, 'takeover', null)
    const { mirrored, term } = await partitionHistoryOf(log, 3, 'b', start)
    expect({ mirrored, term }).toEqual({ mirrored: checkpoint(3, 1), term: 5 })
  })
})

describe('ProgressMirror', () => {
  it('appends what it is told, each event with the hash of the one before', async () => {
    const log = memoryEventLog()
    await partitionHistoryOf(log, 3, 'a', start)
    const { mirror, faults } = node(log)
    await mirror.note(3, 1, 'takeover', null)
    await mirror.note(3, 1, 'interval', checkpoint(1, 1))
    await mirror.recovered(3, 2, checkpoint(1, 1))
    const events = await log.readStream('partition-3')
    expect(events.map(({ type, data }) => [type, data])).toEqual([
      ['PartitionInitialized', { at: start }],
      ['PartitionProgress', { cause: 'takeover', nodeId: 'a', term: 1, checkpoint: null }],
      ['PartitionProgress', { cause: 'interval', nodeId: 'a', term: 1, checkpoint: checkpoint(1, 1) }],
      ['PartitionRecovered', { nodeId: 'a', term: 2, checkpoint: checkpoint(1, 1) }],
    ])
    expect(isChained(events)).toBe(true)
    expect(new Set(events.map(({ id }) => id)).size).toBe(4)
    expect(faults).toEqual([])
  })

  it('reads one event of a stream that is new to it, and then only what others appended', async () => {
    const log = memoryEventLog()
    await partitionHistoryOf(log, 3, 'a', start)
    const a = faulty(log)
    const { mirror } = node(a.log)
    const other = node(log, 'b').mirror
    for (let seq = 1; seq <= 5; seq++) await other.note(3, 1, 'interval', checkpoint(1, seq))
    await mirror.note(3, 2, 'takeover', checkpoint(1, 5))
    expect(a.reads).toEqual([5])
    await mirror.note(3, 2, 'interval', checkpoint(2, 6))
    await mirror.note(3, 2, 'interval', checkpoint(2, 7))
    expect(a.reads).toEqual([5])
    await other.note(3, 3, 'takeover', checkpoint(2, 7))
    await mirror.note(3, 4, 'takeover', checkpoint(2, 7))
    expect(a.reads).toEqual([5, 9])
    const events = await log.readStream('partition-3')
    expect(events).toHaveLength(11)
    expect(isChained(events)).toBe(true)
  })

  it('keeps the chain when two nodes, and two notes of one node, come at once', async () => {
    const log = memoryEventLog()
    const a = node(log, 'a')
    const b = node(log, 'b')
    for (let round = 1; round <= 5; round++) {
      await Promise.all([
        a.mirror.note(3, 1, 'interval', checkpoint(1, 3 * round)),
        a.mirror.note(3, 1, 'interval', checkpoint(1, 3 * round + 1)),
        b.mirror.note(3, 1, 'interval', checkpoint(1, 3 * round + 2)),
      ])
    }
    const events = await log.readStream('partition-3')
    expect(events).toHaveLength(15)
    expect(isChained(events)).toBe(true)
    expect([...a.faults, ...b.faults]).toEqual([])
  })

  it('drops what an owner of an earlier term still has to say', async () => {
    const log = memoryEventLog()
    const a = node(log, 'a')
    const b = node(log, 'b')
    await a.mirror.note(3, 1, 'takeover', null)
    await b.mirror.note(3, 2, 'takeover', checkpoint(1, 4))
    await a.mirror.note(3, 1, 'interval', checkpoint(1, 3))
    await a.mirror.recovered(3, 1, checkpoint(1, 3))
    await node(log, 'c').mirror.note(3, 1, 'handover', checkpoint(1, 3))
    expect((await log.readStream('partition-3')).map(({ metadata }) => metadata.actor)).toEqual(['a', 'b'])
  })

  it('never goes back in time within a stream', async () => {
    const log = memoryEventLog()
    const { mirror, clock } = node(log)
    await node(log, 'b', new ManualClock(start + 5_000)).mirror.note(3, 1, 'takeover', null)
    await mirror.note(3, 2, 'takeover', null)
    await clock.advance(6_000)
    await mirror.note(3, 2, 'interval', null)
    clock.step(start)
    await mirror.note(3, 2, 'interval', null)
    const times = (await log.readStream('partition-3')).map(({ metadata }) => metadata.at - start)
    expect(times).toEqual([5_000, 5_000, 6_000, 6_000])
  })

  it('starts anew in a log that has been replaced by a shorter one', async () => {
    const logs = [memoryEventLog(), memoryEventLog(), memoryEventLog()]
    let current = 0
    const log = () => logs[current] ?? memoryEventLog()
    const { mirror, faults } = node({
      ...bound(log()),
      append: (...asked) => log().append(...asked),
      readStream: (...asked) => log().readStream(...asked),
    })
    for (const seq of [1, 2, 3]) await mirror.note(3, 1, 'interval', checkpoint(1, seq))
    current = 1
    await mirror.note(3, 1, 'interval', checkpoint(1, 4))
    current = 2
    await partitionHistoryOf(log(), 3, 'b', start)
    await mirror.note(3, 1, 'interval', checkpoint(1, 5))
    expect((await logs[1]?.readStream('partition-3'))?.length).toBe(1)
    expect((await logs[2]?.readStream('partition-3'))?.length).toBe(2)
    expect(faults).toEqual([])
  })
})

describe('when the log fails', () => {
  it('an append whose outcome is unknown is made again with the same id, and is there once', async () => {
    for (const isWritten of [true, false]) {
      const log = memoryEventLog()
      await partitionHistoryOf(log, 3, 'a', start)
      const { log: wrapped, appends, next } = faulty(log)
      const { mirror, faults, clock } = node(wrapped)
      await mirror.note(3, 1, 'takeover', null)
      next.push(async (write) => {
        if (isWritten) await write()
        await clock.advance(5_000)
        throw outcomeUnknown('no answer')
      })
      await mirror.note(3, 1, 'interval', checkpoint(1, 1))
      await mirror.note(3, 1, 'interval', checkpoint(1, 2))
      const events = await log.readStream('partition-3')
      expect(events).toHaveLength(4)
      expect(isChained(events)).toBe(true)
      const [asked, again] = appends.slice(-3)
      expect(again).toEqual(asked)
      expect(faults).toEqual([])
    }
  })

  it('another event in the place of one whose outcome was unknown makes it come after that', async () => {
    const log = memoryEventLog()
    const { log: wrapped, next } = faulty(log)
    const { mirror } = node(wrapped)
    await mirror.note(3, 1, 'takeover', null)
    next.push(async () => {
      await node(log, 'b').mirror.note(3, 1, 'interval', null)
      throw outcomeUnknown('no answer')
    })
    await mirror.note(3, 1, 'interval', checkpoint(1, 1))
    const events = await log.readStream('partition-3')
    expect(events.map(({ metadata }) => metadata.actor)).toEqual(['a', 'b', 'a'])
    expect(isChained(events)).toBe(true)
  })

  it('a note is dropped and told, and the next one finds its place', async () => {
    const log = memoryEventLog()
    const { log: wrapped, next } = faulty(log)
    const { mirror, faults } = node(wrapped)
    next.push(async () => {
      throw unavailable('no leader')
    })
    await mirror.note(3, 1, 'takeover', null)
    for (let n = 0; n < 8; n++) {
      next.push(async (write) => {
        await write()
        throw outcomeUnknown('no answer')
      })
    }
    await mirror.note(3, 1, 'interval', checkpoint(1, 1))
    expect(faults).toHaveLength(2)
    await mirror.note(3, 1, 'interval', checkpoint(1, 2))
    const events = await log.readStream('partition-3')
    expect(events).toHaveLength(2)
    expect(isChained(events)).toBe(true)
  })

  it('a recovery that can not be told throws the fault', async () => {
    const { log: wrapped, next } = faulty(memoryEventLog())
    const { mirror, faults } = node(wrapped)
    next.push(async () => {
      throw unavailable('no leader')
    })
    await expect(mirror.recovered(3, 2, checkpoint(1, 1))).rejects.toThrow('no leader')
    expect(faults).toEqual([])
  })

  it('anything but a fault of a port is not swallowed', async () => {
    const { log: wrapped, next } = faulty(memoryEventLog())
    next.push(async () => {
      throw new TypeError('a bug')
    })
    await expect(node(wrapped).mirror.note(3, 1, 'takeover', null)).rejects.toThrow('a bug')
  })

  it('a stream in which others are always first is given up after eight tries', async () => {
    const log: EventLog = {
      ...bound(memoryEventLog()),
      append: async () => ({ outcome: 'conflict', actual: 0 }),
    }
    const { mirror, faults } = node(log)
    await mirror.note(3, 1, 'takeover', null)
    expect(faults).toHaveLength(1)
    await expect(mirror.recovered(3, 1, checkpoint(1, 1))).rejects.toThrow(PortFault)
  })
})
