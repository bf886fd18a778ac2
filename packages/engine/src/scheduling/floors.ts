import { type Cursor, type Definition, type Floor, floorOf, floorsBehind } from '@almanac/domain'
import type { NodeParts } from './node-parts.js'
import { type Asked, isPlannable } from './undecided.js'

/**
 * What the definitions that are new since the last checkpoint must leave alone, since older ones have decided it.
 * `kept`: the floors of that checkpoint, and `cursor` its cursor.
 */
export function floorsFor(
  { changed, retired }: Asked,
  kept: readonly Floor[],
  cursor: Cursor,
  { views, definitions }: Pick<NodeParts, 'views' | 'definitions'>,
): readonly Floor[] {
  const behind = floorsBehind(kept, cursor)
  if (changed.length === 0) return behind
  const met = new Set<string>()
  const replaced = retired.flatMap(({ definition }) => {
    // The first one that ended is the one that decided.
    const isFirst = !met.has(definition.taskId)
    met.add(definition.taskId)
    return isFirst ? [] : [definition]
  })
  const states = views.tasks(changed.map(({ taskId }) => taskId))
  const added = changed.flatMap(({ taskId, former }) => {
    const state = states.get(taskId)
    const current = state !== undefined && isPlannable(state) ? definitions.resolve(state) : undefined
    const present = current?.ok === true ? [current.value] : []
    const between = replaced.filter((definition) => definition.taskId === taskId)
    return [...between, ...present].flatMap((each) => safeFloorOf(each, cursor, former))
  })
  return [...behind, ...added].sort(byTask)
}

/** A schedule that throws is found when its task is placed, and quarantined there. */
function safeFloorOf(
  definition: Definition,
  cursor: Cursor,
  former: Definition | undefined,
): readonly Floor[] {
  try {
    return [floorOf(definition, cursor, former)].filter((floor) => floor !== undefined)
  } catch {
    return []
  }
}

const byTask = (a: Floor, b: Floor): number =>
  a.taskId === b.taskId ? a.since - b.since : a.taskId < b.taskId ? -1 : 1
