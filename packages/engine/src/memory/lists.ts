import { InvalidCursor, type Listed, type Page } from '../ports/view-store.js'

/** Where an item stands in a list: its sort key, and its id where keys are the same. */
export interface Place<K extends string | number> {
  readonly key: K
  readonly id: string
}

/** How a list is ordered and what its cursors look like. */
export interface ListOrder<T, K extends string | number> {
  readonly keyType: K extends string ? 'string' : 'number'
  readonly placeOf: (item: T) => Place<K>
  /** Below 0: `a` is listed before `b`. */
  readonly compare: (a: Place<K>, b: Place<K>) => number
}

const maxLimit = 1000

/** One page of items that are in the list's order already. A cursor is the place of the last item shown. */
export function pageOf<T, K extends string | number>(
  items: readonly T[],
  order: ListOrder<T, K>,
  page: Page,
): Listed<T> {
  const limit = Math.min(maxLimit, Math.max(1, Math.trunc(page.limit) || 1))
  const start = page.cursor === undefined ? 0 : indexBehind(items, order, placeIn(page.cursor, order))
  const shown = items.slice(start, start + limit)
  const last = shown.at(-1)
  const isMore = start + limit < items.length && last !== undefined
  return { items: shown, nextCursor: isMore ? cursorOf(order.placeOf(last)) : null, total: items.length }
}

/** Of the first item behind the place. */
function indexBehind<T, K extends string | number>(
  items: readonly T[],
  { placeOf, compare }: ListOrder<T, K>,
  place: Place<K>,
): number {
  return lowerBound(items, (item) => compare(placeOf(item), place) > 0)
}

const cursorOf = ({ key, id }: Place<string | number>): string => JSON.stringify([key, id])

function placeIn<T, K extends string | number>(cursor: string, { keyType }: ListOrder<T, K>): Place<K> {
  const [key, id] = pairIn(cursor)
  const isTyped = typeof key === keyType && (typeof key !== 'number' || Number.isSafeInteger(key))
  if (!isTyped || typeof id !== 'string') throw new InvalidCursor()
  const place = { key: key as K, id }
  if (cursorOf(place) !== cursor) throw new InvalidCursor()
  return place
}

function pairIn(cursor: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(cursor)
    return Array.isArray(value) && value.length === 2 ? value : []
  } catch {
    return []
  }
}

/** Index of the first item of which `reached` holds; it must hold of all behind that one too. */
export function lowerBound<T>(items: readonly T[], reached: (item: T) => boolean): number {
  let [low, high] = [0, items.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (reached(items[middle] as T)) high = middle
    else low = middle + 1
  }
  return low
}

/** The order of code points, which is that of UTF-8 bytes; `<` on texts goes by UTF-16 units instead. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index++) {
    const [left, right] = [a.charCodeAt(index), b.charCodeAt(index)]
    if (left !== right) return rankOf(left) - rankOf(right)
  }
  return a.length - b.length
}

/** Halves of the code points above all units rank above all units. */
const rankOf = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit)
