import type { Instant } from '@almanac/recurrence'
import type { RecordedEvent, Revision } from '../event.js'
import { accept, type Decision, invalid, refuse } from '../refusal.js'
import type { DisabledCause, Webhook, WebhookBook, WebhookEvent, WebhookSpec } from './types.js'
import { validateWebhook, type WebhookLimits } from './validate-webhook.js'

/** Webhooks of one namespace, and of all together. */
export const maxWebhooksOfNamespace = 50
export const maxWebhooks = 500
const nothing: ReadonlyMap<string, Webhook> = new Map()

/** The webhooks after one more event. Total, like `evolveTask`. */
export function evolveWebhooks(book: WebhookBook | undefined, event: RecordedEvent): WebhookBook {
  const step = { revision: event.revision, hash: event.hash }
  const known = book?.webhooks ?? nothing
  const typed = event as RecordedEvent & WebhookEvent
  if (typed.type === 'WebhookDeleted') {
    const left = new Map(known)
    left.delete(typed.data.webhookId)
    return { webhooks: left, ...step }
  }
  const next = changedWebhook(known, typed)
  return { webhooks: next === undefined ? known : new Map(known).set(next.webhookId, next), ...step }
}

function changedWebhook(
  known: ReadonlyMap<string, Webhook>,
  event: RecordedEvent & Exclude<WebhookEvent, { readonly type: 'WebhookDeleted' }>,
): Webhook | undefined {
  const { at } = event.metadata
  if (event.type === 'WebhookCreated') return createdWebhook(event, event.data)
  const webhook = known.get(event.data.webhookId)
  if (webhook === undefined) return undefined
  const changed = { ...webhook, changedAt: at, changedRevision: event.revision }
  switch (event.type) {
    case 'WebhookChanged': {
      const { changes } = event.data
      const disabled = changes.enabled === undefined ? webhook.disabled : null
      return { ...changed, spec: { ...webhook.spec, ...changes }, disabled }
    }
    case 'WebhookDisabled': {
      const { cause, message } = event.data
      return { ...changed, spec: { ...webhook.spec, enabled: false }, disabled: { cause, message, at } }
    }
    case 'WebhookSecretRotated': {
      const { keyId, generation, previousUntil } = event.data
      return { ...changed, keyId, generation, previousUntil }
    }
    default:
      return undefined
  }
}

const createdWebhook = (
  { metadata, position, revision }: RecordedEvent,
  { webhookId, keyId, spec }: Extract<WebhookEvent, { readonly type: 'WebhookCreated' }>['data'],
): Webhook => ({
  webhookId,
  namespace: metadata.namespace,
  spec,
  keyId,
  generation: 1,
  previousUntil: null,
  disabled: null,
  createdAt: metadata.at,
  createdBy: metadata.actor,
  createdPosition: position,
  changedAt: metadata.at,
  changedRevision: revision,
})

export type WebhookCommand = { readonly namespace: string } & (
  | {
      readonly type: 'create'
      readonly webhookId: string
      readonly keyId: string
      readonly input: unknown
    }
  | {
      readonly type: 'change'
      readonly webhookId: string
      readonly input: unknown
      /** The revision that the caller has seen; undefined: any. */
      readonly expected?: Revision | undefined
    }
  /** A new secret; messages are signed with the one before too until `previousUntil`, unless that is null. */
  | {
      readonly type: 'rotate'
      readonly webhookId: string
      readonly keyId: string
      readonly previousUntil: Instant | null
    }
  | {
      readonly type: 'disable'
      readonly webhookId: string
      readonly cause: DisabledCause
      readonly message: string
    }
  | { readonly type: 'delete'; readonly webhookId: string }
)

