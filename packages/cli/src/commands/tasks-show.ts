import type { OccurrenceJson, TaskJson } from '@almanac/protocol'
import { findTask } from '../http/find.js'
import { valueText } from '../output/diff.js'
import type { Column } from '../output/table.js'
import { counted, visible, wrap } from '../output/text.js'
import { instantOf, instantText, relative } from '../output/time.js'
import { type ServerOptions, Session } from '../session.js'
import type { World } from '../world.js'
import { queueText, stateOf, stateStyle, wholeOption } from './tasks-list.js'

export interface Occurrences {
  readonly items: readonly OccurrenceJson[]
  readonly total: number
  readonly timezone: string
  readonly scheduleText: string
  readonly notes: readonly string[]
}

/** `2026-11-24 18:16:00Z, in 4 min`; `never` for null. */
export const moment = (session: Session, text: string | null, never = 'never'): string => {
  const instant = instantOf(text)
  return instant === null ? never : `${instantText(instant)}, ${relative(instant, session.now)}`
}

const unlessEmpty = (value: unknown): string => {
  if (value === null || value === undefined) return ''
  return Object.keys(value as object).length === 0 ? '' : visible(JSON.stringify(value))
}

const stateText = (session: Session, task: TaskJson) => {
  const state = stateStyle(session.world.out.paint)(stateOf(task), task)
  if (task.quarantine) return `${state}: ${visible(task.quarantine.message)} (${task.quarantine.code})`
  if (task.pausedUntil !== null) {
    const reason = task.disabledReason === null ? '' : `: ${visible(task.disabledReason)}`
    return `${state} until ${moment(session, task.pausedUntil)}${reason}`
  }
  return task.disabledReason === null ? state : `${state}: ${visible(task.disabledReason)}`
}

const expiryText = (session: Session, task: TaskJson) => {
  if (task.expires !== null) return `schedule ends at ${moment(session, task.expires)}`
  return task.expireSeconds === null ? '' : `${task.expireSeconds} s after each emission`
}

const limitText = (task: TaskJson) => {
  const left = task.runsLeft === null ? '' : `, ${task.runsLeft} left`
  if (task.oneOff) return `one-off${left}`
  return task.maxRuns === null ? '' : `at most ${counted(task.maxRuns, 'run')}${left}`
}

const catchUpText = ({ catchUp }: TaskJson) => {
  const window = catchUp.windowSeconds === null ? '' : `, within ${catchUp.windowSeconds} s`
  return `${catchUp.policy}${catchUp.policy === 'all' ? `, at most ${catchUp.max}` : ''}${window}`
}

const fieldsOf = (session: Session, task: TaskJson): (readonly [string, string])[] => [
  ['name', session.world.out.paint.bold(visible(task.name))],
  ['id', task.id],
  ['state', stateText(session, task)],
  ['description', visible(task.description)],
  ['schedule', `${visible(task.scheduleText)}  ${session.world.out.paint.dim(valueText(task.schedule))}`],
  ['starts', task.startTime === null ? '' : moment(session, task.startTime)],
  ['expires', expiryText(session, task)],
  ['limit', limitText(task)],
  ['task', visible(task.task)],
  ['args', unlessEmpty(task.args)],
  ['kwargs', unlessEmpty(task.kwargs)],
  ['headers', unlessEmpty(task.headers)],
  ['queue', visible(queueText(task))],
  ['routing key', visible(task.routingKey ?? '')],
  ['priority', task.priority === null ? '' : String(task.priority)],
  ['labels', unlessEmpty(task.labels)],
  ['catch-up', catchUpText(task)],
  ['overlap', task.overlap],
  ['jitter', task.jitterSeconds === 0 ? '' : `${task.jitterSeconds} s`],
  ['attempts', task.maxAttempts === 1 ? '' : String(task.maxAttempts)],
  ['next run', moment(session, task.nextRunAt, 'none')],
  ['last run', moment(session, task.lastRunAt)],
  ['runs', task.totalRunCount?.toLocaleString('en-US') ?? '-'],
  ['created', moment(session, task.createdAt)],
  [
    'changed',
    `${moment(session, task.dateChanged)} by ${visible(task.changedBy)} (revision ${task.revision})`,
  ],
]

export const showTask = async (world: World, name: string, options: ServerOptions): Promise<void> => {
  const session = new Session(world, options)
  const task = await findTask(session.server, name)
  if (session.json) return session.document(task)
  session.fields(fieldsOf(session, task))
}

const comingColumns = (session: Session, timezone: string): Column<OccurrenceJson>[] => [
  { title: `LOCAL (${timezone})`, value: ({ local }) => local },
  ...(timezone === 'UTC'
    ? []
    : [{ title: 'UTC', value: ({ at }: OccurrenceJson) => instantText(Date.parse(at)) }]),
  {
    title: 'WHEN',
    value: ({ at, outcome, reason }) =>
      outcome === 'skipped' ? (reason ?? 'skipped') : relative(Date.parse(at), session.now),
    drop: 1,
  },
]

/** The coming occurrences of a task as the server works them out, with notes on the clock changes among them. */
export const nextOfTask = async (
  world: World,
  name: string,
  options: ServerOptions & { readonly count?: string },
): Promise<void> => {
  const session = new Session(world, options)
  const count = wholeOption('--count', options.count ?? '10', 1000)
  const task = await findTask(session.server, name)
  const { body } = await session.server.ask<Occurrences>(`/tasks/${task.id}/occurrences`, {
    query: { count },
  })
  if (session.json) return session.document(body)
  const { bold, dim, yellow } = world.out.paint
  session.line(bold(visible(task.name)))
  for (const text of wrap(visible(body.scheduleText), world.out.columns)) session.line(dim(text))
  if (body.items.length === 0) session.line(`No run is coming: the task is ${stateOf(task)}.`)
  else session.table(comingColumns(session, body.timezone), body.items)
  for (const note of body.notes) session.line(`${yellow('!')} ${visible(note)}`)
}
