/**
 * Schedules as users send them: any JSON in, a canonical schedule or a list of problems out.
 *
 * A problem names the field and the rule that it breaks, so that a form can mark the field and a person can
 * mend it.
 */

import { parseCalendar } from './calendar.js'
import { parseCrontab } from './crontab.js'
import { parseInstant } from './instant.js'
import { parseInterval } from './interval.js'
import { type Fields, fieldsOf, join, nearest, show, unknownKeys } from './shape.js'
import { parseSolar } from './solar.js'
import type {
  CalendarValue,
  CrontabValue,
  DstPolicy,
  ExceptValue,
  Problem,
  Result,
  ScheduleKind,
  ScheduleValue,
} from './types.js'
import { zone } from './zone.js'

/** The most parts of one union. */
export const maxUnionParts = 20
/** The most exclusions of one except. */
export const maxExclusions = 20
/** The most unions and excepts inside one another. */
export const maxNesting = 4
/** The most schedules in one value, counted over all levels: each is asked for each occurrence. */
export const maxSchedules = 100
/** The longest text of a crontab; a full list of every minute has 169 characters. */
const maxCrontabText = 1000
const maxCalendarName = 200

export const scheduleKinds = ['interval', 'crontab', 'solar', 'clocked', 'union', 'except'] as const

const crontabText = [
  'expression',
  'second',
  'minute',
  'hour',
  'dayOfMonth',
  'monthOfYear',
  'dayOfWeek',
  'timezone',
] as const
const crontabKeys = [...crontabText, 'dayMode', 'seconds', 'dst'] as const

/** The kind of a schedule value. */
export function scheduleKind(value: ScheduleValue): ScheduleKind {
  const kind = scheduleKinds.find((name) => name in value)
  if (kind === undefined) throw new TypeError('not a schedule value')
  return kind
}

/**
 * Checks any JSON value as a schedule and returns it in canonical form: zones in their IANA spelling (`utc`
 * becomes `UTC`), weekdays of calendars in lower case, nothing else altered. A calendar that is referred to
 * by name is not looked up: that is `compile`'s work.
 *
 * Never throws. `path` is what the problems' paths start with; an empty one makes them start at the kind.
 *
 * Limits: 20 parts in a union, 20 exclusions in an except, 4 levels, 100 schedules in all, 2000 dates in a
 * calendar.
 */
export function validateSchedule(value: unknown, path = 'schedule'): Result<ScheduleValue> {
  const problems: Problem[] = []
  const found = new Reader(problems).schedule(value, path, 0)
  return found === undefined || problems.length > 0
    ? { ok: false, error: problems }
    : { ok: true, value: found }
}

/** One walk over a value. Collects problems; a method answers `undefined` where it has added one. */
class Reader {
  private readonly problems: Problem[]
  private schedules = 0

  constructor(problems: Problem[]) {
    this.problems = problems
  }

  schedule(value: unknown, path: string, depth: number): ScheduleValue | undefined {
    const fields = fieldsOf(value)
    if (fields === undefined) {
      return this.refuse(path, 'not_an_object', `must be an object with one of ${scheduleKinds.join(', ')}`)
    }
    this.schedules += 1
    if (this.schedules > maxSchedules) {
      if (this.schedules > maxSchedules + 1) return undefined
      return this.refuse(path, 'too_many', `must have at most ${maxSchedules} schedules over all levels`)
    }
    const kind = this.kind(fields, path)
    if (kind === undefined) return undefined
    const part = fields.get(kind)
    const at = join(path, kind)
    switch (kind) {
      case 'interval':
        return this.interval(part, at)
      case 'crontab':
        return this.crontab(part, at)
      case 'solar':
        return this.solar(part, at)
      case 'clocked':
        return this.clocked(part, at)
      case 'union':
        return this.union(part, at, depth + 1)
      case 'except':
        return this.except(part, at, depth + 1)
    }
  }

  /** The one kind that a value names. Two are a problem of each, as in the original's model. */
  private kind(fields: Fields, path: string): ScheduleKind | undefined {
    const kinds = scheduleKinds.filter((kind) => fields.has(kind))
    const unknown = unknownKeys(fields, scheduleKinds, path)
    this.problems.push(...unknown)
    if (kinds.length > 1) {
      for (const kind of kinds) {
        this.refuse(join(path, kind), 'several_kinds', 'only one kind of schedule may be given')
      }
      return undefined
    }
    if (kinds.length === 0 && unknown.length === 0) {
      this.refuse(path, 'no_kind', `must have one of ${scheduleKinds.join(', ')}`)
    }
    return kinds[0]
  }

  private interval(value: unknown, path: string): ScheduleValue | undefined {
    const fields = this.object(value, path, ['every', 'period'])
    if (fields === undefined) return undefined
    const interval = this.take(parseInterval(fields.get('every'), fields.get('period'), path))
    return interval && { interval }
  }

  private solar(value: unknown, path: string): ScheduleValue | undefined {
    const fields = this.object(value, path, ['event', 'latitude', 'longitude'])
    if (fields === undefined) return undefined
    const solar = this.take(
      parseSolar(fields.get('event'), fields.get('latitude'), fields.get('longitude'), path),
    )
    return solar && { solar }
  }

  private clocked(value: unknown, path: string): ScheduleValue | undefined {
    const fields = this.object(value, path, ['at'])
    if (fields === undefined) return undefined
    const at = fields.get('at')
    return this.take(parseInstant(at, join(path, 'at'))) === undefined
      ? undefined
      : { clocked: { at: at as string } }
  }

