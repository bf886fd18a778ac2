import { type ScheduleValue, validateSchedule } from '@almanac/recurrence'
import { Columns } from './columns.js'
import type { FixtureRow } from './fixture.js'
import { Findings } from './notes.js'

/** The four schedule tables, by the column of a task that refers to them. */
export const scheduleColumns = ['interval', 'crontab', 'solar', 'clocked'] as const
export type ScheduleColumn = (typeof scheduleColumns)[number]

export interface MappedSchedule {
  readonly column: ScheduleColumn
  readonly row: FixtureRow
  /** Undefined when the row has problems: then the tasks that use it are refused. */
  readonly value: ScheduleValue | undefined
  readonly findings: Findings
}

const modelOf: Readonly<Record<string, ScheduleColumn>> = {
  'django_celery_beat.intervalschedule': 'interval',
  'django_celery_beat.crontabschedule': 'crontab',
  'django_celery_beat.solarschedule': 'solar',
  'django_celery_beat.clockedschedule': 'clocked',
}

export const scheduleColumnOf = (model: string): ScheduleColumn | undefined => modelOf[model]

const crontabFields: readonly (readonly [string, string])[] = [
  ['minute', 'minute'],
  ['hour', 'hour'],
  ['day_of_month', 'dayOfMonth'],
  ['month_of_year', 'monthOfYear'],
  ['day_of_week', 'dayOfWeek'],
]

const crontab = (columns: Columns): unknown => {
  const fields = crontabFields.map(([column, field]) => [field, columns.text(column) ?? '*'])
  const timezone = columns.textOrNull('timezone')
  if (timezone === null) {
    columns.findings.note('timezone', 'no_timezone', 'the crontab has no time zone; UTC is taken')
  }
  if (/(^|[,-])0*7(?!\d)/.test(columns.text('day_of_week') ?? '')) {
    columns.findings.note(
      'day_of_week',
      'sunday_seven',
      'day of week 7 means Sunday here; Celery accepts it but never runs the task, so it will run from now on',
    )
  }
  return { crontab: { ...Object.fromEntries(fields), timezone: timezone ?? 'UTC' } }
}

/** A decimal column: Django dumps it as text. */
const degrees = (columns: Columns, name: string): unknown => {
  const value = columns.row.fields[name]
  return typeof value === 'string' && /^[+-]?\d{1,3}(\.\d+)?$/.test(value) ? Number(value) : value
}

const solar = (columns: Columns): unknown => {
  const event = columns.text('event')
  if (event === 'dusk_astronomical') {
    columns.findings.note(
      'event',
      'dusk_astronomical',
      'Celery up to 5.6 fires this event before sunset by mistake; here it is 18 degrees below the horizon',
    )
  }
  return {
    solar: { event, latitude: degrees(columns, 'latitude'), longitude: degrees(columns, 'longitude') },
  }
}

const clocked = (columns: Columns): unknown => {
  const at = columns.instant('clocked_time')
  if (at === null && columns.findings.problems.length === 0) {
    columns.findings.refuse('clocked_time', 'required', 'must be given')
  }
  return { clocked: { at: at === null ? '' : new Date(at).toISOString() } }
}

const interval = (columns: Columns): unknown => ({
  interval: { every: columns.row.fields.every, period: columns.row.fields.period },
})

const readers: Readonly<Record<ScheduleColumn, (columns: Columns) => unknown>> = {
  interval,
  crontab,
  solar,
  clocked,
}

// Almanac's names of the fields, as the recurrence package's problems use them, to the fixture's columns.
const columnOfField: Readonly<Record<string, string>> = {
  ...Object.fromEntries(crontabFields.map(([column, field]) => [field, column])),
  at: 'clocked_time',
}

/** A schedule row as a schedule value. Every rule of the recurrence package holds; problems name fixture columns. */
export const mapSchedule = (column: ScheduleColumn, row: FixtureRow): MappedSchedule => {
  const findings = new Findings()
  const value = readers[column](new Columns(row, findings))
  if (findings.problems.length > 0) return { column, row, value: undefined, findings }
  const checked = validateSchedule(value, '')
  if (checked.ok) return { column, row, value: checked.value, findings }
  for (const { path, code, message } of checked.error) {
    const field = path.split('.').at(-1) ?? path
    findings.refuse(columnOfField[field] ?? field, code, message)
  }
  return { column, row, value: undefined, findings }
}
