import {
  type Fields,
  fieldsOf,
  type Instant,
  join,
  maxInstant,
  minInstant,
  nearest,
  type Problem,
  type Result,
  show,
  unknownKeys,
} from '@almanac/recurrence'
import { readText, type TextRule } from './text.js'

/** More problems than this help nobody. */
const maxProblems = 50

/**
 * Reads the fields of an object that a user sent, one by one, and collects what is wrong with them. A field
 * that is left out answers its fallback; one that breaks its rule adds a problem and answers the fallback
 * too, so that reading goes on and all problems are told at once. Nothing is coerced: `"5"` is no number, and
 * null is a value only where a field may be empty.
 */
export class FieldReader {
  readonly fields: Fields
  readonly problems: Problem[]
  private readonly path: string

  private constructor(fields: Fields, path: string, problems: Problem[]) {
    this.fields = fields
    this.path = path
    this.problems = problems
  }

  /** A reader of `value`, which must be an object with no other fields than `known`. */
  static of(value: unknown, known: readonly string[], path: string, problems: Problem[] = []): FieldReader {
    const fields = fieldsOf(value)
    if (fields === undefined) {
      problems.push({ path, code: 'not_an_object', message: `must be an object, not ${show(value)}` })
      return new FieldReader(new Map(), path, problems)
    }
    problems.push(...unknownKeys(fields, known, path))
    return new FieldReader(fields, path, problems)
  }

  result<T>(value: T): Result<T> {
    if (this.problems.length === 0) return { ok: true, value }
    return { ok: false, error: this.problems.slice(0, maxProblems) }
  }

  at(key: string): string {
    return join(this.path, key)
  }

  refuse(key: string, code: string, message: string): void {
    this.problems.push({ path: this.at(key), code, message })
  }

  /** True when the field is there and no problem with it; says that it is missing otherwise. */
  require(key: string): boolean {
    if (this.fields.has(key)) return true
    this.refuse(key, 'required', 'is required')
    return false
  }

  text(key: string, rule: TextRule, fallback: string): string {
    const value = this.fields.get(key)
    if (value === undefined) return fallback
    return readText(value, this.at(key), rule, this.problems) ?? fallback
  }

  boolean(key: string, fallback: boolean): boolean {
    const value = this.fields.get(key)
    if (value === undefined) return fallback
    if (typeof value === 'boolean') return value
    this.refuse(key, 'not_a_boolean', `must be true or false, not ${show(value)}`)
    return fallback
  }

  choice<T extends string>(key: string, of: readonly T[], fallback: T): T {
    const value = this.fields.get(key)
    if (value === undefined) return fallback
    const found = of.find((name) => name === value)
    if (found !== undefined) return found
    const near = typeof value === 'string' ? nearest(value, of) : undefined
    const hint = near === undefined ? '' : `; did you mean ${near}?`
    this.refuse(key, 'unknown_choice', `must be one of ${of.join(', ')}${hint}`)
    return fallback
  }

  /** A whole number from `min` to `max`. */
  whole(key: string, min: number, max: number, fallback: number): number {
    const value = this.fields.get(key)
    if (value === undefined) return fallback
    if (typeof value !== 'number' || !Number.isInteger(value)) {
      this.refuse(
        key,
        'not_a_whole_number',
        `must be a whole number from ${min} to ${max}, not ${show(value)}`,
      )
      return fallback
    }
    if (value >= min && value <= max) return value === 0 ? 0 : value
    this.refuse(key, 'out_of_range', `must be from ${min} to ${max}, not ${value}`)
    return fallback
  }

  wholeOrNull(key: string, min: number, max: number, fallback: number | null): number | null {
    const value = this.fields.get(key)
    return value === undefined || value === null ? this.nullOr(value, fallback) : this.whole(key, min, max, 0)
  }

  /** Epoch milliseconds in the years 1970 to 9999. */
  instant(key: string, fallback: Instant): Instant {
    const value = this.fields.get(key)
    if (value === undefined) return fallback
    if (typeof value !== 'number' || !Number.isInteger(value)) {
      this.refuse(key, 'bad_instant', `must be an instant, not ${show(value)}`)
      return fallback
    }
    if (value >= minInstant && value <= maxInstant) return value === 0 ? 0 : value
    this.refuse(key, 'instant_out_of_range', 'must lie in the years 1970 to 9999 (UTC)')
    return fallback
  }

  instantOrNull(key: string, fallback: Instant | null): Instant | null {
    const value = this.fields.get(key)
    return value === undefined || value === null ? this.nullOr(value, fallback) : this.instant(key, 0)
  }

  private nullOr<T>(value: undefined | null, fallback: T | null): T | null {
    return value === undefined ? fallback : null
  }
}
