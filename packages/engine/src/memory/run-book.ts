import type { RunCommand, RunTotals, Skip } from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'
import type { RecordedSkip } from '../ports/run-store.js'

/** What is counted and noted beside the runs themselves. */
export class RunBook {
  private readonly counted = new Map<string, RunTotals>()
  /** In the order in which they were decided. */
  private noted: RecordedSkip[] = []
  private readonly byTask = new Map<string, RecordedSkip[]>()

  reset(taskId: string): void {
    this.counted.delete(taskId)
  }

  count({ taskId, emittedAt, scheduledAt }: RunCommand): void {
    const { totalRunCount = 0, lastRunAt = null, lastScheduledAt = null } = this.counted.get(taskId) ?? {}
    const isNewest = lastRunAt === null || emittedAt >= lastRunAt
    this.counted.set(taskId, {
      taskId,
      totalRunCount: totalRunCount + 1,
      lastRunAt: isNewest ? emittedAt : lastRunAt,
      lastScheduledAt: isNewest ? scheduledAt : lastScheduledAt,
    })
  }

  totals(taskIds: readonly string[]): ReadonlyMap<string, RunTotals> {
    const found = new Map<string, RunTotals>()
    for (const taskId of taskIds) {
      const totals = this.counted.get(taskId)
      if (totals !== undefined) found.set(taskId, totals)
    }
    return found
  }

  note(skip: Skip, partition: number, seq: number, decidedAt: Instant): void {
    const recorded = { ...skip, partition, seq, decidedAt }
    this.noted.push(recorded)
    const known = this.byTask.get(skip.taskId)
    if (known === undefined) this.byTask.set(skip.taskId, [recorded])
    else known.push(recorded)
  }

  skips(taskId: string, from: Instant, until: Instant): readonly RecordedSkip[] {
    const touching = (this.byTask.get(taskId) ?? []).filter(
      ({ first, last }) => last >= from && first <= until,
    )
    return touching.sort((a, b) => a.first - b.first)
  }

  /** Of the oldest `max` skips, forgets those decided before; answers how many. */
  prune(before: Instant, max: number): number {
    const old = new Set(this.noted.slice(0, max).filter(({ decidedAt }) => decidedAt < before))
    if (old.size === 0) return 0
    this.noted = this.noted.filter((skip) => !old.has(skip))
    for (const taskId of new Set([...old].map((skip) => skip.taskId))) {
      const left = (this.byTask.get(taskId) ?? []).filter((skip) => !old.has(skip))
      if (left.length === 0) this.byTask.delete(taskId)
      else this.byTask.set(taskId, left)
    }
    return old.size
  }
}
