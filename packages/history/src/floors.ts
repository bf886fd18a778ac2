import type { Checkpoint, Definition } from '@almanac/domain'
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
