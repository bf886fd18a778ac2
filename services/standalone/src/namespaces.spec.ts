import { newKey } from '@almanac/adapters/tokens'
import { SeededRandom } from '@almanac/engine'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestServer } from '../test-support/server.js'

/**
 * Two namespaces on one real server, each with a key of its own that may do everything there. Whatever the holder of
 * one asks, with whatever ids of the other: nothing of the other comes back, and nothing of it changes.
 */

const bootstrap = newKey(new SeededRandom(3)).text
const server = new TestServer({ 'bootstrap-key': bootstrap })

/** Stands in every text of the namespace's own, so that it shows wherever it comes through. */
const markOf = (namespace: string) => `of-${namespace}-alone`

interface Tenant {
  readonly namespace: string
  readonly key: string
  readonly keyId: string
  /** Everything by which something of it could be asked for. */
  readonly ids: readonly string[]
  readonly leaseToken: string
  readonly cursor: string
}

type Answer = { readonly status: number; readonly text: string; readonly body: Record<string, unknown> }

async function ask(
  key: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const answer = await fetch(server.url + path, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  const isLines = answer.headers.get('content-type')?.startsWith('application/x-ndjson') === true
  return { status: answer.status, text, body: !isLines && text.startsWith('{') ? JSON.parse(text) : {} }
}

async function settle(namespace: string): Promise<Tenant> {
  const scopes = ['admin']
  const made = await ask(bootstrap, 'POST', '/v1/keys', { name: `${namespace} key`, namespace, scopes })
  const key = String(made.body.key)
  const mark = markOf(namespace)
  const root = `/v1/namespaces/${namespace}`
  const must = async (path: string, body: unknown) => {
    const answer = await ask(key, 'POST', root + path, body)
    if (answer.status >= 300) throw new Error(`${path}: ${answer.text}`)
    return answer.body
  }
  const calendar = await must('/calendars', {
    name: 'days',
    days: { dates: ['2030-01-01'] },
    description: mark,
  })
  const schedule = await must('/schedules', {
    name: 'nightly',
    schedule: { crontab: { expression: '0 2 * * *' } },
    description: mark,
  })
  const interval = { interval: { every: 1, period: 'days' } }
  const task = await must('/tasks', {
    name: 'same',
    task: 'app.same',
    schedule: interval,
    description: mark,
    args: [mark],
  })
  await must('/tasks', {
    name: 'second',
    task: 'app.second',
    schedule: { ref: 'nightly' },
    description: mark,
  })
  // Switched off: nothing is to be told to anybody outside.
  const webhook = await must('/webhooks', {
    name: 'hook',
    url: 'https://hooks.example.com/',
    events: ['task.*'],
    enabled: false,
    description: mark,
  })
  await must(`/tasks/${task.id}/trigger`, {})
  const leased = await must('/queues/default/lease', { waitMs: 20_000 })
  const [run] = leased.runs as readonly { readonly runId: string; readonly leaseToken: string }[]
  if (run === undefined) throw new Error('the triggered run has not come')
  const page = await ask(key, 'GET', `${root}/tasks?limit=1`)
  return {
    namespace,
    key,
    keyId: String(made.body.id),
    ids: [
      task.id,
      schedule.id,
      calendar.id,
      webhook.id,
      run.runId,
      made.body.id,
      'same',
      'nightly',
      'days',
      'default',
    ].map(String),
    leaseToken: run.leaseToken,
    cursor: String(page.body.nextCursor),
  }
}

/** Everything that the namespace has, as its own holder sees it. */
async function everythingOf({ namespace, key }: Tenant): Promise<string> {
  const parts = ['tasks', 'schedules', 'calendars', 'webhooks', 'runs']
  const answers = await Promise.all(
    parts.map((part) => ask(key, 'GET', `/v1/namespaces/${namespace}/${part}`)),
  )
  const keys = await ask(bootstrap, 'GET', '/v1/keys')
  const own = (keys.body.items as readonly { namespace: string; revokedAt: string | null }[]).filter(
    (each) => each.namespace === namespace,
  )
  return JSON.stringify([answers.map(({ text }) => text), own.map(({ revokedAt }) => revokedAt)])
}

let one: Tenant
let other: Tenant
let routes: readonly { readonly method: string; readonly path: string }[]
beforeAll(async () => {
  await server.start()
  one = await settle('one')
  other = await settle('other')
  const { body } = await ask(bootstrap, 'GET', '/openapi.json')
  routes = Object.entries(body.paths as Record<string, object>).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path })),
  )
})
afterAll(() => server.remove())

