import type { RecordedEvent, StoredEvent } from '@almanac/domain'
import { createStop } from '@almanac/engine'
import { eventLogContract } from '@almanac/engine/contracts/event-log'
import { describe, expect, it } from 'vitest'
import { SimProcess, SimWorld } from '../world/index.js'
import { EventLogService, SimEventLog } from './index.js'
import { pumpedWorld } from './services.spec-support.js'

eventLogContract('simulated', async () => {
  const { world, process, close } = pumpedWorld()
  return { log: new SimEventLog(process, new EventLogService(world)), close }
})

eventLogContract('simulated, with a slow disk and pages that come late', async () => {
  const { world, process, close } = pumpedWorld()
  const service = new EventLogService(world)
  Object.assign(service.faults, { flushMs: 20, lateAnswerMs: 20 })
  service.slowFor(process.name, 50)
  return { log: new SimEventLog(process, service), close }
})

const event = (id: string): StoredEvent => ({
  id,
  type: 'Happened',
  version: 1,
  data: { list: [id] },
  metadata: { namespace: 'n', actor: 'a', at: 1, correlationId: 'c', previousHash: '' },
})

function made(seed = 1) {
  const world = new SimWorld({ seed })
  Object.assign(world.network.defaults, { latencyMs: 1, jitterMs: 0 })
  const service = new EventLogService(world)
  const logOf = (name: string) => new SimEventLog(new SimProcess(world, name), service)
  const ids = () => service.all().map(({ id }) => id)
  /** Runs until the promise has settled, at most ten minutes; how it did. */
  const outcome = async <T>(promise: Promise<T>): Promise<T | string> => {
    let result: { readonly is: T | string } | undefined
    promise.then(
      (is) => {
        result = { is }
      },
      (fault: { code: string }) => {
        result = { is: fault.code }
      },
    )
    for (let n = 0; n < 600 && result === undefined; n++) await world.runFor(1_000)
    return result?.is ?? 'never'
  }
  return { world, service, log: logOf('a'), logOf, ids, outcome }
}

describe('the event log service', () => {
  it('has appended what the writer gets no answer for', async () => {
    const { world, log, ids, outcome } = made()
    world.network.link('a', 'log').answerLoss = 1
    expect(await outcome(log.append('s', 'none', [event('x')]))).toBe('outcome_unknown')
    expect(ids()).toEqual(['x'])
    world.network.heal()
    expect(await outcome(log.append('s', 'none', [event('x')]))).toMatchObject({ outcome: 'appended' })
    expect(ids()).toEqual(['x'])
  })

  it('shows nobody what is not on its disk', async () => {
    const { world, log, logOf, service, outcome } = made()
    service.faults.flushMs = 1_000_000
    const written = log.append('s', 'none', [event('x')])
    await world.runFor(100)
    const other = logOf('b')
    expect(await outcome(other.head())).toBe(0)
    expect(await outcome(other.readStream('s'))).toEqual([])
    expect(await outcome(other.readAll(0, 10))).toEqual({ events: [], position: 0 })
    expect(service.all()).toEqual([])
    expect(await outcome(written)).toBe('outcome_unknown')
  })

  it('loses in a crash only what it has acknowledged to nobody, from the end, whole appends', async () => {
    const lost: number[] = []
    for (let seed = 0; seed < 40; seed++) {
      const { world, log, service, ids } = made(seed)
      service.faults.flushMs = 100
      const acknowledged: string[] = []
      const write = async (n: number) => {
        const batch = [event(`${n}-0`), event(`${n}-1`)]
        await log.append(`s-${n}`, 'none', batch)
        acknowledged.push(`${n}-0`, `${n}-1`)
      }
      for (let n = 0; n < 10; n++) world.after(15 * n, () => void write(n).catch(() => {}))
      world.after(120, () => service.crash(5_000))
      await world.runFor(1_000)
      const kept = ids()
      expect(kept).toEqual(expect.arrayContaining(acknowledged))
      expect(kept).toEqual(Array.from({ length: kept.length }, (_, i) => `${Math.floor(i / 2)}-${i % 2}`))
      expect(kept.length % 2).toBe(0)
      lost.push(16 - kept.length)
    }
    expect(Math.max(...lost)).toBeGreaterThan(0)
    expect(new Set(lost).size).toBeGreaterThan(3)
  })

  it('takes appends again after a crash, at the place of what was lost', async () => {
    const { world, log, service, ids, outcome } = made(3)
    service.faults.flushMs = 1_000_000
    const first = outcome(log.append('s', 'none', [event('x')]))
    world.after(500, () => service.crash(100))
    expect(await first).toBe('outcome_unknown')
    service.heal()
    const isKept = ids().length === 1
    const again = await outcome(log.append('s', 'none', [event('y')]))
    expect(again).toMatchObject({ outcome: isKept ? 'conflict' : 'appended' })
  })

  it('throws storage_full while its disk is full, and reads go on', async () => {
    const { log, service, outcome } = made()
    await outcome(log.append('s', 'none', [event('x')]))
    service.faults.isFull = true
    expect(await outcome(log.append('s', 0, [event('y')]))).toBe('storage_full')
    expect(await outcome(log.head())).toBe(1)
    service.heal()
    expect(await outcome(log.append('s', 0, [event('y')]))).toMatchObject({ outcome: 'appended' })
  })

  it('answers old reads to one process for a while', async () => {
    const { world, log, logOf, service, outcome } = made()
    for (let n = 0; n < 5; n++) await outcome(log.append(`s-${n}`, 'none', [event(`${n}`)]))
    service.staleFor('a', 2, 60_000)
    await outcome(log.append('s-5', 'none', [event('5')]))
    expect(await outcome(log.head())).toBe(3)
    expect(await outcome(log.readStream('s-3'))).toEqual([])
    expect(await outcome(log.readAll(3, 10))).toEqual({ events: [], position: 3 })
    expect(await outcome(logOf('b').head())).toBe(6)
    await world.runFor(60_000)
    expect(await outcome(log.head())).toBe(6)
  })

  it('gives all readers events that nobody can change', async () => {
    const { log, outcome } = made()
    const mine = event('x')
    const written = log.append('s', 'none', [mine])
    Object.assign(mine, { id: 'changed after the call' })
    await outcome(written)
    const [read] = (await outcome(log.readStream('s'))) as RecordedEvent[]
    expect(read?.id).toBe('x')
    expect(() => Object.assign(read?.data as object, { list: [] })).toThrow(TypeError)
  })
})

