import type { Json } from '@almanac/domain'
import { checkBody } from './check.js'
import { Columns } from './columns.js'
import type { FixtureRow } from './fixture.js'
import { readJsonText } from './json-text.js'
import { Findings } from './notes.js'
import { type MappedSchedule, type ScheduleColumn, scheduleColumns } from './schedule-row.js'
import type { JsonObject, TaskBody } from './task-body.js'

export type FindSchedule = (column: ScheduleColumn, pk: string) => MappedSchedule | undefined

export interface MappedTask {
  readonly row: FixtureRow
  /** As in the file, also when the row is refused. */
  readonly name: string
  /** Undefined when the row is refused. */
  readonly body: TaskBody | undefined
  readonly findings: Findings
  readonly schedules: readonly MappedSchedule[]
}

const iso = (instant: number | null) => (instant === null ? null : new Date(instant).toISOString())

const jsonColumn = (columns: Columns, name: string, blank: Json): Json | undefined => {
  const text = columns.text(name)
  if (text === undefined || text.trim() === '') return blank
  const read = readJsonText(text)
  if (!read.ok) return columns.findings.refuse(name, 'not_json', `${name} ${read.reason}`)
  if (read.typed.length > 0) {
    const types = read.typed.join(', ')
    const message = `${name} has kombu's typed values (${types}): kept as plain data, as they are in the file`
    columns.findings.note(name, 'typed_json', message)
  }
  return read.value
}

const listColumn = (columns: Columns, name: string): readonly Json[] => {
  const value = jsonColumn(columns, name, [])
  if (value === undefined || Array.isArray(value)) return value ?? []
  columns.findings.refuse(name, 'not_a_list', `${name} must be a JSON list, for example ["a", 1]`)
  return []
}

const objectColumn = (columns: Columns, name: string): JsonObject => {
  const value = jsonColumn(columns, name, {})
  if (value === undefined) return {}
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject
  columns.findings.refuse(name, 'not_an_object', `${name} must be a JSON object, for example {"a": 1}`)
  return {}
}

/** Of every Celery message: a user's header of that name replaced the real one. */
const celeryNames: ReadonlySet<string> = new Set(['task', 'id'])
/** Headers that Almanac sets itself. */
const isReserved = (name: string) => /^(task|id|almanac-.*)$/i.test(name)

const headersOf = (columns: Columns): JsonObject => {
  const headers = objectColumn(columns, 'headers')
  const kept = Object.entries(headers).filter(([name]) => !isReserved(name))
  for (const name of Object.keys(headers)) {
    if (!isReserved(name)) continue
    const inCelery = celeryNames.has(name) ? `, in Celery it replaced the real ${name}` : ''
    const message = `header "${name}" is left out: the name is reserved${inCelery}`
    columns.findings.note('headers', 'reserved_header', message)
  }
  const nested = kept.filter(([, value]) => typeof value === 'object' && value !== null).map(([name]) => name)
  if (nested.length > 0) {
    columns.findings.note('headers', 'nested_header', `nested values kept in header ${nested.join(', ')}`)
  }
  return Object.fromEntries(kept)
}

const scheduleOf = (columns: Columns, find: FindSchedule): readonly MappedSchedule[] => {
  const { row, findings } = columns
  const given = scheduleColumns.filter((column) => columns.has(column))
  if (given.length === 0) {
    findings.refuse(
      '',
      'no_schedule',
      'has no schedule: one of interval, crontab, solar, clocked must be set',
    )
  }
  if (given.length > 1) {
    for (const column of given) {
      findings.refuse(column, 'several_schedules', `only one schedule may be set, not ${given.join(' and ')}`)
    }
  }
  return given.flatMap((column) => {
    const pk = String(row.fields[column])
    const found = find(column, pk)
    if (!found) findings.refuse(column, 'schedule_missing', `${column} ${pk} is not in the file`)
    return found ? [found] : []
  })
}

/** An instant that is past fires at once, as in Celery. */
const notePast = (value: unknown, columns: Columns, now: number) => {
  if (typeof value !== 'object' || value === null || !('clocked' in value)) return
  const at = Date.parse((value.clocked as { at: string }).at)
  if (at <= now && columns.flag('enabled', true) && columns.whole('total_run_count') === 0) {
    columns.findings.note('clocked', 'clocked_past', 'its instant is past: it runs once, at once')
  }
}

/** What the one schedule of the task adds: its problems refuse the task, its notes are told with it. */
const takeSchedule = (schedules: readonly MappedSchedule[], findings: Findings): unknown => {
  const [schedule] = schedules
  if (!schedule || schedules.length > 1) return undefined
  const { column, row, value } = schedule
  for (const { path, code, message } of schedule.findings.problems) {
    findings.refuse(`${column}.${path}`, code, `${message} (${column} ${row.pk})`)
  }
  findings.notes.push(...schedule.findings.notes)
  return value
}

