import { fieldsOf, join, type Problem } from '@almanac/recurrence'
import type { Json } from './task/types.js'

/** The deepest that arguments and headers may nest: a list or object inside another is one more. */
export const maxJsonDepth = 32
/** More values than this cannot fit into any payload that is allowed; stops a walk over something endless. */
const maxJsonValues = 70_000

const loneSurrogate = /\p{Cs}/u

/**
 * Checks any value as JSON data and answers a copy of it, made of plain lists and objects: what is decided
 * upon can't be changed afterwards through the caller's reference. Adds a problem that names the path, and
 * answers `undefined`, for:
 *
 * - whole numbers beyond 2^53 - 1, which would be altered silently on their way (`unsafe_integer`), NaN and
 *   infinities;
 * - text with a lone surrogate, which UTF-8 can't carry;
 * - keys that programs take for something else: `__proto__`, and `constructor` with a `prototype` inside;
 * - what is no JSON at all, more than 32 levels, or more than 70 000 values.
 *
 * `-0` becomes `0`, as it would in JSON text. Never throws on JSON input.
 */
export function copyJson(value: unknown, path: string, problems: Problem[]): Json | undefined {
  const before = problems.length
  const copy = new Copier(problems).copy(value, path, 1)
  return problems.length > before ? undefined : copy
}

class Copier {
  private values = 0
  private readonly problems: Problem[]

  constructor(problems: Problem[]) {
    this.problems = problems
  }

  copy(value: unknown, path: string, depth: number): Json | undefined {
    this.values += 1
    if (this.values > maxJsonValues) {
      if (this.values > maxJsonValues + 1) return undefined
      return this.refuse(path, 'too_large', `must have at most ${maxJsonValues} values`)
    }
    if (value === null || typeof value === 'boolean') return value
    if (typeof value === 'number') return this.number(value, path)
    if (typeof value === 'string') {
      if (!loneSurrogate.test(value)) return value
      return this.refuse(path, 'lone_surrogate', 'must be text without lone surrogates')
    }
    if (typeof value !== 'object') return this.refuse(path, 'not_json', `must be JSON, not a ${typeof value}`)
    if (depth > maxJsonDepth) {
      return this.refuse(path, 'too_deep', `must not nest deeper than ${maxJsonDepth} levels`)
    }
    return Array.isArray(value) ? this.list(value, path, depth) : this.object(value, path, depth)
  }

  private number(value: number, path: string): Json | undefined {
    if (!Number.isFinite(value)) return this.refuse(path, 'not_finite', 'must be a finite number')
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
      const message = 'is a whole number beyond 2^53 - 1, which loses digits on its way; send it as a string'
      return this.refuse(path, 'unsafe_integer', message)
    }
    return value === 0 ? 0 : value
  }

  private list(value: readonly unknown[], path: string, depth: number): Json | undefined {
    const items: Json[] = []
    for (let index = 0; index < value.length; index++) {
      const item = this.copy(value[index], `${path}[${index}]`, depth + 1)
      if (item === undefined) return undefined
      items.push(item)
    }
    return items
  }

  private object(value: object, path: string, depth: number): Json | undefined {
    const fields = fieldsOf(value)
    if (fields === undefined) return this.refuse(path, 'not_json', 'must be JSON: a plain object')
    const copied: [string, Json][] = []
    for (const [key, field] of fields) {
      const at = join(path, key.slice(0, 100))
      if (loneSurrogate.test(key))
        return this.refuse(at, 'lone_surrogate', 'must be text without lone surrogates')
      if (key === '__proto__' || (key === 'constructor' && fieldsOf(field)?.has('prototype') === true)) {
        return this.refuse(at, 'reserved_key', `must not have the key ${key}`)
      }
      const item = this.copy(field, at, depth + 1)
      if (item === undefined) return undefined
      copied.push([key, item])
    }
    return Object.fromEntries(copied)
  }

  private refuse(path: string, code: string, message: string): undefined {
    this.problems.push({ path, code, message })
    return undefined
  }
}
