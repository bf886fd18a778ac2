import { compareCursor } from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'

/**
 * The tasks of one partition by when they are due next: a binary heap over typed arrays, ordered by (due
 * instant, task id) as the planner decides. 8 + 4 + 4 bytes a task beside its id, so a node holds millions.
 */
export class DueIndex {
  private ids: string[] = []
  private due = new Float64Array(16)
  private heap = new Int32Array(16)
  /** Where a handle stands in the heap. */
  private place = new Int32Array(16)
  private size = 0
  private readonly free: number[] = []
  private readonly handles = new Map<string, number>()

  /** Number of tasks that are due some time. */
  get length(): number {
    return this.size
  }

  /** The earliest due instant, or undefined when empty. */
  peek(): Instant | undefined {
    const top = this.heap[0]
    return this.size === 0 || top === undefined ? undefined : this.due[top]
  }

  dueOf(taskId: string): Instant | undefined {
    const handle = this.handles.get(taskId)
    return handle === undefined ? undefined : this.due[handle]
  }

  set(taskId: string, at: Instant): void {
    let handle = this.handles.get(taskId)
    if (handle === undefined) {
      handle = this.allocate(taskId)
      this.due[handle] = at
      this.heap[this.size] = handle
      this.place[handle] = this.size
      this.size += 1
      this.up(this.size - 1)
      return
    }
    this.due[handle] = at
    const place = this.place[handle] ?? 0
    this.up(place)
    this.down(this.place[handle] ?? 0)
  }

  remove(taskId: string): void {
    const handle = this.handles.get(taskId)
    if (handle === undefined) return
    this.removeAt(this.place[handle] ?? 0)
    this.handles.delete(taskId)
    this.ids[handle] = ''
    this.free.push(handle)
  }

  /** Takes out at most `max` tasks that are due by `now`, in order. They have to be set again. */
  take(now: Instant, max: number): { readonly taskId: string; readonly due: Instant }[] {
    const taken: { taskId: string; due: Instant }[] = []
    while (taken.length < max) {
      const top = this.heap[0]
      if (this.size === 0 || top === undefined) break
      const due = this.due[top] ?? 0
      if (due > now) break
      const taskId = this.ids[top] ?? ''
      this.remove(taskId)
      taken.push({ taskId, due })
    }
    return taken
  }

  private allocate(taskId: string): number {
    const handle = this.free.pop() ?? this.ids.length
    if (handle >= this.due.length) this.grow()
    this.ids[handle] = taskId
    this.handles.set(taskId, handle)
    return handle
  }

  private grow(): void {
    const length = this.due.length * 2
    const due = new Float64Array(length)
    due.set(this.due)
    const heap = new Int32Array(length)
    heap.set(this.heap)
    const place = new Int32Array(length)
    place.set(this.place)
    this.due = due
    this.heap = heap
    this.place = place
  }

  private removeAt(place: number): void {
    this.size -= 1
    const moved = this.heap[this.size]
    if (place === this.size || moved === undefined) return
    this.heap[place] = moved
    this.place[moved] = place
    this.up(place)
    this.down(this.place[moved] ?? 0)
  }

  private before(a: number, b: number): boolean {
    return compareCursor(this.due[a] ?? 0, this.ids[a] ?? '', this.due[b] ?? 0, this.ids[b] ?? '') < 0
  }

  private up(start: number): void {
    let place = start
    while (place > 0) {
      const above = (place - 1) >> 1
      if (!this.before(this.heap[place] ?? 0, this.heap[above] ?? 0)) return
      this.swap(place, above)
      place = above
    }
  }

  private down(start: number): void {
    let place = start
    for (;;) {
      let child = 2 * place + 1
      if (child >= this.size) return
      if (child + 1 < this.size && this.before(this.heap[child + 1] ?? 0, this.heap[child] ?? 0)) child += 1
      if (!this.before(this.heap[child] ?? 0, this.heap[place] ?? 0)) return
      this.swap(place, child)
      place = child
    }
  }

  private swap(a: number, b: number): void {
    const left = this.heap[a] ?? 0
    const right = this.heap[b] ?? 0
    this.heap[a] = right
    this.heap[b] = left
    this.place[right] = a
    this.place[left] = b
  }
}
