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

export interface MoveOptions extends ServerOptions {
  readonly to: string
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
  const [action, done] = restore === true ? ['restore', 'runs after all'] : ['cancel', 'is cancelled']
  await onOccurrence(session, { name, instant, action, done, body: { reason } })
}

/** One coming occurrence is at another time. */
export const moveOccurrence = async (
  world: World,
  name: string,
  instant: string,
  { to, reason, ...server }: MoveOptions,
): Promise<void> => {
  const session = new Session(world, server)
  const target = session.instant('--to', to)
  const body = { to: new Date(target).toISOString(), reason }
  const done = `is at ${instantText(target)} instead`
  await onOccurrence(session, { name, instant, action: 'move', done, body })
}

interface Asked {
  readonly name: string
  readonly instant: string
  readonly action: string
  /** What is so then. */
  readonly done: string
  readonly body: object
}

const onOccurrence = async (
  session: Session,
  { name, instant, action, done, body }: Asked,
): Promise<void> => {
  const at = session.instant('<instant>', instant)
  const id = await taskIdOf(session.server, name)
  const path = `/tasks/${id}/occurrences/${encodeURIComponent(new Date(at).toISOString())}/${action}`
  const { body: task } = await session.server.ask<TaskJson>(path, { method: 'POST', body })
  if (session.json) return session.document(task)
  session.line(
    `${visible(task.name)}: ${instantText(at)} ${done}; next run ${moment(session, task.nextRunAt, 'none')}`,
  )
}
