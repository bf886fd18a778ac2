import type { Instant } from '@almanac/recurrence'
import { digestOf } from '../ids.js'

/** Crockford's base 32: no I, L, O, U. In the order of the characters, so ids sort as their numbers. */
const digits = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/**
 * A new task id in the layout of a ULID: ten characters of time, sixteen of chance, so that ids sort by
 * creation. `chance`: 20 hex digits (80 bits).
 */
export const newTaskId = (at: Instant, chance: string): string =>
  base32(BigInt(Math.trunc(at)), 10) + base32(BigInt(`0x${chance}`), 16)

/**
 * The task id of a creation with an idempotency key: a repeat meets the same stream. `generation` counts up
 * when the stream before was abandoned, that is closed before its task came into being.
 */
export const taskIdOfKey = (namespace: string, key: string, generation: number): string =>
  base32(BigInt(`0x${digestOf(`task|${namespace}|${key}|${generation}`).slice(0, 32)}`), 26)

function base32(value: bigint, length: number): string {
  let text = ''
  for (let rest = value; text.length < length; rest >>= 5n) text = (digits[Number(rest & 31n)] ?? '') + text
  return text
}
