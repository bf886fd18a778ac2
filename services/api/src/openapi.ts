import { scheduleSchemas } from '@almanac/protocol'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { contentPolicy } from './guards.js'
import type { Api } from './host.js'
import { bodyExamples } from './openapi-examples.js'

const introduction = `Everything under \`/v1/namespaces/{namespace}\` belongs to one namespace.

Commands answer \`ETag\` (the revision) and \`Almanac-Position\` (the place of the change in the event log).
Send \`If-Match\` to change only what you have seen, \`Idempotency-Key\` to repeat a request safely,
\`?minPosition=\` to read what you have written. \`Almanac-Actor\` and \`Almanac-Reason\` (or \`reason\` in the
body) go into the history. Times are ISO 8601 in UTC. Errors are \`application/problem+json\` with a stable \`code\`.`

/** In the order of the page. */
const tags = {
  tasks: 'What is to run, and when. Their occurrences, their history, and taking changes back.',
  schedules: 'Schedules that tasks share by name, and previews of any.',
  calendars: 'Days that schedules leave out or keep to.',
  runs: 'What ran, and what became of it.',
  workers: 'Leasing runs and reporting on them. In a cluster workers take them from Kafka.',
  changes: 'Who changed what in a namespace; the feed of all changes; the last-change marker.',
  webhooks:
    'Who is told of what happens, and who is given runs to do. In a cluster not of runs, which are in Kafka.',
  keys: 'Who may do what.',
  operations: 'Health, metrics, the cluster, and this document.',
}

/** The OpenAPI document, made from the schemas that requests are checked with, and its pages. */
export async function serveOpenApi(api: Api, version: string): Promise<void> {
  await api.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Almanac', description: introduction, version, license: { name: 'Apache-2.0' } },
      components: {
        schemas: shownSchemas(),
        securitySchemes: {
          key: {
            type: 'http',
            scheme: 'bearer',
            description: 'An API key (`alm_…`), or a token of your issuer (JWT).',
          },
        },
      },
      tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    },
    transform: ({ schema, url, route }) => ({
      schema: { ...Object(shown(schema)), ...told(Object(schema), route) } as typeof schema,
      url,
    }),
  })
  await api.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: contentPolicy,
    // No validator badge: it would send the document to another site.
    uiConfig: { docExpansion: 'list', deepLinking: true, filter: true, validatorUrl: null },
    theme: {
      title: 'Almanac: the API',
      css: [{ filename: 'almanac.css', content: '.swagger-ui .topbar { display: none !important }' }],
    },
  })
  api.route({
    method: 'GET',
    url: '/openapi.json',
    config: { scope: 'public' },
    schema: { tags: ['operations'], summary: 'This document' },
    handler: async () => api.swagger(),
  })
}

const header = (description: string) => ({ type: 'string', description })

interface Route {
  readonly url: string
  readonly method: string | readonly string[]
  readonly config?: { readonly scope?: string }
}

interface Words {
  readonly description?: string
  readonly hide?: boolean
  readonly response?: object
  readonly body?: object
}

const writeHeaders = {
  'Idempotency-Key': header('1 to 200 visible ASCII characters: what is sent again with it is applied once.'),
  'Almanac-Reason': header('Why; kept in the history. `reason` in the body goes first.'),
  'Almanac-Actor': header('For whom; kept in the history beside the name of the key.'),
}
const ifMatch = { 'If-Match': header('The `ETag` that you have seen, such as `"3"`.') }

/** What is the same for routes of a kind, and what hooks and handlers check: the scope, and the headers of writes. */
function told({ description, hide, response, body }: Words, { url, method, config }: Route): object {
  if (hide === true) return {}
  const scope = config?.scope ?? 'public'
  const words = scope === 'public' ? 'Open to everybody.' : `Scope: \`${scope}\`.`
  const isWrite = scope === 'tasks:write' && response !== undefined
  const properties = { ...writeHeaders, ...(412 in (response ?? {}) ? ifMatch : {}) }
  const example = bodyExamples[`${String(method)} ${url}`]
  return {
    description: description === undefined ? words : `${description}\n\n${words}`,
    ...(scope === 'public' ? {} : { security: [{ key: [scope] }] }),
    ...(isWrite ? { headers: { type: 'object', properties } } : {}),
    ...(example === undefined ? {} : { body: { ...Object(shown(body)), examples: [example] } }),
  }
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
