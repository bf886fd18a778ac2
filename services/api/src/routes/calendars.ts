import { type CalendarState, calendarIdOf } from '@almanac/domain'
import type { Applied } from '@almanac/engine'
import {
  CalendarBody,
  CalendarJson,
  CalendarList,
  CalendarPatch,
  CommandQuery,
  calendarJson,
  domainCalendarDays,
  ItemQuery,
  NamedListQuery,
  ReasonBody,
} from '@almanac/protocol'
import type { FastifyReply } from 'fastify'
import { type Api, type Host, namespacePath } from '../host.js'
import { granted, notFound } from '../problem.js'
import { listJson, pageOf, readPosition, waitMs } from '../reading.js'
import { commandContext, ifMatch } from '../request-context.js'
import { applied, etag } from '../task-answers.js'
import { idParam, inNamespace, nameParam, nothing, responses } from './answers.js'

const tags = ['calendars']
const byId = inNamespace({ id: idParam })
const collection = `${namespacePath}/calendars`

/** Named calendars that schedules exclude. */
export function calendarRoutes(api: Api, host: Host): void {
  writeRoutes(api, host)
  readRoutes(api, host)
}

async function answer(host: Host, reply: FastifyReply, outcome: Applied<CalendarState>, status: 200 | 201) {
  const { state } = outcome
  await host.app.queries.waitFor(outcome.position, waitMs)
  applied(reply, outcome).code(status)
  if (status === 201)
    reply.header('location', `/v1/namespaces/${state.namespace}/calendars/${state.calendarId}`)
  return calendarJson(state)
}

function writeRoutes(api: Api, host: Host): void {
  const { commands, queries } = host.app
  api.route({
    method: 'POST',
    url: collection,
    config: { scope: 'tasks:write' },
    schema: {
      tags,
      summary: 'Create a calendar',
      params: inNamespace({}),
      querystring: CommandQuery,
      body: CalendarBody,
      response: responses({ 201: CalendarJson }, 409, 413, 415, 422, 507),
    },
    handler: async (request, reply) => {
      const { reason: _, days, ...rest } = request.body
      const context = commandContext(host, request, request.body)
      const input = { ...rest, days: domainCalendarDays(days) }
      return answer(host, reply, granted(await commands.createCalendar(context, input)), 201)
    },
  })

  api.route({
    method: 'PATCH',
    url: `${collection}/:id`,
    config: { scope: 'tasks:write' },
    schema: {
      tags,
      summary: 'Change a calendar, and with it every schedule that excludes it',
      params: byId,
      querystring: CommandQuery,
      body: CalendarPatch,
      response: responses({ 200: CalendarJson }, 404, 412, 413, 415, 422, 507),
    },
    handler: async (request, reply) => {
      const { days, description } = request.body
      const changes = {
        ...(days === undefined ? {} : { days: domainCalendarDays(days) }),
        ...(description === undefined ? {} : { description: description ?? '' }),
      }
      const context = commandContext(host, request, request.body)
      const outcome = await commands.changeCalendar(context, request.params.id, changes, ifMatch(request))
      return answer(host, reply, granted(outcome), 200)
    },
  })

  api.route({
    method: 'DELETE',
    url: `${collection}/:id`,
    config: { bodyOptional: true, scope: 'tasks:write' },
    schema: {
      tags,
      summary: 'Delete a calendar',
      description: 'Refused while schedules or tasks refer to it.',
      params: byId,
      querystring: CommandQuery,
      body: ReasonBody,
      response: responses({ 204: nothing }, 404, 409, 507),
    },
    handler: async (request, reply) => {
      const context = commandContext(host, request, request.body)
      const outcome = granted(await commands.deleteCalendar(context, request.params.id))
      await queries.waitFor(outcome.position, waitMs)
      applied(reply, outcome).code(204)
      return null
    },
  })
}

function readRoutes(api: Api, host: Host): void {
  const { queries } = host.app
  const answerOne = (reply: FastifyReply, state: CalendarState | undefined, asOf: number | undefined) => {
    if (state === undefined) throw notFound('calendar of this id or name')
    const position = asOf ?? queries.position()
    reply.header('etag', etag(state.revision)).header('almanac-position', String(position))
    return calendarJson(state)
  }

  api.route({
    method: 'GET',
    url: collection,
    config: { scope: 'tasks:read' },
    schema: {
      tags,
      summary: 'List calendars',
      params: inNamespace({}),
      querystring: NamedListQuery,
      response: responses({ 200: CalendarList }, 409, 422),
    },
    handler: async (request, reply) => {
      const asOf = await readPosition(host, request.query)
      const { namespace } = request.params
      const asked = pageOf(request.query, [namespace, 'calendars', asOf ?? null])
      reply.header('almanac-position', String(asOf ?? queries.position()))
      return listJson(queries.calendars(namespace, asked.page, asOf), asked, calendarJson)
    },
  })

  api.route({
    method: 'GET',
    url: `${collection}/:id`,
    config: { scope: 'tasks:read' },
    schema: {
      tags,
      summary: 'Read a calendar',
      params: byId,
      querystring: ItemQuery,
      response: responses({ 200: CalendarJson }, 404, 409, 422),
    },
    handler: async (request, reply) => {
      const asOf = await readPosition(host, request.query)
      return answerOne(reply, queries.calendar(request.params.namespace, request.params.id, asOf), asOf)
    },
  })

  api.route({
    method: 'GET',
    url: `${collection}/by-name/:name`,
    config: { scope: 'tasks:read' },
    schema: {
      tags,
      summary: 'Read a calendar by its name',
      params: inNamespace({ name: nameParam }),
      querystring: ItemQuery,
      response: responses({ 200: CalendarJson }, 404, 409, 422),
    },
    handler: async (request, reply) => {
      const asOf = await readPosition(host, request.query)
      const { namespace, name } = request.params
      return answerOne(reply, queries.calendar(namespace, calendarIdOf(namespace, name), asOf), asOf)
    },
  })
}
