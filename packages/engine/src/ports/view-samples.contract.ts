import type { CalendarState, Position, ScheduleState, TaskSpec, TaskState } from '@almanac/domain'
import type { ViewBatch } from './view-store.js'

/** Made-up states for the contract suite of the view store. */

const sampleSpec: TaskSpec = {
  name: 'a task',
  task: 'app.tasks.run',
  schedule: { interval: { every: 10, period: 'seconds' } },
  args: [],
  kwargs: {},
  headers: {},
  queue: null,
  exchange: null,
  routingKey: null,
  priority: null,
  expires: null,
  expireSeconds: null,
  oneOff: false,
  maxRuns: null,
  startTime: null,
  enabled: true,
  description: '',
  labels: {},
  catchUp: { policy: 'latest', windowSeconds: null, max: 100 },
  overlap: 'allow',
  jitterSeconds: 0,
  maxAttempts: 1,
}

export const sampleTask = (
  taskId: string,
  spec: Partial<TaskSpec> = {},
  changes: Partial<TaskState> = {},
): TaskState => ({
  taskId,
  namespace: 'default',
  spec: { ...sampleSpec, name: `name of ${taskId}`, ...spec },
  status: 'active',
  revision: 0,
  createdAt: 1000,
  changedAt: 1000,
  changedBy: 'tester',
  armedAt: 1000,
  runsLeft: null,
  anchor: 1000,
  quarantine: null,
  disabledCause: null,
  disabledReason: null,
  pausedUntil: null,
  cancelled: [],
  moved: [],
  imported: null,
  historyResetAt: null,
  hash: 'h',
  ...changes,
})

export const sampleSchedule = (scheduleId: string, changes: Partial<ScheduleState> = {}): ScheduleState => ({
  scheduleId,
  namespace: 'default',
  spec: { name: `name of ${scheduleId}`, schedule: { crontab: { minute: '0' } }, description: '' },
  status: 'active',
  revision: 0,
  createdAt: 1000,
  changedAt: 1000,
  changedBy: 'tester',
  scheduleChangedAt: 1000,
  hash: 'h',
  ...changes,
})

export const sampleCalendar = (calendarId: string, changes: Partial<CalendarState> = {}): CalendarState => ({
  calendarId,
  namespace: 'default',
  spec: { name: `name of ${calendarId}`, days: { dates: ['2026-12-25'] }, description: '' },
  status: 'active',
  revision: 0,
  createdAt: 1000,
  changedAt: 1000,
  changedBy: 'tester',
  hash: 'h',
  ...changes,
})

/** A batch that ends at `position`; an entity without a place of its own is at the batch's. */
export const sampleBatch = (
  position: Position,
  parts: {
    readonly at?: number
    readonly tasks?: readonly TaskState[]
    readonly schedules?: readonly ScheduleState[]
    readonly calendars?: readonly CalendarState[]
    readonly markers?: ViewBatch['markers']
  } = {},
): ViewBatch => {
  const at = parts.at ?? position * 10
  const placed = <S>(states: readonly S[] = []) => states.map((state) => ({ state, position, at }))
  return {
    position,
    at,
    tasks: placed(parts.tasks),
    schedules: placed(parts.schedules),
    calendars: placed(parts.calendars),
    markers: parts.markers ?? new Map(),
  }
}
