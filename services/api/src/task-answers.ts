import type { CalendarState, ScheduleState, TaskState } from '@almanac/domain'
import type { Applied, TaskView } from '@almanac/engine'
import { type TaskJson, taskJson } from '@almanac/protocol'
import type { FastifyReply } from 'fastify'
import { affectedBy, changes } from './fence.js'
import type { Host } from './host.js'
import { waitMs } from './reading.js'

export const taskPath = (namespace: string, taskId: string): string =>
  `/v1/namespaces/${namespace}/tasks/${taskId}`

/**
 * The task as the command left it, with what the read models add. Waits for them, so that whoever has the answer
 * finds the change in every following read; an answer does not fail because they are late.
 */
export async function viewAfter(host: Host, { state, position }: Applied<TaskState>): Promise<TaskView> {
  const { queries } = host.app
  if (queries.position() < position) await queries.waitFor(position, waitMs)
  return queries.viewOf(state)
}

export const etag = (revision: number): string => `"${revision}"`

/** Headers that every answered command has. */
export function applied(
  reply: FastifyReply,
  { state, position, repeated }: Applied<TaskState | ScheduleState | CalendarState>,
): FastifyReply {
  changes(reply, [affectedBy(state)], position)
  reply.header('etag', etag(state.revision)).header('almanac-position', String(position))
  if (repeated) reply.header('idempotency-replayed', 'true')
  return reply
}

/** The answer of a command that leaves a task behind. */
export async function answerTask(
  host: Host,
  reply: FastifyReply,
  outcome: Applied<TaskState>,
  status: 200 | 201,
): Promise<TaskJson> {
  const { state } = outcome
  applied(reply, outcome).code(status)
  if (status === 201) reply.header('location', taskPath(state.namespace, state.taskId))
  return taskJson(await viewAfter(host, outcome))
}
