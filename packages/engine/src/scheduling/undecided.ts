import {
  backfilled,
  type Definition,
  type Lookups,
  type Position,
  type Request,
  type Retired,
  type SkipReason,
  type TaskBackfillRequested,
  type TaskState,
  type TaskTriggered,
} from '@almanac/domain'
import type { Change } from '../projection/projector.js'
import type { Definitions } from './definitions.js'

/** What a tick at some position has to decide beside what is due. */
export interface Asked {
  readonly retired: readonly Retired[]
  /** Tasks that were armed before the cursor and that no tick has planned yet. */
  readonly armed: readonly string[]
  readonly requests: readonly Request[]
  /** Tasks whose totals start again. */
  readonly resets: readonly string[]
  /** Tasks with jitter that the last checkpoint had planned, and that have changed since. */
  readonly changed: readonly Jittered[]
}

export interface Jittered {
  readonly taskId: string
  /** How the last checkpoint had planned it, if with jitter. */
  readonly former: Definition | undefined
}

/** One change of a task, or of what it refers to, since the last checkpoint. */
interface Step {
  readonly position: Position
  readonly wasPlannable: boolean
  /** How it was planned before, if with jitter. */
  readonly former: Definition | undefined
  readonly hasJitter: boolean
}

/**
 * What the events since the last checkpoint left for the next tick: definitions that ended with something due,
 * and runs that were asked for. Kept with the position of their event, so each is decided exactly once.
 */
export class Undecided {
  private readonly definitions: Definitions
  private retired: { readonly position: Position; readonly retired: Retired }[] = []
  private armed: { readonly position: Position; readonly taskId: string }[] = []
  private resets: { readonly position: Position; readonly taskId: string }[] = []
  private requests: { readonly position: Position; readonly request: Request }[] = []
  /** By task. */
  private readonly steps = new Map<string, Step[]>()
  /** Those with a step that jitter has to do with: few, and asked for at each tick. */
  private readonly jittered = new Set<string>()

  constructor(definitions: Definitions) {
    this.definitions = definitions
  }

  get isEmpty(): boolean {
    return [this.retired, this.requests, this.resets, this.armed].every((items) => items.length === 0)
  }

  /** `lookups`: what the task refers to, as it was then; left out for an event that is applied just now. */
  add(change: Change & { readonly kind: 'task' }, lookups?: Lookups): void {
    const { event, before, after } = change
    const { position } = event
    const { at } = event.metadata
    const request = this.requestOf(event.type, event.id, event.data, at, after)
    if (request !== undefined) this.requests.push({ position, request })
    const wasPlannable = before !== undefined && isPlannable(before)
    const former =
      wasPlannable && before.spec.jitterSeconds > 0 ? this.definitions.resolve(before, lookups) : undefined
    this.step(after.taskId, {
      position,
      wasPlannable,
      former: former?.ok === true ? former.value : undefined,
      hasJitter: after.spec.jitterSeconds > 0 || former !== undefined,
    })
    if (event.type === 'TaskHistoryReset') this.resets.push({ position, taskId: after.taskId })
    if (before === undefined || !isPlannable(before)) return
    const reason = endingReason(before, after)
    const end = after.spec.expires
    if (reason === undefined && (end === null || end >= (before.spec.expires ?? Number.POSITIVE_INFINITY)))
      return
    const definition = this.definitions.resolve(before, lookups)
    if (!definition.ok) return
    // With an earlier end only what lies behind that is over.
    const over =
      reason === undefined && end !== null
        ? { ...definition.value, notBefore: Math.max(definition.value.notBefore ?? end, end) }
        : definition.value
    this.retired.push({ position, retired: { definition: over, until: at, reason: reason ?? 'expired' } })
  }

  /** What the task refers to has changed; `former`: how it was planned until then. */
  referredChanged(former: Definition, position: Position): void {
    const { taskId, jitterMs } = former
    this.step(taskId, { position, wasPlannable: true, former, hasJitter: jitterMs > 0 })
  }

  private step(taskId: string, step: Step): void {
    if (step.hasJitter) this.jittered.add(taskId)
    const steps = this.steps.get(taskId)
    if (steps === undefined) this.steps.set(taskId, [step])
    else steps.push(step)
  }

