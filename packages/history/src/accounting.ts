import { nextOccurrence, type Position, type Skip, scheduledBefore } from '@almanac/domain'
import { isArmedBehind, requestOf, runIdsOf } from './asked.js'
import type { Chain, Tick } from './chain.js'
import type { Era } from './eras.js'
import type { Findings } from './findings.js'
import { raised } from './floors.js'
import type { Model } from './model.js'
import { lastIndexAt } from './search.js'
import { listOf } from './seen.js'
import { isScheduled } from './timing.js'
import type { RunRecordSeen } from './types.js'
import { type Outcome, type WalkFault, walk } from './walk.js'

interface Decided {
  readonly runs: RunRecordSeen[]
  readonly skips: Skip[]
}

/** What one tick decided for one task. */
interface Entry {
  /** Runs of the schedule, and what was skipped of it: by instant. */
  readonly outcomes: readonly Outcome[]
  /** Skipped since the definition had ended. */
  readonly ended: Skip[]
  readonly scheduled: readonly RunRecordSeen[]
  readonly requested: readonly RunRecordSeen[]
}

interface TaskAccount {
  readonly eras: readonly Era[]
  /** By the index of the first tick that has them. */
  readonly begun: ReadonlyMap<number, readonly Era[]>
  /** By the index of the tick. */
  readonly entries: ReadonlyMap<number, Entry>
  /** The indexes of the above, in order. */
  readonly indexes: readonly number[]
  /** Ticks in which so much changed at once that what had to come out can't be told without the planner. */
  readonly unsure: ReadonlySet<number>
}

/**
 * Accounts for every occurrence without the planner: from the first checkpoint that has an era's position to the last
 * one before its end, each occurrence of its schedule has exactly one outcome.
 */
export class Accounting {
  occurrences = 0
  private readonly cluster: string
  private readonly model: Model
  private readonly findings: Findings
  private readonly ticks: readonly Tick[]
  /** By task: what each tick decided for it. */
  private readonly decided = new Map<string, Map<number, Decided>>()
  /** Ticks before which some are missing. */
  private readonly holes: readonly number[]

  constructor(cluster: string, model: Model, chain: Chain, findings: Findings) {
    this.cluster = cluster
    this.model = model
    this.findings = findings
    this.ticks = chain.lasting
    this.holes = this.ticks.flatMap(({ before }, index) => (before === null ? [index] : []))
    for (const [index, { runs, skips }] of this.ticks.entries()) {
      for (const run of runs) this.decidedFor(run.run.taskId, index).runs.push(run)
      for (const skip of skips) this.decidedFor(skip.taskId, index).skips.push(skip)
    }
  }

  private decidedFor(taskId: string, index: number): Decided {
    const ticks = this.decided.get(taskId) ?? new Map<number, Decided>()
    this.decided.set(taskId, ticks)
    const decided = ticks.get(index) ?? { runs: [], skips: [] }
    ticks.set(index, decided)
    return decided
  }

  /** `eras`: all of one task of the partition. */
  check(eras: readonly Era[]): void {
    const account = this.accountOf(eras)
    try {
      for (const era of eras) {
        this.checkEra(account, era)
        this.checkEnding(account, era)
      }
    } catch {
      // A schedule that throws is the planner's to quarantine; there is nothing to account for.
      return
    }
    this.checkEndedLeft(account)
    this.checkRequests(account)
    this.checkLimits(account)
  }

  private accountOf(eras: readonly Era[]): TaskAccount {
    const taskId = eras[0]?.task.taskId ?? ''
    const endings = new Set(
      eras.flatMap(({ ended, from }) =>
        ended?.reason === 'expired' ? [`${this.tickAt(from)}|${ended.state.revision}`] : [],
      ),
    )
    const entries = new Map<number, Entry>()
    for (const [index, decided] of this.decided.get(taskId) ?? []) {
      const isOver = ({ reason, revision }: Skip) =>
        reason === 'expired' ? endings.has(`${index}|${revision}`) : !ownReasons.has(reason)
      entries.set(index, entryOf(decided, isOver))
    }
    const indexes = [...entries.keys()]
    const begun = new Map<number, Era[]>()
    for (const era of eras) listOf(begun, this.tickAt(era.from)).push(era)
    return { eras, begun, entries, indexes, unsure: this.unsureOf(begun) }
  }

