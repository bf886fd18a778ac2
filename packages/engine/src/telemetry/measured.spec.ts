import type { Checkpoint, StoredEvent } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import { memoryEventLog } from '../memory/event-log.js'
import type { CommitOutcome, DispatchLog } from '../ports/dispatch-log.js'
import type { EventLog } from '../ports/event-log.js'
import { outcomeUnknown, unavailable } from '../ports/faults.js'
import { MeasuredDispatchLog, MeasuredLeases, MeasuredLog, MeasuredMembership } from './measured.js'
import { RecordingTelemetry } from './recording-telemetry.spec-support.js'

const traceparent = `00-${'a1'.repeat(16)}-${'b1'.repeat(8)}-01`

const event = (id: string, traced = false): StoredEvent => ({
  id,
  type: 'ChangeAnnounced',
  version: 1,
  data: {},
  metadata: {
    namespace: 'default',
    actor: 'a',
    at: 1,
    correlationId: 'x',
    previousHash: '',
    ...(traced ? { traceparent } : {}),
  },
})

/** A clock on which each look takes 10 ms. */
function watched() {
  const telemetry = new RecordingTelemetry()
  let elapsed = 0
  const clock = {
    elapsed: () => {
      elapsed += 10
      return elapsed
    },
  }
  return { telemetry, clock }
}

describe('a measured event log', () => {
  it('answers as the log does, and tells how each append went', async () => {
    const watch = watched()
    const log = new MeasuredLog(memoryEventLog(), watch)
    expect(await log.append('cluster', 'none', [event('1'), event('2')])).toMatchObject({ revision: 1 })
    expect(await log.append('cluster', 'none', [event('3')])).toMatchObject({
      outcome: 'conflict',
      actual: 1,
    })
    expect(log.newest).toBe(2)
    expect(watch.telemetry.told).toEqual([
      { name: 'append_seconds', value: 0.01, labels: { outcome: 'appended' } },
      { name: 'events_appended_total', value: 2, labels: {} },
      { name: 'append_seconds', value: 0.01, labels: { outcome: 'conflict' } },
    ])
    expect(await log.readStream('cluster', 1)).toHaveLength(1)
    expect((await log.readAll(0, 10)).events).toHaveLength(2)
    expect(await log.head()).toBe(2)
  })

  it('makes an append a step of the trace of its command, and of no other', async () => {
    const watch = watched()
    const log = new MeasuredLog(memoryEventLog(), watch)
    await log.append('cluster', 'none', [event('1', true)])
    const named = () => watch.telemetry.named('append').filter(({ parent }) => parent !== undefined)
    expect(named()).toMatchObject([{ parent: traceparent, isEnded: true, failure: undefined }])
    await log.append('cluster', 0, [event('2')])
    expect(watch.telemetry.named('append')).toHaveLength(1)
  })

  it('lets faults through', async () => {
    const watch = watched()
    const faults = [unavailable('gone'), outcomeUnknown('lost'), new TypeError('broken')]
    const failing: Partial<EventLog> = {
      append: async () => {
        throw faults.shift()
      },
    }
    const log = new MeasuredLog(failing as EventLog, watch)
    await expect(log.append('s', 'none', [event('1', true)])).rejects.toThrow('gone')
    await expect(log.append('s', 'none', [event('1')])).rejects.toThrow('lost')
    await expect(log.append('s', 'none', [event('1')])).rejects.toThrow('broken')
    expect(watch.telemetry.told.map(({ labels }) => labels)).toEqual([
      { outcome: 'unavailable' },
      { outcome: 'outcome_unknown' },
      { outcome: 'failed' },
    ])
    expect(watch.telemetry.named('append')).toMatchObject([{ failure: 'unavailable', isEnded: true }])
  })
})

describe('a measured dispatch log', () => {
  it('answers as the log does, and tells how claims and commits went', async () => {
    const watch = watched()
    const outcomes: CommitOutcome[] = ['committed', 'early', 'fenced']
    const asked: unknown[] = []
    let isReleased = false
    const checkpoint = { seq: 4 } as Checkpoint
    const inner: DispatchLog = {
      claim: async (partition, termAbove) => {
        asked.push([partition, termAbove])
        if (partition === 9) throw unavailable('gone')
        return {
          partition,
          term: 7,
          checkpoint,
          commit: async () => outcomes.shift() ?? 'unknown',
          release: async () => {
            isReleased = true
          },
        }
      },
      seen: () => checkpoint,
      owner: () => ({ nodeId: 'n', term: 7 }),
      probe: async () => {},
    }
    const log = new MeasuredDispatchLog(inner, watch)
    await expect(log.claim(9)).rejects.toThrow('gone')
    const claim = await log.claim(3, 5)
    expect(asked).toEqual([
      [9, undefined],
      [3, 5],
    ])
    expect(claim).toMatchObject({ partition: 3, term: 7, checkpoint })
    const tick = { runs: [], skips: [], resets: [], next: checkpoint }
    expect([await claim.commit(tick), await claim.commit(tick), await claim.commit(tick)]).toEqual([
      'committed',
      'early',
      'fenced',
    ])
    await claim.release()
    expect(isReleased).toBe(true)
    expect([log.seen(3), log.owner(3)]).toEqual([checkpoint, { nodeId: 'n', term: 7 }])
    expect(watch.telemetry.told.map(({ name, labels }) => [name, labels])).toEqual([
      ['claim_seconds', { outcome: 'unavailable' }],
      ['claim_seconds', { outcome: 'claimed' }],
      ['commit_seconds', { outcome: 'committed' }],
      ['commit_seconds', { outcome: 'early' }],
      ['commit_seconds', { outcome: 'fenced' }],
    ])
  })
})

describe('measured leases', () => {
  it('are counted while they last', async () => {
    const watch = watched()
    const answers: ('held' | 'refused')[] = ['held', 'held', 'held', 'refused']
    const released: unknown[] = []
    const leases = new MeasuredLeases(
      {
        acquire: async () => answers.shift() ?? 'refused',
        release: async (...what) => {
          released.push(what)
        },
      },
      watch,
    )
    await leases.acquire(1, 'n', 5_000)
    await leases.acquire(2, 'n', 5_000)
    await leases.acquire(3, 'n', 15)
    expect(leases.count).toBe(2)
    await leases.acquire(2, 'n', 5_000)
    expect(leases.count).toBe(1)
    await leases.release(1, 'n')
    expect([leases.count, released]).toEqual([0, [[1, 'n']]])
    expect(watch.telemetry.told.map(({ labels }) => labels)).toEqual([
      { outcome: 'held' },
      { outcome: 'held' },
      { outcome: 'held' },
      { outcome: 'refused' },
    ])
  })
})

describe('a measured membership', () => {
  it('tells how renewals went', async () => {
    const watch = watched()
    const left: unknown[] = []
    const membership = new MeasuredMembership(
      {
        renew: async () => ({ outcome: 'taken', members: [], at: 5 }),
        leave: async (...who) => {
          left.push(who)
        },
      },
      watch,
    )
    expect(await membership.renew({} as never, 10)).toEqual({ outcome: 'taken', members: [], at: 5 })
    await membership.leave('n', 'i')
    expect(left).toEqual([['n', 'i']])
    expect(watch.telemetry.told).toEqual([
      { name: 'membership_renew_seconds', value: 0.01, labels: { outcome: 'taken' } },
    ])
  })
})
