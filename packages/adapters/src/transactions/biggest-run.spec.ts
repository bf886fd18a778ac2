import { type RunCommand, type TaskSpec, validateTaskSpec } from '@almanac/domain'
import { nextCheckpoint, sampleRun, tickOf } from '@almanac/engine/contracts/samples'
import { describe, expect, it } from 'vitest'
import { tickRecords } from './records.js'
import { dispatchTopics } from './topics.js'

const wide = '🎉'.repeat(200)
const inTopic = 'q'.repeat(176)
const biggest = {
  name: wide,
  task: wide,
  schedule: { interval: { every: 1, period: 'seconds' } },
  args: ['x'.repeat(65_536 - 4 - 2)],
  headers: { h: 'x'.repeat(32_768 - 8) },
  queue: inTopic,
  exchange: inTopic,
  routingKey: 'k'.repeat(200),
  priority: 255,
}

const runOf = ({
  name,
  task,
  args,
  kwargs,
  headers,
  queue,
  exchange,
  routingKey,
  priority,
}: TaskSpec): RunCommand =>
  sampleRun('r'.repeat(64), {
    ...{ task, args, kwargs, headers, exchange, routingKey, priority },
    taskName: name,
    queue: queue ?? 'default',
    namespace: 'n'.repeat(63),
    taskId: 't'.repeat(64),
    taskRevision: Number.MAX_SAFE_INTEGER,
    seq: Number.MAX_SAFE_INTEGER,
    expiresAt: 1_700_000_000_000,
    replayed: true,
    traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
  })

describe('the biggest run that a task can ask for', () => {
  it('has a record of at most 128 KiB, in a topic whose name a broker takes; a bigger one is refused', () => {
    const spec = validateTaskSpec(biggest)
    if (!spec.ok) throw new Error(JSON.stringify(spec.error))
    const tick = tickOf(nextCheckpoint({ term: 1, checkpoint: null }), { runs: [runOf(spec.value)] })
    const [record] = tickRecords(dispatchTopics('p'.repeat(63)), 255, tick)
    const bytes = Buffer.byteLength(JSON.stringify(record))
    expect(bytes).toBeGreaterThan(98_304)
    expect(bytes).toBeLessThanOrEqual(131_072)
    expect(record?.topic.length).toBeLessThanOrEqual(249)
    for (const [field, value] of Object.entries({
      args: [`${biggest.args[0]}x`],
      headers: { h: `${biggest.headers.h}x` },
      queue: `${inTopic}q`,
      exchange: `${inTopic}q`,
    })) {
      const refused = validateTaskSpec({ ...biggest, [field]: value })
      expect(refused.ok ? [] : refused.error.map(({ path }) => path)).toEqual([field])
    }
  })
})
