/**
 * Calendars: sets of local days. A schedule less a calendar has no occurrence on those days.
 *
 * A day is a number, counted from 1970-01-01 of its own zone (day 0), so that a day is looked up without
 * any text.
 */

import { dayMs, dayNumber } from './instant.js'
import { fieldsOf, join, nearest, show, unknownKeys } from './shape.js'
import type { CalendarDays, Instant, Problem, Result } from './types.js'
import { type Zone, zone } from './zone.js'

/** The most dates, and the most ranges, that one calendar may list. */
export const maxCalendarDates = 2000

const weekdayNames: readonly string[] = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const calendarKeys = ['timezone', 'dates', 'annual', 'weekdays', 'ranges'] as const
/** A leap year, so that 29 February can be listed among the yearly days. */
const leapYear = 2000

/** A calendar made ready to be asked. Its days are numbers, counted from 1970-01-01 in its own zone. */
export interface Calendar {
  readonly zone: Zone
  has(day: number): boolean
  /** The first day after `day` that is not in the calendar, or `limit` when that comes first. */
  endOfRun(day: number, limit: number): number
  /** The last day before `day` that is not in the calendar, or `limit` when that comes first. */
  startOfRun(day: number, limit: number): number
}

/**
 * Checks a calendar that is given in place. Returns it with its zone's name and weekdays in canonical
 * spelling.
 */
export function parseCalendar(value: unknown, path: string): Result<CalendarDays> {
  const fields = fieldsOf(value)
  if (fields === undefined) {
    const message = `must be an object with ${calendarKeys.join(', ')}`
    return { ok: false, error: [{ path, code: 'not_an_object', message }] }
  }
  const problems = unknownKeys(fields, calendarKeys, path)
  const days: { -readonly [K in keyof CalendarDays]: CalendarDays[K] } = {}
  if (fields.has('timezone')) {
    const name = fields.get('timezone')
    const found = typeof name === 'string' ? zone(name) : undefined
    if (found === undefined) {
      const message = `${show(name)} is not an IANA time zone name such as "Europe/Warsaw"`
      problems.push({ path: join(path, 'timezone'), code: 'unknown_zone', message })
    } else {
      days.timezone = found.name
    }
  }
  const list = <T>(key: string, limit: number, read: (item: unknown, at: string) => T | undefined): T[] =>
    readList(fields.get(key), join(path, key), limit, read, problems)
  if (fields.has('dates')) days.dates = list('dates', maxCalendarDates, dateReader(problems))
  if (fields.has('annual')) days.annual = list('annual', 366, annualReader(problems))
  if (fields.has('weekdays')) days.weekdays = list('weekdays', 7, weekdayReader(problems))
  if (fields.has('ranges')) days.ranges = list('ranges', maxCalendarDates, rangeReader(problems))
  return problems.length > 0 ? { ok: false, error: problems } : { ok: true, value: days }
}

/** Makes a calendar that `parseCalendar` has accepted ready to be asked. */
export function compileCalendar(days: CalendarDays): Calendar {
  const at = zone(days.timezone ?? 'UTC')
  if (at === undefined) throw new RangeError(`unknown time zone ${days.timezone}`)
  const dates = new Set((days.dates ?? []).map(dayOfText))
  const annual = new Set((days.annual ?? []).map((text) => monthDay(dayOfText(`${leapYear}-${text}`))))
  const weekdays = new Set((days.weekdays ?? []).map((name) => weekdayNames.indexOf(name)))
  const ranges = mergedRanges(days.ranges ?? [])
  const has = (day: number): boolean =>
    weekdays.has(weekdayOf(day)) ||
    dates.has(day) ||
    rangeAt(ranges, day) !== undefined ||
    (annual.size > 0 && annual.has(monthDay(day)))
  return {
    zone: at,
    has,
    endOfRun: (day, limit) => {
      let end = day + 1
      while (end < limit && has(end)) end = (rangeAt(ranges, end)?.to ?? end) + 1
      return Math.min(end, limit)
    },
    startOfRun: (day, limit) => {
      let start = day - 1
      while (start > limit && has(start)) start = (rangeAt(ranges, start)?.from ?? start) - 1
      return Math.max(start, limit)
    },
  }
}

/**
 * The stretches of instants in `[from, until)` whose local day is in the calendar, in order and apart from
 * each other.
 *
 * Days are cut out of stretches of constant offset, so that a day which the clock enters twice (St John's
 * went from 00:01 back to 23:01) has each of its parts, and no more. Costs a step for each day outside of a
 * run.
 */
export function calendarStretches(calendar: Calendar, from: Instant, until: Instant): [Instant, Instant][] {
  const stretches: [Instant, Instant][] = []
  for (let start = from; start < until; ) {
    const span = calendar.zone.spanAt(start)
    const end = Math.min(until, span.to)
    const limit = Math.ceil((end + span.offset) / dayMs)
    let day = Math.floor((start + span.offset) / dayMs)
    while (day < limit) {
      const after = calendar.has(day) ? calendar.endOfRun(day, limit) : day
      if (after > day) {
        add(stretches, Math.max(start, day * dayMs - span.offset), Math.min(end, after * dayMs - span.offset))
      }
      day = after + 1 // the day after a run is not in the calendar
    }
    start = end
  }
  return stretches
}