  private crontab(value: unknown, path: string): ScheduleValue | undefined {
    const fields = this.object(value, path, crontabKeys)
    if (fields === undefined) return undefined
    const before = this.problems.length
    const crontab: { -readonly [K in keyof CrontabValue]: CrontabValue[K] } = {}
    for (const key of crontabText) {
      const text = fields.get(key)
      if (text === undefined) continue
      if (typeof text !== 'string')
        this.refuse(join(path, key), 'not_a_string', `must be a string, not ${show(text)}`)
      else if (text.length > maxCrontabText) {
        this.refuse(join(path, key), 'too_long', `must have at most ${maxCrontabText} characters`)
      } else crontab[key] = text
    }
    const dayMode = this.choice(fields, 'dayMode', ['and', 'or'] as const, path)
    if (dayMode !== undefined) crontab.dayMode = dayMode
    const seconds = fields.get('seconds')
    if (typeof seconds === 'boolean') crontab.seconds = seconds
    else if (seconds !== undefined)
      this.refuse(join(path, 'seconds'), 'not_a_boolean', 'must be true or false')
    if (fields.has('dst')) {
      const dst = this.dst(fields.get('dst'), join(path, 'dst'))
      if (dst !== undefined) crontab.dst = dst
    }
    if (this.problems.length > before) return undefined
    if (this.take(parseCrontab(crontab, path)) === undefined) return undefined
    const canonical = crontab.timezone === undefined ? undefined : zone(crontab.timezone)?.name
    if (canonical !== undefined) crontab.timezone = canonical
    return { crontab }
  }

  private dst(value: unknown, path: string): DstPolicy | undefined {
    const fields = this.object(value, path, ['gap', 'overlap'])
    if (fields === undefined) return undefined
    const gap = this.choice(fields, 'gap', ['shift', 'skip', 'firstValid'] as const, path)
    const overlap = this.choice(fields, 'overlap', ['auto', 'first', 'second', 'both'] as const, path)
    return { ...(gap === undefined ? {} : { gap }), ...(overlap === undefined ? {} : { overlap }) }
  }

  private union(value: unknown, path: string, depth: number): ScheduleValue | undefined {
    const parts = this.list(value, path, maxUnionParts, depth)
    if (parts === undefined) return undefined
    if (parts.length === 0) return this.refuse(path, 'empty', 'must have one schedule at least')
    const union = parts.map((part, index) => this.schedule(part, `${path}[${index}]`, depth))
    return { union: union.filter((part) => part !== undefined) }
  }

  private except(value: unknown, path: string, depth: number): ScheduleValue | undefined {
    const fields = this.object(value, path, ['base', 'exclude'])
    if (fields === undefined) return undefined
    const exclude = this.list(fields.get('exclude'), join(path, 'exclude'), maxExclusions, depth)
    if (exclude === undefined) return undefined
    const base = this.schedule(fields.get('base'), join(path, 'base'), depth)
    const excluded = exclude.map((part, index) =>
      this.exclusion(part, `${join(path, 'exclude')}[${index}]`, depth),
    )
    if (base === undefined) return undefined
    return { except: { base, exclude: excluded.filter((part) => part !== undefined) } }
  }

  private exclusion(value: unknown, path: string, depth: number): ExceptValue['exclude'][number] | undefined {
    const fields = fieldsOf(value)
    if (fields?.has('calendar') !== true) return this.schedule(value, path, depth)
    const only = this.object(value, path, ['calendar'])
    const calendar = only && this.calendar(only.get('calendar'), join(path, 'calendar'))
    return calendar && { calendar }
  }

  private calendar(value: unknown, path: string): CalendarValue | undefined {
    const fields = fieldsOf(value)
    if (fields?.has('ref') !== true) return this.take(parseCalendar(value, path))
    if (this.object(value, path, ['ref']) === undefined) return undefined
    const ref = fields.get('ref')
    if (typeof ref === 'string' && ref.length >= 1 && ref.length <= maxCalendarName) return { ref }
    const rule = `must be the name of a calendar, 1 to ${maxCalendarName} characters`
    return this.refuse(join(path, 'ref'), 'bad_reference', rule)
  }

  /** A list within its limit and within the nesting limit, which is checked before any part is looked at. */
  private list(value: unknown, path: string, limit: number, depth: number): readonly unknown[] | undefined {
    if (depth > maxNesting) {
      return this.refuse(
        path,
        'too_deep',
        `must not have more than ${maxNesting} unions and excepts inside one another`,
      )
    }
    if (!Array.isArray(value)) return this.refuse(path, 'not_a_list', 'must be a list')
    if (value.length <= limit) return Array.from(value)
    return this.refuse(path, 'too_many', `must have at most ${limit} items, has ${value.length}`)
  }

  private object(value: unknown, path: string, known: readonly string[]): Fields | undefined {
    const fields = fieldsOf(value)
    if (fields === undefined)
      return this.refuse(path, 'not_an_object', `must be an object with ${known.join(', ')}`)
    const unknown = unknownKeys(fields, known, path)
    this.problems.push(...unknown)
    return unknown.length > 0 ? undefined : fields
  }

  private choice<T extends string>(
    fields: Fields,
    key: string,
    of: readonly T[],
    path: string,
  ): T | undefined {
    const value = fields.get(key)
    if (value === undefined) return undefined
    const found = of.find((name) => name === value)
    if (found !== undefined) return found
    const near = typeof value === 'string' ? nearest(value, of) : undefined
    const hint = near === undefined ? '' : `; did you mean ${near}?`
    return this.refuse(join(path, key), 'unknown_choice', `must be one of ${of.join(', ')}${hint}`)
  }

  private take<T>(result: Result<T>): T | undefined {
    if (result.ok) return result.value
    this.problems.push(...result.error)
    return undefined
  }

  private refuse(path: string, code: string, message: string): undefined {
    this.problems.push({ path, code, message })
    return undefined
  }
}
