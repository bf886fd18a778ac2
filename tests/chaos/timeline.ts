import type { HistoryRecord } from '@almanac/history'

interface Mark {
  readonly at: number
  readonly offset: number
  readonly kind: 'checkpoint' | 'owner'
  readonly term: number
}

export interface Takeover {
  readonly partition: number
  readonly from: string
  readonly to: string
  /** From the owner's end to the first checkpoint of the next one. */
  readonly ms: number
}

/** When each partition got on, and in whose hands. */
export class Timeline {
  private readonly marks = new Map<number, Mark[]>()
  private readonly owners = new Map<string, string>()
  private isSorted = false
  /** When the last checkpoint was seen. */
  lastAt = 0

  add(record: HistoryRecord): void {
    if (record.kind === 'owner') this.owners.set(`${record.partition}|${record.term}`, record.nodeId)
    if (record.kind !== 'owner' && record.kind !== 'checkpoint') return
    const { partition, kind, offset, appendedAt: at } = record
    if (kind === 'checkpoint') this.lastAt = Math.max(this.lastAt, at)
    const term = kind === 'owner' ? record.term : record.checkpoint.term
    const list = this.marks.get(partition)
    if (list === undefined) this.marks.set(partition, [{ at, offset, kind, term }])
    else list.push({ at, offset, kind, term })
    this.isSorted = false
  }

  /** The longest time that a partition was without a checkpoint, of those times that touch the span; 0: none does. */
  worstGap(from: number, to: number): number {
    let worst = 0
    for (const list of this.sorted().values()) {
      let last: number | undefined
      for (const { at, kind } of list) {
        if (kind !== 'checkpoint') continue
        if (last !== undefined && at > from && last < to) worst = Math.max(worst, at - last)
        last = at
      }
    }
    return worst
  }

  /** For each partition that `nodeId` owned at that moment and another node went on with. */
  takeovers(nodeId: string, killedAt: number): readonly Takeover[] {
    return [...this.sorted()].flatMap(([partition, list]) => {
      const before = list.findLast(({ at }) => at <= killedAt)
      if (before === undefined || this.ownerOf(partition, before) !== nodeId) return []
      const next = list.find(
        (mark) => mark.at > killedAt && mark.kind === 'checkpoint' && mark.term !== before.term,
      )
      const to = next === undefined ? undefined : this.ownerOf(partition, next)
      if (next === undefined || to === undefined || to === nodeId) return []
      return [{ partition, from: nodeId, to, ms: next.at - killedAt }]
    })
  }

  private ownerOf(partition: number, { term }: Mark): string | undefined {
    return this.owners.get(`${partition}|${term}`)
  }

  private sorted(): ReadonlyMap<number, readonly Mark[]> {
    if (!this.isSorted) for (const list of this.marks.values()) list.sort((a, b) => a.offset - b.offset)
    this.isSorted = true
    return this.marks
  }
}