  /** A shared schedule that the task uses has changed: what the old one had due is superseded. */
  supersede(definition: Definition, until: number, position: Position): void {
    this.retired.push({ position, retired: { definition, until, reason: 'superseded' } })
  }

  /** The task was armed by an event that came after ticks had passed its time. */
  arm(taskId: string, position: Position): void {
    this.armed.push({ position, taskId })
  }

  /** Whether a tick still has to decide what the task had due before the cursor. */
  isArmed(taskId: string): boolean {
    return this.armed.some((item) => item.taskId === taskId)
  }

  /** Whether the task was not planned by the last checkpoint: all that it had since is undecided. */
  isUnseen(taskId: string): boolean {
    const [first] = this.steps.get(taskId) ?? []
    return first?.wasPlannable === false
  }

  /** What is to be decided by a tick at `position`. */
  upTo(position: Position): Asked {
    // The first step since the last checkpoint tells whether that had planned the task.
    const firstOf = (taskId: string) => {
      const [first] = this.steps.get(taskId) ?? []
      return first !== undefined && first.position <= position ? first : undefined
    }
    const isDue = (item: { readonly position: Position }) => item.position <= position
    return {
      changed: [...this.jittered].flatMap((taskId) => {
        const first = firstOf(taskId)
        const hasJitter = this.steps.get(taskId)?.some((step) => step.hasJitter && step.position <= position)
        return hasJitter === true && first?.wasPlannable === true ? [{ taskId, former: first.former }] : []
      }),
      resets: this.resets.filter(isDue).map((item) => item.taskId),
      // What lies before the cursor the task's former definition has decided, if it had one.
      armed: [...new Set(this.armed.filter(isDue).map((item) => item.taskId))].filter(
        (taskId) => firstOf(taskId)?.wasPlannable !== true,
      ),
      retired: this.retired.filter(isDue).map(({ retired }) => {
        const isUnseen = firstOf(retired.definition.taskId)?.wasPlannable === false
        return isUnseen ? { ...retired, isUnseen } : retired
      }),
      requests: this.requests.filter(isDue).map((item) => item.request),
    }
  }

  /** A checkpoint with that position has been committed. */
  settled(position: Position): void {
    this.retired = this.retired.filter((item) => item.position > position)
    this.requests = this.requests.filter((item) => item.position > position)
    this.armed = this.armed.filter((item) => item.position > position)
    this.resets = this.resets.filter((item) => item.position > position)
    for (const [taskId, steps] of this.steps) {
      const left = steps.filter((step) => step.position > position)
      if (left.length === 0) this.steps.delete(taskId)
      else this.steps.set(taskId, left)
      if (!left.some(({ hasJitter }) => hasJitter)) this.jittered.delete(taskId)
    }
  }

  private requestOf(
    type: string,
    eventId: string,
    data: unknown,
    at: number,
    task: TaskState,
  ): Request | undefined {
    const { taskId, namespace, revision } = task
    if (type === 'TaskTriggered') {
      const { args, kwargs } = data as TaskTriggered
      const override = {
        ...(args === undefined ? {} : { args }),
        ...(kwargs === undefined ? {} : { kwargs }),
      }
      return { taskId, namespace, revision, eventId, kind: 'manual', instants: [at], override }
    }
    if (type === 'TaskBackfillRequested') {
      const definition = this.definitions.resolve(task)
      if (!definition.ok) return undefined
      const instants = backfilled(definition.value.recurrence, data as TaskBackfillRequested)
      return { taskId, namespace, revision, eventId, kind: 'backfill', instants }
    }
    return undefined
  }
}

/** Why the occurrences that `before` still had due will not run; undefined when they still will. */
function endingReason(before: TaskState, after: TaskState): SkipReason | undefined {
  if (after.status !== 'active') return 'deleted'
  if (!after.spec.enabled) return 'disabled'
  if (after.quarantine !== null) return 'quarantined'
  if (after.pausedUntil !== null && after.pausedUntil !== before.pausedUntil) return 'disabled'
  return after.armedAt !== before.armedAt ? 'superseded' : undefined
}

/** Only these are in the due index. */
export const isPlannable = (state: TaskState): boolean =>
  state.status === 'active' && state.spec.enabled && state.quarantine === null
