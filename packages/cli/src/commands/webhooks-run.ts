import { refused, usage } from '../failure.js'
import { visible } from '../output/text.js'
import { type ServerOptions, Session } from '../session.js'
import type { World } from '../world.js'

export interface NewWebhookOptions extends ServerOptions {
  readonly event?: readonly string[]
  readonly label?: readonly string[]
  readonly runs?: string
  readonly leaseSeconds?: string
  readonly reason?: string
}

interface Webhook {
  readonly id: string
  readonly name: string
  readonly url: string
  readonly enabled: boolean
  readonly events: readonly string[]
  readonly runs: { readonly queue: string } | null
  readonly disabled: { readonly message: string } | null
  readonly status: { readonly delivered: number; readonly failed: number; readonly givenUp: number }
  readonly secret?: string | null
}

interface Delivery {
  readonly id: string
  readonly type: string
  readonly subject: string
  readonly status: string
  readonly attempts: number
  readonly lastAt: string
  readonly lastError: string | null
}

export type WebhookVerb = 'deliveries' | 'ping' | 'enable' | 'disable' | 'rotate-secret' | 'delete'

const labelsOf = (labels: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    labels.map((label) => {
      const at = label.indexOf('=')
      if (at < 1) throw usage(`--label must be key=value, not "${label}".`)
      return [label.slice(0, at), label.slice(at + 1)]
    }),
  )

const showSecret = (session: Session, { secret }: Webhook) => {
  if (secret === null || secret === undefined) return
  session.line(`secret: ${secret}`)
  session.notice(
    'Keep it: it is shown this once. Receivers check messages with it (docs/reference/webhooks.md).',
  )
}

export const createWebhook = async (
  world: World,
  name: string,
  url: string,
  { event, label = [], runs, leaseSeconds, reason, ...server }: NewWebhookOptions,
): Promise<void> => {
  const session = new Session(world, server)
  const body = {
    name,
    url,
    ...(event === undefined ? {} : { events: event }),
    ...(label.length === 0 ? {} : { labels: labelsOf(label) }),
    ...(runs === undefined
      ? {}
      : {
          runs: {
            queue: runs,
            ...(leaseSeconds === undefined ? {} : { leaseSeconds: Number(leaseSeconds) }),
          },
        }),
    ...(reason === undefined ? {} : { reason }),
  }
  const { body: made } = await session.server.ask<Webhook>('/webhooks', { method: 'POST', body })
  if (session.json) return session.document(made)
  session.line(`${visible(made.name)} is made, id ${made.id}`)
  showSecret(session, made)
}

const all = async ({ server }: Session): Promise<readonly Webhook[]> =>
  (await server.ask<{ readonly items: readonly Webhook[] }>('/webhooks')).body.items

const stateOf = ({ enabled, disabled }: Webhook): string => {
  if (enabled) return 'enabled'
  return disabled === null ? 'disabled' : `switched off: ${visible(disabled.message)}`
}

export const listWebhooks = async (world: World, options: ServerOptions): Promise<void> => {
  const session = new Session(world, options)
  const items = await all(session)
  if (session.json) return session.document({ items })
  session.table(
    [
      { title: 'NAME', value: ({ name }: Webhook) => visible(name), min: 10 },
      { title: 'STATE', value: stateOf },
      {
        title: 'GETS',
        value: ({ events, runs }) => [...events, ...(runs ? [`runs of ${runs.queue}`] : [])].join(' '),
      },
      { title: 'SENT', value: ({ status }) => `${status.delivered}`, align: 'right' },
      { title: 'FAILED', value: ({ status }) => `${status.failed}`, align: 'right' },
      { title: 'URL', value: ({ url }) => visible(url), drop: 1 },
    ],
    items,
  )
}

const paths: Readonly<
  Record<WebhookVerb, { readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'; readonly more: string }>
> = {
  deliveries: { method: 'GET', more: '/deliveries' },
  ping: { method: 'POST', more: '/ping' },
  enable: { method: 'PATCH', more: '' },
  disable: { method: 'PATCH', more: '' },
  'rotate-secret': { method: 'POST', more: '/rotate-secret' },
  delete: { method: 'DELETE', more: '' },
}

export const onWebhook = async (
  world: World,
  verb: WebhookVerb,
  name: string,
  options: ServerOptions,
): Promise<void> => {
  const session = new Session(world, options)
  const webhooks = await all(session)
  const webhook = webhooks.find((each) => each.name === name) ?? webhooks.find(({ id }) => id === name)
  if (webhook === undefined) throw refused(`There is no webhook "${name}".`)
  const { method, more } = paths[verb]
  const asked = method === 'PATCH' ? { method, body: { enabled: verb === 'enable' } } : { method }
  const { body } = await session.server.ask<unknown>(`/webhooks/${webhook.id}${more}`, asked)
  if (session.json) return session.document(body ?? { id: webhook.id, deleted: true })
  if (verb === 'deliveries')
    return showDeliveries(session, (body as { readonly items: readonly Delivery[] }).items)
  if (verb === 'ping') {
    const { delivered, status, error, ms } = body as {
      readonly delivered: boolean
      readonly status: number | null
      readonly error: string | null
      readonly ms: number
    }
    if (!delivered) throw refused(`It did not get through: ${error ?? `answered ${status}`} (${ms} ms)`)
    return session.line(`answered ${status} after ${ms} ms`)
  }
  session.line(`${visible(webhook.name)}: ${verb === 'delete' ? 'deleted' : stateOf(body as Webhook)}`)
  if (verb === 'rotate-secret') showSecret(session, body as Webhook)
}

const showDeliveries = (session: Session, items: readonly Delivery[]) =>
  session.table(
    [
      { title: 'LAST TRY', value: ({ lastAt }: Delivery) => lastAt },
      { title: 'TYPE', value: ({ type }) => type },
      { title: 'STATUS', value: ({ status }) => status },
      { title: 'TRIES', value: ({ attempts }) => `${attempts}`, align: 'right' },
      { title: 'ABOUT', value: ({ subject }) => visible(subject), drop: 1 },
      { title: 'ERROR', value: ({ lastError }) => visible(lastError ?? ''), drop: 2 },
    ],
    items,
  )
