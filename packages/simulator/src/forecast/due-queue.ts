/** Handles by when each is due: a binary heap over typed arrays. Of equal keys the smaller handle is first. */
export class DueQueue {
  private readonly keys: Float64Array
  private readonly handles: Int32Array
  private size = 0

  /** No more than `capacity` handles are in it at once. */
  constructor(capacity: number) {
    this.keys = new Float64Array(capacity)
    this.handles = new Int32Array(capacity)
  }

  get length(): number {
    return this.size
  }

  /** The smallest key; Infinity when empty. */
  peek(): number {
    return this.size === 0 ? Number.POSITIVE_INFINITY : (this.keys[0] ?? 0)
  }

  push(key: number, handle: number): void {
    const { keys, handles } = this
    let hole = this.size
    this.size += 1
    while (hole > 0) {
      const above = (hole - 1) >> 1
      const other = keys[above] ?? 0
      if (other < key || (other === key && (handles[above] ?? 0) < handle)) break
      this.move(above, hole)
      hole = above
    }
    keys[hole] = key
    handles[hole] = handle
  }

  /** Takes out the handle of the smallest key; -1 when empty. */
  pop(): number {
    const { keys, handles } = this
    if (this.size === 0) return -1
    const top = handles[0] ?? -1
    this.size -= 1
    const key = keys[this.size] ?? 0
    const handle = handles[this.size] ?? 0
    let hole = 0
    for (;;) {
      let child = 2 * hole + 1
      if (child >= this.size) break
      if (child + 1 < this.size && this.isBefore(child + 1, keys[child] ?? 0, handles[child] ?? 0)) child += 1
      if (!this.isBefore(child, key, handle)) break
      this.move(child, hole)
      hole = child
    }
    keys[hole] = key
    handles[hole] = handle
    return top
  }

  private isBefore(place: number, key: number, handle: number): boolean {
    const here = this.keys[place] ?? 0
    return here < key || (here === key && (this.handles[place] ?? 0) < handle)
  }

  private move(from: number, to: number): void {
    this.keys[to] = this.keys[from] ?? 0
    this.handles[to] = this.handles[from] ?? 0
  }
}
