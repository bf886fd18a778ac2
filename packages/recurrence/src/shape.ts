/**
 * Reading unknown JSON: which keys an object has, which it may have, and how to say what is wrong with it.
 */

import type { Problem } from './types.js'

/** A JSON object whose keys are not known yet. Only its own keys count. */
export type Fields = ReadonlyMap<string, unknown>

/**
 * The own keys of a plain object, or `undefined` for anything else (an array, null, a date, a map). Never
 * throws.
 */
export function fieldsOf(value: unknown): Fields | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  try {
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== null && prototype !== Object.prototype) return undefined
    // A key that holds `undefined` does not exist in JSON, so it is taken as left out.
    return new Map(Object.entries(value).filter(([, field]) => field !== undefined))
  } catch {
    return undefined // a getter or a proxy that throws: not JSON
  }
}

/** `path` and `key` put together; an empty path is the value itself. */
export function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`
}

/** One problem for each key that is not in `known`, with the nearest known key as a hint. */
export function unknownKeys(fields: Fields, known: readonly string[], path: string): Problem[] {
  const problems: Problem[] = []
  for (const key of fields.keys()) {
    if (known.includes(key)) continue
    const near = nearest(key, known)
    const hint = near === undefined ? `known are ${known.join(', ')}` : `did you mean ${near}?`
    problems.push({ path: join(path, clip(key)), code: 'unknown_key', message: `is not known; ${hint}` })
    if (problems.length === 20) break
  }
  return problems
}

/** The word of `known` that differs from `word` by few letters, or `undefined` when none is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (word.length > 40) return undefined
  const plain = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, '')
  let best: string | undefined
  let bestDistance = 1 + Math.max(1, Math.floor(word.length / 3))
  for (const candidate of known) {
    const distance = editDistance(plain(word), plain(candidate))
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** The value as a short text for a message; long strings are cut. Never throws. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(clip(value))
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value)
  return Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

function clip(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 40)}...`
}

/** How many letters must be put in, taken out or replaced to make `b` of `a`. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const substituted = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(substituted, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
