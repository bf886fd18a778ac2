import { type CalendarDays, compile, type ScheduleValue } from '@almanac/recurrence'
import type { Plan, Present, Step } from './plan.js'
import type { SetFile } from './set-file.js'

/** Coming occurrences of a task, in a stretch from now. */
export interface Coming {
  readonly count: number
  /** The first few. */
  readonly first: readonly number[]
}

const shown = 3
/** Beyond so many they are not counted. */
export const mostCounted = 10_000

export interface Horizon {
  readonly now: number
  readonly until: number
}

/** What a schedule would bring; undefined: it can not be told, since something that it refers to is not there. */
export type WhatIf = (schedule: unknown, anchor: number) => Coming | undefined

/** Schedules as they would be once the files are applied, or as they are. */
export function whatIf(file: SetFile | undefined, present: Present, { now, until }: Horizon): WhatIf {
  const schedules = new Map(present.schedules.map(({ name, value }) => [name, value.schedule]))
  const calendars = new Map(present.calendars.map(({ name, value }) => [name, value.days]))
  for (const { name, value } of file?.schedules ?? []) schedules.set(name, value.schedule)
  for (const { name, value } of file?.calendars ?? []) calendars.set(name, value.days)
  const calendar = (name: string) => calendars.get(name) as CalendarDays | undefined
  return (schedule, anchor) => {
    const { ref } = Object(schedule) as { readonly ref?: unknown }
    const value = typeof ref === 'string' ? schedules.get(ref) : schedule
    if (value === undefined) return undefined
    const compiled = compile(value as ScheduleValue, { anchor, calendar })
    if (!compiled.ok) return undefined
    const first: number[] = []
    let count = 0
    let next = compiled.value.next(now)
    while (next !== undefined && next <= until && count < mostCounted) {
      if (first.length < shown) first.push(next)
      count += 1
      next = compiled.value.next(next)
    }
    return { count, first }
  }
}

/** Steps that change when something runs: their occurrences are told before and after. */
export const movesRuns = ({ kind, action, differences }: Step): boolean =>
  kind === 'calendar'
    ? false
    : action !== 'adopt' || differences.some(({ path }) => path === 'schedule' || path === 'enabled')

/** Tasks whose shared schedule changes with the plan, though they are in no step themselves. */
export const alongWith = ({ steps }: Plan, { tasks }: Present): readonly string[] => {
  const changed = new Set(
    steps.filter(({ kind, action }) => kind === 'schedule' && action === 'change').map(({ name }) => name),
  )
  const stepped = new Set(steps.filter(({ kind }) => kind === 'task').map(({ name }) => name))
  return tasks
    .filter(({ schedule, name }) => {
      const { ref } = Object(schedule) as { readonly ref?: string }
      return ref !== undefined && changed.has(ref) && !stepped.has(name)
    })
    .map(({ name }) => name)
}
