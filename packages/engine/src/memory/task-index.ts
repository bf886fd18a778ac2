import { slotOf, slots, type TaskState } from '@almanac/domain'
import type { SlotFilter } from '../ports/view-store.js'
import { isPlannable } from '../scheduling/undecided.js'
import { addSorted, mergeSorted, removeSorted } from './sorted-ids.js'
import { refOf } from './task-filter.js'

interface Counts {
  readonly tasks: number
  readonly enabled: number
  readonly quarantined: number
}

/** Namespaces and names have no such character. */
const keyOf = (namespace: string, name: string): string => `${namespace}\u0000${name}`

/** Where tasks are found by what they are now: by name, by shared schedule, by slot. */
export class TaskIndex {
  /** Several only while a name goes from one task to another. The lists are replaced, never changed. */
  private readonly byName: Map<string, readonly string[]>
  private readonly byRef: Map<string, string[]>
  /** Ids of plannable tasks, slot by slot. */
  private readonly bySlot: readonly string[][]
  private counted: Counts

  private constructor(from?: TaskIndex) {
    this.byName = new Map(from?.byName)
    this.byRef = new Map([...(from?.byRef ?? [])].map(([key, ids]) => [key, [...ids]]))
    this.bySlot = Array.from({ length: slots }, (_, slot) => [...(from?.bySlot[slot] ?? [])])
    this.counted = from?.counted ?? { tasks: 0, enabled: 0, quarantined: 0 }
  }

  static empty(): TaskIndex {
    return new TaskIndex()
  }

  clone(): TaskIndex {
    return new TaskIndex(this)
  }

  counts(): Counts {
    return this.counted
  }

  idByName(namespace: string, name: string): string | undefined {
    return this.byName.get(keyOf(namespace, name))?.[0]
  }

  usersOf(namespace: string, scheduleName: string): readonly string[] {
    return [...(this.byRef.get(keyOf(namespace, scheduleName)) ?? [])]
  }

  plannable(after: string, max: number, { partition, partitions }: SlotFilter): readonly string[] {
    const lists: (readonly string[])[] = []
    for (let slot = partition; slot < slots; slot += partitions) lists.push(this.bySlot[slot] ?? [])
    return mergeSorted(lists, after, max)
  }

  /** Puts `after` in the place of `before`, the same task's last state. */
  change(before: TaskState | undefined, after: TaskState): void {
    const was = before?.status === 'active' ? before : undefined
    const is = after.status === 'active' ? after : undefined
    this.count(was, -1)
    this.count(is, 1)
    this.rename(was, is)
    this.refer(was, is)
    const [wasPlannable, isNow] = [before !== undefined && isPlannable(before), isPlannable(after)]
    if (wasPlannable === isNow) return
    const ids = this.bySlot[slotOf(after.taskId)] ?? []
    if (isNow) addSorted(ids, after.taskId)
    else removeSorted(ids, after.taskId)
  }

  private count(state: TaskState | undefined, sign: 1 | -1): void {
    if (state === undefined) return
    const { tasks, enabled, quarantined } = this.counted
    this.counted = {
      tasks: tasks + sign,
      enabled: enabled + (state.spec.enabled ? sign : 0),
      quarantined: quarantined + (state.quarantine === null ? 0 : sign),
    }
  }

  private rename(was: TaskState | undefined, is: TaskState | undefined): void {
    const from = was && keyOf(was.namespace, was.spec.name)
    const to = is && keyOf(is.namespace, is.spec.name)
    if (from === to) return
    if (was !== undefined && from !== undefined) {
      const others = (this.byName.get(from) ?? []).filter((id) => id !== was.taskId)
      if (others.length > 0) this.byName.set(from, others)
      else this.byName.delete(from)
    }
    if (is !== undefined && to !== undefined) {
      this.byName.set(to, [...(this.byName.get(to) ?? []), is.taskId].sort())
    }
  }

  private refer(was: TaskState | undefined, is: TaskState | undefined): void {
    const from = refKeyOf(was)
    const to = refKeyOf(is)
    if (from === to) return
    if (was !== undefined && from !== undefined) removeSorted(this.byRef.get(from) ?? [], was.taskId)
    if (is === undefined || to === undefined) return
    const users = this.byRef.get(to)
    if (users === undefined) this.byRef.set(to, [is.taskId])
    else addSorted(users, is.taskId)
  }
}

function refKeyOf(state: TaskState | undefined): string | undefined {
  const ref = state === undefined ? undefined : refOf(state)
  return state === undefined || ref === undefined ? undefined : keyOf(state.namespace, ref)
}
