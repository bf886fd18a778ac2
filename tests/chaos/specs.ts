import type { Random } from '@almanac/engine'
import { between, chance, pick, weighted, whole } from './draw.js'

/** A body of the HTTP API. */
export interface Body {
  readonly [field: string]: unknown
}

/** What schedules are drawn for. */
export interface SpecWorld {
  readonly now: number
  /** Everything is over by then. */
  readonly until: number
  /** Names of the shared schedules of the namespace. */
  readonly schedules: readonly string[]
}

const kinds = { interval: 45, crontab: 35, seconds: 8, clocked: 6, union: 3, except: 3 }
/** Many tasks have the minute's beginning in common; enough lie between that each partition has work every second. */
const periods = { 5: 3, 10: 6, 15: 8, 30: 20, 45: 10, 60: 25, 90: 14, 120: 14 }

export function drawSchedule(random: Random, world: SpecWorld): Body {
  switch (weighted(random, kinds)) {
    case 'interval':
      return { interval: { every: Number(weighted(random, periods)), period: 'seconds' } }
    case 'crontab':
      return { crontab: { expression: pick(random, ['* * * * *', '*/2 * * * *', '*/3 * * * *']) } }
    case 'seconds':
      return { crontab: { second: pick(random, ['*/20', '7,37', '30', '*/15']) } }
    case 'clocked':
      return { clocked: { at: instant(between(random, world.now + 1_000, world.until)) } }
    case 'union':
      return { union: [drawSchedule(random, world), drawSchedule(random, world)] }
    case 'except':
      return {
        except: {
          base: { interval: { every: 10, period: 'seconds' } },
          exclude: [{ crontab: { expression: '*/2 * * * *' } }],
        },
      }
  }
}

const instant = (at: number): string => new Date(Math.floor(at)).toISOString()

/** A task with any of the options that decide when and whether it runs. */
export function drawTask(random: Random, world: SpecWorld, name: string): Body {
  const isShared = world.schedules.length > 0 && chance(random, 0.1)
  return {
    name,
    task: `work.${name}`,
    schedule: isShared ? { ref: pick(random, world.schedules) } : drawSchedule(random, world),
    args: drawArgs(random),
    ...drawLimits(random, world),
    ...(chance(random, 0.15) ? { jitterSeconds: whole(random, 1, 10) } : {}),
    ...(chance(random, 0.1) ? { overlap: pick(random, ['skip', 'queueOne', 'cancelRunning'] as const) } : {}),
    ...(chance(random, 0.5) ? { catchUp: drawCatchUp(random) } : {}),
    ...(chance(random, 0.25) ? { queue: 'fast' } : {}),
    ...(chance(random, 0.05) ? { enabled: false } : {}),
  }
}

function drawLimits(random: Random, { now, until }: SpecWorld): Body {
  if (chance(random, 0.06)) return { oneOff: true }
  if (chance(random, 0.08)) return { maxRuns: whole(random, 1, 12) }
  if (chance(random, 0.06)) return { startTime: instant(between(random, now + 1_000, until)) }
  if (chance(random, 0.06)) return { expires: instant(between(random, now + 1_000, until)) }
  return chance(random, 0.08) ? { expireSeconds: whole(random, 1, 120) } : {}
}

const drawArgs = (random: Random): readonly number[] => [whole(random, 0, 1_000_000)]

const drawCatchUp = (random: Random): Body => ({
  policy: pick(random, ['latest', 'all', 'none']),
  windowSeconds: chance(random, 0.5) ? null : whole(random, 5, 300),
  max: pick(random, [1, 5, 100]),
})

/** A change that leaves the schedule alone. */
export const drawChange = (random: Random): Body =>
  pick(random, [
    { args: drawArgs(random) },
    { catchUp: drawCatchUp(random) },
    { jitterSeconds: whole(random, 0, 10) },
    { overlap: pick(random, ['allow', 'skip', 'queueOne'] as const) },
    { maxRuns: whole(random, 1, 20) },
    { enabled: chance(random, 0.7) },
    { description: `changed ${whole(random, 0, 1_000_000)}` },
  ])

export const drawOverride = (random: Random): Body =>
  chance(random, 0.5) ? { args: drawArgs(random), kwargs: { by: 'hand' } } : {}

export function drawRange(random: Random, now: number): Body {
  const from = now - between(random, 60_000, 600_000)
  return {
    from: instant(from),
    until: instant(from + whole(random, 10_000, 120_000)),
    max: whole(random, 1, 10),
  }
}
