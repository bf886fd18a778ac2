import type { CommandContext, TaskState } from '@almanac/domain'
import type { Applied } from '@almanac/engine'
import {
  CommandQuery,
  mergesWithState,
  NewTaskBody,
  newTaskInput,
  PutTaskBody,
  ReasonBody,
  TaskJson,
  TaskPatch,
  taskChanges,
  taskInput,
} from '@almanac/protocol'
import { parseInstant } from '@almanac/recurrence'
import { type Api, type Host, namespacePath } from '../host.js'
import { ApiProblem, granted, notFound, valid } from '../problem.js'
import { waitMs } from '../reading.js'
import { commandContext, ifMatch, ifNoneMatchAny } from '../request-context.js'
import { answerTask, applied } from '../task-answers.js'
import { idParam, inNamespace, nameParam, nothing, responses } from './answers.js'

const tags = ['tasks']
const byId = inNamespace({ id: idParam })

/** Creating, replacing, changing and deleting tasks. */
export function taskRoutes(api: Api, host: Host): void {
  creatingRoutes(api, host)
  changingRoutes(api, host)
}

function creatingRoutes(api: Api, host: Host): void {
  api.route({
    method: 'POST',
    url: `${namespacePath}/tasks`,
    config: { scope: 'tasks:write' },
    schema: {
      tags,
      summary: 'Create a task',
      params: inNamespace({}),
      querystring: CommandQuery,
      body: NewTaskBody,
      response: responses({ 201: TaskJson }, 409, 413, 415, 422, 507),
    },
    handler: async (request, reply) => {
      const { input, imported } = valid(newTaskInput(request.body))
      const context = commandContext(host, request, request.body)
      const outcome = granted(await host.app.commands.createTask(context, input, imported))
      return answerTask(host, reply, outcome, 201)
    },
  })

  api.route({
    method: 'PUT',
    url: `${namespacePath}/tasks/by-name/:name`,
    config: { scope: 'tasks:write' },
    schema: {
      tags,
      summary: 'Create or replace a task by name',
      description:
        'With `If-None-Match: *` an existing task is left untouched and answered with 200 (get-or-create).',
      params: inNamespace({ name: nameParam }),
      querystring: CommandQuery,
      body: PutTaskBody,
      response: responses({ 200: TaskJson, 201: TaskJson }, 409, 412, 413, 415, 422, 507),
    },
    handler: async (request, reply) => {
      const name = putName(request.params.name, request.body.name)
      const input = valid(taskInput({ ...request.body, name }))
      const expected = ifMatch(request)
      const options = { onlyCreate: ifNoneMatchAny(request), ...(expected === undefined ? {} : { expected }) }
      const context = commandContext(host, request, request.body)
      const outcome = granted(await host.app.commands.putTask(context, input, options))
      return answerTask(host, reply, outcome, outcome.created ? 201 : 200)
    },
  })
}

function changingRoutes(api: Api, host: Host): void {
  api.route({
    method: 'PATCH',
    url: `${namespacePath}/tasks/:id`,
    config: { scope: 'tasks:write' },
    schema: {
      tags,
      summary: 'Change a task',
      description:
        'A merge patch (RFC 7396), with or without `If-Match`. null resets a field to its default; ' +
        '`labels`, `kwargs`, `headers` and `catchUp` are merged; `schedule` and `args` are replaced ' +
        'as a whole.',
      params: byId,
      querystring: CommandQuery,
      body: TaskPatch,
      response: responses({ 200: TaskJson }, 404, 409, 412, 413, 415, 422, 507),
    },
    handler: async (request, reply) => {
      const context = commandContext(host, request, request.body)
      const outcome = await patchTask(host, context, request.params.id, request.body, ifMatch(request))
      return answerTask(host, reply, outcome, 200)
    },
  })

  api.route({
    method: 'DELETE',
    url: `${namespacePath}/tasks/:id`,
    config: { bodyOptional: true, scope: 'tasks:write' },
    schema: {
      tags,
      summary: 'Delete a task',
      description: 'Its history and its runs stay.',
      params: byId,
      querystring: CommandQuery,
      body: ReasonBody,
      response: responses({ 204: nothing }, 404, 412, 507),
    },
    handler: async (request, reply) => {
      const context = commandContext(host, request, request.body)
      const outcome = granted(
        await host.app.commands.deleteTask(context, request.params.id, ifMatch(request)),
      )
      await host.app.queries.waitFor(outcome.position, waitMs)
      applied(reply, outcome).code(204)
      return null
    },
  })
}

function putName(inPath: string, inBody: string | undefined): string {
  if (inBody === undefined || inBody.normalize('NFC') === inPath.normalize('NFC')) return inPath
  throw new ApiProblem('invalid', 'The body names another task than the path.', [
    { path: 'name', code: 'differs_from_path', message: 'must be the name in the path, or left out' },
  ])
}

const patchAttempts = 5

/**
 * Applies a merge patch. One that merges into the present state is applied to exactly the revision it was merged
 * with; if that is no longer the newest, it is merged again.
 */
export async function patchTask(
  host: Host,
  context: CommandContext,
  taskId: string,
  patch: TaskPatch,
  expected: number | undefined,
): Promise<Applied<TaskState>> {
  const { commands, queries } = host.app
  for (let attempt = 1; ; attempt++) {
    const view = queries.task(context.namespace, taskId)
    if (view === undefined) throw notFound('task of this id')
    const merges = mergesWithState(patch)
    const changes = valid(taskChanges(patch, view.state.spec))
    const revision = expected ?? (merges ? view.state.revision : undefined)
    const result = await commands.changeTask(context, taskId, changes, revision)
    const stale = !result.ok && result.error.code === 'revision_mismatch' && expected === undefined
    if (!stale || attempt === patchAttempts) return granted(result)
    await queries.waitFor(queries.position() + 1, 50)
  }
}

/** For good, or with `until` for a time. */
export async function disableTask(
  host: Host,
  context: CommandContext,
  taskId: string,
  until: string | undefined,
  expected: number | undefined,
): Promise<Applied<TaskState>> {
  const { commands } = host.app
  return granted(
    until === undefined
      ? await commands.disableTask(context, taskId, expected)
      : await commands.pauseTask(context, taskId, valid(parseInstant(until, 'until')), expected),
  )
}
