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
  /** The task was armed: what it has due counts from here, although ticks may have passed the time. */
  readonly isArmed: boolean
  /** The task was planned before it: ticks may have decided by another definition what lies behind the cursor. */
  readonly wasPlanned: boolean
  /** What the era before had due, and a tick had not decided by then, is skipped: from which instant, and why. */
  readonly ended: Ending | null
}

export interface Ending {
  readonly reason: 'deleted' | 'disabled' | 'quarantined' | 'superseded' | 'expired'
  /** Whose occurrences are over, as it was planned until then; null: it could not be planned. */
  readonly definition: Definition | null
  readonly state: TaskState
  /** Only what lies at or behind this is over; null: everything. */
  readonly from: Instant | null
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
        isArmed: isOwn && state.armedAt === event.metadata.at && isPlannable(state),
        wasPlanned: before !== undefined && isPlannable(before.state),
        ended: before === undefined ? null : endingOf(before, state, definition, isOwn),
      })
    }
  }
  return eras
}

function endingOf(before: Era, after: TaskState, next: Definition | null, isOwn: boolean): Ending | null {
  const { definition, state } = before
  if (!isPlannable(state)) return null
  const all = { definition, state, from: null }
  if (!isOwn) {
    // What leaves the instants alone, such as another description, ends nothing.
    const goesOn = definition !== null && next !== null && definition.since === next.since
    return goesOn ? null : { ...all, reason: 'superseded' }
  }
  if (after.status !== 'active') return { ...all, reason: 'deleted' }
  if (!after.spec.enabled) return { ...all, reason: 'disabled' }
  if (after.quarantine !== null) return { ...all, reason: 'quarantined' }
  if (after.pausedUntil !== null && after.pausedUntil !== state.pausedUntil)
    return { ...all, reason: 'disabled' }
  if (after.armedAt !== state.armedAt) return { ...all, reason: 'superseded' }
  const end = after.spec.expires
  if (end === null || end >= (state.spec.expires ?? Number.POSITIVE_INFINITY)) return null
  return { definition: definition && onlyFrom(definition, end), state, from: end, reason: 'expired' }
}

/** The ended definition with what it refers to looked up at another position. */
export function endedAsOf(model: Model, { state, from }: Ending, position: Position): Definition | null {
  const definition = model.definition(state, position)
  return definition === null || from === null ? definition : onlyFrom(definition, from)
}

const onlyFrom = (definition: Definition, from: Instant): Definition => ({
  ...definition,
  notBefore: Math.max(definition.notBefore ?? from, from),
})
