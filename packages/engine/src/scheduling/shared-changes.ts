import type { Lookups, Position, RecordedEvent, TaskState } from '@almanac/domain'
import type { Change } from '../projection/projector.js'
import type { Definitions } from './definitions.js'
import type { PartitionOwner } from './partition-owner.js'

/** The tasks of a page that were changed behind a position. */
export const changedAfter = (changes: readonly Change[], position: Position): ReadonlySet<string> =>
  new Set(
    changes.flatMap((change) =>
      change.kind === 'task' && change.event.position > position ? [change.after.taskId] : [],
    ),
  )

/**
 * Plans the task anew; what it had due by what it referred to until then is superseded. `had`: the task as it was,
 * if it referred to it then.
 */
export function reschedule(
  owner: PartitionOwner,
  { had, state }: { readonly had: TaskState | undefined; readonly state: TaskState },
  { former, present }: { readonly former: Lookups | undefined; readonly present: Lookups },
  definitions: Definitions,
  { position, metadata }: RecordedEvent,
): void {
  const before = former === undefined || had === undefined ? undefined : definitions.resolve(had, former)
  const after = definitions.resolve(state, present)
  // A change of words alone ends nothing.
  const isSame = before?.ok === true && after.ok && before.value.since === after.value.since
  const ended = before?.ok === true && !isSame ? before.value : undefined
  owner.rescheduled(state.taskId, ended, metadata.at, position)
}

/** What tasks referred to before the change; undefined when that did not exist. */
export function formerLookups(
  change: Change & { readonly kind: 'schedule' | 'calendar' },
  current: Lookups,
): Lookups | undefined {
  if (change.kind === 'schedule') {
    const { before } = change
    return before === undefined ? undefined : { ...current, schedule: () => before }
  }
  const { before } = change
  if (before === undefined) return undefined
  const { name, days } = before.spec
  return {
    ...current,
    calendar: (asked) => (asked === name ? days : current.calendar(asked)),
    calendarChangedAt: (asked) => (asked === name ? before.changedAt : current.calendarChangedAt?.(asked)),
  }
}
