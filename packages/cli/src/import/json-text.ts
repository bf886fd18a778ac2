import type { Json } from '@almanac/domain'
import { parseStrictJson } from '@almanac/protocol'

export type JsonText =
  | { readonly ok: true; readonly value: Json; readonly typed: readonly string[] }
  | { readonly ok: false; readonly reason: string }

// kombu writes dates, decimals, UUIDs and bytes so, and its workers turn them back; see CELERY.md 4.5.
const typedNames = (value: Json, found: Set<string>): void => {
  if (Array.isArray(value)) for (const item of value) typedNames(item, found)
  else if (typeof value === 'object' && value !== null) {
    const record = value as { readonly [key: string]: Json }
    const type = Object.hasOwn(record, '__type__') ? record.__type__ : undefined
    if (typeof type === 'string' && Object.hasOwn(record, '__value__')) found.add(type)
    for (const item of Object.values(record)) typedNames(item, found)
  }
}

const excerpt = (text: string) => (text.length > 40 ? `${text.slice(0, 40)}…` : text)

/**
 * Reads a JSON text of a database column by the rules of the HTTP API, so that what is taken here is not refused
 * there: nothing that reading would alter, 32 levels at most. `typed` lists the kombu types (`datetime`, `uuid`)
 * found inside.
 */
export const readJsonText = (text: string): JsonText => {
  const read = parseStrictJson(text)
  if (!read.ok) {
    const { code, path, message } = read.fault
    if (code === 'malformed_json') return { ok: false, reason: `is not JSON: ${excerpt(text)}` }
    return { ok: false, reason: path === '' ? message : `${message} (at ${path})` }
  }
  const value = read.value as Json
  const found = new Set<string>()
  typedNames(value, found)
  return { ok: true, value, typed: [...found].sort() }
}