describe('a subscription', () => {
  /** Follows until it breaks; what came, and how it ended. */
  const followed = (log: SimEventLog, after = 0) => {
    const stop = createStop()
    const seen = { ids: [] as string[], end: '' }
    const follow = async () => {
      for await (const page of log.follow(after, stop)) seen.ids.push(...page.events.map(({ id }) => id))
    }
    follow().then(
      () => {
        seen.end = 'stopped'
      },
      (fault: { code: string }) => {
        seen.end = fault.code
      },
    )
    return { seen, stop }
  }

  it('goes on for hours when nothing comes', async () => {
    const { world, log, outcome } = made()
    const { seen, stop } = followed(log)
    await world.runFor(7_200_000)
    await outcome(log.append('s', 'none', [event('x')]))
    expect(seen).toEqual({ ids: ['x'], end: '' })
    stop.stop()
    await world.runFor(1)
    expect(seen.end).toBe('stopped')
  })

  it.each([
    ['the service crashes', 1_000, (w: SimWorld, s: EventLogService) => w.after(500, () => s.crash(10))],
    [
      'the link is cut in silence',
      16_000,
      (w: SimWorld) =>
        w.after(500, () => {
          w.network.link('a', 'log').cut = 'silent'
        }),
    ],
  ])('throws unavailable when %s', async (_what, ms, fault) => {
    const { world, log, service } = made()
    const { seen } = followed(log)
    fault(world, service)
    await world.runFor(ms)
    expect(seen.end).toBe('unavailable')
  })

  it('is late for one process alone when it is slow', async () => {
    const { world, log, logOf, service } = made()
    const [slow, other] = [followed(log), followed(logOf('b'))]
    service.slowFor('a', 100_000)
    await world.runFor(100)
    void logOf('c').append('s', 'none', [event('x')])
    await world.runFor(100)
    expect([slow.seen.ids, other.seen.ids]).toEqual([[], ['x']])
  })

  it('may begin with what its reader has had', async () => {
    const { world, log, service, outcome } = made()
    for (let n = 0; n < 5; n++) await outcome(log.append(`s-${n}`, 'none', [event(`${n}`)]))
    service.faults.repeating = 1
    const { seen } = followed(log, 4)
    await world.runFor(100)
    expect(seen.ids.length).toBeGreaterThan(1)
    expect(seen.ids.at(-1)).toBe('4')
  })
})
