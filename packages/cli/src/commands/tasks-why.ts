import type { OccurrenceJson } from '@almanac/protocol'
import { findTask } from '../http/find.js'
import type { Column } from '../output/table.js'
import { counted, visible, wrap } from '../output/text.js'
import { instantText } from '../output/time.js'
import { type ServerOptions, Session } from '../session.js'
import type { World } from '../world.js'
import type { Occurrences } from './tasks-show.js'

export interface WhyOptions extends ServerOptions {
  readonly from?: string
  readonly to?: string
}

const most = 1000

/** The reasons of the skip ledger as sentences. */
const reasons: Readonly<Record<string, string>> = {
  disabled: 'the task was disabled',
  deleted: 'the task was deleted',
  superseded: 'the task was changed before it was due',
  misfire: 'missed, and the catch-up policy does not run it later',
  overlap: 'an earlier run was not finished',
  expired: 'past the end of the schedule',
  excluded: 'excluded by a calendar or schedule',
  limit: 'beyond the number of runs that the task may have',
  quarantined: 'the task could not be planned',
  cancelled: 'somebody cancelled this one',
  moved: 'somebody moved this one to another time',
}

const why = ({ outcome, reason, status }: OccurrenceJson): string => {
  if (reason !== null) return reasons[reason] ?? reason
  if (outcome === 'due') return 'not decided yet'
  return status === null ? '' : `the run is ${status}`
}

const columns = (session: Session): Column<OccurrenceJson>[] => {
  const { green, yellow, dim } = session.world.out.paint
  const style = (text: string, { outcome }: OccurrenceJson) =>
    outcome === 'emitted' ? green(text) : outcome === 'skipped' ? yellow(text) : dim(text)
  return [
    { title: 'OCCURRENCE', value: ({ at }) => instantText(Date.parse(at)) },
    { title: 'LOCAL', value: ({ local }) => local, drop: 3 },
    { title: 'OUTCOME', value: ({ outcome }) => outcome, style },
    {
      title: 'WHY',
      value: (entry) => why(entry) + (entry.count > 1 ? ` (${entry.count} of them)` : ''),
      min: 20,
    },
    { title: 'REVISION', value: ({ revision }) => revision?.toString() ?? '', align: 'right', drop: 2 },
    { title: 'RUN', value: ({ runId }) => runId ?? '', min: 10, drop: 1, style: dim },
  ]
}

/** Each occurrence in a span of time with what became of it. */
export const whyTask = async (world: World, name: string, options: WhyOptions): Promise<void> => {
  const session = new Session(world, options)
  const from = session.instant('--from', options.from ?? '-24h')
  const to = session.instant('--to', options.to ?? 'now')
  const task = await findTask(session.server, name)
  const { body } = await session.server.ask<Occurrences>(`/tasks/${task.id}/occurrences`, {
    query: { from: new Date(from).toISOString(), to: new Date(to).toISOString(), count: most },
  })
  if (session.json) return session.document(body)
  const { bold, dim } = world.out.paint
  session.line(bold(visible(task.name)))
  for (const text of wrap(visible(body.scheduleText), world.out.columns)) session.line(dim(text))
  if (body.items.length === 0) {
    return session.line(`No occurrence from ${instantText(from)} to ${instantText(to)}.`)
  }
  session.table(columns(session), body.items)
  const emitted = body.items.filter(({ outcome }) => outcome === 'emitted').length
  const skipped = body.items.reduce((sum, entry) => sum + (entry.outcome === 'skipped' ? entry.count : 0), 0)
  session.notice(`${counted(emitted, 'run')}, ${skipped.toLocaleString('en-US')} skipped`)
  if (body.items.length === most) session.notice(`Only the first ${most}; a shorter span shows the rest.`)
}
