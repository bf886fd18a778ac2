import { evolveWebhooks, type RecordedEvent, type Webhook, type WebhookSpec } from '@almanac/domain'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { memoryEventLog } from '../memory/event-log.js'
import { ManualClock } from '../memory/manual-clock.js'
import { memoryViewStore } from '../memory/view-store.js'
import { sampleRun } from '../ports/samples.contract.js'
import type { RunNews, WebhookCaller, WebhookProgress } from '../ports/webhook.js'
import { createStop } from '../stop.js'
import { Deliverer } from './deliverer.js'
import { DeliveryRecord, noProgress } from './record.js'
import { HostGates } from './sending.js'

const noon = Date.UTC(2026, 10, 26, 12)
const hour = 3_600_000
const day = 24 * hour

interface Sent {
  readonly id: string
  readonly stream: string
  /** Since the beginning. Milliseconds. */
  readonly at: number
}

/** One webhook, its receiver, and a clock that only the test moves. */
class World {
  readonly clock = new ManualClock(noon)
  readonly sent: Sent[] = []
  readonly disabled: string[] = []
  readonly news: RunNews[] = []
  saved: WebhookProgress | undefined
  webhook: Webhook | undefined
  asked = 0
  answer: (sent: Sent) => number | null | Promise<number | null> = () => 204
  private readonly log = memoryEventLog()
  private readonly views = memoryViewStore()
  private readonly revisions = new Map<string, number>()
  private running:
    | { readonly deliverer: Deliverer; kill(): Promise<void>; readonly ended: Promise<void> }
    | undefined

  constructor(events: WebhookSpec['events'] = ['task.*']) {
    const url = 'https://hooks.example/'
    const spec = { name: 'x', url, description: '', enabled: true, events, tasks: [], labels: {}, runs: null }
    const created = {
      id: 'w',
      type: 'WebhookCreated',
      version: 1,
      data: { webhookId: 'w', keyId: 'k', spec },
      metadata: this.metadata(),
      stream: 'webhooks',
      revision: 0,
      position: 0,
      hash: '',
    } satisfies RecordedEvent
    this.webhook = evolveWebhooks(undefined, created).webhooks.get('w')
  }

  start(): void {
    const stop = createStop()
    const life = { isAlive: true }
    const { clock, log, views, caller } = this
    const deliverer = new Deliverer(
      {
        clock,
        log,
        views,
        caller,
        hosts: new HostGates(),
        saveEveryMs: 1_000,
        random: { next: () => 0.5, token: () => 'x' },
        store: {
          load: async () => this.saved,
          peek: () => this.saved,
          save: async (_, progress) => {
            if (life.isAlive) this.saved = progress
          },
          remove: async () => {},
        },
        feed: {
          want: () => {},
          onNews: () => {},
          forget: async () => {},
          read: (after, max) => {
            const news = this.news.filter(({ place }) => place > after).slice(0, max)
            return { news, place: news.at(-1)?.place ?? after }
          },
        },
        onFault: (message, fault) => {
          throw new Error(message, { cause: fault })
        },
        disable: async (_, cause) => {
          this.disabled.push(cause)
          this.enable(false)
        },
      },
      () => {
        this.asked += 1
        if (this.asked > 100_000) throw new Error('it goes round and round')
        return this.webhook
      },
      new DeliveryRecord(this.saved ?? noProgress(0)),
    )
    const ended = deliverer.run(stop)
    const kill = async () => {
      life.isAlive = false
      stop.stop()
      await ended
    }
    this.running = { deliverer, kill, ended }
  }

  /** Nothing is saved any more, as if the process had been killed. */
  async kill(): Promise<void> {
    await this.running?.kill()
    this.running = undefined
  }

  get ended(): Promise<void> | undefined {
    return this.running?.ended
  }

  wake(): void {
    this.running?.deliverer.wake()
  }

  enable(enabled: boolean): void {
    const { webhook } = this
    const changedAt = this.clock.now()
    if (webhook !== undefined) this.webhook = { ...webhook, changedAt, spec: { ...webhook.spec, enabled } }
    this.wake()
  }