/** Bodies that go with some route or other; `{}` and their mix-ups are refused, which is as good. */
const bodies = (): fc.Arbitrary<unknown> =>
  fc.constantFrom(
    undefined,
    {},
    { leaseToken: other.leaseToken },
    { leaseToken: other.leaseToken, error: 'x' },
    { operations: other.ids.map((id) => ({ op: 'delete', id })) },
    { description: 'mine now' },
    { name: 'same', task: 'app.mine', schedule: { ref: 'nightly' } },
    { from: '2026-01-01T00:00:00Z', until: '2026-01-02T00:00:00Z' },
  )

const queries = () => fc.constantFrom('', `?cursor=${other.cursor}`, '?limit=200', '?asOf=3', '?cascade=true')

describe('the holder of a key of one namespace', () => {
  it('sees and changes nothing of another, whatever is asked', { timeout: 120_000 }, async () => {
    const before = await everythingOf(other)
    const request = fc.record({
      route: fc.constantFrom(...routes.filter(({ path }) => !path.endsWith('/events'))),
      namespace: fc.constantFrom('one', 'other'),
      id: fc.constantFrom(...other.ids),
      body: bodies(),
      query: queries(),
      idempotencyKey: fc.constantFrom(undefined, 'shared-key'),
    })
    await fc.assert(
      fc.asyncProperty(request, async ({ route, namespace, id, body, query, idempotencyKey }) => {
        const path = route.path.replace('{namespace}', namespace).replaceAll(/\{\w+\}/g, id)
        const hasBody = route.method !== 'GET' && route.method !== 'HEAD' ? body : undefined
        const headers: Record<string, string> =
          idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }
        const answer = await ask(one.key, route.method, path + query, hasBody, headers)
        expect(answer.text).not.toContain(markOf('other'))
        if (route.path.includes('{namespace}') && namespace === 'other') expect(answer.status).toBe(404)
        expect(answer.status).toBeLessThan(500)
      }),
      { numRuns: 600, seed: 20_261_126 },
    )
    expect(await everythingOf(other)).toBe(before)
    expect((await ask(other.key, 'GET', '/v1/namespaces/other/tasks')).status).toBe(200)
  })

  it('may use the same idempotency key as somebody elsewhere, for something else', async () => {
    const headers = { 'idempotency-key': 'both' }
    const schedule = { interval: { every: 1, period: 'days' } }
    const create = ({ key, namespace }: Tenant, name: string) =>
      ask(key, 'POST', `/v1/namespaces/${namespace}/tasks`, { name, task: 't', schedule }, headers)
    const [mine, theirs] = [await create(one, 'mine'), await create(other, 'theirs')]
    expect([mine.status, theirs.status]).toEqual([201, 201])
    expect([mine.body.name, theirs.body.name]).toEqual(['mine', 'theirs'])
  })

  it('is refused the cursor of another list, and reads no events of it', async () => {
    const page = await ask(one.key, 'GET', `/v1/namespaces/one/tasks?limit=1&cursor=${other.cursor}`)
    expect(page.body.code).toBe('invalid_cursor')
    const feed = await fetch(`${server.url}/v1/namespaces/one/events?after=0`, {
      headers: { authorization: `Bearer ${one.key}` },
    })
    let seen = ''
    for await (const piece of (feed.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
      seen += piece
      if (seen.includes('TaskTriggered') && seen.includes('"mine"')) break
    }
    expect(seen).toContain(markOf('one'))
    expect(seen).not.toContain(markOf('other'))
  })

  it('is out of the feed within seconds of the revocation', async () => {
    const made = await ask(bootstrap, 'POST', '/v1/keys', {
      name: 'reader',
      namespace: 'one',
      scopes: ['audit:read'],
    })
    const feed = await fetch(`${server.url}/v1/namespaces/one/events?after=0`, {
      headers: { authorization: `Bearer ${made.body.key}` },
    })
    expect(feed.status).toBe(200)
    await ask(bootstrap, 'DELETE', `/v1/keys/${made.body.id}`)
    // Ends by itself, or the test does not.
    for await (const _ of feed.body ?? []);
    const again = await ask(String(made.body.key), 'GET', '/v1/namespaces/one/events')
    expect(again.status).toBe(401)
  })
})
