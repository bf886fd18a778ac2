import type { FixtureRow } from './fixture.js'
import { type MappedSchedule, mapSchedule, type ScheduleColumn, scheduleColumnOf } from './schedule-row.js'
import { type FindSchedule, type MappedTask, mapTask } from './task-row.js'

export interface PlannedSchedule extends MappedSchedule {
  /** How many tasks of the file use it: it becomes a value inside each. */
  readonly usedBy: number
}

export interface IgnoredRow {
  readonly row: FixtureRow
  readonly reason: string
}

/** What is to become of every row of a fixture; nothing has been sent yet. */
export interface ImportPlan {
  readonly tasks: readonly MappedTask[]
  readonly schedules: readonly PlannedSchedule[]
  readonly ignored: readonly IgnoredRow[]
}

const markerModel = 'django_celery_beat.periodictasks'
const taskModel = 'django_celery_beat.periodictask'

const keyOf = (column: ScheduleColumn, pk: string) => `${column} ${pk}`

const ignoredReason = (model: string) =>
  model === markerModel
    ? 'the change marker: Almanac derives its own from the event log'
    : 'not a table of django-celery-beat'

/** Names are unique in a namespace: of several rows with one name (NFC), the first is taken. */
const refuseRepeated = (tasks: readonly MappedTask[]): readonly MappedTask[] => {
  const first = new Map<string, string>()
  return tasks.map((task) => {
    const name = task.name.normalize('NFC')
    const earlier = first.get(name)
    if (earlier === undefined) {
      if (task.body) first.set(name, task.row.pk)
      return task
    }
    if (!task.body) return task
    task.findings.refuse('name', 'repeated_name', `row ${earlier} of the file has the same name`)
    return { ...task, body: undefined }
  })
}

/**
 * Maps a django-celery-beat fixture to Almanac, without touching anything: schedule rows become values inside the
 * tasks that use them, each task becomes the body of its creation, or is refused with the reasons. Every row of
 * the input is in the result exactly once. `now` tells what is past.
 */
export const planImport = (rows: readonly FixtureRow[], now: number): ImportPlan => {
  const schedules = new Map<string, MappedSchedule>()
  const ignored: IgnoredRow[] = []
  const taskRows: FixtureRow[] = []
  for (const row of rows) {
    const column = scheduleColumnOf(row.model)
    const key = column === undefined ? '' : keyOf(column, row.pk)
    if (row.model === taskModel) taskRows.push(row)
    else if (column === undefined) ignored.push({ row, reason: ignoredReason(row.model) })
    else if (schedules.has(key)) ignored.push({ row, reason: `another row of the file is ${key} already` })
    else schedules.set(key, mapSchedule(column, row))
  }
  const find: FindSchedule = (column, pk) => schedules.get(keyOf(column, pk))
  const tasks = refuseRepeated(taskRows.map((row) => mapTask(row, find, now)))
  const uses = new Map<MappedSchedule, number>()
  for (const { schedules: used } of tasks) {
    for (const schedule of used) uses.set(schedule, (uses.get(schedule) ?? 0) + 1)
  }
  const planned = [...schedules.values()].map((schedule) => ({
    ...schedule,
    usedBy: uses.get(schedule) ?? 0,
  }))
  return { tasks, schedules: planned, ignored }
}
