import { describe, expect, it } from 'vitest'
import { Campaign, type FaultName, faultNames, type SeedReport, seedsToCoverAll } from './index.js'

const report = (changes: Partial<SeedReport> = {}): SeedReport => ({
  seed: 1,
  ok: true,
  findings: [],
  traceHash: '',
  simulatedMs: 1_000,
  faultMs: 500,
  actions: 10,
  events: 3,
  runs: 2,
  takeovers: 1,
  commits: new Map([['committed', 4]]),
  faults: new Map<FaultName, number>(faultNames.map((name) => [name, 1])),
  eventTypes: new Map([['TaskCreated', 2]]),
  history: [],
  tail: [],
  ...changes,
})

const filled = (count: number, changes: Partial<SeedReport> = {}): Campaign => {
  const campaign = new Campaign()
  for (let seed = 1; seed <= count; seed++) campaign.add(report({ seed, ...changes }))
  return campaign
}

describe('a campaign', () => {
  it('adds seeds up', () => {
    const { seeds, simulatedMs, commits, eventTypes } = filled(3).totals()
    expect({ seeds, simulatedMs }).toEqual({ seeds: 3, simulatedMs: 3_000 })
    expect(commits.get('committed')).toBe(12)
    expect(eventTypes.get('TaskCreated')).toBe(6)
  })

  it('keeps the seeds that failed', () => {
    const finding = { rule: 'lost', message: 'gone', at: null, partition: null, taskId: null } as const
    const campaign = filled(1)
    campaign.add(report({ seed: 9, ok: false, findings: [finding] }))
    expect(campaign.totals().failures).toEqual([{ seed: 9, findings: [finding] }])
  })

  it('tells what never occurred in many seeds, and nothing while they are few', () => {
    const faults = new Map<FaultName, number>([['crash', 1]])
    expect(filled(seedsToCoverAll - 1, { faults }).uncovered()).toEqual([])
    const uncovered = filled(seedsToCoverAll, { faults }).uncovered()
    expect(uncovered).toContain('blackout')
    expect(uncovered).toContain('TaskDeleted')
    expect(uncovered).not.toContain('crash')
    expect(uncovered).not.toContain('TaskCreated')
  })

  it('does not miss faults that were left out on purpose', () => {
    const faults = new Map<FaultName, number>([['crash', 1]])
    expect(filled(seedsToCoverAll, { faults }).uncovered(['blackout'])).not.toContain('blackout')
  })
})
