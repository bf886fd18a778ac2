import type { TaskJson } from '@almanac/protocol'
import { usage } from '../failure.js'
import { readPages } from '../http/pages.js'
import { progressBar } from '../output/progress.js'
import type { Column } from '../output/table.js'
import { counted } from '../output/text.js'
import { instantOf, instantText, relative } from '../output/time.js'
import { type ServerOptions, Session } from '../session.js'
import type { Paint, World } from '../world.js'

export interface TaskListOptions extends ServerOptions {
  readonly enabled?: boolean
  readonly disabled?: boolean
  readonly quarantined?: boolean
  readonly task?: string
  readonly queue?: string
  readonly label?: readonly string[]
  readonly scheduleKind?: string
  readonly schedule?: string
  readonly q?: string
  readonly sort?: string
  readonly asOf?: string
  readonly limit?: string
  readonly all?: boolean
}

/** One word for how a task stands. */
export const stateOf = (task: TaskJson): string => {
  if (task.quarantine) return 'broken'
  if (task.enabled) return task.pausedUntil === null ? 'enabled' : 'paused'
  return task.disabledCause === null || task.disabledCause === 'requested' ? 'disabled' : task.disabledCause
}

export const stateStyle = (paint: Paint) => (text: string, task: TaskJson) => {
  if (task.quarantine) return paint.red(text)
  return task.enabled && task.pausedUntil === null ? paint.green(text) : paint.dim(text)
}

export const queueText = (task: Pick<TaskJson, 'queue' | 'exchange'>): string =>
  task.queue ?? (task.exchange === null ? 'default' : `exchange:${task.exchange}`)

/** A positive whole number given as an option. */
export const wholeOption = (option: string, text: string, most: number): number => {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= 1 && value <= most) return value
  throw usage(`${option} must be a whole number from 1 to ${most}, not "${text}".`)
}

/** `--as-of`: digits are a position in the event log, anything else an instant. */
export const asOfOption = (session: Session, text: string): string =>
  /^\d+$/.test(text) ? text : new Date(session.instant('--as-of', text)).toISOString()

const columns = (session: Session): Column<TaskJson>[] => {
  const { paint } = session.world.out
  const { now } = session
  const when = (text: string | null) => {
    const instant = instantOf(text)
    return instant === null ? '-' : relative(instant, now)
  }
  const full = (text: string | null) => {
    const instant = instantOf(text)
    return instant === null ? '-' : instantText(instant)
  }
  return [
    { title: 'NAME', value: (task) => task.name, min: 16, style: paint.bold },
    { title: 'STATE', value: stateOf, style: stateStyle(paint) },
    { title: 'SCHEDULE', value: (task) => task.scheduleText, min: 16 },
    { title: 'NEXT', value: (task) => when(task.nextRunAt), style: paint.cyan },
    { title: 'NEXT AT', value: (task) => full(task.nextRunAt), drop: 6, style: paint.dim },
    { title: 'LAST', value: (task) => when(task.lastRunAt), drop: 3 },
    { title: 'LAST AT', value: (task) => full(task.lastRunAt), drop: 8, style: paint.dim },
    {
      title: 'RUNS',
      value: (task) => task.totalRunCount?.toLocaleString('en-US') ?? '-',
      align: 'right',
      drop: 2,
    },
    { title: 'QUEUE', value: queueText, min: 8, drop: 4 },
    { title: 'TASK', value: (task) => task.task, min: 12, drop: 5 },
    { title: 'ID', value: (task) => task.id, drop: 9, style: paint.dim },
  ]
}

const queryOf = (session: Session, options: TaskListOptions) => {
  if (options.enabled && options.disabled) throw usage('--enabled and --disabled exclude each other.')
  const enabled = options.enabled ? true : options.disabled ? false : undefined
  return {
    enabled,
    task: options.task,
    queue: options.queue,
    label: options.label,
    scheduleKind: options.scheduleKind,
    sort: options.sort,
    schedule: options.schedule,
    quarantined: options.quarantined,
    q: options.q,
    asOf: options.asOf === undefined ? undefined : asOfOption(session, options.asOf),
  }
}

/** Tasks by name, one page or all; as they are, or as they were. */
export const listTasks = async (world: World, options: TaskListOptions): Promise<void> => {
  const session = new Session(world, options)
  const limit = options.all
    ? Number.POSITIVE_INFINITY
    : wholeOption('--limit', options.limit ?? '100', 1_000_000)
  const bar = await progressBar(world.err, 'tasks', 1000)
  const page = await readPages<TaskJson>(session.server, '/tasks', queryOf(session, options), {
    limit,
    progress: bar.at,
  }).finally(() => bar.end())
  if (session.json) return session.document(page)
  if (page.items.length === 0) {
    return session.line(page.total === 0 ? 'No tasks.' : `None of ${counted(page.total, 'task')}.`)
  }
  session.table(columns(session), page.items)
  const { length } = page.items
  session.notice(
    length === page.total
      ? counted(length, 'task')
      : `${length} of ${counted(page.total, 'task')}; --all shows the rest, -q and other filters narrow`,
  )
}
