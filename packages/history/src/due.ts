import type { Cursor } from '@almanac/domain'
import { compareCursor } from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'

interface Entry {
  readonly at: Instant
  readonly taskId: string
}

/** Tasks by when they are due next. An entry that no longer holds is dropped when it comes up. */
export class Due {
  private readonly heap: Entry[] = []
  private readonly dueAt = new Map<string, Instant>()

  clear(): void {
    this.heap.length = 0
    this.dueAt.clear()
  }

  /** `at`: null: never again. */
  set(taskId: string, at: Instant | null): void {
    if (at === null) {
      this.dueAt.delete(taskId)
      return
    }
    if (this.dueAt.get(taskId) === at) return
    this.dueAt.set(taskId, at)
    const { heap } = this
    let index = heap.length
    heap.push({ at, taskId })
    while (index > 0) {
      const parent = (index - 1) >>> 1
      if (!this.swapIfLess(index, parent)) return
      index = parent
    }
  }

  /** Takes out those that are due by `until`, in order. */
  take(until: Cursor): readonly string[] {
    const taken: string[] = []
    for (let top = this.heap[0]; top !== undefined; top = this.heap[0]) {
      if (compareCursor(top.at, top.taskId, until.at, until.taskId) > 0) break
      this.pop()
      if (this.dueAt.get(top.taskId) !== top.at) continue
      this.dueAt.delete(top.taskId)
      taken.push(top.taskId)
    }
    return taken
  }

  private pop(): void {
    const { heap } = this
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    heap[0] = last
    for (let index = 0; ; ) {
      const left = 2 * index + 1
      const right = left + 1
      const child = right < heap.length && this.isLess(right, left) ? right : left
      if (child >= heap.length || !this.swapIfLess(child, index)) return
      index = child
    }
  }

  private isLess(a: number, b: number): boolean {
    const first = this.heap[a]
    const second = this.heap[b]
    return (
      first !== undefined &&
      second !== undefined &&
      compareCursor(first.at, first.taskId, second.at, second.taskId) < 0
    )
  }

  private swapIfLess(a: number, b: number): boolean {
    const { heap } = this
    const first = heap[a]
    const second = heap[b]
    if (first === undefined || second === undefined || !this.isLess(a, b)) return false
    heap[a] = second
    heap[b] = first
    return true
  }
}
