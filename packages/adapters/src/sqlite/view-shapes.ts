import {
  type CalendarState,
  type Position,
  queueOf,
  type ScheduleState,
  slotOf,
  type TaskSpec,
  type TaskState,
} from '@almanac/domain'
import type { TaskFilter } from '@almanac/engine'
import type { Condition } from './condition.js'
import { countedColumns } from './task-counts.js'
import type { TableShape } from './versioned-table.js'

/** Upper case, since lower-casing depends on the place in a word (Greek sigma). */
const folded = (text: string): string => text.normalize('NFC').toUpperCase()

/** No name, task or label has it: keeps a search from matching across fields. */
const separator = '\u0001'

const escaped = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll(separator, '\\s').replaceAll('=', '\\e')

/** All labels in one text, so that a filter is one exact search in it. */
const labelsText = (labels: TaskSpec['labels']): string => {
  const parts = Object.entries(labels).map(([key, value]) => `${escaped(key)}=${escaped(value)}${separator}`)
  return separator + parts.join(separator)
}

const labelPattern = (label: string): string => {
  const at = label.indexOf('=')
  if (at < 0) return `${separator}${escaped(label)}=`
  return `${separator}${escaped(label.slice(0, at))}=${escaped(label.slice(at + 1))}${separator}`
}

const kindOf = (schedule: object): string => Object.keys(Object(schedule))[0] ?? ''

const flag = (value: boolean): number => (value ? 1 : 0)

export const isPlannable = (state: TaskState): boolean =>
  state.status === 'active' && state.spec.enabled && state.quarantine === null

export const taskShape: TableShape<TaskState> = {
  table: 'tasks',
  columns: [
    'enabled INTEGER NOT NULL',
    'quarantined INTEGER NOT NULL',
    'plannable INTEGER NOT NULL',
    'task TEXT NOT NULL',
    'queue TEXT NOT NULL',
    'schedule_kind TEXT NOT NULL',
    'schedule_ref TEXT',
    'labels TEXT NOT NULL',
    'search TEXT NOT NULL',
  ],
  fixed: ['slot INTEGER NOT NULL'],
  indexes: [
    'CREATE INDEX tasks_plannable ON tasks(id) WHERE plannable = 1',
    'CREATE INDEX tasks_plannable_by_slot ON tasks(slot, id) WHERE plannable = 1',
    `CREATE INDEX tasks_by_schedule ON tasks(namespace, schedule_ref)
     WHERE active = 1 AND schedule_ref IS NOT NULL`,
  ],
  watched: countedColumns,
  keysOf: ({ taskId, namespace, spec, status }) => ({
    id: taskId,
    namespace,
    name: spec.name,
    active: status === 'active',
  }),
  valuesOf: (state) => {
    const { spec } = state
    return [
      flag(spec.enabled),
      flag(state.quarantine !== null),
      flag(isPlannable(state)),
      spec.task,
      queueOf(spec),
      kindOf(spec.schedule),
      'ref' in Object(spec.schedule) ? Object(spec.schedule).ref : null,
      labelsText(spec.labels),
      [spec.name, spec.task, spec.description].map(folded).join(separator),
    ]
  },
  fixedOf: ({ taskId }) => [slotOf(taskId)],
}

export const scheduleShape: TableShape<ScheduleState> = {
  table: 'schedules',
  columns: ['schedule_kind TEXT NOT NULL'],
  fixed: [],
  indexes: [],
  watched: [],
  keysOf: ({ scheduleId, namespace, spec, status }) => ({
    id: scheduleId,
    namespace,
    name: spec.name,
    active: status === 'active',
  }),
  valuesOf: ({ spec }) => [kindOf(spec.schedule)],
  fixedOf: () => [],
}

export const calendarShape: TableShape<CalendarState> = {
  table: 'calendars',
  columns: [],
  fixed: [],
  indexes: [],
  watched: [],
  keysOf: ({ calendarId, namespace, spec, status }) => ({
    id: calendarId,
    namespace,
    name: spec.name,
    active: status === 'active',
  }),
  valuesOf: () => [],
  fixedOf: () => [],
}

/**
 * As of a position when one is given. `scheduleKind` also finds tasks whose shared schedule is of that kind.
 */
export const taskConditions = (
  namespace: string,
  filter: TaskFilter,
  asOf: Position | undefined,
): readonly Condition[] => {
  const conditions: Condition[] = []
  const add = (sql: string, value: string | number) => conditions.push({ sql, values: [value] })
  if (filter.enabled !== undefined) add('enabled = ?', flag(filter.enabled))
  if (filter.quarantined !== undefined) add('quarantined = ?', flag(filter.quarantined))
  if (filter.name !== undefined) add('name = ?', filter.name.normalize('NFC'))
  if (filter.task !== undefined) add('task = ?', filter.task)
  if (filter.queue !== undefined) add('queue = ?', filter.queue)
  if (filter.scheduleRef !== undefined) add('schedule_ref = ?', filter.scheduleRef.normalize('NFC'))
  for (const label of filter.labels ?? []) add('instr(labels, ?) > 0', labelPattern(label))
  if (filter.q !== undefined) add('instr(search, ?) > 0', folded(filter.q))
  if (filter.scheduleKind !== undefined) conditions.push(ofKind(namespace, filter.scheduleKind, asOf))
  return conditions
}

const ofKind = (namespace: string, kind: string, asOf: Position | undefined): Condition => {
  const scope = 'namespace = ? AND active = 1 AND schedule_kind = ?'
  if (asOf === undefined) {
    const shared = `SELECT name FROM schedules WHERE ${scope}`
    return { sql: `(schedule_kind = ? OR schedule_ref IN (${shared}))`, values: [kind, namespace, kind] }
  }
  const shared = `SELECT name FROM schedules WHERE ${scope} AND from_position <= ?
    UNION SELECT name FROM schedules_versions WHERE ${scope} AND from_position <= ? AND to_position > ?`
  return {
    sql: `(schedule_kind = ? OR schedule_ref IN (${shared}))`,
    values: [kind, namespace, kind, asOf, namespace, kind, asOf, asOf],
  }
}
