import type { RunCommand } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import {
  parseRunMessage,
  type RunMessageJson,
  runMessageHeaders,
  runMessageJson,
  runOfMessage,
} from './run-message.js'

const plain: RunCommand = {
  runId: 'r-1',
  namespace: 'default',
  taskId: 't-1',
  taskName: 'Nightly ☾',
  task: 'reports.nightly',
  args: [1, { two: [null] }],
  kwargs: { region: 'eu' },
  headers: { trace: 'abc' },
  queue: 'default',
  exchange: null,
  routingKey: null,
  priority: null,
  scheduledAt: 1_700_000_000_000,
  emittedAt: 1_700_000_000_005,
  expiresAt: null,
  kind: 'scheduled',
  overlap: 'allow',
  maxAttempts: 3,
  taskRevision: 2,
  partition: 5,
  seq: 77,
}

const full: RunCommand = {
  ...plain,
  exchange: 'ex',
  routingKey: 'rk',
  priority: 0,
  expiresAt: 1_700_000_060_000,
  kind: 'catchUp',
  overlap: 'skip',
  replayed: true,
}

describe('a run in a topic', () => {
  it.each([
    ['plain', plain],
    ['full', full],
  ])('comes back whole: %s', (_, run) => {
    expect(runOfMessage(JSON.parse(JSON.stringify(runMessageJson(run))))).toEqual(run)
  })

  it('has instants as ISO 8601 text', () => {
    const { scheduledAt, emittedAt, expiresAt } = runMessageJson(full)
    expect([scheduledAt, emittedAt, expiresAt]).toEqual([
      '2023-11-14T22:13:20.000Z',
      '2023-11-14T22:13:20.005Z',
      '2023-11-14T22:14:20.000Z',
    ])
  })

  it('says in headers what routing needs, and leaves out what does not apply', () => {
    expect(runMessageHeaders(full)).toEqual({
      runId: 'r-1',
      taskId: 't-1',
      scheduledAt: '2023-11-14T22:13:20.000Z',
      expiresAt: '2023-11-14T22:14:20.000Z',
      priority: '0',
      kind: 'catchUp',
      partition: '5',
      seq: '77',
      replayed: '1',
    })
    expect(Object.keys(runMessageHeaders(plain)).sort()).toEqual(
      ['kind', 'partition', 'runId', 'scheduledAt', 'seq', 'taskId'].sort(),
    )
  })

  it('takes its trace with it, in the header and in the body, and no trace that is none', () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const traced = { ...plain, traceparent }
    expect(runMessageHeaders(traced)).toEqual({ ...runMessageHeaders(plain), traceparent })
    const message = JSON.parse(JSON.stringify(runMessageJson(traced)))
    expect(message).toEqual({ ...runMessageJson(plain), traceparent })
    expect(runOfMessage(message)).toEqual(traced)
    expect(runOfMessage({ ...message, traceparent: 'anything' })).toStrictEqual(plain)
    expect(runMessageHeaders(plain)).not.toHaveProperty('traceparent')
  })

  it('is refused when an instant in it is none', () => {
    const broken: RunMessageJson = { ...runMessageJson(plain), scheduledAt: 'tomorrow' }
    expect(() => runOfMessage(broken)).toThrow('"tomorrow" is no instant')
  })
})

describe('the value of a record in a run topic', () => {
  const text = (changes: object = {}) => JSON.stringify({ ...runMessageJson(full, 7), ...changes })

  it('gives the run and the term of its tick; 0 where none is told', () => {
    expect(parseRunMessage(text())).toEqual({ run: full, term: 7 })
    expect(parseRunMessage(JSON.stringify(runMessageJson(plain)))).toEqual({ run: plain, term: 0 })
  })

  it.each([
    ['no JSON', '{'],
    ['null', 'null'],
    ['a list', '[]'],
    ['a text', '"run"'],
    ['no run id', text({ runId: undefined })],
    ['a number for a task id', text({ taskId: 7 })],
    ['a text for seq', text({ seq: '7' })],
    ['half a term', text({ term: 1.5 })],
    ['an instant that is none', text({ emittedAt: 'now' })],
    ['args that are no list', text({ args: {} })],
    ['kwargs that are a list', text({ kwargs: [] })],
    ['a kind that is none', text({ kind: 'sometimes' })],
    ['an overlap policy that is none', text({ overlap: 'maybe' })],
  ])('is refused: %s', (_, value) => {
    expect(() => parseRunMessage(value)).toThrow()
  })
})
