import type { TaskJson } from '@almanac/protocol'
import { taskIdOf } from '../http/find.js'
import { visible } from '../output/text.js'
import { instantText } from '../output/time.js'
import { type ServerOptions, Session } from '../session.js'
import type { World } from '../world.js'
import { moment } from './tasks-show.js'

export interface CancelOptions extends ServerOptions {
  readonly restore?: boolean
  readonly reason?: string
}

/** One coming occurrence does not run, or does after all. */
export const cancelOccurrence = async (
  world: World,
  name: string,
  instant: string,
  { restore, reason, ...server }: CancelOptions,
): Promise<void> => {
  const session = new Session(world, server)
  const at = session.instant('<instant>', instant)
  const action = restore === true ? 'restore' : 'cancel'
  const id = await taskIdOf(session.server, name)
  const path = `/tasks/${id}/occurrences/${encodeURIComponent(new Date(at).toISOString())}/${action}`
  const body = reason === undefined ? {} : { reason }
  const { body: task } = await session.server.ask<TaskJson>(path, { method: 'POST', body })
  if (session.json) return session.document(task)
  const done = restore === true ? 'runs after all' : 'is cancelled'
  session.line(
    `${visible(task.name)}: ${instantText(at)} ${done}; next run ${moment(session, task.nextRunAt, 'none')}`,
  )
}

export interface MoveOptions extends ServerOptions {
  readonly to: string
  readonly reason?: string
}

/** One coming occurrence is at another time. */
export const moveOccurrence = async (
  world: World,
  name: string,
  instant: string,
  { to, reason, ...server }: MoveOptions,
): Promise<void> => {
  const session = new Session(world, server)
  const [at, target] = [session.instant('<instant>', instant), session.instant('--to', to)]
  const id = await taskIdOf(session.server, name)
  const path = `/tasks/${id}/occurrences/${encodeURIComponent(new Date(at).toISOString())}/move`
  const body = { to: new Date(target).toISOString(), ...(reason === undefined ? {} : { reason }) }
  const { body: task } = await session.server.ask<TaskJson>(path, { method: 'POST', body })
  if (session.json) return session.document(task)
  session.line(
    `${visible(task.name)}: ${instantText(at)} is at ${instantText(target)} instead; ` +
      `next run ${moment(session, task.nextRunAt, 'none')}`,
  )
}
