import type { ScheduleState } from '@almanac/domain'
import { scheduleIdOf } from '@almanac/domain'
import type { Applied } from '@almanac/engine'
import {
  CommandQuery,
  DeleteScheduleQuery,
  domainScheduleValue,
  ItemQuery,
  NamedListQuery,
  ReasonBody,
  ScheduleBody,
  ScheduleJson,
  ScheduleList,
  SchedulePatch,
  ScheduleWithUsers,
  scheduleJson,
} from '@almanac/protocol'
import { describe } from '@almanac/recurrence'
import type { FastifyReply } from 'fastify'
import { type Api, type Host, namespacePath } from '../host.js'
import { granted, notFound } from '../problem.js'
import { listJson, pageOf, readPosition, waitMs } from '../reading.js'
import { commandContext, ifMatch } from '../request-context.js'
import { applied, etag } from '../task-answers.js'
import { idParam, inNamespace, nameParam, nothing, responses } from './answers.js'

const tags = ['schedules']
const byId = inNamespace({ id: idParam })
const collection = `${namespacePath}/schedules`

const json = (state: ScheduleState) => scheduleJson(state, describe(state.spec.schedule))

/** Named schedules that tasks share. */
export function scheduleRoutes(api: Api, host: Host): void {
  writeRoutes(api, host)
  deleteRoute(api, host)
  readRoutes(api, host)
}

async function answer(host: Host, reply: FastifyReply, outcome: Applied<ScheduleState>, status: 200 | 201) {
  const { state } = outcome
  await host.app.queries.waitFor(outcome.position, waitMs)
  applied(reply, outcome).code(status)
  if (status === 201)
    reply.header('location', `/v1/namespaces/${state.namespace}/schedules/${state.scheduleId}`)
  return json(state)
}

function writeRoutes(api: Api, host: Host): void {
  const { commands } = host.app
  api.route({
    method: 'POST',
    url: collection,
    config: { scope: 'tasks:write' },
    schema: {
      tags,
      summary: 'Create a shared schedule',
      params: inNamespace({}),
      querystring: CommandQuery,
      body: ScheduleBody,
      response: responses({ 201: ScheduleJson }, 409, 413, 415, 422, 507),
    },
    handler: async (request, reply) => {
      const { reason: _, schedule, ...rest } = request.body
      const context = commandContext(host, request, request.body)
      const input = { ...rest, schedule: domainScheduleValue(schedule) }
      return answer(host, reply, granted(await commands.createSchedule(context, input)), 201)
    },
  })

  api.route({
    method: 'PATCH',
    url: `${collection}/:id`,
    config: { scope: 'tasks:write' },
    schema: {
      tags,
      summary: 'Change a shared schedule, and with it every task that uses it',
      params: byId,
      querystring: CommandQuery,
      body: SchedulePatch,
      response: responses({ 200: ScheduleJson }, 404, 412, 413, 415, 422, 507),
    },
    handler: async (request, reply) => {
      const { schedule, description } = request.body
      const changes = {
        ...(schedule === undefined ? {} : { schedule: domainScheduleValue(schedule) }),
        ...(description === undefined ? {} : { description: description ?? '' }),
      }
      const context = commandContext(host, request, request.body)
      const outcome = await commands.changeSchedule(context, request.params.id, changes, ifMatch(request))
      return answer(host, reply, granted(outcome), 200)
    },
  })
}

function deleteRoute(api: Api, host: Host): void {
  api.route({
    method: 'DELETE',
    url: `${collection}/:id`,
    config: { bodyOptional: true, scope: 'tasks:write' },
    schema: {
      tags,
      summary: 'Delete a shared schedule',
      description: 'Refused while tasks use it; with `?cascade=true` they are deleted too.',
      params: byId,
      querystring: DeleteScheduleQuery,
      body: ReasonBody,
      response: responses({ 204: nothing }, 404, 409, 507),
    },
    handler: async (request, reply) => {
      const context = commandContext(host, request, request.body)
      const { cascade = false } = request.query
      const outcome = granted(await host.app.commands.deleteSchedule(context, request.params.id, cascade))
      await host.app.queries.waitFor(outcome.position, waitMs)
      applied(reply, outcome).code(204)
      return null
    },
  })
}

const usersShown = 20

const answering =
  ({ app: { queries } }: Host) =>
  (reply: FastifyReply, namespace: string, state: ScheduleState | undefined, asOf: number | undefined) => {
    if (state === undefined) throw notFound('schedule of this id or name')
    const usedBy = queries.scheduleUsers(namespace, state.spec.name, usersShown, asOf)
    const position = asOf ?? queries.position()
    reply.header('etag', etag(state.revision)).header('almanac-position', String(position))
    return { ...json(state), usedBy: { total: usedBy.total, names: [...usedBy.names] } }
  }

function readRoutes(api: Api, host: Host): void {
  const { queries } = host.app
  const answerOne = answering(host)

  api.route({
    method: 'GET',
    url: collection,
    config: { scope: 'tasks:read' },
    schema: {
      tags,
      summary: 'List shared schedules',
      params: inNamespace({}),
      querystring: NamedListQuery,
      response: responses({ 200: ScheduleList }, 409, 422),
    },
    handler: async (request, reply) => {
      const asOf = await readPosition(host, request.query)
      const { namespace } = request.params
      const asked = pageOf(request.query, [namespace, 'schedules', asOf ?? null])
      reply.header('almanac-position', String(asOf ?? queries.position()))
      return listJson(queries.schedules(namespace, asked.page, asOf), asked, json)
    },
  })

  api.route({
    method: 'GET',
    url: `${collection}/:id`,
    config: { scope: 'tasks:read' },
    schema: {
      tags,
      summary: 'Read a shared schedule, and who uses it',
      params: byId,
      querystring: ItemQuery,
      response: responses({ 200: ScheduleWithUsers }, 404, 409, 422),
    },
    handler: async (request, reply) => {
      const asOf = await readPosition(host, request.query)
      const { namespace, id } = request.params
      return answerOne(reply, namespace, queries.schedule(namespace, id, asOf), asOf)
    },
  })

  api.route({
    method: 'GET',
    url: `${collection}/by-name/:name`,
    config: { scope: 'tasks:read' },
    schema: {
      tags,
      summary: 'Read a shared schedule by its name',
      params: inNamespace({ name: nameParam }),
      querystring: ItemQuery,
      response: responses({ 200: ScheduleWithUsers }, 404, 409, 422),
    },
    handler: async (request, reply) => {
      const asOf = await readPosition(host, request.query)
      const { namespace, name } = request.params
      const found = queries.schedule(namespace, scheduleIdOf(namespace, name), asOf)
      return answerOne(reply, namespace, found, asOf)
    },
  })
}
