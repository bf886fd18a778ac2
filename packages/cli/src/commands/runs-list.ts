import type { RunJson } from '@almanac/protocol'
import { findTask } from '../http/find.js'
import { type Page, readPages } from '../http/pages.js'
import { progressBar } from '../output/progress.js'
import type { Column } from '../output/table.js'
import { counted, visible } from '../output/text.js'
import { duration, instantOf, instantText, relative } from '../output/time.js'
import { type ServerOptions, Session } from '../session.js'
import type { World } from '../world.js'
import { lateness, type RunQuery, statusStyle } from './run-text.js'
import { followRuns } from './runs-follow.js'
import { wholeOption } from './tasks-list.js'
import { moment } from './tasks-show.js'

export interface RunListOptions extends ServerOptions {
  readonly follow?: boolean
  readonly task?: string
  readonly status?: string
  readonly queue?: string
  readonly kind?: string
  readonly from?: string
  readonly to?: string
  readonly limit?: string
  readonly all?: boolean
}

const took = (run: RunJson): string => {
  const started = instantOf(run.startedAt)
  const finished = instantOf(run.finishedAt)
  return started === null || finished === null ? '' : duration(finished - started)
}

const columns = (session: Session): Column<RunJson>[] => {
  const { paint } = session.world.out
  return [
    { title: 'SCHEDULED', value: (run) => instantText(Date.parse(run.scheduledAt)) },
    { title: 'WHEN', value: (run) => relative(Date.parse(run.scheduledAt), session.now), drop: 4 },
    {
      title: 'STATUS',
      value: ({ status }) => status,
      style: (text, { status }) => statusStyle(paint, status)(text),
    },
    { title: 'TASK', value: ({ taskName }) => taskName, min: 14, style: paint.bold },
    { title: 'QUEUE', value: ({ queue }) => queue, min: 8, drop: 3 },
    { title: 'KIND', value: ({ kind }) => kind, drop: 5 },
    { title: 'TRY', value: ({ attempt }) => String(attempt), align: 'right', drop: 7 },
    { title: 'LATE', value: lateness, align: 'right', drop: 6 },
    { title: 'TOOK', value: took, align: 'right', drop: 2 },
    { title: 'RUN', value: ({ runId }) => runId, min: 9, style: paint.dim },
  ]
}

const queryOf = async (session: Session, options: RunListOptions): Promise<RunQuery> => ({
  task: options.task === undefined ? undefined : (await findTask(session.server, options.task)).id,
  status: options.status,
  queue: options.queue,
  kind: options.kind,
  from:
    options.from === undefined ? undefined : new Date(session.instant('--from', options.from)).toISOString(),
  until: options.to === undefined ? undefined : new Date(session.instant('--to', options.to)).toISOString(),
})

const totalsText = (page: Page<RunJson>) =>
  page.items.length === page.total
    ? counted(page.total, 'run')
    : `the newest ${page.items.length} of ${counted(page.total, 'run')}`

/** Runs, newest scheduled first; with `follow` oldest first and then each new one as it comes. */
export const listRuns = async (world: World, options: RunListOptions): Promise<void> => {
  const session = new Session(world, options)
  const fallback = options.follow ? '10' : '50'
  const limit = options.all
    ? Number.POSITIVE_INFINITY
    : wholeOption('--limit', options.limit ?? fallback, 1_000_000)
  const query = await queryOf(session, options)
  if (options.follow) return followRuns(session, query, limit)
  const bar = await progressBar(world.err, 'runs', 1000)
  const page = await readPages<RunJson>(session.server, '/runs', query, { limit, progress: bar.at }).finally(
    () => bar.end(),
  )
  if (session.json) return session.document(page)
  if (page.items.length === 0) return session.line('No runs.')
  session.table(columns(session), page.items)
  session.notice(totalsText(page))
}

export const showRun = async (world: World, runId: string, options: ServerOptions): Promise<void> => {
  const session = new Session(world, options)
  const { body: run } = await session.server.ask<RunJson>(`/runs/${encodeURIComponent(runId)}`)
  if (session.json) return session.document(run)
  const { paint } = world.out
  session.fields([
    ['run', run.runId],
    [
      'task',
      `${paint.bold(visible(run.taskName))}  ${paint.dim(`${run.taskId}, revision ${run.taskRevision}`)}`,
    ],
    ['status', statusStyle(paint, run.status)(run.status)],
    ['error', visible(run.error ?? '')],
    ['kind', run.kind],
    ['runs', visible(run.task)],
    ['args', JSON.stringify(run.args)],
    ['kwargs', JSON.stringify(run.kwargs)],
    ['headers', JSON.stringify(run.headers)],
    ['queue', visible(run.queue)],
    ['routing key', visible(run.routingKey ?? '')],
    ['scheduled', moment(session, run.scheduledAt)],
    ['emitted', `${moment(session, run.emittedAt)} (${lateness(run)} after its instant)`],
    ['started', moment(session, run.startedAt, 'not yet')],
    [
      'finished',
      `${moment(session, run.finishedAt, 'not yet')}${took(run) === '' ? '' : ` (took ${took(run)})`}`,
    ],
    ['attempt', `${run.attempt} of ${run.maxAttempts}`],
    ['worker', visible(run.worker ?? '')],
    ['expires', run.expiresAt === null ? '' : moment(session, run.expiresAt)],
  ])
}