/** Never throws on JSON input. */
export function decideWebhooks(
  book: WebhookBook | undefined,
  command: WebhookCommand,
  limits: WebhookLimits,
): Decision<WebhookEvent> {
  const known = book?.webhooks ?? nothing
  if (command.type === 'create') return create(known, command, limits)
  const webhook = known.get(command.webhookId)
  if (webhook === undefined || webhook.namespace !== command.namespace) {
    return refuse('not_found', 'there is no such webhook')
  }
  const { webhookId } = webhook
  switch (command.type) {
    case 'change':
      return change(known, webhook, command, limits)
    case 'rotate': {
      const { keyId, previousUntil } = command
      // What another key made can't be made again.
      const overlap = keyId === webhook.keyId ? previousUntil : null
      const data = { webhookId, keyId, generation: webhook.generation + 1, previousUntil: overlap }
      return accept({ type: 'WebhookSecretRotated', data })
    }
    case 'disable': {
      const { cause, message } = command
      if (!webhook.spec.enabled) return accept()
      return accept({ type: 'WebhookDisabled', data: { webhookId, cause, message } })
    }
    case 'delete':
      return accept({ type: 'WebhookDeleted', data: { webhookId } })
  }
}

function create(
  known: ReadonlyMap<string, Webhook>,
  { webhookId, keyId, input, namespace }: Extract<WebhookCommand, { readonly type: 'create' }>,
  limits: WebhookLimits,
): Decision<WebhookEvent> {
  const spec = validateWebhook(input, undefined, limits)
  if (!spec.ok) return invalid(spec.error)
  const others = [...known.values()].filter((webhook) => webhook.namespace === namespace)
  const clash = clashWith(others, spec.value)
  if (clash !== undefined) return clash
  if (others.length >= maxWebhooksOfNamespace || known.size >= maxWebhooks) {
    const most = others.length >= maxWebhooksOfNamespace ? maxWebhooksOfNamespace : maxWebhooks
    const message = `there are ${most} webhooks already: delete some first`
    return refuse('invalid', message, [{ path: 'name', code: 'too_many', message }])
  }
  if (known.has(webhookId)) return refuse('already_exists', 'there is a webhook of this id')
  return accept({ type: 'WebhookCreated', data: { webhookId, keyId, spec: spec.value } })
}

function change(
  known: ReadonlyMap<string, Webhook>,
  webhook: Webhook,
  { input, expected }: Extract<WebhookCommand, { readonly type: 'change' }>,
  limits: WebhookLimits,
): Decision<WebhookEvent> {
  const { webhookId, spec, namespace, changedRevision } = webhook
  if (expected !== undefined && expected !== changedRevision) {
    return refuse('revision_mismatch', `the revision is ${changedRevision}, not the expected one`)
  }
  const wanted = validateWebhook(input, spec, limits)
  if (!wanted.ok) return invalid(wanted.error)
  const others = [...known.values()].filter(
    (other) => other.namespace === namespace && other.webhookId !== webhookId,
  )
  const clash = clashWith(others, wanted.value)
  if (clash !== undefined) return clash
  const changes = Object.fromEntries(
    Object.entries(wanted.value).filter(
      ([field, value]) => JSON.stringify(value) !== JSON.stringify(spec[field as keyof WebhookSpec]),
    ),
  ) as Partial<WebhookSpec>
  return Object.keys(changes).length === 0
    ? accept()
    : accept({ type: 'WebhookChanged', data: { webhookId, changes } })
}

/** Two webhooks that take the runs of one queue would each get some of them. */
function clashWith(others: readonly Webhook[], { name, runs }: WebhookSpec) {
  if (others.some(({ spec }) => spec.name === name)) {
    return refuse('already_exists', 'there is a webhook of this name')
  }
  const rival = runs === null ? undefined : others.find(({ spec }) => spec.runs?.queue === runs.queue)
  if (rival === undefined) return undefined
  const message = `is taken by the webhook ${rival.spec.name} already`
  return refuse('invalid', `runs.queue ${message}`, [{ path: 'runs.queue', code: 'queue_taken', message }])
}