  /** Something happens to a task. */
  async happens(task: string): Promise<void> {
    const stream = `task-00-${task}`
    const revision = this.revisions.get(stream) ?? -1
    this.revisions.set(stream, revision + 1)
    const id = `${task}${revision + 1}`
    const event = { id, type: 'TaskChanged', version: 1, data: {}, metadata: this.metadata() }
    await this.log.append(stream, revision < 0 ? 'none' : revision, [event])
    const position = await this.log.head()
    const at = this.clock.now()
    this.views.apply({ position, at, tasks: [], schedules: [], calendars: [], markers: new Map() })
    this.wake()
  }

  /** The messages, each as its id and when it was sent, in seconds. */
  get told(): readonly (readonly [string, number])[] {
    return this.sent.map(({ id, at }) => [id.replace('msg_', ''), at / 1_000])
  }

  get ids(): readonly string[] {
    return this.told.map(([id]) => id)
  }

  private metadata() {
    const at = this.clock.now()
    return { namespace: 'default', actor: 'a', at, correlationId: 'c', previousHash: '' }
  }

  private readonly caller: WebhookCaller = {
    keyId: 'k',
    secretOf: () => '',
    problemOf: () => undefined,
    hostOf: (url) => url,
    post: async ({ message }) => {
      const { id, content } = message
      const stream = content.kind === 'event' ? content.event.stream.slice('task-00-'.length) : content.kind
      const sent = { id, stream, at: this.clock.elapsed() }
      this.sent.push(sent)
      const status = await this.answer(sent)
      return { status, retryAfterMs: null, error: status === 204 ? null : `answered ${status}`, ms: 1 }
    },
  }
}

let world: World
beforeEach(() => {
  world = new World()
})
afterEach(() => world.kill())

describe('a message', () => {
  it('is tried again under the same id, after longer and longer pauses', async () => {
    world.answer = () => (world.sent.length < 4 ? 500 : 204)
    world.start()
    await world.happens('a')
    await world.clock.advance(hour)
    expect(world.told).toEqual([
      ['a0', 0],
      ['a0', 5],
      ['a0', 20],
      ['a0', 65],
    ])
    expect(world.saved).toMatchObject({ position: 1, delivered: 1, failed: 3 })
    expect(world.saved?.deliveries).toMatchObject([{ id: 'msg_a0', status: 'delivered', attempts: 4 }])
  })

  it('waits for the one before it about the same task, and for no other', async () => {
    world.answer = ({ id }) => (id === 'msg_a0' && world.sent.length < 3 ? 500 : 204)
    world.start()
    await world.happens('a')
    await world.happens('a')
    await world.happens('b')
    await world.clock.advance(1_000)
    expect(world.ids).toEqual(['a0', 'b0'])
    expect(world.saved).toMatchObject({ position: 0, delivered: 1 })
    await world.clock.advance(hour)
    expect(world.ids).toEqual(['a0', 'b0', 'a0', 'a1'])
    expect(world.saved).toMatchObject({ position: 3, delivered: 3 })
  })

  it('is given up after twelve tries when others have got through since: the rest goes on', async () => {
    world.answer = ({ id }) => (id === 'msg_a0' ? 500 : 204)
    world.start()
    await world.happens('a')
    await world.happens('a')
    for (let passed = 0; passed < 2 * day; passed += hour) {
      await world.happens('b')
      await world.clock.advance(hour)
    }
    expect(world.ids.filter((id) => id === 'a0')).toHaveLength(12)
    expect(world.ids).toContain('a1')
    expect(world.saved).toMatchObject({ givenUp: 1 })
    expect(world.disabled).toEqual([])
  })
})

