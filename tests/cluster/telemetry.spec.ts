import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KafkaTransactionLog, parseKafka } from '@almanac/adapters/kafka'
import { systemClock } from '@almanac/adapters/system'
import { resolveTelemetry, startTelemetry } from '@almanac/adapters/telemetry'
import { OtlpReceiver } from '@almanac/adapters/telemetry/otlp-receiver'
import { parsePrometheus } from '@almanac/adapters/telemetry/prometheus-text'
import { dispatchTopics } from '@almanac/adapters/transactions'
import { createStop, metricCatalogue } from '@almanac/engine'
import { startNode } from '@almanac/scheduler'
import { resolveConfig } from '@almanac/scheduler/service'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'

// Goal: one trace from a command over a cluster of two nodes, Kafka and Redis, into a worker's own span, which takes
// its parent from the header of the run's message; and the metrics of a node that schedules and of one that only
// serves.

const clock = systemClock()
const cluster = `telemetry-${randomBytes(4).toString('hex')}`
const folder = mkdtempSync(join(tmpdir(), 'almanac-telemetry-'))
const receiver = new OtlpReceiver()
const ends: (() => Promise<unknown>)[] = []
let endpoint: string
let scheduler: string
let api: string

async function node(name: string, role: 'all' | 'api'): Promise<string> {
  const flags = {
    node: name,
    cluster,
    role,
    port: '0',
    data: join(folder, name),
    partitions: '4',
    eventstore: `sqlite:${join(folder, 'events')}`,
    kafka: inject('kafka'),
    redis: inject('redis'),
    replication: '1',
    leaseTtlSeconds: '4',
    telemetry: 'on',
  }
  const resolved = resolveConfig({ flags })
  if (!resolved.ok) throw new Error(resolved.problems.join('\n'))
  const { servers } = resolved.config
  if (servers === null) throw new Error('no servers')
  const { url, stop } = await startNode({ ...resolved.config, servers })
  ends.push(stop)
  return url
}

beforeAll(async () => {
  endpoint = await receiver.start()
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = endpoint
  process.env.OTEL_TRACES_SAMPLER_ARG = '0'
  scheduler = await node('s1', 'all')
  api = await node('a1', 'api')
  const owned = async () => (await metricsOf(scheduler)).get('almanac_partitions_owned')?.samples[0]?.value
  while ((await owned()) !== 4) await clock.sleep(200)
}, 120_000)

afterAll(async () => {
  for (const end of ends.reverse()) await end()
  await receiver.stop()
  rmSync(folder, { recursive: true, force: true })
}, 60_000)

const metricsOf = async (url: string) => parsePrometheus(await (await fetch(`${url}/metrics`)).text())

async function post(path: string, body: object, headers: { readonly [name: string]: string } = {}) {
  const answer = await fetch(`${api}/v1/namespaces/default${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  return { status: answer.status, body: (await answer.json()) as { id: string; runId: string } }
}

const yearly = (name: string) => ({
  name,
  task: 'demo',
  schedule: { crontab: { expression: '0 2 1 1 *' } },
})

/** Headers of the message of a run, as they stand in Kafka. */
async function headersOf(runId: string): Promise<{ readonly [name: string]: string }> {
  const log = new KafkaTransactionLog({ connection: parseKafka(inject('kafka')), clock })
  const stop = createStop()
  const topic = dispatchTopics(cluster).runs({ queue: 'default', exchange: null })
  try {
    for await (const records of log.follow(topic, stop)) {
      for (const { headers = {} } of records) if (headers.runId === runId) return headers
    }
    throw new Error('the topic has ended')
  } finally {
    stop.stop()
  }
}

describe('a cluster', () => {
  it('carries one trace from a command into the span of a worker', async () => {
    const trace = randomBytes(16).toString('hex')
    const caller = '00f067aa0ba902b7'
    const { body: task } = await post('/tasks', yearly('traced'))
    const triggered = await post(`/tasks/${task.id}/trigger`, {}, { traceparent: `00-${trace}-${caller}-01` })
    expect(triggered.status).toBe(202)
    const { traceparent } = await headersOf(triggered.body.runId)
    expect(traceparent).toMatch(new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`))

    const known = { mode: 'on', nodeId: 'worker', cluster, region: '', version: '1' } as const
    const resolved = resolveTelemetry(known, process.env)
    if (!resolved.ok) throw new Error(resolved.problems.join('\n'))
    const worker = await startTelemetry(resolved.config, { clock, onFault: () => {} })
    worker.telemetry.span('run', { parent: traceparent, kind: 'consumer' }).end()
    await worker.stop()

    const spans = () =>
      receiver.spans
        .filter(({ traceId }) => traceId === trace)
        .map(({ name, resource }) => `${name} on ${resource['service.instance.id']}`)
        .sort()
    await expect
      .poll(spans, { timeout: 20_000 })
      .toEqual([
        'append on a1',
        'command on a1',
        'commit on s1',
        'project on a1',
        'project on s1',
        'run on s1',
        'run on worker',
        'tick on s1',
      ])
    expect(receiver.refused).toEqual([])
    const span = (name: string, on: string) =>
      receiver.spans.find(
        (each) => each.traceId === trace && each.name === name && each.resource['service.instance.id'] === on,
      )
    expect(span('command', 'a1')?.parentSpanId).toBe(caller)
    expect(span('run', 'worker')?.parentSpanId).toBe(span('run', 's1')?.spanId)
    expect(traceparent).toContain(span('run', 's1')?.spanId)
    expect(span('run', 's1')?.links).toEqual([{ traceId: trace, spanId: span('tick', 's1')?.spanId }])
  })

  it('leaves messages of what nobody traces without a context', async () => {
    const { body: task } = await post('/tasks', yearly('plain'))
    const triggered = await post(`/tasks/${task.id}/trigger`, {})
    expect(Object.keys(await headersOf(triggered.body.runId)).sort()).not.toContain('traceparent')
  })

  it('tells metrics by every node, of its own part', async () => {
    const [own, others] = [await metricsOf(scheduler), await metricsOf(api)]
    const value = (page: typeof own, name: string) => page.get(`almanac_${name}`)?.samples[0]?.value
    expect([value(own, 'partitions_owned'), value(others, 'partitions_owned')]).toEqual([4, 0])
    expect([value(own, 'leases_held'), value(others, 'leases_held')]).toEqual([4, 0])
    for (const page of [own, others]) {
      expect(value(page, 'ready')).toBe(1)
      // Both see the checkpoints of all partitions.
      expect(page.get('almanac_checkpoint_age_seconds')?.samples).toHaveLength(4)
      const sources = page.get('almanac_clock_offset_seconds')?.samples.map(({ labels }) => labels.source)
      expect(sources).toContain('leases')
      const known = new Set(Object.keys(metricCatalogue).map((name) => `almanac_${name}`))
      expect([...page.keys()].filter((name) => !known.has(name))).toEqual([])
    }
    const written = own.get('almanac_commit_seconds')?.samples.find(({ name }) => name.endsWith('_count'))
    expect(written?.labels).toEqual({ outcome: 'committed' })
    expect(value(others, 'events_appended_total')).toBeGreaterThanOrEqual(4)
    expect(own.has('almanac_takeover_seconds')).toBe(true)
  })
})
