import {
  type Cursor,
  type DueItem,
  type Floor,
  floorOf,
  floorsBehind,
  overdueOf,
  overdueRetired,
  type Retired,
  raised,
} from '@almanac/domain'
import type { NodeParts } from './node-parts.js'
import { type Asked, isPlannable } from './undecided.js'

/** What jitter asks of the tick that is the first to apply a change. */
export interface Carried {
  readonly floors: readonly Floor[]
  /** Held back by a former definition, and behind the cursor by the present one. */
  readonly overdue: readonly DueItem[]
  /** What is over, with what is held back by former ones and without what they have settled. */
  readonly retired: readonly Retired[]
}

/**
 * What the definitions that are new since the last checkpoint must leave alone, since older ones have decided it, and
 * what they must take up, since older ones have left it. `kept`: the floors of that checkpoint, `cursor`: its cursor.
 */
export function carriedOver(
  { changed, retired }: Asked,
  kept: readonly Floor[],
  cursor: Cursor,
  { views, definitions }: Pick<NodeParts, 'views' | 'definitions'>,
): Carried {
  const behind = floorsBehind(kept, cursor)
  const above = (floors: readonly Floor[]) =>
    retired.map((each) => ({ ...each, definition: raised(each.definition, floors) }))
  if (changed.length === 0) return { floors: behind, overdue: [], retired: above(behind) }
  const former = new Map(changed.map((each) => [each.taskId, each.former]))
  const met = new Set<string>()
  const replaced = retired.filter(({ definition: { taskId } }) => {
    // The first one that ended is the one that decided.
    const isFirst = !met.has(taskId)
    met.add(taskId)
    return !isFirst && former.has(taskId)
  })
  const states = views.tasks([...former.keys()])
  const present = [...states.values()].flatMap((state) => {
    const definition = isPlannable(state) ? definitions.resolve(state) : undefined
    return definition?.ok === true ? [definition.value] : []
  })
  const added = [...replaced.map(({ definition }) => definition), ...present].flatMap((each) =>
    guarded(() => floorOf(each, cursor, former.get(each.taskId))),
  )
  const floors = [...behind, ...added].sort(byTask)
  const heldBack = replaced.flatMap((each) =>
    guarded(() => overdueRetired(each, cursor, former.get(each.definition.taskId))),
  )
  return {
    floors,
    overdue: present.flatMap((definition) =>
      guarded(() => overdueOf(definition, cursor, former.get(definition.taskId))).map((occurrence) => ({
        ...occurrence,
        definition,
      })),
    ),
    retired: [...above(floors), ...heldBack],
  }
}

/** A schedule that throws is found when its task is placed, and quarantined there. */
function guarded<T>(work: () => T | undefined): readonly T[] {
  try {
    const found = work()
    return found === undefined ? [] : [found]
  } catch {
    return []
  }
}

const byTask = (a: Floor, b: Floor): number =>
  a.taskId === b.taskId ? a.since - b.since : a.taskId < b.taskId ? -1 : 1
