import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as later } from 'node:timers/promises'
import { Almanac, type ConnectionOptions, type World, work } from '@almanac/client'
import { afterEach, describe, expect, it } from 'vitest'

type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => unknown

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** Pauses take no time; the watch for a silent feed never ends. */
const quick = (slept: number[] = []): Partial<World> => ({
  sleep: (ms) => (ms > 10_000 ? new Promise(() => {}) : Promise.resolve(void slept.push(ms))),
})

/** A server that does what no honest one does, and a client of it. */
async function against(
  handler: Handler,
  world: Partial<World> = quick(),
  options: Partial<ConnectionOptions> = {},
) {
  let count = 0
  const server = createServer((request, response) => {
    count += 1
    handler(request, response, count)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { almanac: new Almanac({ url, ...options }, world), asked: () => count }
}

const json = { 'content-type': 'application/json' }
const stream = { 'content-type': 'text/event-stream' }
const task = { name: 'a', task: 't', schedule: { interval: { every: 1, period: 'days' } } } as const

describe('an answer', () => {
  it('that breaks off in its body is none, and is asked for again', async () => {
    const { almanac, asked } = await against((_, response, count) => {
      if (count > 1) return response.writeHead(200, json).end('{"id":"x"}')
      response.writeHead(201, { ...json, 'content-length': 100 }).write('{"id":')
      return later(20).then(() => response.destroy())
    })
    expect(await almanac.createTask(task)).toEqual({ id: 'x' })
    expect(asked()).toBe(2)
  })

  it('of lines is text', async () => {
    const lines = '{"a":1}\n{"a":2}\n'
    const { almanac } = await against((_, response) =>
      response.writeHead(200, { 'content-type': 'application/x-ndjson' }).end(lines),
    )
    expect(await almanac.call('GET /v1/namespaces/{namespace}/export')).toBe(lines)
  })

  it('that is the page of a proxy is told as an error, with what it says', async () => {
    const { almanac } = await against((_, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Log in</h1>'),
    )
    await expect(almanac.task('x')).rejects.toMatchObject({
      name: 'AlmanacError',
      status: 200,
      message: expect.stringContaining('Log in'),
    })
  })

  it('that the server was asked to wait for has its time beside', async () => {
    const { almanac } = await against(
      (_, response) => later(300).then(() => response.writeHead(200, json).end('{"runs":[]}')),
      {},
      { timeoutMs: 150, retries: 0 },
    )
    expect(await almanac.lease('q', { waitMs: 30_000 })).toEqual([])
    await expect(almanac.task('x')).rejects.toMatchObject({ code: 'no_answer' })
  })

  it('that is no because of the key is told as such, once', async () => {
    const { almanac, asked } = await against((_, response) =>
      response.writeHead(403, json).end('{"code":"forbidden","detail":"needs tasks:write"}'),
    )
    await expect(almanac.createTask(task)).rejects.toMatchObject({ status: 403, code: 'forbidden' })
    expect(asked()).toBe(1)
  })
})

describe('a feed', () => {
  it('from now on that breaks before its first event goes on from where it began', async () => {
    const from: unknown[] = []
    const stop = new AbortController()
    const { almanac } = await against((request, response) => {
      from.push(request.headers['last-event-id'] ?? 'now')
      if (from.length === 2) stop.abort()
      response.writeHead(200, stream).write('retry: 2000\nid: 7\n\n: still here\nid: 9\n\n')
      return later(20).then(() => response.destroy())
    })
    await expect(almanac.changes({ signal: stop.signal }).next()).rejects.toThrow()
    expect(from).toEqual(['now', '9'])
  })

  it('that has fallen silent is opened again', async () => {
    const { almanac, asked } = await against(
      (_, response, count) => {
        response.writeHead(200, stream).write('retry: 2000\nid: 7\n\n')
        if (count > 1) response.write('id: 8\ndata: {"revision":1}\n\n')
      },
      { sleep: (_, signal) => later(50, undefined, signal === undefined ? {} : { signal }) },
    )
    const changes = almanac.changes()
    expect((await changes.next()).value).toEqual({ revision: 1 })
    expect(asked()).toBe(2)
    await changes.return(undefined as never)
  })

  it('that is refused for a while waits as long as it is told', async () => {
    const slept: number[] = []
    const stop = new AbortController()
    const { almanac } = await against((_, response, count) => {
      if (count === 2) stop.abort()
      response.writeHead(429, { ...json, 'retry-after': '7' }).end('{"code":"rate_limited"}')
    }, quick(slept))
    await expect(almanac.changes({ signal: stop.signal }).next()).rejects.toThrow()
    expect(slept).toEqual([7_000])
  })

  it('of a signal that has fired already is not opened', async () => {
    const { almanac, asked } = await against((_, response) => response.writeHead(200, stream).end())
    await expect(almanac.changes({ signal: AbortSignal.abort() }).next()).rejects.toThrow('aborted')
    expect(asked()).toBe(0)
  })
})

it('a worker whose key is wrong ends with the refusal', async () => {
  const { almanac, asked } = await against((_, response) =>
    response.writeHead(401, json).end('{"code":"unauthenticated"}'),
  )
  await expect(work(almanac, 'q', async () => {})).rejects.toMatchObject({ code: 'unauthenticated' })
  expect(asked()).toBe(1)
})

it.each(['127.0.0.1:7420', 'almanac', 'ftp://almanac', ''])('refuses %j as its url', (url) => {
  expect(() => new Almanac({ url })).toThrow(/^url must begin with http:\/\/ or https:\/\//)
})
