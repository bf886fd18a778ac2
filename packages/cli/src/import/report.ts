import { describe } from '@almanac/recurrence'
import type { FieldProblem } from '../failure.js'
import { type Column, table } from '../output/table.js'
import { counted, visible, wrap } from '../output/text.js'
import { duration } from '../output/time.js'
import type { Session } from '../session.js'
import type { Paint } from '../world.js'
import type { ImportPlan, PlannedSchedule } from './celery.js'
import type { Note } from './notes.js'
import type { Fate } from './send.js'
import type { MappedTask } from './task-row.js'

/** `new`: a dry run would create it. */
export type RowFate = Fate | 'new'

export interface TaskResult {
  readonly task: MappedTask
  readonly fate: RowFate
  readonly id: string | null
  readonly message?: string
  readonly problems: readonly FieldProblem[]
  readonly notes: readonly Note[]
}

export interface ImportResult {
  readonly file: string
  readonly dryRun: boolean
  readonly plan: ImportPlan
  readonly tasks: readonly TaskResult[]
  readonly elapsedMs: number
}

/** So many rows are listed one by one; of more, those that need attention come first. */
const listed = 200

const fates: readonly (readonly [RowFate, string])[] = [
  ['created', 'new tasks'],
  ['new', 'would be created'],
  ['replaced', 'had a task of that name, which now is as in the file'],
  ['exists', 'a task of that name is there and was left as it is'],
  ['refused', 'not taken, see the reasons above'],
  ['unsent', 'not sent: run the same command again, nothing is made twice'],
]

const fateStyle = (paint: Paint, fate: RowFate): ((text: string) => string) => {
  if (fate === 'created' || fate === 'new' || fate === 'replaced') return paint.green
  return fate === 'refused' ? paint.red : paint.yellow
}

export const totalsOf = (tasks: readonly TaskResult[]): ReadonlyMap<RowFate, number> => {
  const totals = new Map<RowFate, number>()
  for (const { fate } of tasks) totals.set(fate, (totals.get(fate) ?? 0) + 1)
  return totals
}

const scheduleText = ({ schedules }: MappedTask): string => {
  const value = schedules.length === 1 ? schedules[0]?.value : undefined
  return value === undefined ? '' : describe(value)
}

const taskColumns = (paint: Paint): Column<TaskResult>[] => [
  { title: 'ROW', value: ({ task }) => task.row.pk, align: 'right' },
  { title: 'TASK', value: ({ task }) => task.name, min: 16, style: paint.bold },
  { title: 'RESULT', value: ({ fate }) => fate, style: (text, { fate }) => fateStyle(paint, fate)(text) },
  { title: 'SCHEDULE', value: ({ task }) => scheduleText(task), min: 18, drop: 1 },
]

const problemText = ({ path, message }: FieldProblem) => (path === '' ? message : `${path}: ${message}`)

const remarks = (session: Session, { message, problems, notes }: TaskResult): readonly string[] => {
  const { red, yellow, columns } = { ...session.world.out.paint, columns: session.world.out.columns }
  const told = [
    ...(problems.length === 0 && message !== undefined ? [message] : []),
    ...problems.map(problemText),
  ].map((text) => [red('×'), text] as const)
  const noted = notes.map(({ message: text }) => [yellow('!'), text] as const)
  return [...told, ...noted].flatMap(([mark, text]) =>
    wrap(visible(text), columns - 8).map((line, index) => `     ${index === 0 ? mark : ' '} ${line}`),
  )
}

const printTasks = (session: Session, tasks: readonly TaskResult[]) => {
  const { out } = session.world
  const telling = (result: TaskResult) =>
    result.fate === 'refused' ? 0 : result.fate === 'unsent' ? 1 : result.notes.length > 0 ? 2 : 3
  const shown =
    tasks.length <= listed ? tasks : [...tasks].sort((a, b) => telling(a) - telling(b)).slice(0, listed)
  const [heading = '', ...rows] = table(taskColumns(out.paint), shown, {
    width: out.columns,
    heading: out.paint.bold,
  })
  session.line(heading)
  for (const [index, result] of shown.entries()) {
    session.line(rows[index])
    for (const line of remarks(session, result)) session.line(line)
  }
  if (shown.length < tasks.length) {
    session.line(
      out.paint.dim(`… and ${counted(tasks.length - shown.length, 'row')} more; --json lists all.`),
    )
  }
}

