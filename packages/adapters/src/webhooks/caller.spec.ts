import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { WebhookMessage } from '@almanac/engine'
import { afterEach, expect, it } from 'vitest'
import { testTls } from '../eventstore/tls.fixture.js'
import { systemClock } from '../system/index.js'
import { type HttpCallerOptions, HttpWebhookCaller } from './caller.js'
import { SecretMaker, signatureOf } from './signing.js'
import { parseAllowEntry } from './targets.js'

const secrets = new SecretMaker('k'.repeat(32))
const allow = ['127.0.0.0/8', 'receiver.example'].flatMap((text) => parseAllowEntry(text) ?? [])
const policy = { http: true, ports: [443], allow }
const message: WebhookMessage = {
  id: 'msg_1',
  type: 'ping',
  at: 0,
  content: { kind: 'ping', webhookId: 'w1', name: 'ops', namespace: 'default' },
}

const undo: (() => void)[] = []
afterEach(() => {
  for (const step of undo.splice(0)) step()
})

function callerWith(more: Partial<HttpCallerOptions> = {}): HttpWebhookCaller {
  const caller = new HttpWebhookCaller({
    secrets,
    policy,
    clock: systemClock(),
    version: '9.9.9',
    timeoutMs: 5_000,
    ...more,
  })
  undo.push(() => caller.close())
  return caller
}

interface Asked {
  readonly request: IncomingMessage
  readonly body: string
}

/** Answers as it is told to, and keeps what came. */
async function receiver(answer: (response: ServerResponse, asked: Asked) => void, isTls = false) {
  const asked: Asked[] = []
  const listen = (request: IncomingMessage, response: ServerResponse) => {
    let body = ''
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString()
    })
    request.on('end', () => {
      const came = { request, body }
      asked.push(came)
      answer(response, came)
    })
  }
  const server: Server = isTls
    ? createTlsServer({ key: testTls.key, cert: testTls.certificate }, listen)
    : createServer(listen)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  undo.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { asked, port, url: `http${isTls ? 's' : ''}://127.0.0.1:${port}/hook`, server }
}

const call = (url: string, generations: readonly number[] = [1]) => ({
  url,
  webhookId: 'w1',
  generations,
  message,
})

it('posts JSON that its receiver can check with the secret', async () => {
  const { asked, url } = await receiver((response) => response.writeHead(204).end())
  const answer = await callerWith().post(call(url, [2, 1]))
  expect(answer).toMatchObject({ status: 204, error: null, retryAfterMs: null })
  const [{ request, body }] = asked as [Asked]
  expect(JSON.parse(body)).toEqual({
    type: 'ping',
    timestamp: '1970-01-01T00:00:00.000Z',
    data: { namespace: 'default', webhook: { id: 'w1', name: 'ops' } },
  })
  expect(request).toMatchObject({ method: 'POST', url: '/hook' })
  expect(request.headers).toMatchObject({
    'content-type': 'application/json; charset=utf-8',
    'user-agent': 'Almanac/9.9.9',
    'webhook-id': 'msg_1',
  })
  const timestamp = Number(request.headers['webhook-timestamp'])
  const expected = signatureOf({ id: 'msg_1', timestamp, body }, [
    secrets.secretOf('w1', 2),
    secrets.secretOf('w1', 1),
  ])
  expect(request.headers['webhook-signature']).toBe(expected)
})

it('follows no redirect', async () => {
  const other = await receiver((response) => response.end())
  const { url } = await receiver((response) => response.writeHead(307, { location: other.url }).end())
  const answer = await callerWith().post(call(url))
  expect(answer).toMatchObject({ status: 307, error: 'answered 307: redirects are not followed' })
  expect(other.asked).toEqual([])
})

it('tells how long a receiver wants to be left alone', async () => {
  const { url } = await receiver((response) => response.writeHead(503, { 'retry-after': '120' }).end())
  expect(await callerWith().post(call(url))).toMatchObject({ status: 503, retryAfterMs: 120_000 })
})

it('waits for an answer no longer than its time limit', async () => {
  const { url } = await receiver(() => {})
  const answer = await callerWith({ timeoutMs: 100 }).post(call(url))
  expect(answer).toMatchObject({ status: null, error: 'no answer within 0.1 s' })
})