describe('a process that is killed', () => {
  it('sends again what may not have been saved, under the same id, and nothing that was', async () => {
    world.start()
    await world.happens('a')
    await world.clock.advance(2_000)
    await world.happens('b')
    await world.clock.advance(10)
    // The first is saved at once, the next within a second: that has not passed.
    await world.happens('c')
    await world.clock.advance(10)
    expect(world.ids).toEqual(['a0', 'b0', 'c0'])
    const { position = 0 } = world.saved ?? {}
    expect(position).toBeLessThan(3)
    await world.kill()
    await world.happens('d')
    world.start()
    await world.clock.advance(2_000)
    const again = ['a0', 'b0', 'c0'].slice(position)
    expect(world.ids).toEqual(['a0', 'b0', 'c0', ...again, 'd0'])
    expect(world.saved?.position).toBe(4)
  })

  it('goes on where it was with a message that failed', async () => {
    world.answer = ({ id }) => (id === 'msg_bad0' ? 500 : 204)
    world.start()
    await world.happens('bad')
    for (let n = 0; n < 60; n += 1) await world.happens(`a${n}`)
    await world.clock.advance(30_000)
    const before = world.ids.filter((id) => id === 'bad0').length
    expect(world.saved?.deliveries.filter(({ status }) => status === 'waiting')).toMatchObject([
      { attempts: before },
    ])
    await world.kill()
    world.start()
    await world.clock.advance(10_000)
    expect(world.ids.filter((id) => id === 'bad0')).toHaveLength(before)
    await world.clock.advance(60_000)
    const waiting = world.saved?.deliveries.filter(({ status }) => status === 'waiting')
    expect(waiting).toMatchObject([{ id: 'msg_bad0', attempts: before + 1 }])
  })

  it('loses none that was waiting behind others that got through', async () => {
    world.answer = ({ stream }) => (stream === 'bad' ? 500 : 204)
    world.start()
    await world.happens('bad')
    for (const task of ['a', 'b', 'c']) await world.happens(task)
    await world.clock.advance(10_000)
    await world.kill()
    const before = world.ids.length
    world.answer = () => 204
    world.start()
    await world.clock.advance(10_000)
    expect(world.ids.slice(before).toSorted()).toEqual(['a0', 'b0', 'bad0', 'c0'])
    expect(world.saved?.position).toBe(4)
  })
})

describe('a receiver', () => {
  it('that is down is told one message at a time', async () => {
    world.answer = () => null
    world.start()
    for (const task of ['a', 'b', 'c', 'd', 'e', 'f']) await world.happens(task)
    await world.clock.advance(4_000)
    expect(world.sent.length).toBeLessThanOrEqual(6)
    world.answer = () => 204
    await world.clock.advance(10 * hour)
    expect(new Set(world.ids).size).toBe(6)
    expect(world.saved).toMatchObject({ position: 6, delivered: 6, health: { failuresInRow: 0 } })
  })

  it('that is not heard for three days is given up, and told where it was when it is taken up again', async () => {
    world.answer = () => null
    world.start()
    await world.happens('a')
    await world.clock.advance(3 * day - 1)
    expect(world.disabled).toEqual([])
    await world.clock.advance(day)
    expect(world.disabled).toEqual(['failing'])
    const before = world.sent.length
    await world.happens('b')
    await world.clock.advance(day)
    expect(world.sent).toHaveLength(before)
    world.enable(true)
    // Still away: that is no reason to give it up at once.
    await world.clock.advance(day)
    expect(world.disabled).toEqual(['failing'])
    const again = world.sent.length
    expect(again).toBeGreaterThan(before)
    world.answer = () => 204
    await world.clock.advance(7 * hour)
    expect(world.ids.slice(again).toSorted()).toEqual(['a0', 'b0'])
  })

  it('that says that it is gone is told no more', async () => {
    world.answer = () => 410
    world.start()
    await world.happens('a')
    await world.clock.advance(hour)
    await world.happens('b')
    await world.clock.advance(hour)
    expect([world.disabled, world.ids]).toEqual([['gone'], ['a0']])
  })
})

describe('how far a webhook is', () => {
  it('is saved also when nothing that becomes of runs is asked for: what is kept for it can go', async () => {
    world = new World(['run.failed'])
    world.start()
    const run = { ...runRecord, status: 'succeeded' as const, finishedAt: noon }
    world.news.push({ place: 20_000, at: noon, run })
    world.wake()
    await world.clock.advance(2_000)
    expect(world.sent).toEqual([])
    expect(world.saved).toMatchObject({ runPosition: 20_000 })
  })

  it('is waited for no more when the webhook is gone, though a message was on its way', async () => {
    let release = (_: number) => {}
    world.answer = () => new Promise<number>((resolve) => (release = resolve))
    world.start()
    await world.happens('a')
    await world.clock.advance(5_000)
    world.webhook = undefined
    release(500)
    await world.clock.advance(60_000)
    expect(world.asked).toBeLessThan(1_000)
  })
})

const runRecord = {
  command: sampleRun('r'),
  attempt: 1,
  worker: null,
  startedAt: noon,
  notBefore: null,
  leaseExpiresAt: null,
  error: null,
  cancelRequested: false,
}
