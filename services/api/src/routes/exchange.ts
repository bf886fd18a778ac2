import { Readable } from 'node:stream'
import type { CalendarState, CommandContext, ScheduleState } from '@almanac/domain'
import type { Listed, Page } from '@almanac/engine'
import { calendarJson, ExportQuery, ImportQuery, specJson, taskJson } from '@almanac/protocol'
import type { Ajv } from 'ajv'
import { type Api, type Host, namespacePath } from '../host.js'
import { Importer } from '../importer.js'
import { takeLongBody } from '../long-bodies.js'
import { ApiProblem } from '../problem.js'
import { readPosition, waitMs } from '../reading.js'
import { commandContext } from '../request-context.js'
import { inNamespace } from './answers.js'

const tags = ['tasks']
const ndjson = 'application/x-ndjson; charset=utf-8'
const pageSize = 1_000

/** Whole namespaces as lines of JSON: what one gives out another takes in. */
export function exchangeRoutes(api: Api, host: Host, ajv: Ajv): void {
  exportRoute(api, host)
  importRoute(api, host, ajv)
}

function exportRoute(api: Api, host: Host): void {
  api.route({
    method: 'GET',
    url: `${namespacePath}/export`,
    config: { scope: 'tasks:read' },
    schema: {
      tags,
      summary: 'All calendars, shared schedules and tasks, as lines of JSON',
      description:
        'As `application/x-ndjson`: `{"kind":"calendar"|"schedule"|"task", …}` a line, as they were at one position, ' +
        'and at the end `{"kind":"end", …}` with their counts: without it the answer was cut off. ' +
        '`POST …/import` takes it. Runs and pauses do not come along.',
      params: inNamespace({}),
      querystring: ExportQuery,
    },
    handler: async (request, reply) => {
      const position = (await readPosition(host, request.query)) ?? host.app.queries.position()
      const lines = exported(host, request.params.namespace, position)
      reply.header('content-type', ndjson).header('almanac-position', String(position))
      return reply.send(Readable.from(lines))
    },
  })
}

/** In pieces of many lines, and others have their turn between them. */
async function* exported(host: Host, namespace: string, position: number): AsyncGenerator<string> {
  const { queries } = host.app
  const counts = { calendars: 0, schedules: 0, tasks: 0 }
  for (const states of pages((page) => queries.calendars(namespace, page, position))) {
    counts.calendars += states.length
    yield lines(states.map(calendarLine))
  }
  for (const states of pages((page) => queries.schedules(namespace, page, position))) {
    counts.schedules += states.length
    yield lines(states.map(scheduleLine))
  }
  for (const views of pages((page) => queries.tasks(namespace, {}, page, position))) {
    counts.tasks += views.length
    yield lines(
      views.map((view) => {
        const { imported } = taskJson(view)
        return { kind: 'task', ...specJson(view.state.spec), ...(imported === null ? {} : { imported }) }
      }),
    )
  }
  yield lines([{ kind: 'end', position, ...counts }])
}

function* pages<T>(list: (page: Page) => Listed<T>): Generator<readonly T[]> {
  let cursor: string | undefined
  do {
    const { items, nextCursor } = list({ limit: pageSize, ...(cursor === undefined ? {} : { cursor }) })
    if (items.length > 0) yield items
    cursor = nextCursor ?? undefined
  } while (cursor !== undefined)
}

const lines = (items: readonly object[]): string =>
  `${items.map((item) => JSON.stringify(item)).join('\n')}\n`

const calendarLine = (state: CalendarState) => {
  const { name, days, description } = calendarJson(state)
  return { kind: 'calendar', name, days, description }
}

const scheduleLine = ({ spec: { name, schedule, description } }: ScheduleState) => ({
  kind: 'schedule',
  name,
  schedule,
  description,
})

function importRoute(api: Api, host: Host, ajv: Ajv): void {
  const importer = new Importer(host, ajv)
  api.route({
    method: 'POST',
    url: `${namespacePath}/import`,
    config: { scope: 'tasks:write', isStream: true },
    bodyLimit: Number.MAX_SAFE_INTEGER,
    onRequest: (request, reply, done) => {
      takeLongBody(request, reply)
      done()
    },
    schema: {
      tags,
      summary: 'Take in lines of JSON as `export` gives them out',
      description:
        'Body: `application/x-ndjson`, of any length; calendars and schedules before the tasks that use them. A line ' +
        'may have 256 KiB. Each line stands or falls alone. The answer comes while the body is read: a line with ' +
        '`problem` for each that is refused, `progress` each 1 000 lines, and at the end `done`; without that it was ' +
        'cut off, and may be sent again: with `put` and `ensure` what is there already changes nothing. All ' +
        'events have one correlation id.',
      params: inNamespace({}),
      querystring: ImportQuery,
    },
    handler: async (request, reply) => {
      if (!(request.body instanceof Readable)) {
        throw new ApiProblem('unsupported_media_type', 'The body must be application/x-ndjson.')
      }
      const { mode = 'put', reason } = request.query
      const context: CommandContext = commandContext(host, request, { reason })
      const answer = importer.run(request.body, context, mode, async (position) => {
        await host.app.queries.waitFor(position, waitMs)
      })
      return reply.header('content-type', ndjson).send(Readable.from(answer))
    },
  })
}