  /** The first tick that has the position; behind the last one when none has. */
  private tickAt(position: Position): number {
    return lastIndexAt(this.ticks, position - 1, ({ checkpoint }) => checkpoint.position) + 1
  }

  private unsureOf(begun: ReadonlyMap<number, readonly Era[]>): ReadonlySet<number> {
    const unsure = new Set<number>()
    for (const [index, together] of begun) {
      const before = this.ticks[index]?.before
      if (together.length < 2 || before === undefined) continue
      const isArmed = together.some((era) => before !== null && isArmedBehind(era, together, before.cursor))
      if (isArmed || together.some(({ isOwn }) => !isOwn)) unsure.add(index)
    }
    return unsure
  }

  private checkEra(account: TaskAccount, era: Era): void {
    const first = this.tickAt(era.from)
    const end = Math.min(this.tickAt(era.to), this.ticks.length)
    const cuts = [...this.holes.filter((hole) => hole >= first && hole < end), end]
    let start = first
    if (account.unsure.has(first)) start += 1
    const isArmed = era.isArmed && account.begun.get(first)?.[0]?.wasPlanned !== true
    for (const cut of cuts) {
      this.checkStretch(account, era, start, cut, isArmed && start === first)
      start = Math.max(start, cut + 1)
    }
  }

  /** Ticks from `start` to before `end`, none missing. */
  private checkStretch(
    account: TaskAccount,
    era: Era,
    start: number,
    end: number,
    fromArming: boolean,
  ): void {
    const tick = this.ticks[start]
    const from = tick?.before ?? null
    const until = this.ticks[end - 1]?.checkpoint.cursor
    if (tick === undefined || start >= end || from === null || until === undefined) return
    const definition = era.definition && raised(era.definition, tick.checkpoint)
    const outcomes = this.outcomesIn(account, start, end)
    if (definition === null) {
      for (const outcome of outcomes) {
        this.tell(era, { kind: 'unexpected', outcome, message: 'was decided while the task had nothing due' })
      }
      return
    }
    const walked = walk(definition, fromArming ? null : from.cursor, until, outcomes)
    this.count(walked.occurrences)
    for (const fault of walked.faults) this.tell(era, fault)
  }

  private outcomesIn({ entries, indexes }: TaskAccount, start: number, end: number): readonly Outcome[] {
    const outcomes: Outcome[] = []
    for (let nth = lastIndexAt(indexes, start - 1, (index) => index) + 1; nth < indexes.length; nth += 1) {
      const index = indexes[nth] ?? end
      if (index >= end) break
      outcomes.push(...(entries.get(index)?.outcomes ?? []))
    }
    return outcomes
  }

  /** What had been due when the definition ended, and no tick had decided, was skipped for that reason. */
  private checkEnding(account: TaskAccount, era: Era): void {
    const { ended, at, from } = era
    const place = this.surePlace(account, from)
    if (ended === null || ended.definition === null || place === undefined) return
    const { reason } = ended
    const definition = raised(ended.definition, place.tick.checkpoint)
    const first = nextOccurrence(definition, place.cursor)?.scheduledAt
    const last = scheduledBefore(definition, at)
    if (first === undefined || last === undefined || first > Math.min(at, last)) return
    const count = definition.recurrence.count(first - 1, last)
    this.count(count)
    const { ended: skips = [] } = account.entries.get(place.index) ?? {}
    const found = skips.findIndex(
      (skip) => skip.reason === reason && skip.first === first && skip.last === last,
    )
    if (found >= 0) skips.splice(found, 1)
    else this.tell(era, { kind: 'lost', first, last, count })
  }

  /** Skips for the end of a definition that nothing had ended. */
  private checkEndedLeft({ entries, eras, unsure }: TaskAccount): void {
    for (const [index, { ended }] of entries) {
      const era = eras[0]
      if (era === undefined || this.isOpen(index, unsure)) continue
      for (const { first, last, count, reason } of ended) {
        const message = `was skipped as ${reason}, which it was not`
        this.tell(era, { kind: 'unexpected', outcome: { first, last, count, runId: null }, message })
      }
    }
  }

