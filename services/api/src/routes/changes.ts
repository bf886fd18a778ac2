import { AnnounceBody, isoOrNull, MarkerJson, MarkerQuery } from '@almanac/protocol'
import { type Api, type Host, namespacePath } from '../host.js'
import { readPosition, waitMs } from '../reading.js'
import { commandContext } from '../request-context.js'
import { inNamespace, responses } from './answers.js'

const tags = ['changes']

/** The last-change marker. Nobody writes it: it is derived from the event log. */
export function changeRoutes(api: Api, host: Host): void {
  const marker = (namespace: string) => {
    const last = host.app.queries.marker(namespace)
    return { ident: 1, lastUpdate: isoOrNull(last?.at ?? null), position: last?.position ?? 0 } as const
  }

  api.route({
    method: 'GET',
    url: `${namespacePath}/changes/last`,
    config: { scope: 'tasks:read' },
    schema: {
      tags,
      summary: 'When anything of the namespace last changed',
      params: inNamespace({}),
      querystring: MarkerQuery,
      response: responses({ 200: MarkerJson }, 409),
    },
    handler: async (request) => {
      await readPosition(host, request.query)
      return marker(request.params.namespace)
    },
  })

  api.route({
    method: 'POST',
    url: `${namespacePath}/changes`,
    config: { bodyOptional: true, scope: 'tasks:write' },
    schema: {
      tags,
      summary: 'Announce a bulk change',
      description:
        'Moves the marker, for those who watch it. Changes made through Almanac need no announcement.',
      params: inNamespace({}),
      body: AnnounceBody,
      response: responses({ 201: MarkerJson }, 413, 415, 507),
    },
    handler: async (request, reply) => {
      const context = commandContext(host, request, request.body)
      const { position } = await host.app.commands.announceChange(context, request.body.note ?? '')
      await host.app.queries.waitFor(position, waitMs)
      const location = `/v1/namespaces/${context.namespace}/changes/last`
      reply.code(201).header('almanac-position', String(position)).header('location', location)
      return marker(context.namespace)
    },
  })
}
