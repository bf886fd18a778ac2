import type { TaskState } from '@almanac/domain'
import type { Applied, Commands } from '@almanac/engine'
import {
  BackfillBody,
  CommandQuery,
  domainList,
  domainObject,
  InstantReader,
  ReasonBody,
  TaskJson,
  TriggerBody,
  TriggerJson,
} from '@almanac/protocol'
import { type Api, type Host, namespacePath } from '../host.js'
import { granted, valid } from '../problem.js'
import { commandContext, ifMatch } from '../request-context.js'
import { answerTask, applied } from '../task-answers.js'
import { idParam, inNamespace, responses } from './answers.js'

const tags = ['tasks']
const byId = inNamespace({ id: idParam })
const config = { bodyOptional: true, scope: 'tasks:write' } as const

/** Actions on one task: what no field of it says. */
export function taskActionRoutes(api: Api, host: Host): void {
  const { commands } = host.app
  switchRoute(api, host, 'enable', 'Enable a task', commands.enableTask.bind(commands))
  switchRoute(api, host, 'disable', 'Disable a task', commands.disableTask.bind(commands))
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
      const { args, kwargs } = request.body
      const context = commandContext(host, request, request.body)
      const outcome = granted(
        await commands.triggerTask(context, request.params.id, {
          ...(args === undefined ? {} : { args: domainList(args) }),
          ...(kwargs === undefined ? {} : { kwargs: domainObject(kwargs) }),
        }),
      )
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
      const reader = new InstantReader()
      const from = reader.read(request.body.from, 'from')
      const until = reader.read(request.body.until, 'until')
      valid(reader.problems.length === 0 ? { ok: true, value: null } : { ok: false, error: reader.problems })
      const range = { from, until, max: request.body.max ?? 100 }
      const context = commandContext(host, request, request.body)
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