  /** What was asked for runs once, with the first tick that has the request. */
  private checkRequests(account: TaskAccount): void {
    const expected = new Map<number, Set<string>>()
    for (const era of account.eras) {
      const request = requestOf(this.model, era)
      const place = this.surePlace(account, era.from)
      if (request === null || place === undefined) continue
      const { index, tick } = place
      if (this.model.stateAt(request.taskId, tick.checkpoint.position)?.status !== 'active') continue
      const there = new Set(account.entries.get(index)?.requested.map(({ run }) => run.runId))
      const runIds = runIdsOf(this.cluster, request)
      this.count(runIds.length)
      const wanted = expected.get(index) ?? new Set()
      for (const runId of runIds) wanted.add(runId)
      expected.set(index, wanted)
      const missing = runIds.filter((runId) => !there.has(runId))
      if (missing.length === 0) continue
      const { taskId, partition } = era.task
      const message = `${missing.length} of ${runIds.length} runs of a ${request.kind} request did not come`
      this.findings.violated('lost', message, { at: era.at, partition, taskId })
    }
    for (const [index, { requested }] of account.entries) {
      if (this.isOpen(index, account.unsure)) continue
      for (const { run, appendedAt } of requested) {
        if (expected.get(index)?.has(run.runId) === true) continue
        const { runId, taskId, partition } = run
        const message = `run ${runId} of a ${run.kind} request does not belong to tick ${run.seq}`
        this.findings.violated('unexpected', message, { at: appendedAt, partition, taskId, runId })
      }
    }
  }

  /** A one-off runs once for each time it is armed, a task with `maxRuns` at most so often. */
  private checkLimits({ entries }: TaskAccount): void {
    const runs = new Map<number, number>()
    for (const { scheduled } of entries.values()) {
      for (const { run, appendedAt } of scheduled) {
        const state = this.model.stateOf(run.taskId, run.taskRevision)
        if (state === undefined || state.runsLeft === null || this.model.isSharing(state)) continue
        const count = (runs.get(state.armedAt) ?? 0) + 1
        runs.set(state.armedAt, count)
        if (count <= state.runsLeft) continue
        const { runId, taskId, partition } = run
        const message = `run ${runId} is number ${count} since the task was armed, and ${state.runsLeft} may run`
        this.findings.violated('unexpected', message, { at: appendedAt, partition, taskId, runId })
      }
    }
  }

  /** What the tick had to decide for the task can't be told. */
  private isOpen(index: number, unsure: ReadonlySet<number>): boolean {
    return unsure.has(index) || this.ticks[index]?.before === null
  }

  /** The tick that first has the position, when all that it decided for the task can be told. */
  private surePlace({ unsure }: TaskAccount, position: Position) {
    const index = this.tickAt(position)
    const tick = this.ticks[index]
    const before = tick?.before ?? null
    if (tick === undefined || before === null || unsure.has(index)) return undefined
    return { index, tick, cursor: before.cursor }
  }

  private count(occurrences: number): void {
    this.occurrences += occurrences
    this.findings.checked('lost', occurrences)
  }

  private tell({ task, state }: Era, fault: WalkFault): void {
    const { taskId, partition } = task
    const where = { partition, taskId }
    if (fault.kind === 'lost') {
      const { first, last, count } = fault
      const what =
        count === 1 ? `the occurrence of ${first} has` : `${count} occurrences from ${first} to ${last} have`
      this.findings.violated('lost', `${what} no outcome (revision ${state.revision})`, {
        ...where,
        at: first,
      })
      return
    }
    const { first, last, runId } = fault.outcome
    const what = runId !== null ? `run ${runId} of ${first}` : `the skipped stretch from ${first} to ${last}`
    this.findings.violated(fault.kind, `${what} ${fault.message} (revision ${state.revision})`, {
      ...where,
      at: first,
      ...(runId === null ? {} : { runId }),
    })
  }
}

/** What becomes of occurrences of a definition that holds; the other reasons are those of one that has ended. */
const ownReasons: ReadonlySet<string> = new Set(['misfire', 'overlap', 'expired'])

function entryOf({ runs, skips }: Decided, isOver: (skip: Skip) => boolean): Entry {
  const scheduled = runs.filter(isScheduled)
  const outcomes = [
    ...scheduled.map(({ run }) => ({
      first: run.scheduledAt,
      last: run.scheduledAt,
      count: 1,
      runId: run.runId,
    })),
    ...skips
      .filter((skip) => !isOver(skip))
      .map(({ first, last, count }) => ({ first, last, count, runId: null })),
  ].sort((a, b) => a.first - b.first)
  return {
    outcomes,
    scheduled,
    ended: skips.filter(isOver),
    requested: runs.filter((run) => !isScheduled(run)),
  }
}
