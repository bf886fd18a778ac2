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

/** What decides when a task runs. */
export interface Rhythm {
  readonly schedule: unknown
  /** Where the grid of an interval starts. */
  readonly anchor: number
  /** No occurrence before it; null: any. */
  readonly notBefore: number | null
  /** No occurrence at or after it; null: any. */
  readonly expires: number | null
  /** At most so many occurrences; null: any number. */
  readonly runs: number | null
}

/** What a rhythm would bring; undefined: it can not be told, since something that it refers to is not there. */
export type WhatIf = (rhythm: Rhythm) => Coming | undefined

/** Schedules as they would be once the files are applied, or as they are. */
export function whatIf(file: SetFile | undefined, present: Present, { now, until }: Horizon): WhatIf {
  const schedules = new Map(present.schedules.map(({ name, value }) => [name, value.schedule]))
  const calendars = new Map(present.calendars.map(({ name, value }) => [name, value.days]))
  for (const { name, value } of file?.schedules ?? []) schedules.set(name, value.schedule)
  for (const { name, value } of file?.calendars ?? []) calendars.set(name, value.days)
  const calendar = (name: string) => calendars.get(name) as CalendarDays | undefined
  return ({ schedule, anchor, notBefore, expires, runs }) => {
    const { ref } = Object(schedule) as { readonly ref?: unknown }
    const value = typeof ref === 'string' ? schedules.get(ref) : schedule
    if (value === undefined) return undefined
    const compiled = compile(value as ScheduleValue, { anchor, calendar })
    if (!compiled.ok) return undefined
    const last = expires === null ? until : Math.min(until, expires - 1)
    const most = Math.min(mostCounted, runs ?? mostCounted)
    const first: number[] = []
    let count = 0
    let next = compiled.value.next(Math.max(now, (notBefore ?? now + 1) - 1))
    while (next !== undefined && next <= last && count < most) {
      if (first.length < shown) first.push(next)
      count += 1
      next = compiled.value.next(next)
    }
    return { count, first }
  }
}

/** Coming runs before and after a step. Undefined: there is no such schedule, or it can not be told. */
export interface Moved {
  readonly before: Coming | undefined
  readonly after: Coming | undefined
}

const none: Coming = { count: 0, first: [] }
const instantOf = (text: unknown): number | null => (typeof text === 'string' ? Date.parse(text) : null)
const latest = (...instants: readonly (number | null)[]): number | null =>
  instants.reduce((most, each) => (most === null || (each !== null && each > most) ? each : most), null)

/** What a step does to the coming runs; undefined: it moves none. */
export function movedBy(
  step: Step,
  { tasks }: Present,
  { before, after, now }: { readonly before: WhatIf; readonly after: WhatIf; readonly now: number },
): Moved | undefined {
  if (!movesRuns(step)) return undefined
  if (step.kind === 'schedule') {
    const alone = { schedule: { ref: step.name }, anchor: now, notBefore: null, expires: null, runs: null }
    return changed({ before: before(alone), after: step.value === null ? undefined : after(alone) })
  }
  const task = tasks.find(({ name }) => name === step.name)
  const { value } = step
  const made = instantOf(task?.createdAt) ?? now
  const anchor = (startTime: unknown) => instantOf(startTime) ?? instantOf(task?.imported?.anchor) ?? made
  const paused = instantOf(task?.pausedUntil)
  const was =
    task?.enabled !== true
      ? none
      : before({
          schedule: task.schedule,
          anchor: anchor(task.startTime),
          notBefore: latest(instantOf(task.startTime), paused),
          expires: instantOf(task.expires),
          runs: task.runsLeft,
        })
  if (value === null || value.enabled === false) return changed({ before: was, after: none })
  const isSameLimit = task?.oneOff === value.oneOff && task?.maxRuns === value.maxRuns && task?.enabled
  const will = after({
    schedule: value.schedule,
    anchor: anchor(value.startTime),
    notBefore: latest(instantOf(value.startTime), paused),
    expires: instantOf(value.expires),
    runs: isSameLimit
      ? (task?.runsLeft ?? null)
      : value.oneOff === true
        ? 1
        : (value.maxRuns as number | null),
  })
  return changed({ before: was, after: will })
}

const changed = (moved: Moved): Moved | undefined =>
  JSON.stringify(moved.before) === JSON.stringify(moved.after) ? undefined : moved

/** A calendar has no runs of its own. */
const movesRuns = ({ kind }: Step): boolean => kind !== 'calendar'

/** Tasks whose shared schedule changes with the plan, though they are in no step themselves. */
export const alongWith = ({ steps }: Plan, { tasks }: Present): readonly string[] => {
  const changed = new Set(
    steps
      .filter(({ kind, action }) => kind === 'schedule' && (action === 'change' || action === 'adopt'))
      .map(({ name }) => name),
  )
  const stepped = new Set(steps.filter(({ kind }) => kind === 'task').map(({ name }) => name))
  return tasks
    .filter(({ schedule, name }) => {
      const { ref } = Object(schedule) as { readonly ref?: string }
      return ref !== undefined && changed.has(ref) && !stepped.has(name)
    })
    .map(({ name }) => name)
}
