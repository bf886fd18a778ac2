import { noTelemetry, type SpanBegin, type Telemetry, unrecorded } from '@almanac/engine'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { daily, fakeApi, type TestApi, tasks } from '../test-support/fake-api.js'

const parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const own = '00-0af7651916cd43dd8448eb211c80319c-1111111111111111-01'

interface ToldSpan {
  readonly name: string
  readonly begin: SpanBegin | undefined
  readonly set: object[]
  failure: string | undefined
  ends: number
}

/** Keeps what it is told; each span has the context `own`. */
function keeping(isTracing: boolean) {
  const counts: unknown[] = []
  const spans: ToldSpan[] = []
  const telemetry: Telemetry = {
    ...noTelemetry,
    isOff: false,
    isTracing,
    count: (name, by, labels) => counts.push([name, name.includes('seconds') ? 'some' : by, labels]),
    record: (name, _, labels) => counts.push([name, 'some', labels]),
    span: (name, begin) => {
      if (!isTracing) return unrecorded(begin?.parent)
      const span: ToldSpan = { name, begin, set: [], failure: undefined, ends: 0 }
      spans.push(span)
      return {
        traceparent: own,
        isRecorded: true,
        set: (attributes) => span.set.push(attributes),
        failed: (message) => {
          span.failure = message
        },
        end: () => {
          span.ends += 1
        },
      }
    },
  }
  return { telemetry, counts, spans }
}

let test: TestApi
let lines: object[]
const start = async (telemetry?: Telemetry, more: Parameters<typeof fakeApi>[0] = {}) => {
  lines = []
  test = await fakeApi({
    ...(telemetry === undefined ? {} : { telemetry }),
    accessLog: (line) => lines.push(line),
    ...more,
  })
  return test
}
beforeEach(() => start())
afterEach(() => test.api.close())

describe('the page of metrics', () => {
  it('is what the process gives', async () => {
    const { api } = await start(undefined, { metrics: async () => '# HELP a b\n' })
    const { body, headers } = await api.inject({ url: '/metrics' })
    expect([body, headers['content-type']]).toEqual([
      '# HELP a b\n',
      'text/plain; version=0.0.4; charset=utf-8',
    ])
  })

  it('is not there when telemetry is off', async () => {
    expect((await test.api.inject({ url: '/metrics' })).statusCode).toBe(404)
  })
})

describe('the metrics of requests', () => {
  it('name the route and never what was asked for', async () => {
    const { telemetry, counts } = keeping(false)
    const { api } = await start(telemetry)
    await api.inject({ url: '/v1/namespaces/secret/tasks/SECRET' })
    await api.inject({ url: '/secret/path' })
    const route = '/v1/namespaces/:namespace/tasks/:id'
    expect(counts).toEqual([
      ['http_requests_total', 1, { method: 'GET', route, status: '404' }],
      ['http_request_seconds_total', 'some', { method: 'GET', route, status: '404' }],
      ['http_duration_seconds', 'some', { kind: 'query' }],
      ['http_requests_total', 1, { method: 'GET', route: 'none', status: '404' }],
      ['http_request_seconds_total', 'some', { method: 'GET', route: 'none', status: '404' }],
      ['http_duration_seconds', 'some', { kind: 'page' }],
    ])
  })

  it.each([
    ['POST', tasks, 'command'],
    ['POST', `${tasks}?wait=fenced`, 'fenced'],
    ['GET', tasks, 'query'],
    ['GET', '/v1/cluster', 'query'],
    ['POST', '/v1/namespaces/default/queues/q/lease', 'wait'],
    ['POST', '/v1/namespaces/default/runs/r/ack', 'worker'],
    ['GET', '/livez', 'page'],
  ] as const)('%s %s is a %s', async (method, url, kind) => {
    const { telemetry, counts } = keeping(false)
    const { api } = await start(telemetry)
    await api.inject({ method, url, ...(method === 'POST' ? { payload: {} } : {}) })
    expect(counts).toContainEqual(['http_duration_seconds', 'some', { kind }])
  })
})

describe('the trace of a command', () => {
  const create = (headers: { readonly [name: string]: string } = {}) =>
    test.api.inject({ method: 'POST', url: tasks, payload: daily, headers })
  const contextOf = (call: number) => test.fake.asked[call]?.context.traceparent

  it('goes on with that of its caller, and into its events', async () => {
    const { telemetry, spans } = keeping(true)
    await start(telemetry)
    await create({ traceparent: parent })
    expect(spans).toMatchObject([
      {
        name: 'command',
        begin: { parent, kind: 'server', attributes: { 'http.route': '/v1/namespaces/:namespace/tasks' } },
        set: [{ 'http.response.status_code': 201 }],
        failure: undefined,
        ends: 1,
      },
    ])
    expect(contextOf(0)).toBe(own)
    expect(lines).toMatchObject([{ traceId: '0af7651916cd43dd8448eb211c80319c' }])
  })

  it('begins here when its caller names none, or none that is one', async () => {
    const { telemetry, spans } = keeping(true)
    await start(telemetry)
    await create()
    await create({ traceparent: '00-nothing' })
    expect(spans.map(({ begin }) => begin?.parent)).toEqual([undefined, undefined])
    expect(contextOf(1)).toBe(own)
  })

  it('is one for many operations in one request, and none for what changes nothing', async () => {
    const { telemetry, spans } = keeping(true)
    await start(telemetry)
    const operations = ['a', 'b', 'c'].map((name) => ({ op: 'create', task: { ...daily, name } }))
    await test.api.inject({ method: 'POST', url: `${tasks}/bulk`, payload: { operations } })
    await test.api.inject({ url: tasks })
    expect(spans).toMatchObject([{ ends: 1 }])
    expect([contextOf(0), contextOf(1), contextOf(2)]).toEqual([own, own, own])
  })

  it('is handed on as it came where nothing is traced', async () => {
    await create({ traceparent: parent })
    await create({ traceparent: 'nonsense' })
    expect([contextOf(0), contextOf(1)]).toEqual([parent, undefined])
  })
})
