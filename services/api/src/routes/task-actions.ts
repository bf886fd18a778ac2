import type { TaskState } from '@almanac/domain'
import type { Applied, Commands } from '@almanac/engine'
import {
  BackfillBody,
  BackfillPreviewJson,
  BackfillQuery,
  CommandQuery,
  DisableBody,
  domainList,
  domainObject,
  InstantReader,
  isoOf,
  MoveBody,
  ReasonBody,
  TaskJson,
  TriggerBody,
  TriggerJson,
} from '@almanac/protocol'
import { parseInstant } from '@almanac/recurrence'
import { Type } from 'typebox'
import { type Api, type Host, namespacePath } from '../host.js'
import { granted, valid } from '../problem.js'
import { readPosition } from '../reading.js'
import { commandContext, ifMatch } from '../request-context.js'
import { answerTask, applied } from '../task-answers.js'
import { idParam, inNamespace, responses } from './answers.js'
import { disableTask } from './tasks.js'

const tags = ['tasks']
const byId = inNamespace({ id: idParam })
const byOccurrence = inNamespace({
  id: idParam,
  at: Type.String({
    maxLength: 40,
    pattern: '^[^/]+$',
    description: 'The occurrence, as the list of them has it.',
  }),
})
const config = { bodyOptional: true, scope: 'tasks:write' } as const

function disableRoute(api: Api, host: Host): void {
  api.route({
    method: 'POST',
    url: `${namespacePath}/tasks/:id/disable`,
    config,
    schema: {
      tags,
      summary: 'Disable a task, or pause it until an instant',
      description:
        'With `until` it stays enabled, and what comes due before then does not run (`pausedUntil`). It goes on by ' +
        'itself, or at once when it is enabled. A disabled task can not be paused (`nothing_to_do`).',
      params: byId,
      querystring: CommandQuery,
      body: DisableBody,
      response: responses({ 200: TaskJson }, 404, 409, 412, 422, 507),
    },
    handler: async (request, reply) => {
      const context = commandContext(host, request, request.body)
      const { until } = request.body
      const outcome = await disableTask(host, context, request.params.id, until, ifMatch(request))
      return answerTask(host, reply, outcome, 200)
    },
  })
}

function cancelRoutes(api: Api, host: Host): void {
  const texts = {
    cancel: [
      'Cancel one coming occurrence',
      'It does not run, and its outcome is `cancelled`. All others are as they were.',
    ],
    restore: ['Let a cancelled occurrence run after all', 'Only while it is still to come.'],
  } as const
  for (const action of ['cancel', 'restore'] as const) {
    const [summary, description] = texts[action]
    api.route({
      method: 'POST',
      url: `${namespacePath}/tasks/:id/occurrences/:at/${action}`,
      config,
      schema: {
        tags,
        summary,
        description,
        params: byOccurrence,
        querystring: CommandQuery,
        body: ReasonBody,
        response: responses({ 200: TaskJson }, 404, 409, 412, 422, 507),
      },
      handler: async (request, reply) => {
        const context = commandContext(host, request, request.body)
        const { id } = request.params
        const at = valid(parseInstant(request.params.at, 'at'))
        const isBack = action === 'restore'
        const { commands } = host.app
        const outcome = granted(await commands.cancelOccurrence(context, id, at, isBack, ifMatch(request)))
        return answerTask(host, reply, outcome, 200)
      },
    })
  }
}

function moveRoute(api: Api, host: Host): void {
  api.route({
    method: 'POST',
    url: `${namespacePath}/tasks/:id/occurrences/:at/move`,
    config: { scope: 'tasks:write' },
    schema: {
      tags,
      summary: 'Move one coming occurrence to another time',
      description:
        'It runs then, with that instant as its own, and counts as the one that it was. Its former time is told with ' +
        'the outcome `moved`. All others are as they were. `restore` of the former time brings it back.',
      params: byOccurrence,
      querystring: CommandQuery,
      body: MoveBody,
      response: responses({ 200: TaskJson }, 404, 409, 412, 422, 507),
    },
    handler: async (request, reply) => {
      const context = commandContext(host, request, request.body)
      const at = valid(parseInstant(request.params.at, 'at'))
      const to = valid(parseInstant(request.body.to, 'to'))
      const { id } = request.params
      const moved = await host.app.commands.moveOccurrence(context, id, at, to, ifMatch(request))
      return answerTask(host, reply, granted(moved), 200)
    },
  })
}

