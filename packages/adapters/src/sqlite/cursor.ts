import { InvalidCursor } from '@almanac/engine'

/** Where a list goes on: the sort key of the last row shown, and its id. Opaque to callers. */
export interface ListCursor<K extends string | number> {
  readonly key: K
  readonly id: string
}

export const encodeCursor = (key: string | number, id: string): string =>
  Buffer.from(JSON.stringify([key, id]), 'utf8').toString('base64url')

/** Throws `InvalidCursor` for anything that `encodeCursor` would not have written for such a key. */
export const decodeCursor = <T extends 'string' | 'number'>(
  text: string,
  type: T,
): ListCursor<T extends 'string' ? string : number> => {
  const [key, id] = parse(text)
  const wellTyped = typeof key === type && (typeof key !== 'number' || Number.isSafeInteger(key))
  if (!wellTyped || typeof id !== 'string' || encodeCursor(key as string | number, id) !== text) {
    throw new InvalidCursor()
  }
  return { key: key as T extends 'string' ? string : number, id }
}

const parse = (text: string): readonly unknown[] => {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
    return Array.isArray(value) && value.length === 2 ? value : []
  } catch {
    return []
  }
}

const maxLimit = 1000

/** Page sizes outside of 1 to 1000 are brought into it. */
export const limitOf = (limit: number): number => Math.min(maxLimit, Math.max(1, Math.trunc(limit) || 1))
