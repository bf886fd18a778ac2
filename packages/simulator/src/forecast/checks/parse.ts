import { type Zone, zone } from '@almanac/recurrence'
import { readDuration } from '../duration.js'
import { minuteMs, type Unit, weekdays } from '../local-time.js'
import { type Pattern, patternOf } from './pattern.js'
import { CheckFault, type Word, Words } from './words.js'

/** A check, read. Durations are in milliseconds. */
export type Check =
  | {
      readonly kind: 'noRun'
      readonly pattern: Pattern
      readonly hours: Hours | null
      readonly days: Days | null
    }
  | { readonly kind: 'noSkip'; readonly pattern: Pattern }
  | { readonly kind: 'atMost'; readonly runs: number; readonly pattern: Pattern; readonly withinMs: number }
  | { readonly kind: 'atLeast'; readonly runs: number; readonly pattern: Pattern; readonly per: Per | null }
  | { readonly kind: 'lateness'; readonly pattern: Pattern; readonly withinMs: number }
  | { readonly kind: 'noGap'; readonly pattern: Pattern; readonly longestMs: number }
  | { readonly kind: 'apart'; readonly pattern: Pattern; readonly other: Pattern; readonly withinMs: number }

/** Local times `[from, until)`, milliseconds since midnight; `from > until`: over midnight. */
export interface Hours {
  readonly from: number
  readonly until: number
  readonly zone: Zone
}

/** Local days: 0 is Sunday. */
export interface Days {
  readonly weekdays: ReadonlySet<number>
  readonly zone: Zone
}

export interface Per {
  readonly unit: Unit
  readonly zone: Zone
}

/** `at most 0` and so on are beyond what anybody means; what is kept in memory grows with it. */
const maxRuns = 1_000_000

/**
 * Reads one check, such as `no run of "report-*" between 02:00 and 03:00 Europe/Warsaw`. The grammar is in
 * docs/guides/simulate.md. Throws `CheckFault` with the column.
 */
export function parseCheck(text: string): Check {
  const words = new Words(text)
  const check = firstOf(words)
  words.finish()
  return check
}

function firstOf(words: Words): Check {
  if (words.accept('no', 'run', 'of')) return noRun(words)
  if (words.accept('no', 'gap', 'of', 'more', 'than')) {
    const longestMs = duration(words)
    words.expect('between', 'runs', 'of')
    return { kind: 'noGap', longestMs, pattern: pattern(words) }
  }
  if (words.accept('no', 'two', 'runs', 'of')) {
    const first = pattern(words)
    words.expect('and')
    const other = pattern(words)
    words.expect('within')
    return { kind: 'apart', pattern: first, other, withinMs: duration(words) }
  }
  if (words.accept('at', 'most')) return atMost(words)
  if (words.accept('at', 'least')) return atLeast(words)
  if (words.accept('every', 'run', 'of')) {
    const about = pattern(words)
    words.expect('within')
    const withinMs = duration(words)
    words.expect('of', 'its', 'time')
    return { kind: 'lateness', pattern: about, withinMs }
  }
  throw new CheckFault(
    words.peek()?.column ?? 1,
    'a check begins with "no run of", "no gap of more than", "no two runs of", "at most", "at least" or "every run of"',
  )
}

function noRun(words: Words): Check {
  const about = pattern(words)
  if (words.accept('skipped')) return { kind: 'noSkip', pattern: about }
  const zones = new ZoneOf()
  let hours: Omit<Hours, 'zone'> | null = null
  let days: ReadonlySet<number> | null = null
  for (;;) {
    if (hours === null && words.accept('between')) {
      const start = words.peek()
      const from = clock(words)
      words.expect('and')
      const until = clock(words)
      if (from === until)
        throw new CheckFault(start?.column ?? 1, 'both times are the same: that is no time at all')
      hours = { from, until }
    } else if (days === null && words.accept('on')) days = weekdaySet(words)
    else break
    zones.accept(words)
  }
  const { zone: where } = zones
  return {
    kind: 'noRun',
    pattern: about,
    hours: hours && { ...hours, zone: where },
    days: days && { weekdays: days, zone: where },
  }
}

function atMost(words: Words): Check {
  const runs = count(words)
  const about = words.accept('of') ? pattern(words) : everything
  words.expect('in', 'any')
  return { kind: 'atMost', runs, pattern: about, withinMs: duration(words) }
}

