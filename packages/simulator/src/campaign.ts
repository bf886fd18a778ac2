import { upcasters } from '@almanac/protocol'
import type { Finding } from './check/live.js'
import { type FaultName, faultNames } from './faults/nemesis.js'
import type { SeedReport } from './run.js'

/** What many seeds came to. */
export interface CampaignTotals {
  readonly seeds: number
  readonly simulatedMs: number
  readonly actions: number
  readonly events: number
  readonly runs: number
  readonly takeovers: number
  readonly commits: ReadonlyMap<string, number>
  readonly faults: ReadonlyMap<FaultName, number>
  readonly eventTypes: ReadonlyMap<string, number>
  readonly failures: readonly { readonly seed: number; readonly findings: readonly Finding[] }[]
}

/** With fewer seeds, nothing can be said about what never occurred. */
export const seedsToCoverAll = 200

/** Types of events that a cluster of this kind never has: nobody has to show who he is, and nobody is told. */
const notExpected: ReadonlySet<string> = new Set([
  'ClusterFounded',
  'ApiKeyCreated',
  'ApiKeyRevoked',
  'ApiKeyUsed',
  'WebhookCreated',
  'WebhookChanged',
  'WebhookDisabled',
  'WebhookSecretRotated',
  'WebhookDeleted',
  'WebhookProgressed',
])

/** Adds seeds up, as they come. */
export class Campaign {
  private seeds = 0
  private readonly sums = { simulatedMs: 0, actions: 0, events: 0, runs: 0, takeovers: 0 }
  private readonly commits = new Map<string, number>()
  private readonly faults = new Map<FaultName, number>(faultNames.map((name) => [name, 0]))
  private readonly eventTypes = new Map<string, number>(
    Object.keys(upcasters)
      .filter((type) => !notExpected.has(type))
      .map((type) => [type, 0]),
  )
  private readonly failures: { readonly seed: number; readonly findings: readonly Finding[] }[] = []

  add(report: Omit<SeedReport, 'history'>): void {
    this.seeds += 1
    for (const key of Object.keys(this.sums) as (keyof typeof this.sums)[]) this.sums[key] += report[key]
    addTo(this.commits, report.commits)
    addTo(this.faults, report.faults)
    addTo(this.eventTypes, report.eventTypes)
    if (!report.ok) this.failures.push({ seed: report.seed, findings: report.findings })
  }

  totals(): CampaignTotals {
    const { seeds, sums, commits, faults, eventTypes, failures } = this
    return { seeds, ...sums, commits, faults, eventTypes, failures }
  }

  /**
   * Kinds of faults and types of events that never occurred: a run that did not try them has shown nothing about
   * them. Empty while too few seeds have run. `left`: faults that were left out on purpose.
   */
  uncovered(left: readonly string[] = []): readonly string[] {
    if (this.seeds < seedsToCoverAll) return []
    const never = (counts: ReadonlyMap<string, number>) =>
      [...counts].filter(([name, count]) => count === 0 && !left.includes(name)).map(([name]) => name)
    return [...never(this.faults), ...never(this.eventTypes)]
  }
}

function addTo<K>(sums: Map<K, number>, counts: ReadonlyMap<K, number>): void {
  for (const [key, count] of counts) sums.set(key, (sums.get(key) ?? 0) + count)
}
