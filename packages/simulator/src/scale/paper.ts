import { clusterNodeOptions } from '@almanac/engine'
import type { Counted } from './meter.js'
import type { ScaleSetting } from './setting.js'

/** What the table compares: counts a second while nothing happens. */
export const compared = [
  'renew',
  'acquire',
  'members',
  'AddPartitionsToTxn',
  'Produce',
  'EndTxn',
  'tailRecords',
  'head',
  'append',
] as const satisfies readonly Counted[]
export type Compared = (typeof compared)[number]

const { renewEveryMs, mirrorEveryMs, idleCheckpointMs } = clusterNodeOptions
const minuteS = 60

/** Topics of runs have this many partitions in the model; they are led by the first two of three brokers. */
const runLeaders = 2
const brokers = 3

/**
 * What each second should cost. `shares`: partitions by node. Tasks lie in partitions and on seconds by chance, so
 * these are means: of `dueAtOnce` tasks that are due at one second, each is in any partition.
 */
export function onPaper(setting: ScaleSetting, shares: readonly number[]): Record<Compared, number> {
  const { partitions, tasks } = setting
  const nodes = shares.length
  const dueAtOnce = tasks / minuteS
  const idle = idlePerSecond(partitions, tasks)
  /** Chance that a partition has something due at a second. */
  const busy = 1 - (1 - 1 / partitions) ** dueAtOnce
  const ticks = partitions * busy + idle
  return {
    renew: nodes / (renewEveryMs / 1_000),
    acquire: partitions / (renewEveryMs / 1_000),
    members: nodes ** 2 / (renewEveryMs / 1_000),
    AddPartitionsToTxn: ticks,
    Produce: partitions * busy * leadersOf(dueAtOnce, partitions) + idle,
    EndTxn: ticks,
    tailRecords: nodes * ticks,
    head:
      idle +
      shares.reduce((sum, share) => sum + headsPerSecond(share / partitions, 1 / partitions, dueAtOnce), 0),
    append: notesPerSecond(setting),
  }
}

/** A partition's progress is noted with its first tick after that time; on average the next one is this far away. */
export const notesPerSecond = ({ partitions, tasks }: ScaleSetting): number =>
  partitions / (mirrorEveryMs / 1_000 + (minuteS * partitions) / tasks)

/**
 * Of partitions where nothing is due for so long that they leave a sign of life: in a minute that begins again and
 * again, each of k tasks is followed by such a gap when the others are not in it; k is Poisson.
 */
function idlePerSecond(partitions: number, tasks: number): number {
  const mean = tasks / partitions
  const gap = idleCheckpointMs / 1_000 / minuteS
  return (partitions * mean * Math.exp(-mean * gap)) / minuteS
}

/**
 * One read of the head for the first tick of a node that begins, one that all others of that moment share. `hit`: the
 * chance of one partition to be that of a task; the node has that `part` of all.
 */
function headsPerSecond(part: number, hit: number, dueAtOnce: number): number {
  const none = (1 - part) ** dueAtOnce
  const one = (part / hit) * ((1 - part + hit) ** dueAtOnce - none)
  return 1 - none + (1 - none - one)
}

/** How many brokers lead a partition that a tick writes to: of the checkpoint, and of its runs. */
function leadersOf(dueAtOnce: number, partitions: number): number {
  const hit = 1 / partitions
  const empty = (1 - hit) ** dueAtOnce
  /** Mean chance that none of a tick's runs is on a given one of the leaders of runs. */
  const unhit = ((1 - hit + hit * (1 - 1 / runLeaders)) ** dueAtOnce - empty) / (1 - empty)
  const onlyCheckpoints = (brokers - runLeaders) / brokers
  return onlyCheckpoints + runLeaders * (1 - unhit * (1 - 1 / brokers))
}
