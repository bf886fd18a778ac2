import {
  compareCursor,
  lastTaskId,
  nextOccurrence,
  type Plan,
  type Position,
  plan,
  runsDigest,
} from '@almanac/domain'
import { type Asked, askedBy } from './asked.js'
import type { Before, Chain, Tick } from './chain.js'
import { Due } from './due.js'
import type { Era } from './eras.js'
import type { Findings } from './findings.js'
import { baselessFloor, heldBack, raised } from './floors.js'
import type { Model } from './model.js'
import { differingTasks } from './outcomes.js'
import { lastIndexAt } from './search.js'
import { listOf, type Seen } from './seen.js'

interface ReplayParts {
  readonly meta: Seen['meta']
  readonly model: Model
  readonly findings: Findings
  /** Ticks whose records are not all there. */
  readonly incomplete: ReadonlySet<Tick>
}

/** What one tick was planned with. */
interface Window {
  readonly tick: Tick
  readonly before: Before
  readonly taken: readonly string[]
  /** By task: what began between the two checkpoints. */
  readonly begun: ReadonlyMap<string, readonly Era[]>
}

/** Decides every tick of a partition once more, from the events and the recorded checkpoints alone. */
export class Replay {
  private readonly parts: ReplayParts
  /** Of all tasks of the partition, in the order of their positions. */
  private readonly steps: readonly Era[]
  private readonly current = new Map<string, Era>()
  /** Of what changed with this tick: how it was planned before. */
  private former = new Map<string, Era | undefined>()
  private readonly due = new Due()
  private next = 0
  /** What the fields above stand at. */
  private standing: Before | null = null

  constructor(parts: ReplayParts, eras: readonly (readonly Era[])[]) {
    this.parts = parts
    this.steps = eras.flat().sort((a, b) => a.from - b.from)
  }

  run({ ticks }: Chain): void {
    for (const tick of ticks) this.tick(tick)
  }

  private tick(tick: Tick): void {
    const { before, checkpoint } = tick
    if (before === null || checkpoint.position < before.position) {
      this.standing = null
      return
    }
    if (this.standing !== before) this.rebuild(before)
    const begun = this.advance(checkpoint.position)
    for (const taskId of begun.keys()) this.place(taskId, before.cursor, checkpoint)
    const until = checkpoint.more ? checkpoint.cursor : { at: checkpoint.evaluatedAt, taskId: lastTaskId }
    const taken = this.due.take(until)
    const next = this.judge({ tick, before, taken, begun })
    for (const taskId of taken) {
      // Planning has found it out already, unless the tick went another way.
      const due = next?.get(taskId)
      if (due === undefined) this.place(taskId, checkpoint.cursor, checkpoint)
      else this.due.set(taskId, due)
    }
    this.standing = checkpoint
  }

  /** After a hole or a recovery: as everything stood at that checkpoint. */
  private rebuild(before: Before): void {
    this.current.clear()
    this.due.clear()
    this.next = lastIndexAt(this.steps, before.position, ({ from }) => from) + 1
    for (const era of this.steps.slice(0, this.next)) this.current.set(era.task.taskId, era)
    for (const taskId of this.current.keys()) this.place(taskId, before.cursor, before)
  }

  private advance(position: Position): ReadonlyMap<string, readonly Era[]> {
    const begun = new Map<string, Era[]>()
    this.former = new Map()
    for (let era = this.steps[this.next]; era !== undefined && era.from <= position; ) {
      const { taskId } = era.task
      if (!this.former.has(taskId)) this.former.set(taskId, this.current.get(taskId))
      this.current.set(taskId, era)
      listOf(begun, taskId).push(era)
      this.next += 1
      era = this.steps[this.next]
    }
    return begun
  }

  private place(taskId: string, cursor: Before['cursor'], floored: Before): void {
    const definition = this.current.get(taskId)?.definition ?? null
    try {
      const next = definition === null ? undefined : nextOccurrence(raised(definition, floored), cursor)
      this.due.set(taskId, next?.dispatchAt ?? null)
    } catch {
      // A schedule that throws is quarantined by an event; until then nothing of it is decided.
      this.due.set(taskId, null)
    }
  }

