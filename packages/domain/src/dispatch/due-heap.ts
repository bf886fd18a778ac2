import { compareCursor, type Occurrence } from './occurrence.js'
import type { Definition } from './types.js'

export interface DueItem extends Occurrence {
  readonly definition: Definition
}

/** A binary heap in the planner's order: dispatch instant, then task id. */
export class DueHeap {
  private readonly items: DueItem[] = []

  peek(): DueItem | undefined {
    return this.items[0]
  }

  push(item: DueItem): void {
    const { items } = this
    let hole = items.length
    items.push(item)
    while (hole > 0) {
      const above = (hole - 1) >> 1
      const parent = items[above]
      if (parent === undefined || !before(item, parent)) break
      items[hole] = parent
      hole = above
    }
    items[hole] = item
  }

  pop(): DueItem | undefined {
    const { items } = this
    const top = items[0]
    const last = items.pop()
    if (last === undefined || items.length === 0) return top
    let hole = 0
    for (;;) {
      let child = 2 * hole + 1
      let smallest = items[child]
      if (smallest === undefined) break
      const right = items[child + 1]
      if (right !== undefined && before(right, smallest)) {
        child += 1
        smallest = right
      }
      if (!before(smallest, last)) break
      items[hole] = smallest
      hole = child
    }
    items[hole] = last
    return top
  }
}

const before = (a: DueItem, b: DueItem): boolean =>
  compareCursor(a.dispatchAt, a.definition.taskId, b.dispatchAt, b.definition.taskId) < 0
