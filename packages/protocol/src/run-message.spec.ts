import type { RunCommand } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import { type RunMessageJson, runMessageHeaders, runMessageJson, runOfMessage } from './run-message.js'

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

  it('is refused when an instant in it is none', () => {
    const broken: RunMessageJson = { ...runMessageJson(plain), scheduledAt: 'tomorrow' }
    expect(() => runOfMessage(broken)).toThrow('"tomorrow" is no instant')
  })
})
