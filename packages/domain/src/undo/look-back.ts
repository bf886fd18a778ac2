import type { Problem } from '@almanac/recurrence'
import { sameJson } from '../canonical.js'
import type { RecordedEvent, Revision } from '../event.js'
import { type Refusal, refuse } from '../refusal.js'

/** What tasks, shared schedules and calendars have in common. */
export interface Undoable {
  readonly spec: object
  readonly status: string
  /** Of tasks. */
  readonly pausedUntil?: number | null
  readonly cancelled?: readonly number[]
  readonly moved?: readonly object[]
}

/** A field and its two values; undefined: there was none. `status` stands for whether there is such a thing at all. */
export interface FieldDiff {
  readonly field: string
  readonly before: unknown
  readonly after: unknown
}

/** A field that a change set and that a later one changed again. */
export interface Conflict extends FieldDiff {
  /** Of the later change. */
  readonly revision: Revision
}

/** One change of a stream, seen from now. */
export interface LookBack<S> {
  readonly undone: RecordedEvent
  readonly before: S | undefined
  readonly after: S
  readonly current: S
  /** Of each field that was changed after it, the last change. */
  readonly changedLater: ReadonlyMap<string, Revision>
}

/** How to take a change back. `changes`: what the command sets, from the present value to the former one. */
export interface Undoing<C> {
  readonly command: C
  readonly changes: readonly FieldDiff[]
  readonly conflicts: readonly Conflict[]
}

type Fields = { readonly [name: string]: unknown }
const fieldsOf = (state: Undoable | undefined): Fields => {
  if (state === undefined) return {}
  const { spec, status, pausedUntil, cancelled, moved } = state
  return {
    ...spec,
    status,
    ...(pausedUntil == null ? {} : { pausedUntil }),
    ...(cancelled === undefined || cancelled.length === 0 ? {} : { cancelled }),
    ...(moved === undefined || moved.length === 0 ? {} : { moved }),
  }
}

const same = (a: unknown, b: unknown): boolean =>
  a === undefined || b === undefined ? a === b : sameJson(a, b)

/** Field by field, what tells two states apart. */
export function diffOf(before: Undoable | undefined, after: Undoable | undefined): readonly FieldDiff[] {
  const [from, to] = [fieldsOf(before), fieldsOf(after)]
  return [...new Set([...Object.keys(from), ...Object.keys(to)])]
    .map((field) => ({ field, before: from[field], after: to[field] }))
    .filter((change) => !same(change.before, change.after))
}

/** Folds a whole stream around its event of that revision. Undefined: there is none, or it left no state. */
export function lookBack<S extends Undoable>(
  events: readonly RecordedEvent[],
  revision: Revision,
  evolve: (state: S | undefined, event: RecordedEvent) => S | undefined,
): LookBack<S> | undefined {
  let found: Pick<LookBack<S>, 'undone' | 'before' | 'after'> | undefined
  let current: S | undefined
  const changedLater = new Map<string, Revision>()
  for (const event of events) {
    const next = evolve(current, event)
    if (event.revision === revision && next !== undefined) {
      found = { undone: event, before: current, after: next }
    } else if (event.revision > revision) {
      for (const { field } of diffOf(current, next)) changedLater.set(field, event.revision)
    }
    current = next
  }
  return found === undefined || current === undefined ? undefined : { ...found, current, changedLater }
}

/**
 * What is left to set back of the fields that the change set. A field that has its former value again is done. One that
 * was changed later is a conflict, whatever its value is now: who changed it meant it.
 */
export function leftToUndo<S extends Undoable>({
  before,
  after,
  current,
  changedLater,
}: LookBack<S>): Omit<Undoing<never>, 'command'> {
  const now = fieldsOf(current)
  const left = diffOf(before, after).filter((change) => !same(now[change.field], change.before))
  return {
    changes: left.map((change) => ({
      field: change.field,
      before: now[change.field],
      after: change.before,
    })),
    conflicts: left.flatMap(({ field, after: set }) => {
      const revision = changedLater.get(field)
      return revision === undefined ? [] : [{ field, before: set, after: now[field], revision }]
    }),
  }
}

/** For what was created: everything that was changed since would be lost with it. */
export function leftToDelete<S extends Undoable>({
  after,
  current,
  changedLater,
}: LookBack<S>): Omit<Undoing<never>, 'command'> {
  const [set, now] = [fieldsOf(after), fieldsOf(current)]
  return {
    changes: current.status === 'active' ? [{ field: 'status', before: 'active', after: 'deleted' }] : [],
    conflicts: [...changedLater].map(([field, revision]) => ({
      field,
      before: set[field],
      after: now[field],
      revision,
    })),
  }
}

/** The refusal to take back what others have changed again: it names the fields. */
export function undoConflict(conflicts: readonly Conflict[]): Refusal {
  const fields = conflicts.map(({ field }) => field).join(', ')
  const problems: readonly Problem[] = conflicts.map(({ field, before, after, revision }) => ({
    path: field,
    code: 'changed_since',
    message: `was ${shown(before)} after this change; revision ${revision} changed it, and it is ${shown(after)} now`,
  }))
  return refuse('undo_conflict', `changed again since: ${fields}`, problems).error
}

const shown = (value: unknown): string => {
  const text = value === undefined ? 'nothing' : JSON.stringify(value)
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}

export const notUndoable = (why: string) => refuse('not_undoable', why)
