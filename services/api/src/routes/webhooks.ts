import type { Webhook } from '@almanac/domain'
import { isDelivered } from '@almanac/domain'
import type { Delivery, WebhookOffice } from '@almanac/engine'
import {
  DeliveryList,
  isoOf,
  isoOrNull,
  NewWebhookBody,
  PingJson,
  ReasonBody,
  type WebhookJson,
  WebhookList,
  WebhookPatch,
  WebhookWithSecret,
  WebhookJson as webhookSchema,
} from '@almanac/protocol'
import { type Api, type Host, namespacePath } from '../host.js'
import { ApiProblem, granted, notFound } from '../problem.js'
import { waitMs } from '../reading.js'
import { commandContext, ifMatch } from '../request-context.js'
import { etag } from '../task-answers.js'
import { idParam, inNamespace, nothing, responses } from './answers.js'

const tags = ['webhooks']
const config = { scope: 'admin' } as const
const collection = `${namespacePath}/webhooks`
const one = `${collection}/:id`
const byId = inNamespace({ id: idParam })

/** Who is told of what happens, and who is given runs to do. */
export function webhookRoutes(api: Api, host: Host): void {
  makingRoute(api, host)
  changingRoutes(api, host)
  readingRoutes(api, host)
  actionRoutes(api, host)
}

function officeOf({ app }: Host): WebhookOffice {
  if (app.webhooks !== null) return app.webhooks
  throw new ApiProblem('webhooks_not_here')
}

function found(host: Host, { namespace, id }: { readonly namespace: string; readonly id: string }): Webhook {
  const webhook = officeOf(host).service.get(namespace, id)
  if (webhook === undefined) throw notFound('webhook of this id')
  return webhook
}

function shown(host: Host, webhook: Webhook): WebhookJson {
  const { webhookId, spec, disabled } = webhook
  const progress = officeOf(host).service.progress(webhookId)
  const { failingSince = null, lastSuccessAt = null } = progress?.health ?? {}
  const { name, url, description, enabled, events, tasks, labels, runs } = spec
  return {
    id: webhookId,
    name,
    url,
    description,
    enabled,
    events: [...events],
    tasks: [...tasks],
    labels,
    runs: runs === null ? null : { ...runs },
    disabled: disabled === null ? null : { ...disabled, at: isoOf(disabled.at) },
    status: {
      position: progress?.position ?? webhook.createdPosition,
      delivered: progress?.delivered ?? 0,
      failed: progress?.failed ?? 0,
      givenUp: progress?.givenUp ?? 0,
      failingSince: isoOrNull(failingSince),
      lastSuccessAt: isoOrNull(lastSuccessAt),
    },
    revision: webhook.changedRevision,
    createdAt: isoOf(webhook.createdAt),
    createdBy: webhook.createdBy,
  }
}

function makingRoute(api: Api, host: Host): void {
  api.route({
    method: 'POST',
    url: collection,
    config,
    schema: {
      tags,
      summary: 'Make a webhook',
      description:
        'Its secret is in the answer, and can be asked for nowhere else. Told is what happens from now on. With ' +
        '`runs` it is given the runs of a queue to do.',
      params: inNamespace({}),
      body: NewWebhookBody,
      response: responses({ 201: WebhookWithSecret }, 409, 413, 415, 422, 507),
    },
    handler: async (request, reply) => {
      const { reason: _, ...input } = request.body
      const { commands, service } = officeOf(host)
      const context = commandContext(host, request, request.body)
      const { state, position, repeated } = granted(await commands.create(context, input))
      await host.app.queries.waitFor(position, waitMs)
      reply.code(201).header('location', `/v1/namespaces/${context.namespace}/webhooks/${state.webhookId}`)
      reply.header('etag', etag(state.changedRevision)).header('almanac-position', String(position))
      return { ...shown(host, state), secret: repeated ? null : service.secretOf(state) }
    },
  })
}

