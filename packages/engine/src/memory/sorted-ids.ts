import { lowerBound } from './lists.js'

/** Ids in growing order, each once. Arrays, since they are read far more often than changed. */

export function addSorted(ids: string[], id: string): void {
  const last = ids.at(-1)
  if (last === undefined || last < id) {
    ids.push(id)
    return
  }
  const index = lowerBound(ids, (other) => other >= id)
  if (ids[index] !== id) ids.splice(index, 0, id)
}

export function removeSorted(ids: string[], id: string): void {
  const index = lowerBound(ids, (other) => other >= id)
  if (ids[index] === id) ids.splice(index, 1)
}

interface Reader {
  readonly ids: readonly string[]
  next: number
}

/** The first `max` ids behind `after` of several sorted lists together. */
export function mergeSorted(lists: readonly (readonly string[])[], after: string, max: number): string[] {
  const readers = lists
    .map((ids) => ({ ids, next: lowerBound(ids, (id) => id > after) }))
    .filter(({ ids, next }) => next < ids.length)
  const [only, ...others] = readers
  if (only === undefined) return []
  if (others.length === 0) return only.ids.slice(only.next, only.next + max)
  return mergeReaders(readers, max)
}

/** `readers` is made a heap whose top has the smallest next id. */
function mergeReaders(readers: Reader[], max: number): string[] {
  for (let index = (readers.length >> 1) - 1; index >= 0; index--) sink(readers, index)
  const merged: string[] = []
  while (merged.length < max) {
    const top = readers[0]
    const id = top?.ids[top.next]
    if (top === undefined || id === undefined) break
    merged.push(id)
    top.next += 1
    if (top.next === top.ids.length) dropTop(readers)
    sink(readers, 0)
  }
  return merged
}

function dropTop(readers: Reader[]): void {
  const last = readers.pop()
  if (last !== undefined && readers.length > 0) readers[0] = last
}

function sink(readers: Reader[], from: number): void {
  const moved = readers[from]
  if (moved === undefined) return
  let hole = from
  for (;;) {
    const left = 2 * hole + 1
    const child = isBefore(readers[left + 1], readers[left]) ? left + 1 : left
    const smallest = readers[child]
    if (smallest === undefined || !isBefore(smallest, moved)) break
    readers[hole] = smallest
    hole = child
  }
  readers[hole] = moved
}

const isBefore = (a: Reader | undefined, b: Reader | undefined): boolean =>
  a !== undefined && b !== undefined && (a.ids[a.next] ?? '') < (b.ids[b.next] ?? '')
