import { scheduleSchemas } from '@almanac/protocol'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { contentPolicy } from './guards.js'
import type { Api } from './host.js'

const introduction = `Everything under \`/v1/namespaces/{namespace}\` belongs to one namespace.

Commands answer \`ETag\` (the revision) and \`Almanac-Position\` (the place of the change in the event log).
Send \`If-Match\` to change only what you have seen, \`Idempotency-Key\` to repeat a request safely,
\`?minPosition=\` to read what you have written. \`Almanac-Actor\` and \`Almanac-Reason\` (or \`reason\` in the
body) go into the history. Times are ISO 8601 in UTC. Errors are \`application/problem+json\` with a stable \`code\`.`

/** The OpenAPI document, made from the schemas that requests are checked with, and its pages. */
export async function serveOpenApi(api: Api, version: string): Promise<void> {
  await api.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Almanac', description: introduction, version, license: { name: 'Apache-2.0' } },
      components: { schemas: shownSchemas() },
    },
    transform: ({ schema, url }) => ({ schema: shown(schema) as typeof schema, url }),
  })
  await api.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: contentPolicy,
    // No validator badge: it would send the document to another site.
    uiConfig: { docExpansion: 'list', deepLinking: true, validatorUrl: null },
  })
  api.route({
    method: 'GET',
    url: '/openapi.json',
    config: { scope: 'public' },
    schema: { tags: ['operations'], summary: 'This document' },
    handler: async () => api.swagger(),
  })
}

type Components = NonNullable<NonNullable<Awaited<ReturnType<Api['swagger']>>>['components' & never]>

const shownSchemas = () => structuredClone(scheduleSchemas) as unknown as Components

/** Puts the full schema in the place of a field whose rules are checked by the domain (`x-schema`). */
function shown(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(shown)
  if (typeof schema !== 'object' || schema === null) return schema
  if ('x-schema' in schema) return { $ref: `#/components/schemas/${String(schema['x-schema'])}` }
  return Object.fromEntries(Object.entries(schema).map(([key, part]) => [key, shown(part)]))
}
