import { newKey } from '@almanac/adapters/tokens'
import { type ApiKey, isLive } from '@almanac/domain'
import {
  ApiKeyJson,
  CreatedKeyJson,
  KeyList,
  KeyListQuery,
  keyJson,
  NewKeyBody,
  ReasonBody,
} from '@almanac/protocol'
import { parseInstant } from '@almanac/recurrence'
import { type TProperties, Type } from 'typebox'
import { type Access, everywhere } from '../access/access.js'
import { mayEnter, type Principal, principalOf } from '../access/principal.js'
import type { Api, ApiOptions, Host } from '../host.js'
import { ApiProblem, granted, notFound, valid } from '../problem.js'
import { listJson, pageOf, waitMs } from '../reading.js'
import { commandContext } from '../request-context.js'
import { idParam, nothing, responses } from './answers.js'

const tags = ['keys']
const config = { scope: 'admin' } as const
const byId = Type.Object({ id: idParam } satisfies TProperties)

interface KeyRoutesParts {
  readonly host: Host
  readonly access: Access
  readonly random: ApiOptions['random']
}

/** Keys of the API: an admin of one namespace sees and makes those of that namespace alone. */
export function keyRoutes(api: Api, parts: KeyRoutesParts): void {
  creatingRoute(api, parts)
  readingRoutes(api, parts)
  revokingRoute(api, parts)
}

function creatingRoute(api: Api, { host, access, random }: KeyRoutesParts): void {
  api.route({
    method: 'POST',
    url: '/v1/keys',
    config,
    schema: {
      tags,
      summary: 'Make an API key',
      description:
        'Its secret is in the answer, and nowhere else: only a hash of it is kept. The first key of all has to have ' +
        '`admin` over all namespaces. From then on every request needs a key, on loopback too.',
      body: NewKeyBody,
      response: responses({ 201: CreatedKeyJson }, 401, 403, 409, 413, 415, 422, 507),
    },
    handler: async (request, reply) => {
      const { reason, expiresAt = null, namespace = null, ...rest } = request.body
      mustReach(principalOf(request), namespace)
      const input = {
        ...rest,
        namespace,
        expiresAt: expiresAt === null ? null : valid(parseInstant(expiresAt)),
      }
      const made = newKey(random)
      const context = {
        ...commandContext(host, request, request.body),
        namespace: namespace ?? everywhere,
      }
      const outcome = granted(
        await host.app.commands.createKey(context, { ...made, isOpen: access.isOpen() === true }, input),
      )
      await host.app.queries.waitFor(outcome.position, waitMs)
      const { state, position } = outcome
      reply
        .code(201)
        .header('almanac-position', String(position))
        .header('location', `/v1/keys/${state.keyId}`)
      const key = outcome.repeated ? null : made.text
      return { ...shownKey(state, host, access), key }
    },
  })
}

function readingRoutes(api: Api, { host, access }: KeyRoutesParts): void {
  api.route({
    method: 'GET',
    url: '/v1/keys',
    config,
    schema: {
      tags,
      summary: 'List API keys',
      description: 'Newest first. Without secrets, which are kept nowhere.',
      querystring: KeyListQuery,
      response: responses({ 200: KeyList }, 401, 403),
    },
    handler: async (request) => {
      const { live } = request.query
      const seen = keysOf(host, principalOf(request))
      const wanted = seen.filter((key) => live === undefined || isLive(key, host.clock.now()) === live)
      const asked = pageOf(request.query, ['keys', principalOf(request).namespaces, live ?? null])
      const { limit, cursor } = asked.page
      const after = seen.findIndex(({ keyId }) => keyId === cursor)
      const left = wanted.filter((key) => seen.indexOf(key) > after)
      const items = left.slice(0, limit)
      const nextCursor = left.length > limit ? (items.at(-1)?.keyId ?? null) : null
      return listJson({ items, nextCursor, total: wanted.length }, asked, (key) =>
        shownKey(key, host, access),
      )
    },
  })

  api.route({
    method: 'GET',
    url: '/v1/keys/:id',
    config,
    schema: {
      tags,
      summary: 'Read an API key',
      params: byId,
      response: responses({ 200: ApiKeyJson }, 401, 403, 404),
    },
    handler: async (request) => shownKey(keyOf(host, principalOf(request), request.params.id), host, access),
  })
}

function revokingRoute(api: Api, { host }: KeyRoutesParts): void {
  api.route({
    method: 'DELETE',
    url: '/v1/keys/:id',
    config: { ...config, bodyOptional: true },
    schema: {
      tags,
      summary: 'Revoke an API key',
      description: 'For good, and on every node as soon as it has read the event: within a second or so.',
      params: byId,
      body: ReasonBody,
      response: responses({ 204: nothing }, 401, 403, 404, 507),
    },
    handler: async (request, reply) => {
      const { keyId, namespace } = keyOf(host, principalOf(request), request.params.id)
      const context = { ...commandContext(host, request, request.body), namespace: namespace ?? everywhere }
      const { position } = granted(await host.app.commands.revokeKey(context, keyId))
      await host.app.queries.waitFor(position, waitMs)
      reply.code(204).header('almanac-position', String(position))
      return null
    },
  })
}

function mustReach(principal: Principal, namespace: string | null): void {
  const reaches = namespace === null ? principal.namespaces === null : mayEnter(principal, namespace)
  if (reaches) return
  const message = 'must be a namespace that your own credential opens'
  throw new ApiProblem('scope_missing', `namespace ${message}.`, [
    { path: 'namespace', code: 'beyond_yours', message },
  ])
}

const keysOf = ({ app }: Host, principal: Principal): readonly ApiKey[] =>
  (app.queries.keys() ?? [])
    .filter(({ namespace }) =>
      namespace === null ? principal.namespaces === null : mayEnter(principal, namespace),
    )
    .reverse()

function keyOf(host: Host, principal: Principal, keyId: string): ApiKey {
  const key = keysOf(host, principal).find((each) => each.keyId === keyId)
  if (key === undefined) throw notFound('key of this id')
  return key
}

const shownKey = (key: ApiKey, { clock }: Host, access: Access) =>
  keyJson(key, { live: isLive(key, clock.now()), lastUsedAt: access.usedAt(key) })
