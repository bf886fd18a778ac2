import type { PartitionId } from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'
import { type Rule, type RuleCount, rules, type Violation } from './types.js'

/** What a violation is about; what is left out is not known, or is not one thing. */
export interface Where {
  readonly at?: Instant
  readonly partition?: PartitionId
  readonly taskId?: string
  readonly runId?: string
}

/** A broken history has a hundred thousand violations of one kind: nobody reads them all. */
const maxListed = 1_000

/** Collects what the rules find, and how much they have looked at. */
export class Findings {
  readonly violations: Violation[] = []
  private readonly checkedBy = new Map<Rule, number>()
  private readonly violatedBy = new Map<Rule, number>()

  checked(rule: Rule, count = 1): void {
    this.checkedBy.set(rule, (this.checkedBy.get(rule) ?? 0) + count)
  }

  violated(rule: Rule, message: string, where: Where = {}): void {
    const count = (this.violatedBy.get(rule) ?? 0) + 1
    this.violatedBy.set(rule, count)
    if (count > maxListed) return
    const { at = null, partition = null, taskId = null, runId = null } = where
    this.violations.push({ rule, message, at, partition, taskId, runId })
  }

  get counts(): readonly RuleCount[] {
    return rules.map((rule) => ({
      rule,
      checked: this.checkedBy.get(rule) ?? 0,
      violated: this.violatedBy.get(rule) ?? 0,
    }))
  }
}
