// Who had which partition when, by what is in the log: a reign is what one claim of a partition has committed.

import { parseRunMessage } from '@almanac/protocol'

export class Reigns {
  /** By partition, in order of their terms. */
  #reigns = new Map()
  #cursors = new Map()

  /** What `Committed` calls; `onRun` answers the run. */
  callbacks() {
    return {
      onOwner: ({ nodeId, term }, { partition }) => {
        this.#reign(partition, term).nodeId = nodeId
      },
      onCheckpoint: ({ term, cursor }, { partition, appendedAt }) => {
        this.#reign(partition, term).firstCheckpointAt ??= appendedAt
        this.#cursors.set(partition, cursor.at)
      },
      onRun: (record) => {
        const { run, term } = parseRunMessage(record.value)
        const reign = this.#reign(run.partition, term)
        reign.firstRunAt ??= record.appendedAt
        reign.firstRunAt = Math.min(reign.firstRunAt, record.appendedAt)
        reign.lastRunAt = Math.max(reign.lastRunAt ?? 0, record.appendedAt)
        return run
      },
    }
  }

  /** Everything before this is decided. */
  decidedUntil(partition) {
    return this.#cursors.get(partition) ?? 0
  }

  /** The last one that has committed something; undefined: none. */
  owner(partition) {
    return this.#of(partition).findLast(({ firstCheckpointAt }) => firstCheckpointAt !== undefined)?.nodeId
  }

  /**
   * How each of these partitions went on after `node` was told to end: milliseconds until another one's first
   * checkpoint, and between the last run before and the first run after. Undefined: not all have gone on.
   */
  after(node, at, partitions) {
    const moved = partitions.map((partition) => {
      const all = this.#of(partition)
      const last = all.findLastIndex(({ nodeId, lastRunAt }) => nodeId === node && lastRunAt !== undefined)
      const next = all.slice(last + 1).find((one) => one.nodeId !== node && one.firstRunAt !== undefined)
      const before = all[last]?.lastRunAt
      const hasGoneOn = next?.firstCheckpointAt !== undefined && next.nodeId !== undefined
      if (!hasGoneOn || before === undefined) return undefined
      return { takenMs: next.firstCheckpointAt - at, gapMs: next.firstRunAt - before }
    })
    return moved.includes(undefined) ? undefined : moved
  }

  #of(partition) {
    return this.#reigns.get(partition) ?? []
  }

  #reign(partition, term) {
    const all = this.#reigns.get(partition) ?? []
    this.#reigns.set(partition, all)
    let reign = all.find((one) => one.term === term)
    if (reign === undefined) {
      reign = { term }
      all.push(reign)
      all.sort((a, b) => a.term - b.term)
    }
    return reign
  }
}

/** Runs of tasks that are due at every whole second from `first` on. */
export class Grid {
  #first
  #seen = new Map()
  offGrid = 0

  constructor(first) {
    this.#first = first
  }

  take({ taskId, scheduledAt }) {
    const second = (scheduledAt - this.#first) / 1_000
    if (!Number.isInteger(second) || second < 0) {
      this.offGrid += 1
      return
    }
    const seen = this.#seen.get(taskId) ?? []
    this.#seen.set(taskId, seen)
    seen[second] = (seen[second] ?? 0) + 1
  }

  /** What there should be of each task by now, and is not there, or more than once. */
  judge(taskIds, decidedUntil) {
    const sum = { due: 0, lost: 0, doubled: 0 }
    for (const taskId of taskIds) {
      const seen = this.#seen.get(taskId) ?? []
      const due = Math.max(0, Math.ceil((decidedUntil(taskId) - this.#first) / 1_000))
      sum.due += due
      for (let second = 0; second < Math.max(due, seen.length); second++) {
        const times = seen[second] ?? 0
        if (times === 0 && second < due) sum.lost += 1
        if (times > 1) sum.doubled += times - 1
      }
    }
    return sum
  }
}
