import { createHmac } from 'node:crypto'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestServer } from '../test-support/server.js'

// Webhooks of a real server, told to a real receiver.

interface Told {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly body: { readonly type: string; readonly data: ReturnType<typeof JSON.parse> }
}

/** Remembers what it was told, by path, and answers what it is told to. */
class Receiver {
  readonly told: Told[] = []
  answer: (told: Told, nth: number) => number = () => 204
  private readonly server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString('utf8')
    const told = { path: request.url ?? '', headers: request.headers, text, body: JSON.parse(text) }
    this.told.push(told)
    const status = this.answer(told, this.at(told.path).length)
    response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end()
  })

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve))
  }

  stop(): void {
    this.server.closeAllConnections()
    this.server.close()
  }

  url(path: string): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}${path}`
  }

  at(path: string): readonly Told[] {
    return this.told.filter((told) => told.path === path)
  }

  types(path: string): readonly string[] {
    return this.at(path).map(({ body }) => body.type)
  }
}

const patience = { timeout: 20_000 }
const daily = { crontab: { minute: '0', hour: '2' } }
const task = (name: string, more: object = {}) => ({ name, task: 'demo', schedule: daily, ...more })
const receiver = new Receiver()
const server = new TestServer({ 'webhook-allow': '127.0.0.1', 'webhook-http': 'true' })
beforeAll(async () => {
  await receiver.start()
  await server.start()
})
afterAll(async () => {
  await server.remove()
  receiver.stop()
})

const hook = async (path: string, more: object) => {
  const made = await server.post('/webhooks', { name: path, url: receiver.url(path), ...more })
  expect([made.status, made.body.errors]).toEqual([201, undefined])
  return made.body
}

const signed = ({ headers, text }: Told, secret: string): string => {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64')
  const content = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${text}`
  return `v1,${createHmac('sha256', key).update(content).digest('base64')}`
}

