import {
  nextCheckpoint,
  type PlannedRun,
  type RecordedEvent,
  type RunCommand,
  requestedRunIdOf,
  runIdOf,
} from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import { noTelemetry, type Telemetry } from '../ports/telemetry.js'
import { RecordingTelemetry } from './recording-telemetry.spec-support.js'
import { TickRecorder } from './tick-recorder.js'

const cluster = 'c'
const traceA = `00-${'a1'.repeat(16)}-${'b1'.repeat(8)}-01`
const traceB = `00-${'a2'.repeat(16)}-${'b2'.repeat(8)}-01`
const unsampled = `00-${'a3'.repeat(16)}-${'b3'.repeat(8)}-00`

const event = (position: number, traceparent?: string): RecordedEvent => ({
  id: `e${position}`,
  type: 'TaskTriggered',
  version: 1,
  data: {},
  stream: 'task-00-T',
  revision: position,
  position,
  hash: '',
  metadata: {
    namespace: 'default',
    actor: 'a',
    at: position,
    correlationId: 'x',
    previousHash: '',
    ...(traceparent === undefined ? {} : { traceparent }),
  },
})

const command = (runId: string, more: Partial<RunCommand> = {}): RunCommand => ({
  runId,
  namespace: 'default',
  taskId: 'T',
  taskName: 't',
  task: 'a.b',
  args: [],
  kwargs: {},
  headers: {},
  queue: 'default',
  exchange: null,
  routingKey: null,
  priority: null,
  scheduledAt: 1_000,
  emittedAt: 1_100,
  expiresAt: null,
  kind: 'scheduled',
  overlap: 'allow',
  maxAttempts: 1,
  taskRevision: 0,
  partition: 3,
  seq: 1,
  ...more,
})
const scheduled = (taskId: string) => command(runIdOf(cluster, 'default', taskId, 1_000), { taskId })
const asked = (eventId: string) =>
  command(requestedRunIdOf(cluster, 'default', 'T', 1_000, eventId), { kind: 'manual' })

const plannedOf = ({ runId, taskId, scheduledAt, kind }: RunCommand): PlannedRun => ({
  runId,
  taskId,
  scheduledAt,
  dispatchAt: scheduledAt + 50,
  kind,
  revision: 0,
})

function recorderOver(telemetry: Telemetry) {
  let elapsed = 10_000
  const clock = { now: () => 1_500, elapsed: () => elapsed, sleep: async () => {} }
  const recorder = new TickRecorder({ telemetry, clock, options: { cluster } })
  const commit = async (
    commands: readonly RunCommand[],
    { outcome = 'committed' as const, position = 100, skips = [] as const } = {} as {
      outcome?: 'committed' | 'fenced'
      position?: number
      skips?: Parameters<TickRecorder['commit']>[0]['skips']
    },
  ) => {
    let given: readonly RunCommand[] = []
    const next = nextCheckpoint(null, {
      term: 1,
      cursor: { at: 1_000, taskId: 'T' },
      position,
      evaluatedAt: 1_100,
      more: false,
      engineVersion: '1',
      tzVersion: '1',
      runIds: commands.map(({ runId }) => runId),
      skipped: 0,
      floors: [],
      replayUntil: null,
    })
    const planned = commands.map(plannedOf)
    const result = await recorder.commit({ next, planned, commands, skips, begunAt: 9_800 }, async (runs) => {
      given = runs
      elapsed += 25
      return outcome
    })
    return { result, given }
  }
  return { recorder, commit }
}

describe('the trace of a tick', () => {
  it('is that of the command which the tick is the first to know of; others are linked', async () => {
    const telemetry = new RecordingTelemetry({ samples: () => false })
    const { recorder, commit } = recorderOver(telemetry)
    recorder.heard(event(5), 'T')
    recorder.heard(event(6, unsampled), 'T')
    recorder.heard(event(7, traceA), 'T')
    recorder.heard(event(8, traceB), 'U')
    recorder.heard(event(101, traceB), 'T')
    await commit([])
    const [tick] = telemetry.named('tick')
    expect(tick).toMatchObject({ parent: traceA, links: [traceB], agoMs: 200, isEnded: true })
    expect(telemetry.named('commit')).toMatchObject([{ parent: tick?.traceparent, isEnded: true }])
    // It is told once; what came after this tick belongs to the next.
    await commit([], { position: 200 })
    expect(telemetry.named('tick')).toMatchObject([{ parent: traceA }, { parent: traceB, links: [] }])
    await commit([], { position: 300 })
    expect(telemetry.named('tick')).toHaveLength(2)
  })

  it('stays with what a tick that was not committed had to tell', async () => {
    const telemetry = new RecordingTelemetry({ samples: () => false })
    const { recorder, commit } = recorderOver(telemetry)
    recorder.heard(event(7, traceA), 'T')
    const { result } = await commit([asked('e7')], { outcome: 'fenced' })
    expect(result).toBe('fenced')
    expect(telemetry.spans.map(({ name, failure, isEnded }) => [name, failure, isEnded])).toEqual([
      ['tick', 'fenced', true],
      ['run', 'fenced', true],
      ['commit', 'fenced', true],
    ])
    await commit([])
    expect(telemetry.named('tick')).toMatchObject([
      { parent: traceA },
      { parent: traceA, failure: undefined },
    ])
  })

  it('ends in a failure when the commit throws, and the fault goes on', async () => {
    const telemetry = new RecordingTelemetry()
    const { recorder } = recorderOver(telemetry)
    const next = { seq: 1, term: 1, position: 1, runs: 0, skipped: 0 } as never
    const failing = recorder.commit({ next, planned: [], commands: [], skips: [], begunAt: 0 }, async () => {
      throw new Error('broken')
    })
    await expect(failing).rejects.toThrow('broken')
    expect(telemetry.named('tick')).toMatchObject([{ failure: 'failed', isEnded: true }])
    expect(telemetry.told).toMatchObject([{ name: 'tick_seconds', labels: { outcome: 'failed' } }])
  })
})

