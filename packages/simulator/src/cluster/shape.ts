import { digestOf } from '@almanac/domain'
import { type NodeOptions, type Random, SeededRandom } from '@almanac/engine'
import type { Instant } from '@almanac/recurrence'
import { between, chance, pick, whole } from './draw.js'

/** One configured node. Those of weight 0 serve and schedule nothing. */
export type NodeShape = Pick<NodeOptions, 'nodeId' | 'weight' | 'region' | 'homeRegions' | 'tzVersion'>

/** What a seed decides before anything runs. */
export interface ClusterShape {
  readonly seed: number
  readonly startAt: Instant
  /** Zone that crontabs are written in, apart from UTC; its clock changes during the world's time in some seeds. */
  readonly zone: string
  readonly nodes: readonly NodeShape[]
  readonly partitions: number
  readonly tasks: number
  /** Tasks that are all due at the same instants; 0: none. */
  readonly mass: number
  readonly clients: number
  readonly workers: number
  readonly maxDecisionsPerTick: number
  /** How long Kafka keeps run commands. */
  readonly retentionMs: number
  /** Between two commands of one client, once the tasks are there. */
  readonly commandEveryMs: number
  /** Faults are drawn for this long. */
  readonly faultMs: number
  /** Then nothing is broken for this long, and everything has to come right. */
  readonly calmMs: number
}

/** What the caller may fix; the rest comes from the seed. */
export interface ShapeOptions {
  readonly schedulers?: number
  readonly apis?: number
  readonly partitions?: number
  readonly tasks?: number
  /** Length of the phase with faults. */
  readonly spanMs?: number
}

export function drawShape(seed: number, options: ShapeOptions = {}): ClusterShape {
  const random = randomOf(seed, 'shape')
  const { startAt, zone } = drawStart(random)
  const schedulers = whole(random, 2, 5)
  const apis = whole(random, 1, 2)
  const partitions = pick(random, [1, 2, 3, 4, 4, 6, 8])
  const tasks = whole(random, 10, 60)
  const mass = chance(random, 0.2) ? whole(random, 50, 300) : 0
  const clients = whole(random, 1, 3)
  const workers = whole(random, 1, 2)
  const maxDecisionsPerTick = pick(random, [3, 10, 40, 1_000])
  const commandEveryMs = whole(random, 1_000, 15_000)
  const faultMs = whole(random, 3 * 60_000, 9 * 60_000)
  const retentionMs = pick(random, [3 * 60_000, 86_400_000])
  return {
    seed,
    startAt,
    zone,
    nodes: drawNodes(random, options.schedulers ?? schedulers, options.apis ?? apis),
    partitions: options.partitions ?? partitions,
    tasks: options.tasks ?? tasks,
    mass: options.tasks === undefined ? mass : 0,
    clients,
    workers,
    maxDecisionsPerTick,
    retentionMs,
    commandEveryMs,
    faultMs: options.spanMs ?? faultMs,
    calmMs: 210_000,
  }
}

/** Alike in most seeds; in some they stand in two regions, have unequal shares, or one has older zone rules. */
function drawNodes(random: Random, schedulers: number, apis: number): readonly NodeShape[] {
  const hasRegions = chance(random, 0.25)
  const hasWeights = chance(random, 0.25)
  const hasOlder = chance(random, 0.15)
  const homeRegions = new Map(hasRegions ? [0, 1, 2, 3].map((p) => [p, p % 2 === 0 ? 'east' : 'west']) : [])
  return Array.from({ length: schedulers + apis }, (_, index) => {
    const isApi = index >= schedulers
    return {
      nodeId: isApi ? `api-${index - schedulers + 1}` : `node-${index + 1}`,
      weight: isApi ? 0 : hasWeights ? whole(random, 1, 4) : 1,
      region: hasRegions ? pick(random, ['east', 'west']) : '',
      homeRegions,
      tzVersion: hasOlder && index === 0 ? '2025b' : '2026a',
    }
  })
}

/** A chance of its own for one part of a seed: what the part draws disturbs no other. */
export const randomOf = (seed: number, part: string): Random =>
  new SeededRandom(Number.parseInt(digestOf(`seed|${seed}|${part}`).slice(0, 8), 16))

const changes: readonly { readonly zone: string; readonly at: string }[] = [
  { zone: 'Europe/Warsaw', at: '2026-03-29T01:00:00Z' },
  { zone: 'Europe/Warsaw', at: '2026-10-25T01:00:00Z' },
  { zone: 'America/New_York', at: '2026-03-08T07:00:00Z' },
  { zone: 'America/New_York', at: '2026-11-01T06:00:00Z' },
  { zone: 'Australia/Lord_Howe', at: '2026-04-04T15:00:00Z' },
  { zone: 'Australia/Lord_Howe', at: '2026-10-03T15:30:00Z' },
]

/** Half of the seeds start shortly before the clock changes in a zone, the others at any time of the year. */
function drawStart(random: Random): { readonly startAt: Instant; readonly zone: string } {
  const { zone, at } = pick(random, changes)
  const yearStart = Date.parse('2026-01-01T00:00:00Z')
  const isNear = chance(random, 0.5)
  const startAt = isNear
    ? Date.parse(at) - between(random, 60_000, 10 * 60_000)
    : yearStart + between(random, 0, 365 * 86_400_000)
  return { startAt: Math.floor(startAt), zone }
}
