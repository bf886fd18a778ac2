import { expect, it } from 'vitest'
import { type MessageType, messageTypeOf, messageTypes, runMessageType, wants } from './messages.js'
import type { WebhookSpec } from './types.js'

const spec = (more: Partial<WebhookSpec>): WebhookSpec => ({
  name: 'x',
  url: 'https://x.example',
  description: '',
  enabled: true,
  events: ['task.*'],
  tasks: [],
  labels: {},
  runs: null,
  ...more,
})
const task = { taskId: 't1', labels: { team: 'data', tier: '1' } }
const asked = (more: Partial<WebhookSpec>, type: MessageType, about: typeof task | null = task): boolean =>
  wants(spec(more), { type, task: about })

it.each([
  ['TaskCreated', 'task.created'],
  ['TaskHistoryReset', 'task.history_reset'],
  ['TaskBackfillRequested', 'task.backfill_requested'],
  ['ScheduleChanged', 'schedule.changed'],
  ['ChangeAnnounced', 'change.announced'],
  ['TaskAbandoned', undefined],
  ['NameReserved', undefined],
  ['ApiKeyCreated', undefined],
  ['PartitionProgress', undefined],
  ['WebhookCreated', undefined],
])('%s is told as %s', (event, type) => {
  expect(messageTypeOf(event)).toBe(type)
})

it('tells a run that is queued from one that is to be tried again', () => {
  expect(runMessageType('queued', 0)).toBe('run.queued')
  expect(runMessageType('queued', 1)).toBe('run.retrying')
  expect(runMessageType('running', 1)).toBe('run.started')
  for (const status of ['succeeded', 'failed', 'expired', 'cancelled'] as const) {
    expect(messageTypes).toContain(runMessageType(status, 1))
  }
})

it('asks for types, or for all of a subject', () => {
  expect(asked({}, 'task.created')).toBe(true)
  expect(asked({}, 'run.failed')).toBe(false)
  expect(asked({ events: ['run.failed'] }, 'run.failed')).toBe(true)
  expect(asked({ events: ['run.failed'] }, 'run.started')).toBe(false)
  expect(asked({ events: [] }, 'run.started')).toBe(false)
})

it('asks for tasks by id and by all of their labels', () => {
  expect(asked({ tasks: ['t1'] }, 'task.created')).toBe(true)
  expect(asked({ tasks: ['t2'] }, 'task.created')).toBe(false)
  expect(asked({ labels: { team: 'data' } }, 'task.created')).toBe(true)
  expect(asked({ labels: { team: 'data', tier: '2' } }, 'task.created')).toBe(false)
  expect(asked({ labels: { toString: 'x' } }, 'task.created')).toBe(false)
  const shared = { events: ['schedule.*'] }
  expect(asked(shared, 'schedule.created', null)).toBe(true)
  expect(asked({ ...shared, tasks: ['t1'] }, 'schedule.created', null)).toBe(false)
})
