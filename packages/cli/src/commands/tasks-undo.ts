import type { EventJson, FieldChange } from '@almanac/protocol'
import { usage } from '../failure.js'
import { taskIdOf } from '../http/find.js'
import { valueText } from '../output/diff.js'
import { visible } from '../output/text.js'
import { type ServerOptions, Session } from '../session.js'
import type { World } from '../world.js'

export interface UndoOptions extends ServerOptions {
  readonly force?: boolean
  readonly dryRun?: boolean
  readonly reason?: string
}

interface Preview {
  readonly undoes: EventJson
  readonly changes: readonly FieldChange[]
  readonly conflicts: readonly { readonly path: string; readonly now: unknown; readonly revision: number }[]
}

const preview = (session: Session, { undoes, changes, conflicts }: Preview) => {
  session.line(`Revision ${undoes.revision}: ${visible(undoes.text)}`)
  if (changes.length === 0) return session.line('All of it is back already.')
  for (const { path, before, after } of changes) {
    session.line(`    ${path}  ${valueText(before)} → ${valueText(after)}`)
  }
  for (const { path, now, revision } of conflicts) {
    session.line(`    ${path} was changed again by revision ${revision}, to ${valueText(now)}: needs --force`)
  }
}

/** Takes back one change of a task, by a new one; by id also the deletion of one. */
export const undoTask = async (
  world: World,
  name: string,
  revision: string,
  options: UndoOptions,
): Promise<void> => {
  const session = new Session(world, options)
  if (!/^\d{1,15}$/.test(revision))
    throw usage(`"${revision}" is not a revision: see \`almanac tasks history\`.`)
  const path = `/tasks/${await taskIdOf(session.server, name)}/history/${revision}/undo`
  if (options.dryRun === true) {
    const { body } = await session.server.ask<Preview>(path)
    return session.json ? session.document(body) : preview(session, body)
  }
  const { body } = await session.server.ask<{ readonly event: EventJson | null }>(path, {
    method: 'POST',
    body: {
      ...(options.force === true ? { force: true } : {}),
      ...(options.reason === undefined ? {} : { reason: options.reason }),
    },
  })
  if (session.json) return session.document(body)
  session.line(body.event === null ? 'All of it is back already.' : visible(body.event.text))
}
