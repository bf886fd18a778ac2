import type { Instant, ScheduleValue } from '@almanac/recurrence'

export interface ScheduleSpec {
  /** The name that tasks refer to: 1 to 200 characters, unique in the namespace; fixed for life. */
  readonly name: string
  readonly schedule: ScheduleValue
  readonly description: string
}

export type ScheduleEvent =
  | {
      readonly type: 'ScheduleCreated'
      readonly data: { readonly scheduleId: string; readonly spec: ScheduleSpec }
    }
  | {
      readonly type: 'ScheduleChanged'
      readonly data: { readonly changes: Partial<Omit<ScheduleSpec, 'name'>> }
    }
  /** With `cascade` the tasks that use it are deleted too, by a reaction to this event. */
  | { readonly type: 'ScheduleDeleted'; readonly data: { readonly cascade: boolean } }

export interface ScheduleState {
  readonly scheduleId: string
  readonly namespace: string
  readonly spec: ScheduleSpec
  readonly status: 'active' | 'deleted'
  readonly revision: number
  readonly createdAt: Instant
  readonly changedAt: Instant
  readonly changedBy: string
  /** When the schedule value last changed: tasks that use it count occurrences strictly after this. */
  readonly scheduleChangedAt: Instant
  readonly hash: string
}