function backfillPreviewRoute(api: Api, host: Host): void {
  const { queries } = host.app
  api.route({
    method: 'GET',
    url: `${namespacePath}/tasks/:id/backfill`,
    config: { scope: 'tasks:read' },
    schema: {
      tags,
      summary: 'What a backfill would run',
      description: 'Changes nothing. Post the same to run it.',
      params: byId,
      querystring: BackfillQuery,
      response: responses({ 200: BackfillPreviewJson }, 404, 409, 422),
    },
    handler: async (request) => {
      await readPosition(host, request.query)
      const { namespace, id } = request.params
      const preview = granted(await queries.backfillPreview(namespace, id, rangeOf(request.query)))
      return {
        ...preview,
        items: preview.items.map(({ at, outcome, reason, status }) => ({
          at: isoOf(at),
          outcome,
          reason,
          status,
        })),
      }
    },
  })
}

function rangeOf({ from, until, max = 100, order }: BackfillBody) {
  const reader = new InstantReader()
  const range = { from: reader.read(from, 'from'), until: reader.read(until, 'until') }
  if (reader.problems.length > 0) valid({ ok: false, error: reader.problems })
  return { ...range, max, ...(order === undefined ? {} : { order }) }
}

/** What a triggered run has otherwise than its task. */
export const overrideOf = ({ args, kwargs }: TriggerBody) => ({
  ...(args === undefined ? {} : { args: domainList(args) }),
  ...(kwargs === undefined ? {} : { kwargs: domainObject(kwargs) }),
})

/** Actions on one task: what no field of it says. */
export function taskActionRoutes(api: Api, host: Host): void {
  const { commands } = host.app
  switchRoute(api, host, 'enable', 'Enable a task', commands.enableTask.bind(commands))
  disableRoute(api, host)
  cancelRoutes(api, host)
  moveRoute(api, host)
  backfillPreviewRoute(api, host)
  switchRoute(
    api,
    host,
    'reset-history',
    'Count runs anew, and arm again',
    commands.resetHistory.bind(commands),
  )

  api.route({
    method: 'POST',
    url: `${namespacePath}/tasks/:id/trigger`,
    config,
    schema: {
      tags,
      summary: 'Run a task now',
      description: 'Also a disabled one. Honours every option of the task and leaves its rhythm alone.',
      params: byId,
      querystring: CommandQuery,
      body: TriggerBody,
      response: responses({ 202: TriggerJson }, 404, 422, 507),
    },
    handler: async (request, reply) => {
      const context = commandContext(host, request, request.body)
      const override = overrideOf(request.body)
      const outcome = granted(await commands.triggerTask(context, request.params.id, override))
      const { runId, position } = outcome
      const location = `/v1/namespaces/${context.namespace}/runs/${runId}`
      applied(reply, outcome).code(202).header('location', location)
      return { runId, taskId: request.params.id, position }
    },
  })

  api.route({
    method: 'POST',
    url: `${namespacePath}/tasks/:id/backfill`,
    config: { scope: 'tasks:write' },
    schema: {
      tags,
      summary: 'Run past occurrences, each with its own instant',
      params: byId,
      querystring: CommandQuery,
      body: BackfillBody,
      response: responses({ 200: TaskJson }, 404, 409, 422, 507),
    },
    handler: async (request, reply) => {
      const context = commandContext(host, request, request.body)
      const range = rangeOf(request.body)
      const outcome = granted(await commands.backfillTask(context, request.params.id, range))
      return answerTask(host, reply, outcome, 200)
    },
  })
}

/** A route that takes a reason only. */
function switchRoute(
  api: Api,
  host: Host,
  action: string,
  summary: string,
  command: Commands['enableTask'],
): void {
  api.route({
    method: 'POST',
    url: `${namespacePath}/tasks/:id/${action}`,
    config,
    schema: {
      tags,
      summary,
      params: byId,
      querystring: CommandQuery,
      body: ReasonBody,
      response: responses({ 200: TaskJson }, 404, 412, 507),
    },
    handler: async (request, reply) => {
      const context = commandContext(host, request, request.body)
      const outcome: Applied<TaskState> = granted(await command(context, request.params.id, ifMatch(request)))
      return answerTask(host, reply, outcome, 200)
    },
  })
}
