import { visible } from './text.js'

export interface Difference {
  readonly path: string
  /** Undefined: not there before. */
  readonly from: unknown
  /** Undefined: gone. */
  readonly to: unknown
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const same = (left: unknown, right: unknown): boolean => JSON.stringify(left) === JSON.stringify(right)

/** The leaves that differ, by path; objects are compared key by key, lists as a whole. */
export const differences = (path: string, from: unknown, to: unknown): readonly Difference[] => {
  if (!isRecord(from) || !isRecord(to)) return same(from, to) ? [] : [{ path, from, to }]
  const keys = [...new Set([...Object.keys(from), ...Object.keys(to)])]
  return keys.flatMap((key) => differences(path === '' ? key : `${path}.${key}`, from[key], to[key]))
}

/** A value on one line: text as it is when nothing could be mistaken, else JSON; nothing is `none`. */
export const valueText = (value: unknown): string => {
  if (value === undefined || value === null || value === '') return 'none'
  if (typeof value === 'string' && /^\S(.*\S)?$/.test(value) && value !== 'none') return visible(value)
  return visible(JSON.stringify(value))
}
