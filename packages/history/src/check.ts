import type { PartitionId } from '@almanac/domain'
import { Accounting } from './accounting.js'
import { type Chain, chainsOf } from './chain.js'
import { type Era, erasOf } from './eras.js'
import { Fences } from './fence.js'
import { Findings } from './findings.js'
import { checkAnswers, checkEvents, checkKeys } from './log.js'
import { Model } from './model.js'
import { Recovery } from './recovery.js'
import { Replay } from './replay.js'
import { listOf, type Seen, seenIn } from './seen.js'
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
  checkDoubled(seen.runs, chains, findings)
  checkOrder(seen.runs, findings)
  const lateness = checkRuns(seen, model, chains, findings)
  const occurrences = checkDecisions(seen, model, chains, findings)
  return {
    meta: seen.meta,
    violations: findings.violations,
    rules: findings.counts,
    counts: countsOf(seen, model, occurrences),
    lateness,
  }
}

/** Run by run: whose it is, when it came, by which definition. Answers how late they were. */
function checkRuns(
  seen: Seen,
  model: Model,
  chains: readonly Chain[],
  findings: Findings,
): HistoryReport['lateness'] {
  const tickOf = ticksByRun(chains)
  const identities = new Identities(seen.meta.cluster, model, findings)
  const timing = new Timing(seen, model, findings)
  const fences = new Fences(seen, model, findings)
  for (const run of seen.runs) {
    const tick = tickOf.get(run)
    identities.check(run)
    timing.check(run, tick)
    fences.check(run, tick)
  }
  for (const { ticks } of chains) for (const tick of ticks) timing.checkMisfires(tick)
  return timing.lateness
}

/** Tick by tick and occurrence by occurrence: was decided what had to be? Answers how many occurrences there were. */
function checkDecisions(seen: Seen, model: Model, chains: readonly Chain[], findings: Findings): number {
  const erasByPartition = new Map<PartitionId, (readonly Era[])[]>()
  for (const task of model.tasks.values()) listOf(erasByPartition, task.partition).push(erasOf(model, task))
  const recovery = new Recovery(seen, findings)
  let occurrences = 0
  for (const chain of chains) {
    const eras = erasByPartition.get(chain.partition) ?? []
    const incomplete = new Set(chain.ticks.filter((tick) => !checkComplete(tick, findings)))
    new Replay({ meta: seen.meta, model, findings, incomplete }, eras).run(chain)
    const accounting = new Accounting(seen.meta.cluster, model, chain, findings)
    for (const ofTask of eras) accounting.check(ofTask)
    occurrences += accounting.occurrences
    recovery.check(chain, eras)
  }
  return occurrences
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
