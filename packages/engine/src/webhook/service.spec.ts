import type { RecordedEvent, WebhookSpec } from '@almanac/domain'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { RunIntake } from '../intake/types.js'
import { memoryEventLog } from '../memory/event-log.js'
import { ManualClock } from '../memory/manual-clock.js'
import { SeededRandom } from '../memory/seeded-random.js'
import { memoryViewStore } from '../memory/view-store.js'
import type { RunFeed } from '../ports/webhook.js'
import { createStop } from '../stop.js'
import { LiveWebhooks } from './book.js'
import { WebhookService } from './service.js'

const noon = Date.UTC(2026, 10, 26, 12)

/** A service whose webhooks, and what is its own of them, the test decides. */
class World {
  readonly clock = new ManualClock(noon)
  readonly wanted: boolean[] = []
  readonly loaded: string[] = []
  readonly removed: string[] = []
  readonly faults: string[] = []
  readonly ours = new Set(['w', 'a', 'b'])
  isBroken = false
  private readonly log = memoryEventLog()
  private readonly book: LiveWebhooks
  private readonly stop = createStop()
  private readonly running: Promise<void>
  private revision = 0

  constructor() {
    const { clock, log, ours } = this
    const onFault = (message: string) => void this.faults.push(message)
    this.book = new LiveWebhooks({ log, clock, retryMs: 1_000, onFault })
    const runFeed: RunFeed = {
      want: (isWanted) => void (this.wanted.at(-1) === isWanted || this.wanted.push(isWanted)),
      read: (after) => {
        if (this.isBroken) throw new TypeError('a bug')
        return { news: [], place: after }
      },
      onNews: () => {},
      forget: async () => {},
    }
    const progress = {
      load: async (webhookId: string) => void this.loaded.push(webhookId),
      save: async () => {},
      remove: async (webhookId: string) => void this.removed.push(webhookId),
      peek: () => undefined,
    }
    // Nothing comes for as long as it may be waited for.
    const intake = { lease: ({ waitMs }: { readonly waitMs: number }) => clock.sleep(waitMs).then(() => []) }
    const caller = {
      keyId: 'k',
      secretOf: () => '',
      problemOf: () => undefined,
      hostOf: (url: string) => url,
      post: async () => ({ status: 204, retryAfterMs: null, error: null, ms: 1 }),
    }
    const service = new WebhookService({
      adapters: { caller, runFeed },
      sharing: { progress, saveEveryMs: 1_000, isOurs: (id) => ours.has(id), askEveryMs: 1_000 },
      book: this.book,
      commands: { disable: () => Promise.reject(new Error('nothing fails')) } as never,
      intake: intake as unknown as RunIntake,
      log,
      views: memoryViewStore(),
      clock,
      random: new SeededRandom(1),
      onFault,
    })
    this.running = service.run(this.stop)
  }

  async happens(type: string, data: object): Promise<void> {
    const metadata = { namespace: 'default', actor: 'a', at: noon, correlationId: 'c', previousHash: '' }
    const place = { stream: 'webhooks', revision: this.revision, position: this.revision + 1, hash: '' }
    const event = { id: `e${this.revision}`, type, version: 1, data, metadata, ...place }
    this.book.apply(event satisfies RecordedEvent)
    this.revision += 1
    await this.clock.advance(1)
  }

  created(webhookId: string, changes: Partial<WebhookSpec> = {}): Promise<void> {
    return this.happens('WebhookCreated', { webhookId, keyId: 'k', spec: { ...spec, ...changes } })
  }

  async end(): Promise<void> {
    this.stop.stop()
    await this.clock.advance(60_000)
    await this.running
  }
}

const spec: WebhookSpec = {
  name: 'x',
  url: 'https://hooks.example/',
  description: '',
  enabled: true,
  events: ['task.*'],
  tasks: [],
  labels: {},
  runs: null,
}

let world: World
beforeEach(() => {
  world = new World()
})
afterEach(() => world.end())

it('keeps what becomes of runs as long as there is a webhook that wants it, switched off or not', async () => {
  const seen: (boolean | undefined)[] = []
  const step = async (happening: Promise<void>) => {
    await happening
    seen.push(world.wanted.at(-1))
  }
  await step(world.created('w'))
  await step(world.happens('WebhookChanged', { webhookId: 'w', changes: { events: ['run.*'] } }))
  await step(world.happens('WebhookChanged', { webhookId: 'w', changes: { enabled: false } }))
  await step(world.happens('WebhookDeleted', { webhookId: 'w' }))
  expect(seen).toEqual([false, true, true, false])
  await world.clock.advance(1)
  expect(world.removed).toEqual(['w'])
})

it('begins with a new webhook at once, although one that is gone waits for a run still', async () => {
  await world.created('a', { events: [], runs: { queue: 'q', leaseSeconds: 30 } })
  await world.happens('WebhookDeleted', { webhookId: 'a' })
  await world.created('b')
  expect([world.loaded, world.removed]).toEqual([['a', 'b'], []])
  await world.clock.advance(20_000)
  expect(world.removed).toEqual(['a'])
})

it('serves what is its own, looks once at what is not, and takes it over', async () => {
  world.ours.delete('b')
  await world.created('a')
  await world.created('b')
  await world.clock.advance(10_000)
  expect(world.loaded).toEqual(['a', 'b'])
  world.ours.delete('a')
  world.ours.add('b')
  await world.clock.advance(2_000)
  // What has been done meanwhile is read anew.
  expect(world.loaded).toEqual(['a', 'b', 'a', 'b'])
  expect(world.removed).toEqual([])
})

it('begins anew with a webhook that something unforeseen has ended', async () => {
  world.isBroken = true
  await world.created('w')
  expect(world.faults).toContain('serving a webhook')
  world.isBroken = false
  await world.clock.advance(2_000)
  expect(world.loaded.length).toBeGreaterThan(1)
  const before = world.faults.length
  await world.clock.advance(10_000)
  expect(world.faults).toHaveLength(before)
})