describe('the trace of a run', () => {
  it('has the id of the run when it was scheduled, and is linked to its tick', async () => {
    const run = scheduled('T')
    const telemetry = new RecordingTelemetry({ samples: (traceId) => traceId === run.runId })
    const { commit } = recorderOver(telemetry)
    const other = scheduled('U')
    const { given } = await commit([run, other])
    const [tick] = telemetry.named('tick')
    // Recorded though its own id was not picked: one of its runs was.
    expect(tick).toMatchObject({ isWanted: true, isEnded: true })
    expect(telemetry.named('run')).toMatchObject([
      { traceId: run.runId, links: [tick?.traceparent], kind: 'producer', isEnded: true },
    ])
    const [span] = telemetry.named('run')
    expect(given).toEqual([{ ...run, traceparent: span?.traceparent }, other])
  })

  it('is that of who asked for it, each one of its own', async () => {
    const telemetry = new RecordingTelemetry({ samples: () => false })
    const { recorder, commit } = recorderOver(telemetry)
    recorder.heard(event(7, traceA), 'T')
    recorder.heard(event(8, traceB), 'T')
    recorder.heard(event(9), 'T')
    const { given } = await commit([asked('e8'), asked('e7'), asked('e9')])
    const [tick] = telemetry.named('tick')
    expect(telemetry.named('run')).toMatchObject([
      { parent: traceB, links: [tick?.traceparent] },
      { parent: traceA, links: [tick?.traceparent] },
    ])
    const runs = telemetry.named('run').map(({ traceparent }) => traceparent)
    expect(given.map(({ traceparent }) => traceparent)).toEqual([...runs, undefined])
  })

  it('is handed on as it came where nothing is traced', async () => {
    for (const telemetry of [noTelemetry, new RecordingTelemetry({ isTracing: false })]) {
      const { recorder, commit } = recorderOver(telemetry)
      recorder.heard(event(7, traceA), 'T')
      recorder.heard(event(8, unsampled), 'T')
      const plain = [asked('e9'), scheduled('T')]
      const { given } = await commit([asked('e7'), asked('e8'), ...plain])
      expect(given).toEqual([
        { ...asked('e7'), traceparent: traceA },
        { ...asked('e8'), traceparent: unsampled },
        ...plain,
      ])
    }
  })
})

describe('telemetry that is off', () => {
  it('leaves the run commands untouched', async () => {
    const runs = [scheduled('T'), asked('e7')]
    const { commit } = recorderOver(noTelemetry)
    expect((await commit(runs)).given).toStrictEqual(runs)
  })
})

describe('the metrics of a tick', () => {
  it('count each occurrence under its outcome, and lateness from the dispatch instant to the commit', async () => {
    const telemetry = new RecordingTelemetry({ isTracing: false })
    const { commit } = recorderOver(telemetry)
    const skip = { taskId: 'U', first: 1, last: 2, revision: 0 }
    await commit([scheduled('T'), asked('e7')], {
      skips: [
        { ...skip, reason: 'misfire', count: 12 },
        { ...skip, reason: 'disabled', count: 3 },
      ],
    })
    expect(telemetry.told).toEqual([
      { name: 'tick_seconds', value: 0.225, labels: { outcome: 'committed' } },
      { name: 'lateness_seconds', value: 0.45, labels: {} },
      { name: 'occurrences_total', value: 2, labels: { outcome: 'emitted' } },
      { name: 'occurrences_total', value: 12, labels: { outcome: 'misfire' } },
      { name: 'missed_total', value: 12, labels: { reason: 'misfire' } },
      { name: 'occurrences_total', value: 3, labels: { outcome: 'disabled' } },
    ])
  })

  it('count nothing that was not committed', async () => {
    const telemetry = new RecordingTelemetry({ isTracing: false })
    const { commit } = recorderOver(telemetry)
    await commit([scheduled('T')], { outcome: 'fenced' })
    expect(telemetry.told.map(({ name, labels }) => [name, labels])).toEqual([
      ['tick_seconds', { outcome: 'fenced' }],
    ])
  })
})
