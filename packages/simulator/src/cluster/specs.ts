import type { Json } from '@almanac/domain'
import type { Random, TaskInput } from '@almanac/engine'
import {
  type CalendarDays,
  compile,
  formatInstant,
  type Instant,
  type ScheduleValue,
  type SolarValue,
  zone,
} from '@almanac/recurrence'
import { between, chance, pick, weighted, whole } from './draw.js'

/** What schedules are drawn for: when they should fire, and what they may refer to. */
export interface SpecWorld {
  readonly now: Instant
  /** Schedules that fire rarely are drawn so that they fire before this. */
  readonly until: Instant
  readonly zone: string
  readonly schedules: readonly string[]
  readonly calendars: readonly string[]
}

const kinds = {
  interval: 30,
  crontab: 30,
  local: 15,
  clocked: 8,
  solar: 5,
  union: 6,
  except: 8,
}

export function drawSchedule(random: Random, world: SpecWorld): ScheduleValue {
  switch (weighted(random, kinds)) {
    case 'interval':
      return { interval: { every: pick(random, [2, 5, 7, 10, 15, 30, 45, 60, 90, 120]), period: 'seconds' } }
    case 'crontab':
      return { crontab: { expression: pick(random, expressions), ...withSeconds(random) } }
    case 'local':
      return localCrontab(random, world)
    case 'clocked':
      return { clocked: { at: formatInstant(inside(random, world)) } }
    case 'solar':
      return solarInside(random, world)
    case 'union':
      return { union: [drawSchedule(random, world), drawSchedule(random, world)] }
    case 'except':
      return { except: { base: drawSchedule(random, world), exclude: [drawExclusion(random, world)] } }
  }
}

const expressions = ['* * * * *', '*/2 * * * *', '*/5 * * * *', '1-59/3 * * * *', '0,15,30,45 * * * *']

/** Some with seconds: the same five fields behind a field of seconds. */
function withSeconds(random: Random): { expression?: string; seconds?: boolean } {
  if (!chance(random, 0.3)) return {}
  return { expression: `${pick(random, ['*/10', '*/20', '7,37', '30'])} * * * * *`, seconds: true }
}

/** Minutes of the zone's local time that lie in the span, also those which a clock change removes or repeats. */
function localCrontab(random: Random, { now, until, zone: name }: SpecWorld): ScheduleValue {
  const at = between(random, now, until)
  const local = new Date(at + (zone(name)?.offsetAt(at) ?? 0))
  const hour = chance(random, 0.5) ? '*' : `${local.getUTCHours()},${(local.getUTCHours() + 1) % 24}`
  const minute = chance(random, 0.5) ? `${local.getUTCMinutes()}` : '*/5'
  const overlap = pick(random, ['auto', 'first', 'second', 'both'] as const)
  const gap = pick(random, ['shift', 'skip', 'firstValid'] as const)
  return { crontab: { minute, hour, timezone: name, dst: { gap, overlap } } }
}

/** A place where the sun does it within the span: there is one for every instant. */
function solarInside(random: Random, { now, until }: SpecWorld): ScheduleValue {
  let solar: SolarValue = { event: 'sunrise', latitude: 50, longitude: 0 }
  for (let attempt = 0; attempt < 40; attempt++) {
    solar = { ...solar, longitude: Math.round(between(random, -180, 180) * 100) / 100 }
    const compiled = compile({ solar }, { anchor: now })
    const next = compiled.ok ? compiled.value.next(now) : undefined
    if (next !== undefined && next < until) break
  }
  return { solar }
}

function drawExclusion(
  random: Random,
  { calendars }: SpecWorld,
): ScheduleValue | { calendar: { ref: string } } {
  if (calendars.length > 0 && chance(random, 0.7)) return { calendar: { ref: pick(random, calendars) } }
  return { crontab: { expression: pick(random, ['*/4 * * * *', '*/10 * * * *']) } }
}

/** Days that hold the span, or miss it. */
export function drawDays(random: Random, { now, zone: name }: SpecWorld): CalendarDays {
  const today = formatInstant(now).slice(0, 10)
  const timezone = pick(random, ['UTC', name])
  return chance(random, 0.5)
    ? { timezone, dates: [today] }
    : { timezone, weekdays: [pick(random, ['sun', 'mon', 'wed', 'sat'])] }
}

const inside = (random: Random, { now, until }: SpecWorld): Instant =>
  Math.floor(between(random, now + 1_000, until))

/** A task with any of the options that decide when and whether it runs. */
export function drawTask(random: Random, world: SpecWorld, name: string): TaskInput {
  const isShared = world.schedules.length > 0 && chance(random, 0.2)
  const schedule = isShared ? { ref: pick(random, world.schedules) } : drawSchedule(random, world)
  return {
    name,
    task: `work.${name}`,
    schedule,
    ...drawLimits(random, world),
    ...(chance(random, 0.2) ? { jitterSeconds: whole(random, 1, 20) } : {}),
    ...(chance(random, 0.3) ? { overlap: pick(random, ['skip', 'queueOne', 'cancelRunning'] as const) } : {}),
    ...(chance(random, 0.5) ? { catchUp: drawCatchUp(random) } : {}),
    ...(chance(random, 0.3) ? { queue: 'fast' } : {}),
    ...(chance(random, 0.1) ? { enabled: false } : {}),
    args: drawArgs(random),
  }
}

/** A second apart or less, for a short time only: it would fill the world with ticks. */
export const drawQuickTask = (random: Random, name: string): TaskInput => ({
  name,
  task: `work.${name}`,
  schedule: { interval: { every: whole(random, 120, 900) * 1_000, period: 'microseconds' } },
  maxRuns: whole(random, 20, 400),
})

/** One of many that are due at the same instants. */
export const massTask = (name: string): TaskInput => ({
  name,
  task: `work.${name}`,
  schedule: { crontab: { expression: '*/5 * * * *' } },
})

export const drawArgs = (random: Random): readonly Json[] => [whole(random, 0, 1_000_000)]

function drawLimits(random: Random, world: SpecWorld): Partial<TaskInput> {
  const limits: Partial<TaskInput>[] = []
  if (chance(random, 0.08)) limits.push({ oneOff: true })
  else if (chance(random, 0.12)) limits.push({ maxRuns: whole(random, 1, 12) })
  if (chance(random, 0.1)) limits.push({ startTime: inside(random, world) })
  if (chance(random, 0.1)) limits.push({ expires: inside(random, world) + 60_000 })
  else if (chance(random, 0.12)) limits.push({ expireSeconds: whole(random, 1, 120) })
  return Object.assign({}, ...limits)
}

export const drawCatchUp = (random: Random): NonNullable<TaskInput['catchUp']> => ({
  policy: pick(random, ['latest', 'all', 'none']),
  windowSeconds: chance(random, 0.5) ? null : whole(random, 5, 300),
  max: pick(random, [1, 5, 100]),
})
