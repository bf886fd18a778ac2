import type { RecordedEvent, WebhookSpec } from '@almanac/domain'
import { expect, it } from 'vitest'
import { memoryEventLog } from '../memory/event-log.js'
import { ManualClock } from '../memory/manual-clock.js'
import { SeededRandom } from '../memory/seeded-random.js'
import { memoryViewStore } from '../memory/view-store.js'
import type { RunFeed } from '../ports/webhook.js'
import { createStop } from '../stop.js'
import { LiveWebhooks } from './book.js'
import { WebhookService } from './service.js'

const noon = Date.UTC(2026, 10, 26, 12)

const spec = {
  name: 'x',
  url: 'https://hooks.example/',
  description: '',
  enabled: true,
  tasks: [],
  labels: {},
}

it('keeps what becomes of runs as long as there is a webhook that wants it, switched off or not', async () => {
  const clock = new ManualClock(noon)
  const log = memoryEventLog()
  const onFault = (message: string, fault: unknown) => {
    throw new Error(message, { cause: fault })
  }
  const book = new LiveWebhooks({ log, clock, retryMs: 1_000, onFault })
  const wanted: boolean[] = []
  const runFeed: RunFeed = {
    want: (isWanted) => void (wanted.at(-1) === isWanted || wanted.push(isWanted)),
    read: (after) => ({ news: [], place: after }),
    onNews: () => {},
    forget: async () => {},
  }
  const removed: string[] = []
  const progress = {
    load: async () => undefined,
    save: async () => {},
    remove: async (webhookId: string) => void removed.push(webhookId),
    peek: () => undefined,
  }
  const caller = {
    keyId: 'k',
    secretOf: () => '',
    problemOf: () => undefined,
    hostOf: (url: string) => url,
    post: async () => ({ status: 204, retryAfterMs: null, error: null, ms: 1 }),
  }
  const service = new WebhookService({
    adapters: { caller, runFeed },
    sharing: { progress, saveEveryMs: 1_000, isOurs: () => true, askEveryMs: 30_000 },
    book,
    commands: { disable: () => Promise.reject(new Error('nothing fails')) } as never,
    intake: null,
    log,
    views: memoryViewStore(),
    clock,
    random: new SeededRandom(1),
    onFault,
  })
  const stop = createStop()
  const running = service.run(stop)
  let revision = 0
  const happens = async (type: string, data: object) => {
    const metadata = { namespace: 'default', actor: 'a', at: noon, correlationId: 'c', previousHash: '' }
    const place = { stream: 'webhooks', revision, position: revision + 1, hash: '' }
    book.apply({ id: `e${revision}`, type, version: 1, data, metadata, ...place } satisfies RecordedEvent)
    revision += 1
    await clock.advance(1)
  }
  const runs = { ...spec, events: ['run.*'], runs: null } satisfies WebhookSpec
  const steps: readonly (readonly [string, object])[] = [
    ['WebhookCreated', { webhookId: 'w', keyId: 'k', spec: { ...runs, events: ['task.*'] } }],
    ['WebhookChanged', { webhookId: 'w', changes: { events: ['run.*'] } }],
    ['WebhookChanged', { webhookId: 'w', changes: { enabled: false } }],
    ['WebhookDeleted', { webhookId: 'w' }],
  ]
  const seen: (boolean | undefined)[] = []
  for (const [type, data] of steps) {
    await happens(type, data)
    seen.push(wanted.at(-1))
  }
  expect(seen).toEqual([false, true, true, false])
  expect(removed).toEqual(['w'])
  stop.stop()
  await running
})
