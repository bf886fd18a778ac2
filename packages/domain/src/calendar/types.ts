import type { CalendarDays, Instant } from '@almanac/recurrence'

export interface CalendarSpec {
  /** The name that schedules refer to: 1 to 200 characters, unique in the namespace; fixed for life. */
  readonly name: string
  readonly days: CalendarDays
  readonly description: string
}

export type CalendarEvent =
  | {
      readonly type: 'CalendarCreated'
      readonly data: { readonly calendarId: string; readonly spec: CalendarSpec }
    }
  | {
      readonly type: 'CalendarChanged'
      readonly data: { readonly changes: Partial<Omit<CalendarSpec, 'name'>> }
    }
  | { readonly type: 'CalendarDeleted'; readonly data: Record<string, never> }

export interface CalendarState {
  readonly calendarId: string
  readonly namespace: string
  readonly spec: CalendarSpec
  readonly status: 'active' | 'deleted'
  readonly revision: number
  readonly createdAt: Instant
  readonly changedAt: Instant
  readonly changedBy: string
  readonly hash: string
}
