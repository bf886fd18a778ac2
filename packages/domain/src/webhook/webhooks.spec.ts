import { describe, expect, it } from 'vitest'
import { hour, minute, noon, specification } from '../decider.spec-support.js'
import type { WebhookEvent } from './types.js'
import type { WebhookLimits } from './validate-webhook.js'
import { decideWebhooks, evolveWebhooks, maxWebhooksOfNamespace, type WebhookCommand } from './webhooks.js'

const limits: WebhookLimits = {
  problemOf: (url) => (url.startsWith('https:') ? undefined : 'must be https'),
  hasRuns: true,
}
const given = specification({
  stream: 'webhooks',
  decide: (book, command: WebhookCommand, context: WebhookLimits) => decideWebhooks(book, command, context),
  evolve: evolveWebhooks,
  context: limits,
})
const spec = {
  name: 'ops',
  url: 'https://example.com/hook',
  description: '',
  enabled: true,
  events: ['task.*'],
  tasks: [],
  labels: {},
  runs: null,
}
const created = (webhookId: string, more: object = {}): WebhookEvent => ({
  type: 'WebhookCreated',
  data: { webhookId, keyId: 'key', spec: { ...spec, ...more } },
})
const input = { name: 'ops', url: 'https://example.com/hook', events: ['task.*'] }
const create = (more: object = {}, webhookId = 'w2'): WebhookCommand => ({
  type: 'create',
  namespace: 'default',
  webhookId,
  keyId: 'key',
  input: { ...input, ...more },
})
const change = (changes: object, expected?: number): WebhookCommand => ({
  type: 'change',
  namespace: 'default',
  webhookId: 'w1',
  input: changes,
  expected,
})

describe('a webhook', () => {
  it('is made with an address and what it wants to be told', () => {
    given().when(create()).thenEvents(created('w2'))
    const runs = { queue: 'jobs' }
    given()
      .when(create({ events: undefined, runs }))
      .thenEvents(created('w2', { events: [], runs: { queue: 'jobs', leaseSeconds: 300 } }))
  })

  it.each<[object, ...string[]]>([
    [{ url: 'http://example.com' }, 'url url_refused'],
    [{ url: '' }, 'url empty'],
    [{ name: ' ' }, 'name empty'],
    [{ events: [] }, 'events required'],
    [{ events: ['task.created', 'task.exploded'] }, 'events[1] unknown_choice'],
    [{ events: ['*'] }, 'events[0] unknown_choice'],
    [{ tasks: ['a/b'] }, 'tasks[0] bad_id'],
    [{ labels: { team: 7 } }, 'labels.team not_a_string'],
    [{ labels: [] }, 'labels not_an_object'],
    [{ runs: {} }, 'runs.queue required'],
    [{ runs: { queue: 'q', leaseSeconds: 1 } }, 'runs.leaseSeconds out_of_range'],
    [{ secret: 'mine' }, 'secret unknown_key'],
  ])('%j is refused', (more, ...problems) => {
    given()
      .when(create(more))
      .thenRefused('invalid', ...problems)
  })

  it('has nothing to do with runs in a cluster', () => {
    given()
      .when(create({ events: ['task.*', 'run.failed'], runs: { queue: 'q' } }), { hasRuns: false })
      .thenRefused('invalid', 'runs runs_in_topics', 'events[1] runs_in_topics')
  })

  it('has a name, and a queue, that no other of its namespace has', () => {
    given(created('w1')).when(create()).thenRefused('already_exists')
    const jobs = { name: 'jobs', runs: { queue: 'jobs', leaseSeconds: 300 } }
    given(created('w1', jobs))
      .when(create({ runs: { queue: 'jobs' } }))
      .thenRefused('invalid', 'runs.queue queue_taken')
    given(created('w1'))
      .when({ ...create(), namespace: 'shop' } as WebhookCommand)
      .thenEvents(created('w2'))
  })

  it('is one of fifty at most', () => {
    const many = Array.from({ length: maxWebhooksOfNamespace }, (_, n) => created(`m${n}`, { name: `m${n}` }))
    given(...many)
      .when(create())
      .thenRefused('invalid', 'name too_many')
  })

  it('is changed field by field, by who has seen it', () => {
    given(created('w1'))
      .when(change({ events: ['run.failed'], name: 'ops' }))
      .thenEvents({ type: 'WebhookChanged', data: { webhookId: 'w1', changes: { events: ['run.failed'] } } })
    given(created('w1'))
      .when(change({ name: 'ops' }))
      .thenNothing()
    given(created('w1'))
      .when(change({ name: 'new' }, 1))
      .thenRefused('revision_mismatch')
    given(created('w1'))
      .when({ ...change({ name: 'new' }), namespace: 'shop' } as WebhookCommand)
      .thenRefused('not_found')
  })

  it('keeps an address that a newer rule would refuse, until it is changed', () => {
    const old = created('w1', { url: 'http://example.com' })
    given(old)
      .when(change({ name: 'new' }))
      .thenEvents({ type: 'WebhookChanged', data: { webhookId: 'w1', changes: { name: 'new' } } })
    given(old)
      .when(change({ url: 'http://example.org' }))
      .thenRefused('invalid', 'url url_refused')
  })

  it('is switched off with the reason, once, and forgets it when it is switched on', () => {
    const off: WebhookEvent = {
      type: 'WebhookDisabled',
      data: { webhookId: 'w1', cause: 'gone', message: 'it answered 410' },
    }
    const disable: WebhookCommand = { ...off.data, type: 'disable', namespace: 'default' }
    given(created('w1')).when(disable).thenEvents(off)
    given(created('w1'), off).when(disable).thenNothing()
    const state = given(created('w1'), off).state?.webhooks.get('w1')
    expect(state).toMatchObject({
      spec: { enabled: false },
      disabled: { cause: 'gone', message: 'it answered 410', at: noon + minute },
    })
    const on: WebhookEvent = { type: 'WebhookChanged', data: { webhookId: 'w1', changes: { enabled: true } } }
    expect(given(created('w1'), off, on).state?.webhooks.get('w1')).toMatchObject({
      spec: { enabled: true },
      disabled: null,
    })
  })

  it('gets a new secret beside the old one, which another key could not make any more', () => {
    const previousUntil = noon + 24 * hour
    const rotate = (keyId: string): WebhookCommand => ({
      type: 'rotate',
      namespace: 'default',
      webhookId: 'w1',
      keyId,
      previousUntil,
    })
    const rotated = (keyId: string, until: number | null): WebhookEvent => ({
      type: 'WebhookSecretRotated',
      data: { webhookId: 'w1', keyId, generation: 2, previousUntil: until },
    })
    given(created('w1')).when(rotate('key')).thenEvents(rotated('key', previousUntil))
    given(created('w1')).when(rotate('other')).thenEvents(rotated('other', null))
    expect(given(created('w1'), rotated('key', previousUntil)).state?.webhooks.get('w1')).toMatchObject({
      generation: 2,
      previousUntil,
      changedRevision: 1,
    })
  })

  it('is gone when it is deleted', () => {
    const deleted: WebhookEvent = { type: 'WebhookDeleted', data: { webhookId: 'w1' } }
    const drop: WebhookCommand = { type: 'delete', namespace: 'default', webhookId: 'w1' }
    given(created('w1')).when(drop).thenEvents(deleted)
    given(created('w1'), deleted).when(drop).thenRefused('not_found')
  })
})
