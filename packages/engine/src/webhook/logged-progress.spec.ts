import { webhookStream } from '@almanac/domain'
import { beforeEach, describe, expect, it } from 'vitest'
import { memoryEventLog } from '../memory/event-log.js'
import { ManualClock } from '../memory/manual-clock.js'
import type { EventLog } from '../ports/event-log.js'
import { outcomeUnknown } from '../ports/faults.js'
import type { Delivery, WebhookProgress } from '../ports/webhook.js'
import { LoggedWebhookProgress } from './logged-progress.js'
import { noProgress } from './record.js'

let log: EventLog
let clock: ManualClock
beforeEach(() => {
  log = memoryEventLog()
  clock = new ManualClock(1_000)
})
const storeOf = (nodeId: string, own: EventLog = log) =>
  new LoggedWebhookProgress({ log: own, clock, nodeId })
const at = (position: number): WebhookProgress => ({ ...noProgress(position), delivered: position })
const told = async () =>
  (await log.readStream(webhookStream('w'))).map(({ type, metadata, data }) => [
    type,
    metadata.actor,
    (data as { readonly progress: WebhookProgress | null }).progress?.position ?? null,
  ])

describe('how far a webhook is', () => {
  it('is found by the node that goes on with it, and by those that only show it', async () => {
    const [a, b, shows] = [storeOf('a'), storeOf('b'), storeOf('c')]
    expect(await a.load('w')).toBeUndefined()
    await a.save('w', at(5))
    await a.save('w', at(7))
    expect(await b.load('w')).toEqual(at(7))
    await b.save('w', at(9))
    for (const event of await log.readStream(webhookStream('w'))) shows.apply(event)
    expect(shows.peek('w')).toEqual(at(9))
    expect(await told()).toEqual([
      ['WebhookProgressed', 'a', null],
      ['WebhookProgressed', 'a', 5],
      ['WebhookProgressed', 'a', 7],
      ['WebhookProgressed', 'b', 9],
    ])
  })

  it('does not go back by a node that was overtaken, and does by none that was only late', async () => {
    const [a, b] = [storeOf('a'), storeOf('b')]
    await a.load('w')
    await a.save('w', at(5))
    await b.load('w')
    await b.save('w', at(9))
    await a.save('w', at(6))
    expect(await storeOf('c').load('w')).toEqual(at(9))
    await a.save('w', at(12))
    await b.save('w', at(10))
    expect(await storeOf('c').load('w')).toEqual(at(12))
  })

  it('is written once when it is not known whether it was', async () => {
    let isLost = true
    const flaky: EventLog = {
      append: async (...asked) => {
        const result = await log.append(...asked)
        if (!isLost) return result
        isLost = false
        throw outcomeUnknown('the answer was lost')
      },
      readStream: (...asked) => log.readStream(...asked),
      readAll: (...asked) => log.readAll(...asked),
      head: () => log.head(),
      follow: (...asked) => log.follow(...asked),
    }
    const store = storeOf('a', flaky)
    await store.load('w')
    isLost = true
    await store.save('w', at(3))
    expect(await told()).toHaveLength(2)
  })

  it('is read without what came before, however much that is', async () => {
    const a = storeOf('a')
    await a.load('w')
    for (let position = 1; position <= 50; position += 1) await a.save('w', at(position))
    let read = 0
    const counting: EventLog = {
      append: (...asked) => log.append(...asked),
      readStream: async (...asked) => {
        const events = await log.readStream(...asked)
        read += events.length
        return events
      },
      readAll: (...asked) => log.readAll(...asked),
      head: () => log.head(),
      follow: (...asked) => log.follow(...asked),
    }
    expect(await storeOf('b', counting).load('w')).toEqual(at(50))
    expect(read).toBe(1)
  })

  it('keeps what waits before what is through', async () => {
    const delivery = (n: number, status: Delivery['status']): Delivery => ({
      id: `msg_${n}`,
      type: 'task.created',
      subject: 't',
      source: { kind: 'event', stream: 's', revision: n },
      status,
      attempts: 3,
      firstAt: n,
      lastAt: n,
      lastStatus: 500,
      lastError: null,
      lastMs: 1,
      nextAt: null,
    })
    const deliveries = Array.from({ length: 40 }, (_, n) =>
      delivery(40 - n, n === 39 ? 'waiting' : 'delivered'),
    )
    const a = storeOf('a')
    await a.load('w')
    await a.save('w', { ...at(1), deliveries })
    const kept = (await storeOf('b').load('w'))?.deliveries ?? []
    expect([kept.length, kept.at(-1)?.id, kept[0]?.id]).toEqual([20, 'msg_1', 'msg_40'])
  })
})
