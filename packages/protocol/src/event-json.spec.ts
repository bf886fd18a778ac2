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
      { path: 'name', after: 'n' },
      { path: 'expires', after: '2026-01-01T00:00:00.000Z' },
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
      { path: 'queue', before: null, after: 'q' },
      { path: 'expires', before: '2026-01-01T00:00:00.000Z', after: null },
    ])
    expect(disabled?.changes).toEqual([{ path: 'enabled', before: true, after: false }])
    expect(enabled?.changes).toEqual([{ path: 'enabled', before: false, after: true }])
  })

  it('tells schedules leaf by leaf while they are of one kind, and as a whole when they are not', () => {
    const crontab = { minute: '0', hour: '2' }
    const interval = { interval: { every: 5, period: 'minutes' } }
    const [, later, other] = historyJson([
      event(0, 'TaskCreated', { taskId: 'x', spec: { name: 'n', schedule: { crontab } } }),
      event(1, 'TaskChanged', { changes: { schedule: { crontab: { ...crontab, hour: '4' } } } }),
      event(2, 'TaskChanged', { changes: { schedule: interval } }),
    ])
    expect(later?.changes).toEqual([{ path: 'schedule.crontab.hour', before: '2', after: '4' }])
    expect(later?.text).toBe('mia changed schedule.crontab.hour from "2" to "4"')
    expect(other?.changes).toEqual([
      { path: 'schedule', before: { crontab: { minute: '0', hour: '4' } }, after: interval },
    ])
  })

  it('says which change an undo takes back', () => {
    const [, changed, undone] = historyJson([
      event(0, 'TaskCreated', { taskId: 'x', spec: { name: 'n', queue: null } }),
      event(1, 'TaskChanged', { changes: { queue: 'q' } }),
      {
        ...event(2, 'TaskChanged', { changes: { queue: null } }, 'wrong queue'),
        metadata: { ...event(2, '', {}, 'wrong queue').metadata, causationId: 'e1' },
      },
    ])
    expect(changed).not.toHaveProperty('undoes')
    expect(undone).toMatchObject({
      undoes: 1,
      subject: { kind: 'task', id: 'x', name: 'n' },
      text: 'mia undid revision 1: changed queue from "q" to none (wrong queue)',
    })
  })
})

describe('an event of the feed', () => {
  it('leaves out what it does not know', () => {
    const changed = feedEventJson(event(1, 'TaskChanged', { changes: { queue: 'q' } }))
    expect(changed.changes).toEqual([{ path: 'queue', after: 'q' }])
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
