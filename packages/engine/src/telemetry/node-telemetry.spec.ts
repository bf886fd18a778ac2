import type { RunCommand } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import { metricCatalogue } from '../ports/metrics.js'
import { noTelemetry, type Telemetry } from '../ports/telemetry.js'
import { every, MemoryNodes } from '../scheduling/memory-nodes.spec-support.js'
import { RecordingTelemetry } from './recording-telemetry.spec-support.js'

const trace = 'a1'.repeat(16)
const traceparent = `00-${trace}-${'b1'.repeat(8)}-01`

/** A task every ten seconds; after twelve, somebody who is traced triggers it. */
async function live(telemetry: Telemetry, traced: { readonly traceparent?: string } = { traceparent }) {
  const nodes = new MemoryNodes()
  nodes.telemetry = telemetry
  const node = await nodes.start()
  const taskId = await nodes.create(node, { schedule: every(10) })
  await nodes.clock.advance(12_000)
  const triggered = await node.commands.triggerTask({ ...nodes.context, ...traced }, taskId, {})
  if (!triggered.ok) throw new Error('refused')
  await nodes.clock.advance(15_000)
  const status = node.status()
  await node.stop()
  expect(nodes.fatal).toEqual([])
  return { nodes, status, runId: triggered.value.runId }
}

describe('one trace', () => {
  it('goes from a command over append, projection, tick and commit into the run', async () => {
    const telemetry = new RecordingTelemetry({ samples: () => false })
    const { nodes, runId } = await live(telemetry)
    expect(telemetry.spans.map(({ name, traceId, isEnded }) => [name, traceId, isEnded])).toEqual(
      ['append', 'project', 'tick', 'run', 'commit'].map((name) => [name, trace, true]),
    )
    const [append, project, tick, run, commit] = telemetry.spans
    for (const span of [append, project, tick, run]) expect(span?.parent).toBe(traceparent)
    expect(commit?.parent).toBe(tick?.traceparent)
    expect(run?.links).toEqual([tick?.traceparent])
    const traced = nodes.committed.filter((command) => command.traceparent !== undefined)
    expect(traced).toMatchObject([{ runId, kind: 'manual', traceparent: run?.traceparent }])
  })

  it('of a scheduled run has the id of the run', async () => {
    const telemetry = new RecordingTelemetry()
    const { nodes } = await live(telemetry, {})
    const scheduled = nodes.committed.filter(({ kind }) => kind === 'scheduled')
    expect(scheduled.length).toBeGreaterThan(1)
    for (const { runId, traceparent: context } of scheduled) {
      const span = telemetry.spans.find((each) => each.traceparent === context)
      expect(span).toMatchObject({ name: 'run', traceId: runId, isEnded: true })
    }
  })
})

describe('what is told', () => {
  it('changes nothing of what is decided', async () => {
    const bare = ({ traceparent: _, ...command }: RunCommand) => command
    const off = await live(noTelemetry, {})
    const traces = new RecordingTelemetry()
    const metrics = new RecordingTelemetry({ isTracing: false })
    for (const told of [await live(traces, {}), await live(metrics, {})]) {
      const ticks = told.nodes.ticks.map((tick) => ({ ...tick, runs: tick.runs.map(bare) }))
      expect(ticks).toEqual(off.nodes.ticks)
    }
    expect(off.nodes.ticks.length).toBeGreaterThan(2)
    expect(traces.spans.length).toBeGreaterThan(2)
  })

  it('has a name in the catalogue, and every counter of a node has', async () => {
    const telemetry = new RecordingTelemetry()
    const { status } = await live(telemetry)
    expect(Object.keys(status.counters).filter((name) => !Object.hasOwn(metricCatalogue, name))).toEqual([])
    const names = new Set(telemetry.told.map(({ name }) => name))
    expect([...names].sort()).toEqual([
      'append_seconds',
      'barrier_wait_seconds',
      'claim_seconds',
      'commit_seconds',
      'events_appended_total',
      'lateness_seconds',
      'lease_renew_seconds',
      'membership_renew_seconds',
      'missed_total',
      'occurrences_total',
      'projection_lag_seconds',
      'takeover_seconds',
      'tick_seconds',
    ])
  })

  it('is read from a node while it runs, and not after its end', async () => {
    const nodes = new MemoryNodes()
    const telemetry = new RecordingTelemetry()
    nodes.telemetry = telemetry
    const node = await nodes.start()
    await nodes.create(node, { schedule: every(10) })
    await nodes.clock.advance(30_500)
    const read = telemetry.read()
    expect([read.get('ready{}'), read.get('partitions_owned{}'), read.get('leases_held{}')]).toEqual([
      1, 1, 1,
    ])
    expect(read.get('clock_offset_seconds{"source":"leases"}')).toBeCloseTo(0, 2)
    expect(read.get('checkpoint_age_seconds{"partition":"0"}')).toBe(0.5)
    expect(read.get('config_lag_positions{}')).toBe(0)
    await node.stop()
    expect(telemetry.read().size).toBe(0)
  })
})