it('takes the status of an answer that does not come to its end', async () => {
  const { url } = await receiver((response) => response.writeHead(200).write('a'))
  expect(await callerWith({ timeoutMs: 500 }).post(call(url))).toMatchObject({ status: 200, error: null })
})

it('cuts an endless answer off', async () => {
  let ended = false
  const { url } = await receiver((response) => {
    response.on('close', () => {
      ended = true
    })
    const pour = () => {
      while (!ended && response.write(Buffer.alloc(16_384)));
      if (!ended) response.once('drain', pour)
    }
    response.writeHead(200)
    pour()
  })
  expect(await callerWith({ timeoutMs: 60_000 }).post(call(url))).toMatchObject({ status: 200 })
  await expect.poll(() => ended, { timeout: 10_000 }).toBe(true)
})

it('tells of a receiver that breaks off, or is not there', async () => {
  const { url } = await receiver((_, { request }) => request.socket.destroy())
  expect(await callerWith().post(call(url))).toMatchObject({
    status: null,
    error: expect.stringMatching(/hang up|RESET/),
  })
  const { url: gone, server } = await receiver(() => {})
  await new Promise((resolve) => server.close(resolve))
  expect(await callerWith().post(call(gone))).toMatchObject({
    status: null,
    error: expect.stringMatching(/ECONNREFUSED/),
  })
})

it('sends once more when its receiver has closed a kept connection', async () => {
  let requests = 0
  const { url } = await receiver((response, { request }) => {
    requests += 1
    // The second request comes on the connection of the first.
    if (requests === 2) request.socket.destroy()
    else response.end()
  })
  const caller = callerWith()
  expect(await caller.post(call(url))).toMatchObject({ status: 200 })
  expect(await caller.post(call(url))).toMatchObject({ status: 200 })
  expect(requests).toBe(3)
})

it('trusts no certificate that it does not know', async () => {
  const { url, asked } = await receiver((response) => response.end(), true)
  const answer = await callerWith().post(call(url))
  expect(answer).toMatchObject({ status: null, error: expect.stringMatching(/self[- ]signed|CERT/i) })
  expect(asked).toEqual([])
  expect(await callerWith({ ca: testTls.certificate }).post(call(url))).toMatchObject({ status: 200 })
})

it('calls the very address that it has checked, whatever the name says afterwards', async () => {
  const { port, asked } = await receiver((response) => response.end())
  const answers = [['127.0.0.1'], ['10.0.0.1'], ['93.184.216.34', '127.0.0.1']]
  const looked: string[] = []
  const resolve = async (host: string) => {
    looked.push(host)
    return (answers.shift() ?? ['169.254.169.254']).map((address) => ({ address, family: 4 }))
  }
  const strict = { http: true, ports: [port], allow: [] }
  const rebinding = callerWith({ resolve, policy: strict })
  const url = `http://rebinding.example:${port}/`
  const refused = { status: null, error: expect.stringMatching(/public Internet/) }
  for (let n = 0; n < 4; n++) expect(await rebinding.post(call(url))).toMatchObject(refused)
  expect([looked.length, asked.length]).toEqual([4, 0])

  const allowed = callerWith({ resolve: async () => [{ address: '127.0.0.1', family: 4 }] })
  expect(await allowed.post(call(`http://receiver.example:${port}/`))).toMatchObject({ status: 200 })
  expect(asked[0]?.request.headers.host).toBe(`receiver.example:${port}`)
})

it.each([
  'http://127.0.0.1',
  'http://2130706433',
  'http://[::ffff:127.0.0.1]',
  'http://0x7f.1.',
  'http://user:x@127.0.0.1',
])('does not even look at %s', async (origin) => {
  const { port, asked } = await receiver((response) => response.end())
  const resolve = () => Promise.reject(new Error('looked up'))
  const strict = callerWith({ resolve, policy: { http: true, ports: [port], allow: [] } })
  const answer = await strict.post(call(`${origin}:${port}/`))
  expect(answer).toMatchObject({ status: null, error: expect.stringMatching(/public Internet|no user/) })
  expect(asked).toEqual([])
})

it('tells of a host that has no address', async () => {
  const resolve = async () => []
  expect(await callerWith({ resolve }).post(call('https://nobody.example/'))).toMatchObject({
    status: null,
    error: 'nobody.example has no address',
  })
})
