import type { CalendarDays, ScheduleValue } from '@almanac/recurrence'
import { noon } from '../decider.spec-support.js'
import type { Lookups } from '../dispatch/definition.js'
import type { ScheduleState } from '../schedule/types.js'
import type { TaskEvent, TaskSpec } from './types.js'
import { blankSpec } from './validate.js'

export const everyMinute: ScheduleValue = { interval: { every: 1, period: 'minutes' } }
export const nightly: ScheduleValue = { crontab: { minute: '0', hour: '2' } }

export const input = { name: 'backup', task: 'ops.backup', schedule: everyMinute } as const

export const spec = (more: Partial<TaskSpec> = {}): TaskSpec => ({ ...blankSpec, ...input, ...more })

export const created = (more: Partial<TaskSpec> = {}): TaskEvent => ({
  type: 'TaskCreated',
  data: { taskId: 'T1', spec: spec(more) },
})

export const shared = (name: string, schedule: ScheduleValue): ScheduleState => ({
  scheduleId: name,
  namespace: 'default',
  spec: { name, schedule, description: '' },
  status: 'active',
  revision: 0,
  createdAt: noon,
  changedAt: noon,
  changedBy: 'alice',
  scheduleChangedAt: noon,
  hash: '',
})

export const lookups = (
  schedules: { readonly [name: string]: ScheduleValue } = {},
  calendars: { readonly [name: string]: CalendarDays } = {},
): Lookups => ({
  schedule: (name) => {
    const value = schedules[name]
    return value === undefined ? undefined : shared(name, value)
  },
  calendar: (name) => calendars[name],
})