/** Some instant after `at` up to which every instant from `at` on is in the calendar; `at` itself must be. */
export function excludedUntil(calendar: Calendar, at: Instant): Instant {
  const span = calendar.zone.spanAt(at)
  const day = Math.floor((at + span.offset) / dayMs)
  const limit = Math.min(day + jumpDays, Math.ceil((span.to + span.offset) / dayMs))
  return Math.min(calendar.endOfRun(day, limit) * dayMs - span.offset, span.to)
}

/**
 * The instant since which, `at` included, every instant is in the calendar, or a later one. `at` must be in
 * it.
 */
export function excludedSince(calendar: Calendar, at: Instant): Instant {
  const span = calendar.zone.spanAt(at)
  const day = Math.floor((at + span.offset) / dayMs)
  const limit = Math.max(day - jumpDays, Math.floor((span.from + span.offset) / dayMs) - 1)
  return Math.max((calendar.startOfRun(day, limit) + 1) * dayMs - span.offset, span.from)
}

/** How far one jump over excluded days goes at most; whoever jumps jumps again. */
const jumpDays = 400

type Range = { readonly from: number; readonly to: number }

/** Sorted, and no two of them touch. */
function mergedRanges(ranges: readonly { readonly from: string; readonly to: string }[]): readonly Range[] {
  const sorted = ranges
    .map(({ from, to }) => ({ from: dayOfText(from), to: dayOfText(to) }))
    .sort((a, b) => a.from - b.from)
  const merged: { from: number; to: number }[] = []
  for (const range of sorted) {
    const last = merged.at(-1)
    if (last !== undefined && range.from <= last.to + 1) last.to = Math.max(last.to, range.to)
    else merged.push({ ...range })
  }
  return merged
}

function rangeAt(ranges: readonly Range[], day: number): Range | undefined {
  let low = 0
  let high = ranges.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const range = ranges[middle]
    if (range === undefined) return undefined
    if (day < range.from) high = middle - 1
    else if (day > range.to) low = middle + 1
    else return range
  }
  return undefined
}

/** Appends a stretch; one that touches the last is joined to it. */
function add(stretches: [Instant, Instant][], from: Instant, to: Instant): void {
  const last = stretches.at(-1)
  if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to)
  else if (from < to) stretches.push([from, to])
}

/** 0 for Sunday. Day 0, 1970-01-01, was a Thursday. */
function weekdayOf(day: number): number {
  return (((day + 4) % 7) + 7) % 7
}

/** Month and day of the month as one number, the same in every year. */
function monthDay(day: number): number {
  const at = new Date(day * dayMs)
  return at.getUTCMonth() * 32 + at.getUTCDate()
}

function dayOfText(text: string): number {
  const day = readDay(text)
  if (day === undefined) throw new RangeError(`no such date: ${text}`)
  return day
}

function readDay(text: unknown): number | undefined {
  const parts = typeof text === 'string' ? /^(\d{4})-(\d{2})-(\d{2})$/.exec(text) : null
  return parts === null ? undefined : dayNumber(Number(parts[1]), Number(parts[2]), Number(parts[3]))
}

type Read<T> = (item: unknown, at: string) => T | undefined

function readList<T>(value: unknown, at: string, limit: number, read: Read<T>, problems: Problem[]): T[] {
  if (!Array.isArray(value)) {
    problems.push({ path: at, code: 'not_a_list', message: 'must be a list' })
    return []
  }
  if (value.length > limit) {
    problems.push({
      path: at,
      code: 'too_many',
      message: `must have at most ${limit} items, has ${value.length}`,
    })
    return []
  }
  const items: T[] = []
  for (const [index, item] of value.entries()) {
    const one = read(item, `${at}[${index}]`)
    if (one !== undefined) items.push(one)
    if (problems.length >= 20) break // enough to see what is wrong
  }
  return items
}

function dateReader(problems: Problem[]): Read<string> {
  return (item, path) => {
    if (readDay(item) !== undefined) return item as string
    problems.push({
      path,
      code: 'bad_date',
      message: `${show(item)} is not a date YYYY-MM-DD of the calendar`,
    })
    return undefined
  }
}

function annualReader(problems: Problem[]): Read<string> {
  return (item, path) => {
    if (typeof item === 'string' && readDay(`${leapYear}-${item}`) !== undefined) return item
    problems.push({ path, code: 'bad_date', message: `${show(item)} is not a day MM-DD of the year` })
    return undefined
  }
}

function weekdayReader(problems: Problem[]): Read<string> {
  return (item, path) => {
    const name = weekdayNames.find((day) => typeof item === 'string' && day === item.toLowerCase())
    if (name !== undefined) return name
    const near = typeof item === 'string' ? nearest(item.slice(0, 3), weekdayNames) : undefined
    const hint = near === undefined ? `one of ${weekdayNames.join(', ')}` : `did you mean ${near}?`
    problems.push({ path, code: 'bad_weekday', message: `${show(item)} is not a weekday; ${hint}` })
    return undefined
  }
}

function rangeReader(problems: Problem[]): Read<{ from: string; to: string }> {
  const date = dateReader(problems)
  return (item, path) => {
    const fields = fieldsOf(item)
    if (fields === undefined) {
      problems.push({ path, code: 'not_an_object', message: 'must be an object with from and to' })
      return undefined
    }
    problems.push(...unknownKeys(fields, ['from', 'to'], path))
    const from = date(fields.get('from'), join(path, 'from'))
    const to = date(fields.get('to'), join(path, 'to'))
    if (from === undefined || to === undefined) return undefined
    if (from <= to) return { from, to }
    problems.push({ path, code: 'range_reversed', message: 'from must not be later than to' })
    return undefined
  }
}