  /** Answers when each task is due next, when the tick was decided as it is here. */
  private judge(window: Window): Plan['next'] | undefined {
    const { tick, begun, before } = window
    const { model, findings, incomplete } = this.parts
    findings.checked('replay-differs')
    const baseless = baselessFloor(tick.checkpoint, before, begun)
    if (baseless !== undefined) {
      const message = `tick ${tick.checkpoint.seq} of partition ${tick.partition} leaves out what nothing has settled`
      const { partition, checkpoint } = tick
      findings.violated('replay-differs', message, {
        at: checkpoint.evaluatedAt,
        partition,
        taskId: baseless,
      })
    }
    const planned = this.planned(window, askedBy(model, begun, before.cursor))
    if (this.isSame(planned, tick)) return planned.next
    // The records are not all there, which is told already: without them nothing can be compared.
    if (incomplete.has(tick)) return undefined
    let differing = differingTasks(planned, tick, (taskId) => this.current.get(taskId)?.state)
    const isShared = (taskId: string) => begun.get(taskId)?.some(({ isOwn }) => !isOwn) === true
    if (differing.some(isShared)) {
      const { position } = tick.checkpoint
      const atOnce = this.planned(window, askedBy(model, begun, before.cursor, position))
      const still = new Set(differingTasks(atOnce, tick, (taskId) => this.current.get(taskId)?.state))
      const isOpen = (taskId: string) => isShared(taskId) && (begun.get(taskId)?.length ?? 0) > 1
      differing = differing.filter((taskId) => !isShared(taskId) || (still.has(taskId) && !isOpen(taskId)))
    }
    this.tell(tick, planned, differing)
    return undefined
  }

  private planned({ tick, before, taken }: Window, asked: Asked): Plan {
    const { cluster, maxDecisionsPerTick, misfireGraceMs } = this.parts.meta
    const { evaluatedAt, more, cursor } = tick.checkpoint
    const held = heldBack(this.former, this.current, asked.retired, before.cursor)
    const planned = plan({
      cluster,
      cursor: before.cursor,
      now: evaluatedAt,
      definitions: taken.flatMap((taskId) => {
        const definition = this.current.get(taskId)?.definition ?? null
        return definition === null ? [] : [raised(definition, tick.checkpoint)]
      }),
      ...asked,
      overdue: held.overdue,
      retired: [
        ...asked.retired.map((each) => ({ ...each, definition: raised(each.definition, tick.checkpoint) })),
        ...held.retired,
      ],
      // How busy workers were is not known here: what hangs on it is compared apart.
      busy: () => ({ running: 0, queued: 0 }),
      limits: { maxDecisions: maxDecisionsPerTick, misfireGraceMs },
      ...(more ? { horizon: cursor } : {}),
    })
    const isActive = (taskId: string) => this.current.get(taskId)?.state.status === 'active'
    return { ...planned, runs: planned.runs.filter(({ taskId }) => isActive(taskId)) }
  }

  /** By the checkpoint alone. */
  private isSame({ runs, skips, cursor, more }: Plan, { checkpoint, skips: recorded }: Tick): boolean {
    return (
      more === checkpoint.more &&
      isSameCursor(cursor, checkpoint.cursor) &&
      runs.length === checkpoint.runs &&
      skips.length === 0 &&
      recorded.length === 0 &&
      checkpoint.skipped === 0 &&
      runsDigest(runs.map(({ runId }) => runId)) === checkpoint.digest
    )
  }

  private tell(tick: Tick, planned: Plan, differing: readonly string[]): void {
    const { checkpoint, partition } = tick
    const where = { at: checkpoint.evaluatedAt, partition }
    const name = `tick ${checkpoint.seq} of partition ${partition}`
    const { findings } = this.parts
    if (!isSameCursor(planned.cursor, checkpoint.cursor) || planned.more !== checkpoint.more) {
      const ended = ({ cursor, more }: Pick<Plan, 'cursor' | 'more'>) =>
        `${cursor.at} ${cursor.taskId}${more ? ', cut' : ''}`
      const message = `${name} ended at ${ended(checkpoint)}; decided once more it ends at ${ended(planned)}`
      findings.violated('replay-differs', message, where)
    }
    for (const taskId of differing.slice(0, maxTold)) {
      const planOf = countsOf(planned.runs, planned.skips, taskId)
      const runs = tick.runs.map(({ run }) => run)
      const message = `${name} decided ${countsOf(runs, tick.skips, taskId)}; decided once more it is ${planOf}`
      findings.violated('replay-differs', message, { ...where, taskId })
    }
    if (differing.length > maxTold) {
      const message = `${name} differs for ${differing.length - maxTold} more tasks`
      findings.violated('replay-differs', message, where)
    }
  }
}

const maxTold = 5

const isSameCursor = (a: Before['cursor'], b: Before['cursor']): boolean =>
  compareCursor(a.at, a.taskId, b.at, b.taskId) === 0

function countsOf(
  runs: readonly { readonly taskId: string; readonly scheduledAt: number; readonly kind: string }[],
  skips: Plan['skips'],
  taskId: string,
): string {
  const parts = [
    ...runs.filter((run) => run.taskId === taskId).map((run) => `${run.kind} run of ${run.scheduledAt}`),
    ...skips
      .filter((skip) => skip.taskId === taskId)
      .map(({ reason, first, last, count, revision }) => {
        return `${count} ${reason} from ${first} to ${last} by revision ${revision}`
      }),
  ]
  const shown = parts.slice(0, 4).join(', ')
  return parts.length === 0 ? 'nothing' : parts.length > 4 ? `${shown} and ${parts.length - 4} more` : shown
}
