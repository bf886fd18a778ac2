import type { Definition, Position, RecordedEvent, TaskState } from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'
import { isPlannable, type Model, type TaskLine } from './model.js'

/** A stretch of positions in which a task was planned in one way. */
export interface Era {
  readonly task: TaskLine
  /** From the position of the event that began it... */
  readonly from: Position
  /** ...to before that of the next one; Infinity: it still holds. */
  readonly to: Position
  /** The event that began it: the task's own, or of a schedule or calendar that it uses. */
  readonly event: RecordedEvent
  readonly at: Instant
  readonly isOwn: boolean
  readonly state: TaskState
  /** Null: nothing was due in it: the task was off, deleted, or could not be planned. */
  readonly definition: Definition | null
  /** The task was created or enabled: what it has due counts from here, although ticks may have passed the time. */
  readonly isArmed: boolean
  /** What the era before had due, and a tick had not decided by then, is skipped: from which instant, and why. */
  readonly ended: Ending | null
}

export interface Ending {
  /** Null: it is not known any more how the task was planned. */
  readonly definition: Definition | null
  readonly reason: 'deleted' | 'disabled' | 'quarantined' | 'superseded' | 'expired'
}

/** The task's eras, without a gap from its first event on. */
export function erasOf(model: Model, task: TaskLine): readonly Era[] {
  const eras: Era[] = []
  for (const [index, { position, event, state }] of task.versions.entries()) {
    const next = task.versions[index + 1]?.position ?? Number.POSITIVE_INFINITY
    const changes = [event, ...model.sharedChangesOf(state, position, next)]
    for (const [nth, change] of changes.entries()) {
      const before = eras.at(-1)
      const definition = isPlannable(state) ? model.definition(state, change.position) : null
      const isOwn = nth === 0
      eras.push({
        task,
        from: change.position,
        to: changes[nth + 1]?.position ?? next,
        event: change,
        at: change.metadata.at,
        isOwn,
        state,
        definition,
        isArmed: isOwn && isArming(before?.state, state, event),
        ended: before === undefined ? null : endingOf(before, state, definition, isOwn),
      })
    }
  }
  return eras
}

const isArming = (before: TaskState | undefined, after: TaskState, event: RecordedEvent): boolean =>
  after.armedAt === event.metadata.at && isPlannable(after) && (before === undefined || !isPlannable(before))

function endingOf(before: Era, after: TaskState, next: Definition | null, isOwn: boolean): Ending | null {
  const { definition } = before
  if (!isPlannable(before.state)) return null
  if (!isOwn) {
    // What leaves the instants alone, such as another description, ends nothing.
    const goesOn = definition !== null && next !== null && definition.since === next.since
    return goesOn ? null : { definition, reason: 'superseded' }
  }
  if (after.status !== 'active') return { definition, reason: 'deleted' }
  if (!after.spec.enabled) return { definition, reason: 'disabled' }
  if (after.quarantine !== null) return { definition, reason: 'quarantined' }
  if (after.armedAt !== before.state.armedAt) return { definition, reason: 'superseded' }
  const end = after.spec.expires
  if (end === null || end >= (before.state.spec.expires ?? Number.POSITIVE_INFINITY)) return null
  // With an earlier end only what lies behind that is over.
  const over = definition && { ...definition, notBefore: Math.max(definition.notBefore ?? end, end) }
  return { definition: over, reason: 'expired' }
}
