/** Something that will happen. Taking it back is a matter of emptying it: it is dropped when its turn comes. */
export interface Entry {
  readonly at: number
  readonly sequence: number
  action: (() => void) | undefined
}

/** What will happen, by time and then by when it was entered: a binary heap. */
export class Agenda {
  private readonly entries: Entry[] = []
  private sequence = 0

  add(at: number, action: () => void): Entry {
    const entry: Entry = { at, sequence: this.sequence, action }
    this.sequence += 1
    this.rise(entry)
    return entry
  }

  /** Takes out the first entry at or before `end`. Those that were taken back are skipped, as if never entered. */
  next(end: number): Entry | undefined {
    for (;;) {
      const first = this.entries[0]
      if (first === undefined || (first.at > end && first.action !== undefined)) return undefined
      this.removeFirst()
      if (first.action !== undefined) return first
    }
  }

  private rise(entry: Entry): void {
    const { entries } = this
    let index = entries.length
    entries.push(entry)
    while (index > 0) {
      const above = (index - 1) >> 1
      const parent = entries[above]
      if (parent === undefined || isBefore(parent, entry)) break
      entries[index] = parent
      index = above
    }
    entries[index] = entry
  }

  private removeFirst(): void {
    const { entries } = this
    const last = entries.pop()
    if (last === undefined || entries.length === 0) return
    let index = 0
    for (;;) {
      const left = 2 * index + 1
      let child = entries[left]
      if (child === undefined) break
      const right = entries[left + 1]
      const isRight = right !== undefined && isBefore(right, child)
      if (isRight) child = right
      if (isBefore(last, child)) break
      entries[index] = child
      index = isRight ? left + 1 : left
    }
    entries[index] = last
  }
}

const isBefore = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.sequence < b.sequence)
