import type { EventJson } from '@almanac/protocol'
import { taskIdOf } from '../http/find.js'
import { readPages } from '../http/pages.js'
import { type Difference, valueText } from '../output/diff.js'
import { pad, visible, widthOf } from '../output/text.js'
import { instantText, relative } from '../output/time.js'
import { type ServerOptions, Session } from '../session.js'
import type { World } from '../world.js'

const titles: Readonly<Record<string, string>> = {
  TaskCreated: 'created',
  TaskChanged: 'changed',
  TaskEnabled: 'enabled',
  TaskDisabled: 'disabled',
  TaskTriggered: 'triggered',
  TaskBackfillRequested: 'backfill requested',
  TaskHistoryReset: 'run history reset',
  TaskQuarantined: 'quarantined',
  TaskDeleted: 'deleted',
  TaskRestored: 'restored',
  TaskPaused: 'paused',
  TaskOccurrenceCancelled: 'one occurrence changed',
  TaskOccurrenceMoved: 'one occurrence moved',
  TaskAbandoned: 'creation abandoned',
}

const causes: Readonly<Record<string, string>> = {
  completed: ', its runs are done',
  expired: ', its schedule ended',
  schedule: ' with its shared schedule',
}

const titleOf = ({ type, data, undoes }: EventJson): string => {
  const cause: unknown = data.cause
  if (undoes !== undefined) return `undid revision ${undoes}: ${titles[type] ?? type}`
  return (titles[type] ?? type) + (typeof cause === 'string' ? (causes[cause] ?? '') : '')
}

const leavesOf = ({ changes }: EventJson): readonly Difference[] =>
  changes.map(({ path, before, after }) => ({ path, from: before, to: after }))

const printLeaves = (session: Session, leaves: readonly Difference[]) => {
  const { red, green, dim } = session.world.out.paint
  const width = leaves.reduce((most, { path }) => Math.max(most, widthOf(path)), 0)
  for (const { path, from, to } of leaves) {
    const label = dim(pad(path, width))
    const after = green(valueText(to))
    session.line(`    ${label}  ${from === undefined ? '' : `${red(valueText(from))} → `}${after}`)
  }
}

const printEvent = (session: Session, event: EventJson) => {
  const { bold, dim, cyan } = session.world.out.paint
  const at = Date.parse(event.at)
  const head = `${instantText(at)}  ${titleOf(event)} by ${visible(event.actor)}  ${relative(at, session.now)}`
  const where = `  revision ${event.revision}, position ${event.position}`
  session.line(
    `${cyan(instantText(at))}  ${bold(titleOf(event))} by ${visible(event.actor)}  ${dim(relative(at, session.now))}` +
      (widthOf(head + where) <= session.world.out.columns ? dim(where) : ''),
  )
  if (event.reason !== null && event.reason !== '') session.text(`“${visible(event.reason)}”`, 4)
  printLeaves(session, leavesOf(event))
}

const most = 10_000

/** A task's events, oldest first, by id also those of a deleted one: when, what, by whom, why, and what changed. */
export const historyOfTask = async (world: World, name: string, options: ServerOptions): Promise<void> => {
  const session = new Session(world, options)
  const id = await taskIdOf(session.server, name)
  const history = await readPages<EventJson>(session.server, `/tasks/${id}/history`, {}, { limit: most })
  if (session.json) return session.document(history)
  for (const event of history.items) printEvent(session, event)
  if (history.nextCursor !== null) session.notice(`Only the first ${most} of ${history.total}.`)
}