const everything: Pattern = { text: '*', matches: () => true }

function atLeast(words: Words): Check {
  const runs = count(words)
  words.expect('of')
  const about = pattern(words)
  if (!words.accept('per')) return { kind: 'atLeast', runs, pattern: about, per: null }
  const word = words.take('day, hour, week or month')
  const unit = (['day', 'hour', 'week', 'month'] as const).find((name) => name === word.text)
  if (unit === undefined)
    throw new CheckFault(word.column, `expected day, hour, week or month, not "${word.text}"`)
  const zones = new ZoneOf()
  zones.accept(words)
  return { kind: 'atLeast', runs, pattern: about, per: { unit, zone: zones.zone } }
}

const pattern = (words: Words): Pattern => patternOf(words.take('the name of a task'))

/** `3 runs`, `1 run` */
function count(words: Words): number {
  const word = words.take('a number')
  const value = Number(word.text)
  if (!/^\d+$/.test(word.text) || value > maxRuns) {
    throw new CheckFault(word.column, `expected a whole number up to ${maxRuns}, not "${word.text}"`)
  }
  if (!words.accept('run')) words.expect('runs')
  return value
}

/** `30s`, `10 min` */
function duration(words: Words): number {
  const word = words.take('a duration such as 10min')
  const unit = /^\d+(\.\d+)?$/.test(word.text) ? words.take('a unit such as min').text : ''
  const ms = readDuration(`${word.text} ${unit}`)
  if (ms === undefined || ms === 0) {
    const text = `${word.text} ${unit}`.trim()
    throw new CheckFault(word.column, `"${text}" is no duration such as 90s, 10min, 2h or 1d`)
  }
  return ms
}

/** `02:00`, `24:00` */
function clock(words: Words): number {
  const word = words.take('a time such as 02:00')
  const [, hours, minutes] = /^(\d{1,2}):(\d\d)$/.exec(word.text) ?? []
  const value = Number(hours) * 60 + Number(minutes)
  if (!(Number(minutes) < 60 && value <= 24 * 60)) {
    throw new CheckFault(word.column, `"${word.text}" is no time of the day such as 02:00`)
  }
  return value * minuteMs
}

const groups: Readonly<Record<string, string>> = { weekdays: 'mon-fri', weekends: 'sat,sun' }

/** `mon`, `mon-fri`, `sat,sun`, `weekdays`, `weekends`; a list may have blanks after its commas. */
function weekdaySet(words: Words): ReadonlySet<number> {
  const days = new Set<number>()
  for (let more = true; more; ) {
    const word = words.take('a day such as mon or mon-fri')
    more = word.text.endsWith(',')
    const text = word.text.toLowerCase()
    for (const part of (groups[text] ?? text).split(',').filter((item) => item !== '')) {
      for (const day of weekdayRange(part, word)) days.add(day)
    }
  }
  return days
}

function weekdayRange(part: string, word: Word): readonly number[] {
  const [from = '', until = from, ...rest] = part.split('-')
  const [first, last] = [from, until].map((name) => weekdays.findIndex((day) => isDay(name, day)))
  if (rest.length > 0 || first === undefined || last === undefined || first < 0 || last < 0) {
    throw new CheckFault(
      word.column,
      `"${part}" is no day of the week: mon, tue, wed, thu, fri, sat, sun, weekdays ...`,
    )
  }
  const length = ((last - first + 7) % 7) + 1
  return Array.from({ length }, (_, index) => (first + index) % 7)
}

const longNames = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']
const isDay = (name: string, day: string): boolean =>
  name === day || (longNames.includes(name) && name.startsWith(day))

/** The zone of a check: named once, after the hours or after the days. UTC when it is not named. */
class ZoneOf {
  private found: Zone | undefined

  get zone(): Zone {
    const utc = this.found ?? zone('UTC')
    if (utc === undefined) throw new Error('this program has no zone data')
    return utc
  }

  accept(words: Words): void {
    const word = words.peek()
    if (word === undefined || word.quoted || word.text === 'on' || word.text === 'between') return
    const named = zone(words.take('a zone').text)
    if (named === undefined) {
      throw new CheckFault(word.column, `"${word.text}" is no time zone such as Europe/Warsaw`)
    }
    if (this.found !== undefined && this.found !== named) {
      throw new CheckFault(word.column, `the check has the zone ${this.found.name} already`)
    }
    this.found = named
  }
}
