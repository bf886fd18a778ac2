import { valueText } from '../output/diff.js'
import { counted, visible } from '../output/text.js'
import { type ServerOptions, Session } from '../session.js'
import type { World } from '../world.js'

export interface UndoRequestOptions extends ServerOptions {
  readonly force?: boolean
  readonly dryRun?: boolean
  readonly reason?: string
}

interface Subject {
  readonly kind: string
  readonly id: string
  readonly revision: number
  readonly type: string
  readonly code?: string
  readonly detail?: string
}

interface Preview {
  readonly total: number
  readonly undoable: number
  readonly unchanged: number
  readonly refused: number
  readonly events: readonly (Subject & {
    readonly outcome: string
    readonly changes: readonly { readonly path: string; readonly before?: unknown; readonly after: unknown }[]
  })[]
}

interface Undone {
  readonly correlationId: string
  readonly total: number
  readonly undone: number
  readonly unchanged: number
  readonly refused: number
  readonly problems: readonly Subject[]
}

const titleOf = ({ kind, id, revision, type }: Subject) => `${type} of ${kind} ${id}, revision ${revision}`

const showPreview = (session: Session, { events, total, undoable, unchanged, refused }: Preview) => {
  for (const event of events) {
    session.line(
      `${event.outcome}: ${titleOf(event)}${event.detail === undefined ? '' : `: ${visible(event.detail)}`}`,
    )
    for (const { path, before, after } of event.changes) {
      session.line(`    ${path}  ${valueText(before)} → ${valueText(after)}`)
    }
  }
  session.notice(
    `${counted(total, 'change')}: ${undoable} would be taken back, ${unchanged} are back already, ` +
      `${refused} would be refused`,
  )
}

const showUndone = (session: Session, { problems, undone, unchanged, refused, correlationId }: Undone) => {
  for (const problem of problems) {
    session.line(`refused: ${titleOf(problem)}: ${problem.code}, ${visible(problem.detail ?? '')}`)
  }
  session.notice(
    `${undone} taken back, ${unchanged} were back already, ${refused} refused. ` +
      `To take this back: almanac history undo ${correlationId}`,
  )
}

/** Takes back all that one request did, such as a bulk operation. */
export const undoRequest = async (
  world: World,
  correlationId: string,
  options: UndoRequestOptions,
): Promise<void> => {
  const session = new Session(world, options)
  const path = `/changes/${encodeURIComponent(correlationId)}/undo`
  if (options.dryRun === true) {
    const { body } = await session.server.ask<Preview>(path)
    return session.json ? session.document(body) : showPreview(session, body)
  }
  const { body } = await session.server.ask<Undone>(path, {
    method: 'POST',
    body: {
      ...(options.force === true ? { force: true } : {}),
      ...(options.reason === undefined ? {} : { reason: options.reason }),
    },
  })
  if (session.json) return session.document(body)
  showUndone(session, body)
}
