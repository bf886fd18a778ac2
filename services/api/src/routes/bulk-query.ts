import { type CommandContext, canonical, digestOf, partOf, type TaskState } from '@almanac/domain'
import type { TaskFilter } from '@almanac/engine'
import { BulkQueryBody, BulkQueryJson, CommandQuery, maxQueried, TaskPatch } from '@almanac/protocol'
import type { Ajv, ValidateFunction } from 'ajv'
import { changes } from '../fence.js'
import { type Api, type Host, namespacePath } from '../host.js'
import { ApiProblem, granted, problemBody, toProblem } from '../problem.js'
import { waitMs } from '../reading.js'
import { commandContext, fingerprintOf } from '../request-context.js'
import { assertShape } from '../validation.js'
import { inNamespace, responses } from './answers.js'
import { filterOf } from './task-filter.js'
import { disableTask, patchTask } from './tasks.js'

/** How many tasks are worked on at the same time, so that they share writes to the disk. */
const together = 64
const sampled = 20
const told = 100

/** One operation on all tasks that match, previewed first. */
export function bulkQueryRoute(api: Api, host: Host, ajv: Ajv): void {
  const patch = ajv.compile<TaskPatch>(TaskPatch)
  api.route({
    method: 'POST',
    url: `${namespacePath}/tasks/bulk-query`,
    config: { scope: 'tasks:write' },
    schema: {
      tags: ['tasks'],
      summary: 'One operation on all tasks that match',
      description:
        'Without `token` nothing is changed: the answer tells how many match, the first of them, and a token. The ' +
        'same request with the token does it, to exactly the tasks of the preview, whatever matches by then. At most ' +
        '10 000 tasks. `POST /changes/{correlationId}/undo` takes it back as a whole.',
      params: inNamespace({}),
      querystring: CommandQuery,
      body: BulkQueryBody,
      response: responses({ 200: BulkQueryJson }, 409, 413, 415, 422, 507),
    },
    handler: async (request, reply) => {
      const { body } = request
      assertOperation(body, patch)
      const { namespace } = request.params
      const position = tokenPosition(namespace, body) ?? host.app.queries.position()
      const { tasks, total } = matching(host, namespace, filterOf(body.filter), position)
      const sample = tasks.slice(0, sampled).map(({ taskId, spec }) => ({ id: taskId, name: spec.name }))
      if (body.token === undefined)
        return { total, sample, token: tokenOf(namespace, body, position), done: null }
      if (total > maxQueried) {
        throw new ApiProblem(
          'too_many_operations',
          `${total} tasks match, at most ${maxQueried} can be changed at once.`,
        )
      }
      const context = commandContext(host, request, body)
      const done = await performAll(host, context, body, tasks)
      await host.app.queries.waitFor(done.position, waitMs)
      const affected = tasks.map(({ taskId }) => ({ kind: 'task' as const, taskId }))
      changes(reply, affected, done.position)
      reply.header('almanac-position', String(done.position))
      return { total, sample, token: null, done: done.told }
    },
  })
}

/** Which fields an operation reads: another one is refused, not dropped. */
function assertOperation(
  { op, changes: patch, until }: BulkQueryBody,
  shape: ValidateFunction<TaskPatch>,
): void {
  const refuseField = (path: string, code: string, message: string) =>
    new ApiProblem('invalid_body', `${path} ${message}`, [{ path, code, message }])
  if (until !== undefined && op !== 'disable')
    throw refuseField('until', 'unknown_field', `is not a field of ${op}`)
  if (op !== 'patch') {
    if (patch !== undefined) throw refuseField('changes', 'unknown_field', `is not a field of ${op}`)
    return
  }
  assertShape(shape, patch, 'changes')
  if (patch.name !== undefined) {
    throw refuseField('changes.name', 'not_allowed', 'is unique, so it can not be the same for many')
  }
}

/** The tasks of a moment: who changes them meanwhile changes nothing of which they are. */
function matching(host: Host, namespace: string, filter: TaskFilter, position: number) {
  const tasks: TaskState[] = []
  let cursor: string | undefined
  let total = 0
  do {
    const page = { limit: 1_000, ...(cursor === undefined ? {} : { cursor }) }
    const listed = host.app.queries.tasks(namespace, filter, page, position)
    tasks.push(...listed.items.map(({ state }) => state))
    total = listed.total
    cursor = listed.nextCursor ?? undefined
  } while (cursor !== undefined && tasks.length < maxQueried)
  return { tasks, total }
}

const asked = (namespace: string, { filter, op, changes: patch, until }: BulkQueryBody, position: number) =>
  digestOf(canonical([namespace, filter, op, patch ?? null, until ?? null, position])).slice(0, 32)

const tokenOf = (namespace: string, body: BulkQueryBody, position: number): string =>
  `${position}.${asked(namespace, body, position)}`

/** The moment of the preview; undefined: this is the preview. */
function tokenPosition(namespace: string, body: BulkQueryBody): number | undefined {
  if (body.token === undefined) return undefined
  const position = Number(/^(\d{1,15})\./.exec(body.token)?.[1] ?? Number.NaN)
  if (Number.isNaN(position) || body.token !== tokenOf(namespace, body, position)) {
    throw new ApiProblem('preview_stale')
  }
  return position
}

async function performAll(
  host: Host,
  context: CommandContext,
  body: BulkQueryBody,
  tasks: readonly TaskState[],
) {
  const problems: { id: string; name: string; problem: ReturnType<typeof problemBody> }[] = []
  let failed = 0
  let last = 0
  for (let at = 0; at < tasks.length; at += together) {
    await Promise.all(
      tasks.slice(at, at + together).map(async ({ taskId, spec: { name } }) => {
        try {
          const own = partOf(context, taskId, () => fingerprintOf(taskId, body))
          const { position } = await perform(host, own, taskId, body)
          last = Math.max(last, position)
        } catch (error) {
          const problem = toProblem(error)
          if (problem.code === 'internal') throw error
          failed += 1
          if (problems.length < told) problems.push({ id: taskId, name, problem: problemBody(problem) })
        }
      }),
    )
  }
  const { correlationId } = context
  return { position: last, told: { succeeded: tasks.length - failed, failed, problems, correlationId } }
}

async function perform(
  host: Host,
  context: CommandContext,
  taskId: string,
  { op, changes: patch, until }: BulkQueryBody,
): Promise<{ readonly position: number }> {
  const { commands } = host.app
  switch (op) {
    case 'patch':
      return patchTask(host, context, taskId, patch as TaskPatch, undefined)
    case 'enable':
      return granted(await commands.enableTask(context, taskId))
    case 'disable':
      return disableTask(host, context, taskId, until, undefined)
    case 'delete':
      return granted(await commands.deleteTask(context, taskId))
    case 'trigger':
      return granted(await commands.triggerTask(context, taskId, {}))
  }
}
