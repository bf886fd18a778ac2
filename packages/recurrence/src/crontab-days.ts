import type { DayRule, ParsedField } from './crontab-grammar.js'

/** All months are one of 28 shapes: 28 to 31 days, and the weekday of the first (Sunday is 0). */
export const monthShape = (length: number, firstWeekday: number): number => (length - 28) * 7 + firstWeekday

/**
 * The firing days of each shape of month as a bit set, bit 0 for the first. In mode `and` a day must match
 * both fields; in mode `or` one of them, unless one is `*` and so says nothing.
 */
export function monthDays(dayOfMonth: ParsedField, dayOfWeek: ParsedField, mode: 'and' | 'or'): Int32Array {
  const days = new Int32Array(28)
  const chosenDays = bits(dayOfMonth.values.map((day) => day - 1))
  const chosenWeekdays = bits(dayOfWeek.values)
  for (let length = 28; length <= 31; length++) {
    const all = 2 ** length - 1
    for (let first = 0; first < 7; first++) {
      const ofMonth = (chosenDays & all) | ruleDays(dayOfMonth.rules, length, first)
      const ofWeek = weekdayDays(chosenWeekdays, first, all) | ruleDays(dayOfWeek.rules, length, first)
      days[monthShape(length, first)] = combine(mode, dayOfMonth.any, ofMonth, dayOfWeek.any, ofWeek)
    }
  }
  return days
}

function combine(
  mode: 'and' | 'or',
  anyDay: boolean,
  ofMonth: number,
  anyWeekday: boolean,
  ofWeek: number,
): number {
  if (mode === 'and') return ofMonth & ofWeek
  if (anyDay) return ofWeek
  return anyWeekday ? ofMonth : ofMonth | ofWeek
}

/**
 * Whether any day of the calendar fires. Exact: in the 400 years after which the calendar repeats, each
 * month of each length that it can have begins on each weekday (29-day Februaries too, 13 to 15 times
 * each).
 */
export function everFires(months: readonly number[], days: Int32Array): boolean {
  return months.some((month) => {
    const lengths = month === 2 ? [28, 29] : [lengthOf(1970, month)]
    return lengths.some((length) =>
      [0, 1, 2, 3, 4, 5, 6].some((first) => days[monthShape(length, first)] !== 0),
    )
  })
}

function weekdayDays(weekdays: number, first: number, all: number): number {
  // The week turned so that bit 0 is the first day's weekday, then laid end to end over the month.
  const week = ((weekdays | (weekdays << 7)) >>> first) & 0x7f
  return (week | (week << 7) | (week << 14) | (week << 21) | (week << 28)) & all
}

function ruleDays(rules: readonly DayRule[], length: number, first: number): number {
  if (rules.length === 0) return 0
  let days = 0
  for (const rule of rules) {
    const day = ruleDay(rule, length, first)
    if (day >= 1 && day <= length) days |= 1 << (day - 1)
  }
  return days
}

/** The day of the month that the rule names, outside 1..length when this month has none. */
function ruleDay(rule: DayRule, length: number, first: number): number {
  switch (rule.kind) {
    case 'fromLast':
      return length - rule.back
    case 'lastWorkday':
      return nearestWorkday(length, length, first)
    case 'nearestWorkday':
      return rule.day > length ? 0 : nearestWorkday(rule.day, length, first)
    case 'nth':
      return 1 + ((rule.weekday - first + 7) % 7) + (rule.nth - 1) * 7
    case 'lastOf': {
      const lastWeekday = (first + length - 1) % 7
      return length - ((lastWeekday - rule.weekday + 7) % 7)
    }
  }
}

function nearestWorkday(day: number, length: number, first: number): number {
  const weekday = (first + day - 1) % 7
  if (weekday === 6) return day > 1 ? day - 1 : day + 2
  if (weekday === 0) return day < length ? day + 1 : day - 2
  return day
}

const bits = (positions: readonly number[]): number => positions.reduce((set, at) => set | (1 << at), 0)

/** Local years searched: one more on each side than instants have, for the zones. */
const firstYear = 1899
const lastYear = 10_000

/**
 * Finds firing days by their number since 1970-01-01. Keeps the month it looked at last, since the next
 * question is nearly always about the same one; skips months and years that have no firing day.
 */
