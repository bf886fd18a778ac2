import { metricCatalogue } from '@almanac/engine'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../system/index.js'
import type { TelemetryConfig } from './config.js'
import { OtlpReceiver } from './otlp-receiver.fixture.js'
import { parsePrometheus } from './prometheus-text.fixture.js'
import type { RunningTelemetry } from './running.js'
import { startTelemetry } from './start.js'

const receiver = new OtlpReceiver()
let endpoint: string
let faults: string[]
const running: RunningTelemetry[] = []

beforeEach(async () => {
  receiver.spans.length = 0
  receiver.failWith = undefined
  receiver.isSilent = false
  faults = []
  endpoint = await receiver.start()
})
afterEach(async () => {
  for (const { stop } of running.splice(0)) await stop()
  await receiver.stop()
})

async function start(more: Partial<TelemetryConfig>): Promise<RunningTelemetry> {
  const config: TelemetryConfig = {
    mode: 'metrics',
    nodeId: 'n"1\\',
    cluster: 'test',
    region: 'west',
    version: '1.2.3',
    sampleRatio: 1,
    endpoint: null,
    metricsEveryMs: 60_000,
    flushDeadlineMs: 2_000,
    ...more,
  }
  const started = await startTelemetry(config, {
    clock: systemClock(),
    onFault: (message, fault) => faults.push(`${message}: ${(fault as Error).message}`),
  })
  running.push(started)
  return started
}

const pageOf = async ({ metricsText }: RunningTelemetry) => parsePrometheus((await metricsText?.()) ?? '')

describe('telemetry that is off', () => {
  it('has no page, and hands a context on', async () => {
    const { telemetry, metricsText } = await start({ mode: 'off', endpoint })
    expect(metricsText).toBeUndefined()
    const parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    expect(telemetry.span('command', { parent })).toMatchObject({ traceparent: parent, isRecorded: false })
    expect(telemetry.span('command').traceparent).toBeUndefined()
  })
})

describe('metrics', () => {
  it('are a page that a strict reader takes, with every name of the catalogue and no other', async () => {
    const started = await start({})
    const { telemetry } = started
    for (const [name, { kind, labels }] of Object.entries(metricCatalogue)) {
      const values = Object.fromEntries(
        labels.map((label) => [label, `a "b" \\ of\nlabel ${label}`]),
      ) as never
      if (kind === 'counter') telemetry.count(name as 'missed_total', 2, values)
      else if (kind === 'histogram') telemetry.record(name as 'tick_seconds', 0.3, values)
      else telemetry.observe((observe) => observe(name as 'tasks', 7, values))
    }
    const page = await pageOf(started)
    expect([...page.keys()].sort()).toEqual(
      Object.keys(metricCatalogue)
        .map((name) => `almanac_${name}`)
        .sort(),
    )
    const types = { counter: 'counter', total: 'counter', gauge: 'gauge', histogram: 'histogram' }
    for (const [name, { kind, help }] of Object.entries(metricCatalogue)) {
      expect(page.get(`almanac_${name}`), name).toMatchObject({ type: types[kind], help })
    }
    expect(page.get('almanac_missed_total')?.samples).toEqual([
      { name: 'almanac_missed_total', labels: { reason: 'a "b" \\ of\nlabel reason' }, value: 2 },
    ])
    expect(page.get('almanac_node_info')?.samples).toContainEqual({
      name: 'almanac_node_info',
      labels: { node: 'n"1\\', cluster: 'test', region: 'west', version: '1.2.3' },
      value: 1,
    })
  })

  it('count up, and a reading that fails takes no other with it', async () => {
    const started = await start({})
    const { telemetry } = started
    telemetry.count('events_appended_total', 2)
    telemetry.count('events_appended_total', 3)
    telemetry.observe(() => {
      throw new Error('closed')
    })
    const forget = telemetry.observe((observe) => observe('leases_held', 4))
    const value = async (name: string) => (await pageOf(started)).get(name)?.samples[0]?.value
    expect(await value('almanac_events_appended_total')).toBe(5)
    expect(await value('almanac_leases_held')).toBe(4)
    forget()
    expect(await value('almanac_leases_held')).toBeUndefined()
  })

  it('are sent to a collector too, under the same names', async () => {
    const started = await start({ endpoint, metricsEveryMs: 100 })
    started.telemetry.count('events_appended_total', 1)
    await started.stop()
    expect(receiver.refused).toEqual([])
    expect(receiver.metricNames).toContain('almanac_events_appended_total')
    expect(receiver.metricNames).toContain('almanac_process_memory_bytes')
  })
})

