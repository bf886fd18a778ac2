import type { StoredEvent } from './event.js'
import { type Digest, digestOf } from './ids.js'

/**
 * The one JSON text of a value: keys sorted by code unit, no blanks, fields that hold `undefined` left out.
 * Two values that JSON cannot tell apart have the same text. Recursive: give it values whose depth is
 * limited.
 */
export function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  const fields = value as { readonly [key: string]: unknown }
  const parts: string[] = []
  for (const key of Object.keys(fields).sort()) {
    const field = fields[key]
    if (field !== undefined) parts.push(`${JSON.stringify(key)}:${canonical(field)}`)
  }
  return `{${parts.join(',')}}`
}

/** True when both have the same canonical text. */
export const sameJson = (a: unknown, b: unknown): boolean => a === b || canonical(a) === canonical(b)

/**
 * SHA-256 over everything that an event says, its predecessor's hash included: so the last hash of a stream
 * stands for the whole stream. Where the event stands (stream, revision, position) is no part of it; the
 * chain gives the order. 64 hex digits.
 *
 * The fields are taken in the order in which they were written: every store keeps the JSON text, and reading
 * it back keeps the order. Sorting them was the largest single cost of a command (813 of 5 000 ms in a profile).
 */
export function eventHash(event: StoredEvent, digest: Digest = digestOf): string {
  const { id, type, version, data, metadata } = event
  return digest(JSON.stringify([id, type, version, data, metadata]))
}