export class DayFinder {
  private readonly days: Int32Array
  /** Index 1..12. */
  private readonly monthFires: readonly boolean[]
  private year = 0
  private month = 0
  /** The days `[start, end)` of the month at hand, and its firing days as bits. */
  private start = 0
  private end = 0
  private set = 0

  constructor(months: readonly number[], days: Int32Array) {
    this.days = days
    this.monthFires = Array.from({ length: 13 }, (_, month) => months.includes(month))
    this.load(1970, 1)
  }

  /** The first firing day at or after `day`, or `Infinity`. */
  from(day: number): number {
    if (day < this.start || day >= this.end) this.loadDay(day)
    const rest = this.set >>> (day - this.start)
    if (rest !== 0) return day + lowestBit(rest)
    while (this.step(1)) if (this.set !== 0) return this.start + lowestBit(this.set)
    return Infinity
  }

  /** The last firing day at or before `day`, or `-Infinity`. */
  to(day: number): number {
    if (day < this.start || day >= this.end) this.loadDay(day)
    const rest = this.set & ((2 << (day - this.start)) - 1)
    if (rest !== 0) return this.start + highestBit(rest)
    while (this.step(-1)) if (this.set !== 0) return this.start + highestBit(this.set)
    return -Infinity
  }

  fires(day: number): boolean {
    if (day < this.start || day >= this.end) this.loadDay(day)
    return ((this.set >>> (day - this.start)) & 1) === 1
  }

  /** How many days in `[from, to)` fire. Goes by months, so 8000 years take about a millisecond. */
  count(from: number, to: number): number {
    if (from >= to) return 0
    if (from < this.start || from >= this.end) this.loadDay(from)
    let total = bitCount(this.set >>> (from - this.start))
    while (this.end < to && this.step(1)) total += bitCount(this.set)
    // Every month up to the one that holds `to - 1` is in; its days from `to` on are not wanted.
    if (to < this.end && to >= this.start) total -= bitCount(this.set >>> (to - this.start))
    else if (to < this.start) total -= bitCount(this.set)
    return total
  }

  /** Goes to the next or last month whose number is chosen; false at the end of the calendar. */
  private step(by: 1 | -1): boolean {
    let { year, month } = this
    do {
      month += by
      if (month > 12 || month < 1) {
        year += by
        month = by === 1 ? 1 : 12
        if (year > lastYear || year < firstYear) return false
      }
    } while (!this.monthFires[month])
    this.load(year, month)
    return true
  }

  private loadDay(day: number): void {
    // Civil date from day number: years counted from March, so that the leap day is the last of its year.
    const shifted = day + 719_468
    const era = Math.floor(shifted / 146_097)
    const ofEra = shifted - era * 146_097
    const yearOfEra = Math.floor(
      (ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365,
    )
    const ofYear = ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
    const marchMonth = Math.floor((5 * ofYear + 2) / 153)
    const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    this.load(yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month)
  }

  private load(year: number, month: number): void {
    const length = lengthOf(year, month)
    this.year = year
    this.month = month
    this.start = firstDayOf(year, month)
    this.end = this.start + length
    // 1970-01-01 was a Thursday.
    const first = (((this.start + 4) % 7) + 7) % 7
    this.set = this.monthFires[month] ? (this.days[monthShape(length, first)] ?? 0) : 0
  }
}

function firstDayOf(year: number, month: number): number {
  const marchYear = month <= 2 ? year - 1 : year
  const era = Math.floor(marchYear / 400)
  const yearOfEra = marchYear - era * 400
  const ofYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5)
  return (
    era * 146_097 +
    yearOfEra * 365 +
    Math.floor(yearOfEra / 4) -
    Math.floor(yearOfEra / 100) +
    ofYear -
    719_468
  )
}

function lengthOf(year: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
}

const lowestBit = (set: number): number => 31 - Math.clz32(set & -set)
const highestBit = (set: number): number => 31 - Math.clz32(set)

function bitCount(set: number): number {
  let left = set - ((set >>> 1) & 0x5555_5555)
  left = (left & 0x3333_3333) + ((left >>> 2) & 0x3333_3333)
  return Math.imul((left + (left >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24
}
