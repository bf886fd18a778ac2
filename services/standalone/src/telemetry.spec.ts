import { OtlpReceiver, type ReceivedSpan } from '@almanac/adapters/telemetry/otlp-receiver'
import { parsePrometheus } from '@almanac/adapters/telemetry/prometheus-text'
import { StartProblem } from '@almanac/scheduler/service'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { TestServer } from '../test-support/server.js'
import { startStandalone } from './main.js'

const receiver = new OtlpReceiver()
const servers: TestServer[] = []

afterEach(async () => {
  for (const server of servers.splice(0)) await server.remove()
  vi.unstubAllEnvs()
})

async function started(overrides: { readonly [flag: string]: string }): Promise<TestServer> {
  const server = new TestServer(overrides)
  servers.push(server)
  await server.start()
  return server
}

const yearly = { name: 'traced', task: 'demo', schedule: { crontab: { expression: '0 2 1 1 *' } } }
const trace = '0af7651916cd43dd8448eb211c80319c'
const caller = 'b7ad6b7169203331'
const headers = { traceparent: `00-${trace}-${caller}-01` }

const leaseOne = async (server: TestServer) =>
  (await server.post('/queues/default/lease', { waitMs: 20_000 })).body.runs[0]

describe('a server', () => {
  it('has a page of metrics that a strict reader takes, of all that has happened', async () => {
    const server = await started({})
    const { id } = (await server.post('/tasks', yearly)).body
    await server.post(`/tasks/${id}/trigger`)
    await leaseOne(server)
    const answer = await fetch(`${server.url}/metrics`)
    const page = parsePrometheus(await answer.text())
    const value = (name: string, labels: object = {}) =>
      page
        .get(`almanac_${name}`)
        ?.samples.find((sample) => JSON.stringify(sample.labels) === JSON.stringify(labels))?.value
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(value('ready')).toBe(1)
    expect(value('partitions_owned')).toBe(4)
    expect(value('tasks', { state: 'enabled' })).toBe(1)
    expect(value('runs', { status: 'running' })).toBe(1)
    expect(value('occurrences_total', { outcome: 'emitted' })).toBe(1)
    expect(value('missed_total', { reason: 'misfire' })).toBe(0)
    expect(value('events_appended_total')).toBeGreaterThanOrEqual(2)
    const route = '/v1/namespaces/:namespace/tasks'
    expect(value('http_requests_total', { method: 'POST', route, status: '201' })).toBe(1)
    const names = [...page.keys()]
    for (const name of ['commit_seconds', 'claim_seconds', 'append_seconds', 'barrier_wait_seconds']) {
      expect(names).toContain(`almanac_${name}`)
    }
  })

  it('has none when telemetry is off, and hands a trace on all the same', async () => {
    const server = await started({ telemetry: 'off' })
    expect((await fetch(`${server.url}/metrics`)).status).toBe(404)
    const { id } = (await server.post('/tasks', yearly)).body
    await server.post(`/tasks/${id}/trigger`, undefined, headers)
    expect((await leaseOne(server)).traceparent).toBe(headers.traceparent)
  })

  it('wants to know where traces go', async () => {
    const server = new TestServer({ telemetry: 'on' })
    const starting = startStandalone(server.config())
    await expect(starting).rejects.toThrow(StartProblem)
    await expect(starting).rejects.toThrow(/OTEL_EXPORTER_OTLP_ENDPOINT/)
    await server.remove()
  })
})

describe('a trace', () => {
  it('goes from a request over append, projection, tick and commit into the run that a worker gets', async () => {
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', await receiver.start())
    vi.stubEnv('OTEL_TRACES_SAMPLER_ARG', '0')
    const server = await started({ telemetry: 'on' })
    const { id } = (await server.post('/tasks', yearly)).body
    await server.post(`/tasks/${id}/trigger`, undefined, headers)
    const run = await leaseOne(server)
    const history = (await server.get(`/tasks/${id}/history`)).body.items
    await server.stop()
    await receiver.stop()

    expect(receiver.refused).toEqual([])
    expect(history.map(({ traceId }: { traceId?: string }) => traceId)).toEqual([undefined, trace])
    const spans = new Map(receiver.spans.map((span) => [span.name, span]))
    expect(receiver.spans.map(({ name, traceId }) => [name, traceId]).sort()).toEqual(
      ['append', 'command', 'commit', 'project', 'run', 'tick'].map((name) => [name, trace]),
    )
    const parentOf = (name: string) => spans.get(name)?.parentSpanId
    const idOf = (name: string) => spans.get(name)?.spanId
    expect(parentOf('command')).toBe(caller)
    for (const name of ['append', 'project', 'tick', 'run']) expect(parentOf(name)).toBe(idOf('command'))
    expect(parentOf('commit')).toBe(idOf('tick'))
    expect(run.traceparent).toBe(`00-${trace}-${idOf('run')}-01`)
    expect(spans.get('run')?.attributes).toMatchObject({ 'almanac.run.id': run.runId, 'almanac.task.id': id })
    expect(spans.get('command')?.attributes).toMatchObject({ 'http.response.status_code': 202 })
    expect(isWithin(spans.get('commit'), spans.get('tick'))).toBe(true)
    expect(spans.get('tick')?.resource['service.instance.id']).toBe('standalone')
  })
})

const isWithin = (inner: ReceivedSpan | undefined, outer: ReceivedSpan | undefined): boolean =>
  inner !== undefined && outer !== undefined && inner.startMs >= outer.startMs && inner.endMs <= outer.endMs
