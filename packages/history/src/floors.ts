import {
  type Checkpoint,
  type Cursor,
  type Definition,
  type DueItem,
  overdueOf,
  overdueRetired,
  type Retired,
} from '@almanac/domain'
import type { Before } from './chain.js'
import type { Era } from './eras.js'

/** The definition without what the tick says an earlier one had settled behind the cursor. */
export function raised(definition: Definition, { floors = [] }: Pick<Before, 'floors'>): Definition {
  const settled = floors
    .filter(({ taskId, since }) => taskId === definition.taskId && definition.since >= since)
    .map(({ scheduledAt }) => scheduledAt)
  const since = Math.max(definition.since, ...settled)
  return since === definition.since ? definition : { ...definition, since }
}

/**
 * The first task of a floor that nothing gives: it takes occurrences away, so it is either one of the checkpoint
 * before, or of a task that is planned anew, and settles nothing behind the cursor.
 */
export function baselessFloor(
  { floors = [] }: Checkpoint,
  before: Before,
  begun: ReadonlyMap<string, readonly Era[]>,
): string | undefined {
  const known = new Set((before.floors ?? []).map((floor) => JSON.stringify(floor)))
  return floors.find(
    (floor) =>
      !known.has(JSON.stringify(floor)) &&
      !(begun.get(floor.taskId)?.[0]?.wasPlanned === true && floor.scheduledAt <= before.cursor.at),
  )?.taskId
}

/**
 * Occurrences that former definitions held back with jitter, and that those in their place have behind the cursor: due
 * by the present one, and over with those that were replaced in between.
 */
export function heldBack(
  former: ReadonlyMap<string, Era | undefined>,
  current: ReadonlyMap<string, Era>,
  retired: readonly Retired[],
  cursor: Cursor,
): { readonly overdue: readonly DueItem[]; readonly retired: readonly Retired[] } {
  const overdue: DueItem[] = []
  const over: Retired[] = []
  for (const [taskId, era] of former) {
    const before = era?.definition ?? undefined
    if (before === undefined || before.jitterMs === 0) continue
    const present = current.get(taskId)?.definition ?? undefined
    const due = present === undefined ? undefined : overdueOf(present, cursor, before)
    if (due !== undefined && present !== undefined) overdue.push({ ...due, definition: present })
    // The first one that ended is the former one itself.
    for (const each of retired.filter(({ definition }) => definition.taskId === taskId).slice(1)) {
      const ended = overdueRetired(each, cursor, before)
      if (ended !== undefined) over.push(ended)
    }
  }
  return { overdue, retired: over }
}
