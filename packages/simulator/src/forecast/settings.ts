import { defaultNodeOptions } from '@almanac/engine'
import type { Instant } from '@almanac/recurrence'

/** What a forecast plays: how long, on which cluster, and what goes wrong. Durations are in milliseconds. */
export interface ForecastSettings {
  /** The first instant; an occurrence exactly then is played. */
  readonly from: Instant
  /** Where it ends; an occurrence exactly then is played no more. */
  readonly to: Instant
  /** Outages are drawn from it: the same seed draws the same. 0 to 2^32 - 1. */
  readonly seed: number
  /** 1 to 64, named node-1, node-2 ... */
  readonly nodes: number
  /** As the cluster has them. 1 to 256. */
  readonly partitions: number
  /** How many outages of single nodes are drawn. 0 to 1000. */
  readonly outages: number
  /** How long each of these lasts; null: drawn, from half a minute to 20 minutes. */
  readonly outageMs: number | null
  /** How many outages of the whole cluster are drawn. 0 to 1000. */
  readonly blackouts: number
  /** How long each of these lasts. */
  readonly blackoutMs: number
  /** Outages that are given, beside those that are drawn. */
  readonly down: readonly Outage[]
  /** How long a run keeps its task busy; decides what the overlap policies `skip` and `queueOne` do. */
  readonly runMs: number
  /** Zone in which days and hours are counted and instants are shown. IANA name. */
  readonly timezone: string
  /** How long a dead node's lease holds: so long its partitions stand still at least. */
  readonly leaseTtlMs: number
  /** How often nodes look for free partitions: a takeover is delayed by a drawn part of it. */
  readonly renewEveryMs: number
  /** A node that came back takes its partitions when it has been there this long. */
  readonly settleMs: number
  /** Older than this when decided means missed: the catch-up policies decide. */
  readonly misfireGraceMs: number
  /** Decisions of one tick. */
  readonly maxDecisionsPerTick: number
}

/** A time in which a node, or all of them, are gone. */
export interface Outage {
  /** Index of the node; null: the whole cluster. */
  readonly node: number | null
  readonly from: Instant
  readonly until: Instant
}

/** What a forecast plays unless told otherwise: the cluster's own defaults, and nothing goes wrong. */
export const forecastDefaults = {
  seed: 1,
  nodes: 3,
  partitions: defaultNodeOptions.partitions,
  outages: 0,
  outageMs: null,
  blackouts: 0,
  blackoutMs: 30 * 60_000,
  down: [],
  runMs: 5_000,
  timezone: 'UTC',
  leaseTtlMs: defaultNodeOptions.leaseTtlMs,
  renewEveryMs: defaultNodeOptions.renewEveryMs,
  settleMs: defaultNodeOptions.settleMs,
  misfireGraceMs: defaultNodeOptions.misfireGraceMs,
  maxDecisionsPerTick: defaultNodeOptions.maxDecisionsPerTick,
} as const satisfies Partial<ForecastSettings>

export const maxNodes = 64
export const maxOutages = 1_000

export const nodeName = (node: number): string => `node-${node + 1}`
