import { type Cursor, type Definition, type Floor, floorOf, floorsBehind } from '@almanac/domain'
import type { NodeParts } from './node-parts.js'
import { type Asked, isPlannable } from './undecided.js'

/**
 * What the definitions that are new since the last checkpoint must leave alone, since older ones have decided it.
 * `kept`: the floors of that checkpoint, and `cursor` its cursor.
 */
export function floorsFor(
  { rearmed, retired }: Asked,
  kept: readonly Floor[],
  cursor: Cursor,
  { views, definitions }: Pick<NodeParts, 'views' | 'definitions'>,
): readonly Floor[] {
  const behind = floorsBehind(kept, cursor)
  if (rearmed.length === 0) return behind
  const isNew = new Set(rearmed)
  const met = new Set<string>()
  const replaced = retired.flatMap(({ definition }) => {
    // The first one that ended is the one that decided.
    const isFirst = !met.has(definition.taskId)
    met.add(definition.taskId)
    return isFirst || !isNew.has(definition.taskId) ? [] : [definition]
  })
  const current = [...views.tasks(rearmed).values()].flatMap((state) => {
    const definition = isPlannable(state) ? definitions.resolve(state) : undefined
    return definition?.ok === true ? [definition.value] : []
  })
  const added = [...replaced, ...current].flatMap((each) => safeFloorOf(each, cursor))
  return [...behind, ...added].sort(byTask)
}

/** A schedule that throws is found when its task is placed, and quarantined there. */
function safeFloorOf(definition: Definition, cursor: Cursor): readonly Floor[] {
  try {
    return [floorOf(definition, cursor)].filter((floor) => floor !== undefined)
  } catch {
    return []
  }
}

const byTask = (a: Floor, b: Floor): number =>
  a.taskId === b.taskId ? a.since - b.since : a.taskId < b.taskId ? -1 : 1