describe('traces', () => {
  it('are sent with the node that they come from, and what belongs together is one trace', async () => {
    const { telemetry, stop } = await start({ mode: 'on', endpoint })
    const command = telemetry.span('command', { kind: 'server', attributes: { route: '/x' } })
    const append = telemetry.span('append', { parent: command.traceparent, agoMs: 250 })
    append.failed('conflict')
    append.end()
    const run = telemetry.span('run', {
      traceId: 'f'.repeat(32),
      links: [command.traceparent ?? '', 'nothing'],
      kind: 'producer',
    })
    run.end()
    command.set({ status: 201 })
    command.end()
    await stop()
    expect(receiver.refused).toEqual([])
    const [first, second, third] = ['command', 'append', 'run'].map((name) =>
      receiver.spans.find((span) => span.name === name),
    )
    expect(first).toMatchObject({ parentSpanId: '', kind: 2, attributes: { route: '/x', status: 201 } })
    expect(first?.resource).toMatchObject({
      'service.name': 'almanac',
      'service.instance.id': 'n"1\\',
      'service.version': '1.2.3',
      'almanac.cluster': 'test',
      'cloud.region': 'west',
    })
    expect(second).toMatchObject({
      traceId: first?.traceId,
      parentSpanId: first?.spanId,
      status: { code: 2 },
    })
    expect((second?.endMs ?? 0) - (second?.startMs ?? 0)).toBeGreaterThanOrEqual(250)
    expect(third).toMatchObject({ traceId: 'f'.repeat(32), parentSpanId: '', kind: 4 })
    expect(third?.links).toEqual([{ traceId: first?.traceId, spanId: first?.spanId }])
  })

  it('follow what their parent was decided to be, and what begins here follows the ratio', async () => {
    const { telemetry } = await start({ mode: 'on', endpoint, sampleRatio: 0 })
    const trace = '0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331'
    expect(telemetry.span('command').isRecorded).toBe(false)
    expect(telemetry.span('command', { isWanted: true }).isRecorded).toBe(true)
    expect(telemetry.span('command', { parent: `00-${trace}-01` }).isRecorded).toBe(true)
    const unwanted = telemetry.span('command', { parent: `00-${trace}-00` })
    expect(unwanted).toMatchObject({ isRecorded: false, traceparent: `00-${trace}-00` })
    expect(telemetry.span('command', { parent: 'not a context' }).isRecorded).toBe(false)
  })

  it('are chosen by their id, the same on every node', async () => {
    const a = await start({ mode: 'on', endpoint, sampleRatio: 0.25 })
    const b = await start({ mode: 'on', endpoint, sampleRatio: 0.25 })
    const ids = Array.from({ length: 4_000 }, (_, i) => `${i}`.padStart(24, '0') + hash(i))
    const chosen = ids.filter((id) => a.telemetry.samples(id))
    expect(chosen).toEqual(ids.filter((id) => b.telemetry.samples(id)))
    expect(chosen.length).toBeGreaterThan(800)
    expect(chosen.length).toBeLessThan(1_200)
    expect(a.telemetry.span('run', { traceId: chosen[0] ?? '' }).isRecorded).toBe(true)
  })
})

/** Eight digits that look like chance and are always the same. */
const hash = (i: number): string => (Math.imul(i + 1, 2_654_435_761) >>> 0).toString(16).padStart(8, '0')

describe('a collector', () => {
  it('gets what fits into the queue, and it is told how much did not', async () => {
    const { telemetry, stop } = await start({ mode: 'on', endpoint })
    for (let i = 0; i < 20_000; i++) telemetry.span('run').end()
    await waitFor(() => receiver.spans.length >= 16_384)
    telemetry.span('run').end()
    await stop()
    const [dropped] = faults.map((fault) => /^traces: Dropped (\d+) spans/.exec(fault)?.[1])
    expect(Number(dropped)).toBeGreaterThan(0)
    expect(receiver.spans.length + Number(dropped)).toBe(20_001)
    expect(faults).toHaveLength(1)
  })

  it('that refuses is told of once, and counted', async () => {
    receiver.failWith = 400
    const started = await start({ mode: 'on', endpoint })
    started.telemetry.span('command').end()
    await waitFor(() => receiver.requests > 0)
    await waitFor(() => faults.length > 0)
    expect(faults).toEqual([expect.stringMatching(/^sending traces: /)])
    const samples = (await pageOf(started)).get('almanac_telemetry_exports_total')?.samples
    expect(samples).toContainEqual(
      expect.objectContaining({ labels: { signal: 'traces', outcome: 'failed' }, value: 1 }),
    )
  })

  it('that never answers holds the end no longer than its deadline', async () => {
    receiver.isSilent = true
    const { telemetry, stop } = await start({ mode: 'on', endpoint, flushDeadlineMs: 100 })
    telemetry.span('command').end()
    running.length = 0
    await stop()
    expect(faults).toContain('sending the last traces: not done within 100 ms')
  })
})

async function waitFor(isDone: () => boolean): Promise<void> {
  while (!isDone()) await new Promise((resolve) => setTimeout(resolve, 10))
}