function changingRoutes(api: Api, host: Host): void {
  const settled = (position: number) => host.app.queries.waitFor(position, waitMs)
  api.route({
    method: 'PATCH',
    url: one,
    config,
    schema: {
      tags,
      summary: 'Change a webhook',
      description:
        'Only the fields that are there. Enabling it also takes it up again after Almanac has switched it off.',
      params: byId,
      body: WebhookPatch,
      response: responses({ 200: webhookSchema }, 404, 409, 412, 413, 415, 422, 507),
    },
    handler: async (request, reply) => {
      const { reason: _, ...input } = request.body
      const { webhookId } = found(host, request.params)
      const context = commandContext(host, request, request.body)
      const outcome = granted(
        await officeOf(host).commands.change(context, webhookId, input, ifMatch(request)),
      )
      await settled(outcome.position)
      const { state, position } = outcome
      reply.header('etag', etag(state.changedRevision)).header('almanac-position', String(position))
      return shown(host, state)
    },
  })

  api.route({
    method: 'DELETE',
    url: one,
    config: { ...config, bodyOptional: true },
    schema: {
      tags,
      summary: 'Delete a webhook',
      description: 'Messages that have not got through are dropped.',
      params: byId,
      body: ReasonBody,
      response: responses({ 204: nothing }, 404, 409, 507),
    },
    handler: async (request, reply) => {
      const { webhookId } = found(host, request.params)
      const context = commandContext(host, request, request.body)
      const { position } = granted(await officeOf(host).commands.delete(context, webhookId))
      await settled(position)
      reply.code(204).header('almanac-position', String(position))
      return null
    },
  })
}

function readingRoutes(api: Api, host: Host): void {
  api.route({
    method: 'GET',
    url: collection,
    config,
    schema: {
      tags,
      summary: 'List webhooks',
      description: 'In the order in which they were made; there are 50 at most.',
      params: inNamespace({}),
      response: responses({ 200: WebhookList }, 409),
    },
    handler: async (request) => {
      const webhooks = officeOf(host).service.list(request.params.namespace)
      const items = webhooks.map((webhook) => shown(host, webhook))
      return { items, nextCursor: null, total: items.length }
    },
  })

  api.route({
    method: 'GET',
    url: one,
    config,
    schema: {
      tags,
      summary: 'Read a webhook, and how it has fared',
      params: byId,
      response: responses({ 200: webhookSchema }, 404, 409),
    },
    handler: async (request, reply) => {
      const webhook = found(host, request.params)
      reply.header('etag', etag(webhook.changedRevision))
      return shown(host, webhook)
    },
  })

  api.route({
    method: 'GET',
    url: `${one}/deliveries`,
    config,
    schema: {
      tags,
      summary: 'The newest messages of a webhook, and what came of them',
      params: byId,
      response: responses({ 200: DeliveryList }, 404, 409),
    },
    handler: async (request) => {
      const { webhookId } = found(host, request.params)
      const { deliveries = [] } = officeOf(host).service.progress(webhookId) ?? {}
      return { items: deliveries.map(deliveryJson) }
    },
  })
}

const deliveryJson = ({ source: _, firstAt, lastAt, nextAt, ...rest }: Delivery) => ({
  ...rest,
  firstAt: isoOf(firstAt),
  lastAt: isoOf(lastAt),
  nextAt: isoOrNull(nextAt),
})

function actionRoutes(api: Api, host: Host): void {
  api.route({
    method: 'POST',
    url: `${one}/ping`,
    config: { ...config, bodyOptional: true },
    schema: {
      tags,
      summary: 'Send a message of the type webhook.ping now',
      description: 'Answers with what the receiver answered. It counts for nothing, and is not tried again.',
      params: byId,
      body: ReasonBody,
      response: responses({ 200: PingJson }, 404, 409),
    },
    handler: async (request) => {
      const answer = await officeOf(host).service.ping(found(host, request.params))
      const { status, error, ms } = answer
      return { delivered: isDelivered(answer), status, error, ms }
    },
  })

  api.route({
    method: 'POST',
    url: `${one}/rotate-secret`,
    config: { ...config, bodyOptional: true },
    schema: {
      tags,
      summary: 'Make a new secret',
      description:
        'For 24 hours messages are signed with the one before too, so that no receiver misses one.',
      params: byId,
      body: ReasonBody,
      response: responses({ 200: WebhookWithSecret }, 404, 409, 507),
    },
    handler: async (request) => {
      const { webhookId } = found(host, request.params)
      const { commands, service } = officeOf(host)
      const context = commandContext(host, request, request.body)
      const { state, position, repeated } = granted(await commands.rotate(context, webhookId))
      await host.app.queries.waitFor(position, waitMs)
      return { ...shown(host, state), secret: repeated ? null : service.secretOf(state) }
    },
  })
}
