import { chainsOf } from './chain.js'
import { Findings } from './findings.js'
import { checkAnswers, checkEvents, checkKeys } from './log.js'
import { Model } from './model.js'
import { type Seen, seenIn } from './seen.js'
import { attach, checkComplete, checkDoubled, Identities } from './ticks.js'
import { checkOrder, Timing, ticksByRun } from './timing.js'
import type { HistoryRecord, HistoryReport } from './types.js'

/**
 * Judges what a cluster did by what was seen of it from outside. Records of different logs may come in any order;
 * events in the order of their positions. Holds the whole history in memory. Throws a `HistoryError` when there is not
 * exactly one `meta`.
 */
export function checkHistory(records: Iterable<HistoryRecord>): HistoryReport {
  const seen = seenIn(records)
  const findings = new Findings()
  checkEvents(seen.events, findings)
  checkKeys(seen.events, findings)
  checkAnswers(seen, findings)
  const model = new Model(seen.events, seen.meta.partitions)
  const chains = chainsOf(seen, findings)
  attach(seen, chains, findings)
  for (const { ticks } of chains) for (const tick of ticks) checkComplete(tick, findings)
  checkDoubled(seen.runs, chains, findings)
  checkOrder(seen.runs, findings)
  const tickOf = ticksByRun(chains)
  const identities = new Identities(seen.meta.cluster, model, findings)
  const timing = new Timing(seen, model, findings)
  for (const run of seen.runs) {
    identities.check(run)
    timing.check(run, tickOf.get(run))
  }
  for (const { ticks } of chains) for (const tick of ticks) timing.checkMisfires(tick)
  return {
    meta: seen.meta,
    violations: findings.violations,
    rules: findings.counts,
    counts: countsOf(seen, model, 0),
    lateness: timing.lateness,
  }
}

function countsOf(seen: Seen, model: Model, occurrences: number): HistoryReport['counts'] {
  const checkpoints = [...seen.checkpoints.values()].map((list) => list.length)
  return {
    events: seen.events.length,
    answers: seen.answers.length,
    tasks: model.tasks.size,
    checkpoints: checkpoints.reduce((sum, count) => sum + count, 0),
    runs: seen.runs.length,
    skipped: seen.skips.reduce((sum, { skip }) => sum + skip.count, 0),
    takeovers: takeoversIn(seen),
    occurrences,
  }
}

/** Changes of hands: of a partition's term, whether its owner left a record or not. */
function takeoversIn({ owners, checkpoints, meta }: Seen): number {
  let takeovers = 0
  for (let partition = 0; partition < meta.partitions; partition += 1) {
    const terms = new Set([
      ...(owners.get(partition) ?? []).map(({ term }) => term),
      ...(checkpoints.get(partition) ?? []).map(({ checkpoint }) => checkpoint.term),
    ])
    takeovers += Math.max(0, terms.size - 1)
  }
  return takeovers
}