const routing = (columns: Columns) => {
  const queue = columns.textOrNull('queue')
  const exchange = columns.textOrNull('exchange')
  const routingKey = columns.textOrNull('routing_key')
  const note = (code: string, message: string) => columns.findings.note('exchange', code, message)
  if (exchange !== null && routingKey === null) {
    note('exchange_alone', 'exchange without routing_key: Celery ignored it, here runs go to that exchange')
  }
  if (routingKey !== null && exchange === null) {
    note(
      'routing_key_alone',
      'routing_key without exchange: Celery ignored it, here it is the key of the run',
    )
  }
  return { queue, exchange, routingKey, priority: columns.whole('priority') }
}

const expiry = (columns: Columns, now: number) => {
  const { findings } = columns
  const expires = columns.instant('expires')
  const expireSeconds = columns.whole('expire_seconds')
  if (expires !== null && expireSeconds !== null) {
    const message = 'expires and expire_seconds are both set; only one may be'
    findings.refuse('expires', 'both_expiries', message)
    findings.refuse('expire_seconds', 'both_expiries', message)
  }
  if (expires !== null && expires <= now) {
    findings.note('expires', 'already_expired', 'expires is past: the task is kept, but runs no more')
  }
  if (expireSeconds === 0) {
    findings.note('expire_seconds', 'no_expiry', 'expire_seconds 0 means no expiry in Celery: left out')
  }
  return { expires: iso(expires), expireSeconds: expireSeconds === 0 ? null : expireSeconds }
}

/** Whether it is enabled; a one-off that has run is what Celery would disable at its next look. */
const activity = (columns: Columns, column: ScheduleColumn | undefined) => {
  const oneOff = columns.flag('one_off', false)
  const enabled = columns.flag('enabled', true)
  const runs = columns.whole('total_run_count') ?? 0
  if (column === 'clocked' && !oneOff) {
    columns.findings.refuse('one_off', 'clocked_one_off', 'must be true for a task with a clocked schedule')
  }
  const done = oneOff && enabled && runs > 0
  if (done) {
    const message = 'the one-off task has run already: it comes in disabled, as Celery would have left it'
    columns.findings.note('one_off', 'one_off_done', message)
  }
  return { oneOff, enabled: enabled && !done }
}

const history = (columns: Columns, column: ScheduleColumn | undefined, startTime: number | null) => {
  const lastRunAt = columns.instant('last_run_at')
  const totalRunCount = columns.whole('total_run_count') ?? 0
  const anchor = lastRunAt ?? columns.instant('date_changed')
  if (totalRunCount > 0 || lastRunAt !== null) {
    const runs = `${totalRunCount} ${totalRunCount === 1 ? 'run' : 'runs'}`
    columns.findings.note(
      'total_run_count',
      'history',
      `its history comes along: ${runs}, ${lastRunText(lastRunAt)}`,
    )
  }
  if (column === 'interval' && startTime !== null && lastRunAt !== null) {
    const message = 'its grid is laid from start_time; Celery counted from last_run_at'
    columns.findings.note('start_time', 'grid_from_start', message)
  }
  return anchor === null
    ? {}
    : { imported: { lastRunAt: iso(lastRunAt), totalRunCount, anchor: isoOf(anchor) } }
}

const isoOf = (instant: number) => new Date(instant).toISOString()
const lastRunText = (lastRunAt: number | null) =>
  lastRunAt === null ? 'no last run' : `last at ${isoOf(lastRunAt)}`

const required = (columns: Columns, name: string): string => {
  const text = columns.text(name) ?? ''
  if (text.trim() === '') columns.findings.refuse(name, 'required', 'must be given')
  return text
}

/** A periodictask row as the body of its creation. Problems refuse this row alone. */
export const mapTask = (row: FixtureRow, find: FindSchedule, now: number): MappedTask => {
  const findings = new Findings()
  const columns = new Columns(row, findings)
  const schedules = scheduleOf(columns, find)
  const column = schedules[0]?.column
  const name = required(columns, 'name')
  const startTime = columns.instant('start_time')
  const { queue, exchange, routingKey, priority } = routing(columns)
  if (name.startsWith('celery.')) {
    findings.note('name', 'celery_internal', 'a task of Celery itself: needs a worker that knows it')
  }
  const body: TaskBody = {
    name,
    task: required(columns, 'task'),
    schedule: takeSchedule(schedules, findings),
    args: listColumn(columns, 'args'),
    kwargs: objectColumn(columns, 'kwargs'),
    headers: headersOf(columns),
    queue,
    exchange,
    routingKey,
    priority,
    ...expiry(columns, now),
    ...activity(columns, column),
    startTime: iso(startTime),
    description: columns.text('description') ?? '',
    ...history(columns, column, startTime),
  }
  notePast(body.schedule, columns, now)
  if (findings.problems.length === 0) checkBody(body, findings)
  return { row, name, body: findings.problems.length > 0 ? undefined : body, findings, schedules }
}
