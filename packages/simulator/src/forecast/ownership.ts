import { type Member, rankedOwners } from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'
import { drawn } from './chance.js'
import { outagesOf, Uptime } from './outages.js'
import { type ForecastSettings, nodeName, type Outage } from './settings.js'

/** A time in which one node owns a partition: `[from, until)`. Between two of them nobody does. */
export interface Stretch {
  readonly node: number
  readonly from: Instant
  readonly until: Instant
}

/** A partition that a node lost by going down. */
export interface Loss {
  readonly partition: number
  readonly node: number
  readonly at: Instant
  /** When somebody owned it again; null: nobody did before the end. */
  readonly takenAt: Instant | null
}

export interface Ownership {
  readonly outages: readonly Outage[]
  /** By partition, in the order of time. */
  readonly stretches: readonly (readonly Stretch[])[]
  readonly losses: readonly Loss[]
}

/** From the release of a lease to the first tick of the new owner. Milliseconds. */
const claimMs = 100

/** All nodes run the same program and stand at one place. */
const alike = { instance: '', region: '', weight: 1, engineVersion: '', tzVersion: '' } as const

/**
 * Who owns which partition when: rendezvous placement over the nodes that are up, as the cluster places. A node that
 * goes keeps its leases until they run out; a node that came back gets its partitions when it has settled.
 */
export function ownershipOf(settings: ForecastSettings): Ownership {
  const outages = outagesOf(settings)
  const up = new Uptime(settings.nodes, outages)
  const members = Array.from(
    { length: settings.nodes },
    (_, index): Member => ({ ...alike, nodeId: nodeName(index) }),
  )
  const losses: Loss[] = []
  const stretches = Array.from({ length: settings.partitions }, (_, partition) => {
    const ranked = rankedOwners(partition, members).map(({ nodeId }) =>
      members.findIndex((m) => m.nodeId === nodeId),
    )
    return new Walk(settings, up, partition, ranked, losses).stretches()
  })
  return { outages, stretches, losses }
}

/** One partition through the time of a forecast. */
class Walk {
  private readonly settings: ForecastSettings
  private readonly up: Uptime
  private readonly partition: number
  /** Nodes, the preferred owner first. */
  private readonly ranked: readonly number[]
  private readonly losses: Loss[]

  constructor(
    settings: ForecastSettings,
    up: Uptime,
    partition: number,
    ranked: readonly number[],
    losses: Loss[],
  ) {
    this.settings = settings
    this.up = up
    this.partition = partition
    this.ranked = ranked
    this.losses = losses
  }

  stretches(): readonly Stretch[] {
    const { from, to } = this.settings
    const found: Stretch[] = []
    let taken = this.takeover(from, null)
    while (taken !== undefined && taken.at < to) {
      const { node, at } = taken
      const down = this.up.nextDown(node, at)
      const better = this.betterSettled(node, at)
      const until = Math.min(down, better?.at ?? down, to)
      found.push({ node, from: at, until })
      if (until >= to) break
      taken = better !== undefined && better.at < down ? better : this.lost(node, down)
    }
    return found
  }

  private lost(node: number, at: Instant): Taken | undefined {
    const taken = this.takeover(at + this.settings.leaseTtlMs, at)
    const takenAt = taken === undefined || taken.at >= this.settings.to ? null : taken.at
    this.losses.push({ partition: this.partition, node, at, takenAt })
    return taken
  }

  /** The first node to take the partition once it is free, at `free`; null: nobody has lost it, it is the beginning. */
  private takeover(free: Instant, lostAt: Instant | null): Taken | undefined {
    const { seed, renewEveryMs, to } = this.settings
    const delay = (round: number) =>
      claimMs + Math.floor(drawn(seed, `takeover ${this.partition} ${lostAt} ${round}`) * renewEveryMs)
    let at = lostAt === null ? free : free + delay(0)
    for (let round = 1; at < to; round++) {
      const node = this.ranked.find((candidate) => this.up.isUp(candidate, at))
      if (node !== undefined) return { node, at }
      at = Math.min(...this.ranked.map((candidate) => this.up.nextUp(candidate, at))) + delay(round)
    }
    return undefined
  }

  /** The first moment after `at` at which a node that is preferred to the owner has settled. */
  private betterSettled(owner: number, at: Instant): Taken | undefined {
    let best: Taken | undefined
    for (const node of this.ranked.slice(0, this.ranked.indexOf(owner))) {
      const settled = this.settledAfter(node, at)
      if (best === undefined || settled < best.at) best = { node, at: settled }
    }
    return best === undefined || best.at === Number.POSITIVE_INFINITY ? undefined : best
  }

  private settledAfter(node: number, at: Instant): Instant {
    const { settleMs } = this.settings
    let came = this.up.isUp(node, at) ? this.up.upSince(node, at) : this.up.nextUp(node, at)
    while (came !== Number.POSITIVE_INFINITY) {
      const settled = Math.max(came + settleMs, at)
      if (settled < this.up.nextDown(node, came)) return settled
      came = this.up.nextUp(node, came)
    }
    return came
  }
}

interface Taken {
  readonly node: number
  readonly at: Instant
}
