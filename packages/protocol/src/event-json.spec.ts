import type { RecordedEvent } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import { feedEventJson, historyJson } from './event-json.js'

const at = Date.UTC(2026, 0, 1)

const event = (revision: number, type: string, data: object, reason?: string): RecordedEvent => ({
  id: `e${revision}`,
  type,
  version: 1,
  data,
  metadata: {
    namespace: 'default',
    actor: 'mia',
    at: at + revision * 1_000,
    correlationId: 'c',
    previousHash: '',
    ...(reason === undefined ? {} : { reason }),
  },
  stream: 'task-00-x',
  revision,
  position: revision + 1,
  hash: '',
})

describe('a history', () => {
  it('tells who, when, why, and every field from what to what', () => {
    const [created, changed, disabled, enabled] = historyJson([
      event(0, 'TaskCreated', { taskId: 'x', spec: { name: 'n', queue: null, expires: at, enabled: true } }),
      event(
        1,
        'TaskChanged',
        { changes: { queue: 'q', expires: null }, rearmed: false, runsLeft: null },
        'ticket 7',
      ),
      event(2, 'TaskDisabled', { cause: 'requested' }),
      event(3, 'TaskEnabled', { runsLeft: null }),
    ])
    expect(created?.changes).toEqual([
      { field: 'name', from: null, to: 'n' },
      { field: 'queue', from: null, to: null },
      { field: 'expires', from: null, to: '2026-01-01T00:00:00.000Z' },
      { field: 'enabled', from: null, to: true },
    ])
    expect(created?.data).toEqual({
      taskId: 'x',
      spec: { name: 'n', queue: null, expires: '2026-01-01T00:00:00.000Z', enabled: true },
    })
    expect(changed).toMatchObject({
      actor: 'mia',
      at: '2026-01-01T00:00:01.000Z',
      reason: 'ticket 7',
      position: 2,
    })
    expect(changed?.changes).toEqual([
      { field: 'queue', from: null, to: 'q' },
      { field: 'expires', from: '2026-01-01T00:00:00.000Z', to: null },
    ])
    expect(disabled?.changes).toEqual([{ field: 'enabled', from: true, to: false }])
    expect(enabled?.changes).toEqual([{ field: 'enabled', from: false, to: true }])
  })
})

describe('an event of the feed', () => {
  it('leaves out what it does not know', () => {
    const changed = feedEventJson(event(1, 'TaskChanged', { changes: { queue: 'q' } }))
    expect(changed.changes).toEqual([{ field: 'queue', to: 'q' }])
    expect(feedEventJson(event(2, 'TaskTriggered', { args: [] }))).toMatchObject({
      changes: [],
      reason: null,
    })
  })
})

describe('an event of a traced command', () => {
  it('tells the trace, and nothing of one that is none', () => {
    const plain = event(0, 'TaskEnabled', { runsLeft: null })
    const traced = (traceparent: string) => ({ ...plain, metadata: { ...plain.metadata, traceparent } })
    const trace = '0af7651916cd43dd8448eb211c80319c'
    expect(feedEventJson(traced(`00-${trace}-b7ad6b7169203331-00`))).toEqual({
      ...feedEventJson(plain),
      traceId: trace,
    })
    expect(feedEventJson(traced('nonsense'))).toEqual(feedEventJson(plain))
    expect(feedEventJson(plain)).not.toHaveProperty('traceId')
  })
})