export const scheduleFate = ({ value, usedBy }: PlannedSchedule): string => {
  if (value === undefined) return 'refused'
  return usedBy === 0 ? 'not used' : `a value in ${counted(usedBy, 'task')}`
}

const printSchedules = (session: Session, schedules: readonly PlannedSchedule[]) => {
  const { out } = session.world
  const { paint } = out
  const columns: Column<PlannedSchedule>[] = [
    { title: 'SCHEDULE ROW', value: ({ column, row }) => `${column} ${row.pk}` },
    {
      title: 'RESULT',
      value: scheduleFate,
      style: (text, { value }) => (value ? paint.green(text) : paint.red(text)),
    },
    { title: 'SCHEDULE', value: ({ value }) => (value ? describe(value) : ''), min: 18 },
  ]
  session.line()
  if (schedules.length <= listed) return session.table(columns, schedules)
  const unused = schedules.filter(({ usedBy }) => usedBy === 0).length
  session.line(
    `${counted(schedules.length, 'schedule row')} became values inside tasks, ${unused} of them in none.`,
  )
}

const printIgnored = (session: Session, plan: ImportPlan) => {
  const reasons = new Map<string, number>()
  for (const { row, reason } of plan.ignored) {
    const key = `${row.model}: ${reason}`
    reasons.set(key, (reasons.get(key) ?? 0) + 1)
  }
  for (const [reason, count] of reasons) session.text(`${counted(count, 'row')} left out, ${visible(reason)}`)
}

const printTotals = (session: Session, result: ImportResult) => {
  const { paint } = session.world.out
  const totals = totalsOf(result.tasks)
  const rows = fates.filter(([fate]) => totals.has(fate))
  session.line()
  session.table<readonly [RowFate | 'in all', string]>(
    [
      {
        title: 'TASKS',
        value: ([fate]) => fate,
        style: (text, [fate]) => (fate === 'in all' ? text : fateStyle(paint, fate)(text)),
      },
      {
        title: 'COUNT',
        value: ([fate]) =>
          (fate === 'in all' ? result.tasks.length : (totals.get(fate) ?? 0)).toLocaleString('en-US'),
        align: 'right',
      },
      { title: 'MEANING', value: ([, meaning]) => meaning, min: 12, style: paint.dim },
    ],
    [...rows, ['in all', `in ${duration(result.elapsedMs)}`]],
  )
}

const hasQueue = ({ task: { body } }: TaskResult) =>
  body !== undefined && body.queue === null && body.exchange === null

/** What became of each row, in tables, and the totals. */
export const printImport = (session: Session, result: ImportResult): void => {
  if (result.tasks.length > 0) printTasks(session, result.tasks)
  if (result.plan.schedules.length > 0) printSchedules(session, result.plan.schedules)
  printIgnored(session, result.plan)
  printTotals(session, result)
  const unrouted = result.tasks.filter(hasQueue).length
  if (unrouted > 0) {
    session.notice(
      `${counted(unrouted, 'task')} without a queue: their runs go to "default" (in Celery "celery").`,
    )
  }
}

/** The same for machines. Stable: fields are added, never renamed. */
export const importJson = ({ file, dryRun, plan, tasks, elapsedMs }: ImportResult): unknown => ({
  file,
  dryRun,
  tasks: tasks.map(({ task, fate, id, message, problems, notes }) => ({
    pk: task.row.pk,
    name: task.name,
    result: fate,
    id,
    ...(message === undefined ? {} : { message }),
    problems,
    notes,
  })),
  schedules: plan.schedules.map((schedule) => ({
    model: schedule.row.model,
    pk: schedule.row.pk,
    result: schedule.value === undefined ? 'refused' : schedule.usedBy === 0 ? 'unused' : 'value',
    usedBy: schedule.usedBy,
    schedule: schedule.value ?? null,
    problems: schedule.findings.problems,
    notes: schedule.findings.notes,
  })),
  ignored: plan.ignored.map(({ row, reason }) => ({ model: row.model, pk: row.pk, reason })),
  totals: { tasks: tasks.length, ...Object.fromEntries(totalsOf(tasks)) },
  elapsedMs: Math.round(elapsedMs),
})