describe('a webhook', () => {
  it('is told what it asked for, signed, in order, and nothing from before it was there', async () => {
    const before = (await server.post('/tasks', task('before'))).body
    await server.post('/tasks', task('before, of the team', { labels: { team: 'a' } }))
    const { id, secret } = await hook('/events', { events: ['task.*'], labels: { team: 'a' } })
    expect(secret).toMatch(/^whsec_/)
    const { id: taskId } = (await server.post('/tasks', task('told', { labels: { team: 'a' } }))).body
    await server.post(`/tasks/${before.id}/disable`)
    await server.post(`/tasks/${taskId}/disable`, { reason: 'maintenance' })
    await server.post(`/tasks/${taskId}/enable`)
    await expect
      .poll(() => receiver.types('/events'), patience)
      .toEqual(['task.created', 'task.disabled', 'task.enabled'])
    const [, disabled] = receiver.at('/events')
    if (disabled === undefined) throw new Error('not told')
    expect(disabled.body.data).toMatchObject({ subject: { id: taskId }, reason: 'maintenance' })
    expect(disabled.headers['webhook-signature']).toBe(signed(disabled, secret))
    const status = async () => (await server.get(`/webhooks/${id}`)).body.status
    await expect.poll(async () => (await status()).delivered, patience).toBe(3)
    const { items } = (await server.get(`/webhooks/${id}/deliveries`)).body
    expect(items).toMatchObject([{ type: 'task.enabled', status: 'delivered', lastStatus: 204 }, {}, {}])
  })

  it('is told again under the same id when it failed, and follows no redirect', {
    timeout: 60_000,
  }, async () => {
    receiver.answer = ({ path }, nth) => (path !== '/flaky' ? 204 : ([503, 302, 200][nth - 1] ?? 200))
    const { id } = await hook('/flaky', { events: ['schedule.created'] })
    await server.post('/schedules', { name: 'flaky', schedule: daily })
    await expect.poll(() => receiver.at('/flaky').length, { timeout: 50_000 }).toBe(3)
    const ids = receiver.at('/flaky').map(({ headers }) => headers['webhook-id'])
    expect(new Set(ids).size).toBe(1)
    expect(receiver.at('/elsewhere')).toEqual([])
    await expect
      .poll(async () => (await server.get(`/webhooks/${id}`)).body.status, patience)
      .toMatchObject({ delivered: 1, failed: 2, failingSince: null })
  })

  it('is told of runs, from the queue to their end', async () => {
    await hook('/runs', { events: ['run.*'] })
    const { id } = (await server.post('/tasks', task('ran', { queue: 'ran', maxAttempts: 2 }))).body
    await server.post(`/tasks/${id}/trigger`)
    const lease = async () => (await server.post('/queues/ran/lease', { waitMs: 20_000 })).body.runs[0]
    const { runId, leaseToken } = await lease()
    await server.post(`/runs/${runId}/fail`, { leaseToken, error: 'boom', retryInSeconds: 0 })
    const again = await lease()
    await server.post(`/runs/${runId}/ack`, { leaseToken: again.leaseToken })
    await expect
      .poll(() => receiver.types('/runs'), patience)
      .toEqual(['run.queued', 'run.started', 'run.retrying', 'run.started', 'run.succeeded'])
    const ids = receiver.at('/runs').map(({ headers }) => headers['webhook-id'])
    expect(new Set(ids).size).toBe(5)
    expect(receiver.at('/runs').at(-1)?.body.data).toMatchObject({ runId, status: 'succeeded', attempt: 2 })
  })

  it('is given the runs of a queue: 2xx is done, anything else is the next attempt', {
    timeout: 60_000,
  }, async () => {
    receiver.answer = ({ path }, nth) => (path === '/work' && nth === 1 ? 500 : 200)
    await hook('/work', { runs: { queue: 'posted' } })
    const more = { queue: 'posted', args: [1], maxAttempts: 3 }
    const { id } = (await server.post('/tasks', task('posted', more))).body
    await server.post(`/tasks/${id}/trigger`)
    const runs = async () => (await server.get(`/runs?task=${id}`)).body.items
    await expect.poll(runs, { timeout: 50_000 }).toMatchObject([{ status: 'succeeded', attempt: 2 }])
    const posted = receiver.at('/work')
    expect(posted.map(({ body }) => [body.type, body.data.attempt, body.data.args])).toEqual([
      ['run.command', 1, [1]],
      ['run.command', 2, [1]],
    ])
    expect(posted[0]?.body.data.leaseToken).toBeTypeOf('string')
  })

  it('goes on after a restart with what its receiver has not had', { timeout: 60_000 }, async () => {
    let isDown = false
    receiver.answer = ({ path }) => (path === '/restart' && isDown ? 503 : 204)
    const { id } = await hook('/restart', { events: ['calendar.created'] })
    const days = { dates: ['2026-12-25'] }
    await server.post('/calendars', { name: 'zero', days })
    await expect.poll(() => receiver.at('/restart').length, patience).toBeGreaterThan(0)
    isDown = true
    await expect
      .poll(async () => (await server.get(`/webhooks/${id}`)).body.status.delivered, patience)
      .toBe(1)
    await server.post('/calendars', { name: 'one', days })
    await expect.poll(() => receiver.at('/restart').length, patience).toBeGreaterThan(1)
    await server.stop()
    const before = receiver.at('/restart').length
    isDown = false
    await server.start()
    await server.post('/calendars', { name: 'two', days })
    const names = () =>
      receiver
        .at('/restart')
        .slice(before)
        .map(({ body }) => body.data.subject.name)
    await expect.poll(() => names().toSorted(), { timeout: 50_000 }).toEqual(['one', 'two'])
  })

  it('gets a new secret beside the old one, and is pinged', async () => {
    receiver.answer = () => 204
    const { id, secret } = await hook('/rotated', { events: ['task.created'] })
    const rotated = (await server.post(`/webhooks/${id}/rotate-secret`)).body
    expect(rotated.secret).not.toBe(secret)
    expect((await server.post(`/webhooks/${id}/ping`)).body).toMatchObject({ delivered: true, status: 204 })
    const [ping] = receiver.at('/rotated')
    if (ping === undefined) throw new Error('not told')
    expect(ping.body.type).toBe('webhook.ping')
    expect(ping.headers['webhook-signature']).toBe(`${signed(ping, rotated.secret)} ${signed(ping, secret)}`)
    expect((await server.ask('DELETE', `/webhooks/${id}`)).status).toBe(204)
    expect((await server.get(`/webhooks/${id}`)).status).toBe(404)
  })

  it('is switched off when its receiver says that it is gone, and taken up again', async () => {
    receiver.answer = ({ path }, nth) => (path === '/gone' && nth === 1 ? 410 : 204)
    const { id } = await hook('/gone', { events: ['task.created'] })
    await server.post('/tasks', task('gone'))
    const read = async () => (await server.get(`/webhooks/${id}`)).body
    await expect.poll(read, patience).toMatchObject({ enabled: false, disabled: { cause: 'gone' } })
    const enabled = await server.ask('PATCH', `/webhooks/${id}`, { enabled: true }, {})
    expect(enabled.body).toMatchObject({ enabled: true, disabled: null })
    const history = (await server.get('/history?kind=webhook')).body.items.map(
      ({ type }: { type: string }) => type,
    )
    expect(history.slice(-2)).toEqual(['WebhookDisabled', 'WebhookChanged'])
  })
})

it.each([
  [{ url: 'http://10.0.0.1/x', events: ['task.*'] }, 'url'],
  [{ url: 'http://169.254.169.254/latest/meta-data', events: ['task.*'] }, 'url'],
  [{ url: 'https://localhost/x', events: ['task.*'] }, 'url'],
  [{ url: 'file:///etc/passwd', events: ['task.*'] }, 'url'],
  [{ url: 'https://user:pass@example.com/', events: ['task.*'] }, 'url'],
  [{ url: 'https://example.com/', events: ['task.exploded'] }, 'events[0]'],
  [{ url: 'https://example.com/' }, 'events'],
  [{ url: 'https://example.com/', runs: { queue: 'posted' } }, 'runs.queue'],
])('a webhook that is wrong is refused with its field: %j', async (more, path) => {
  const refused = await server.post('/webhooks', { name: 'wrong', ...more })
  expect([refused.status, refused.body.errors[0].path]).toEqual([422, path])
})
