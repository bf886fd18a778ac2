/**
 * Crontabs in words, in the wording of django-celery-beat (cron-descriptor): `At 02:00 AM, only on Monday
 * UTC`.
 *
 * The time of day is cronstrue's; the days and months are ours, because cronstrue words lists that hold a
 * step wrongly ("only on SaturdayApril through December") and joins the day fields of `dayMode: 'or'` with
 * "and".
 */

import cronstrue from 'cronstrue'
import { type Crontab, formatCrontab, type ParsedField, parseCrontab } from './crontab.js'
import type { CrontabValue } from './types.js'

/**
 * The sentence, a blank, and the zone; of a crontab that does not parse its raw fields and the zone. Never
 * throws.
 */
export function describeCrontab(value: CrontabValue): string {
  const parsed = parseCrontab(value)
  if (!parsed.ok) {
    // An expression is shown as it is: one that does not split into fields has none to show.
    if (value.expression !== undefined) return `${value.expression.trim()} ${value.timezone ?? 'UTC'}`
    return formatCrontab(value).replace(/ \([sa-zA-Z/]+\) /, ' ')
  }
  return `${sentence(parsed.value)} ${parsed.value.timezone}`
}

function sentence({ fields, dayMode }: Crontab): string {
  const time = timeOfDay(fields.second, fields.minute, fields.hour)
  return `${time}${dayPhrase(fields.dayOfMonth, fields.dayOfWeek, dayMode)}${monthPhrase(fields.monthOfYear)}`
}

function timeOfDay(second: ParsedField, minute: ParsedField, hour: ParsedField): string {
  const [seconds, minutes, hours] = [plain(second, sixty), plain(minute, sixty), plain(hour, twentyFour)]
  const time = seconds === '0' ? `${minutes} ${hours}` : `${seconds} ${minutes} ${hours}`
  // cron-descriptor leaves out what cronstrue says of minute 0 here.
  return cronstrue.toString(`${time} * * *`).replace(/^On the hour, every/, 'Every')
}

function dayPhrase(dayOfMonth: ParsedField, dayOfWeek: ParsedField, mode: 'and' | 'or'): string {
  const [ofMonth, ofWeek] = [monthDayPhrase(dayOfMonth), weekdayPhrase(dayOfWeek)]
  if (mode === 'and') return ofMonth + (ofWeek && `, ${ofWeek}`)
  if (dayOfMonth.any || dayOfWeek.any) return dayOfMonth.any ? ofWeek && `, ${ofWeek}` : ofMonth
  // One of two, and one of them is every day: every day.
  if (ofWeek === '' || dayOfMonth.values.length === 31) return ''
  return `${ofMonth}, or ${ofWeek.replace(/^only /, '')}`
}

function monthDayPhrase(field: ParsedField): string {
  if (field.rules.length === 0) {
    return phrase(plain(field, monthDays), {
      step: (step) => `every ${step} days`,
      range: (from, to) => `between day ${from} and ${to} of the month`,
      list: (items) => `on day ${items} of the month`,
      name: String,
    })
  }
  const numbers = list(runs(field.values).map((run) => through(run, String)))
  const rules = field.rules.map((rule) => {
    if (rule.kind === 'lastWorkday') return 'the last weekday'
    if (rule.kind === 'nearestWorkday') return `the weekday nearest day ${rule.day}`
    const back = rule.kind === 'fromLast' ? rule.back : 0
    return back === 0 ? 'the last day' : `the day ${back} ${back === 1 ? 'day' : 'days'} before the last`
  })
  return `, on ${list(numbers === '' ? rules : [`day ${numbers}`, ...rules])} of the month`
}

const ordinals = ['', 'first', 'second', 'third', 'fourth', 'fifth']

function weekdayPhrase(field: ParsedField): string {
  if (field.values.length === 7) return ''
  const days = field.values.map(weekdayName)
  const rules = field.rules.map((rule) => {
    if (rule.kind === 'nth') return `the ${ordinals[rule.nth]} ${weekdayName(rule.weekday)}`
    return rule.kind === 'lastOf' ? `the last ${weekdayName(rule.weekday)}` : ''
  })
  if (rules.length === 0) return `only on ${list(days)}`
  return `${days.length === 0 ? 'on' : 'only on'} ${list([...days, ...rules])} of the month`
}

function monthPhrase(field: ParsedField): string {
  return phrase(plain(field, twelve), {
    step: (step) => `every ${step} months`,
    range: (from, to) => `${from} through ${to}`,
    list: (items) => `only in ${items}`,
    name: (month) => monthNames[month - 1] ?? '',
  })
}

interface Words {
  step(step: string): string
  range(from: string, to: string): string
  list(items: string): string
  name(value: number): string
}

/** The words of one field in plain form, with a comma in front; nothing for `*`. */
function phrase(text: string, words: Words): string {
  if (text === '*') return ''
  const name = (number: string): string => words.name(Number(number))
  const [, base = text, step] = /^(.*)\/(\d+)$/.exec(text) ?? []
  const [, from, to] = /^(\d+)-(\d+)$/.exec(base) ?? []
  const stepped = step === undefined ? '' : `, ${words.step(step)}`
  if (from !== undefined && to !== undefined) return `${stepped}, ${words.range(name(from), name(to))}`
  if (base === '*') return stepped
  return `, ${words.list(list(base.split(',').map((item) => item.split('-').map(name).join(' through '))))}`
}

interface Range {
  readonly min: number
  readonly max: number
}

const sixty: Range = { min: 0, max: 59 }
const twentyFour: Range = { min: 0, max: 23 }
const monthDays: Range = { min: 1, max: 31 }
const twelve: Range = { min: 1, max: 12 }

/**
 * The field as it was written, in numbers without leading zeros, a repeated item once; or, where a list
 * holds a step or a star, or a step is longer than the field, a shorter text for the same values. Then it
 * is a star with or without a step, `a-b`, `a-b/n`, or a list of `a` and `a-b`.
 */
function plain(field: ParsedField, { min, max }: Range): string {
  const items = field.text
    .toLowerCase()
    .replace(/[^a-z0-9,*/-]/g, '')
    .replace(/[a-z]+/g, (word) => String(monthNumbers.indexOf(word.slice(0, 3)) + 1))
    .replace(/[0-9]+/g, (digits) => String(Number(digits)))
    .replace(/^\*\/1$|^$/, '*')
    .replace(/(-[0-9]+)\/1(?![0-9])/g, '$1')
    .split(',')
  const step = Number(/^\*\/([0-9]+)$/.exec(items[0] ?? '')?.[1] ?? 0)
  if (items.length === 1 && step <= max - min + 1) return items[0] ?? '*'
  if (!items.some((item) => /[*/]/.test(item))) return [...new Set(items)].join(',')
  return shortest(field.values, min, max)
}

function shortest(values: readonly number[], min: number, max: number): string {
  const [first = min, second = first, last = first] = [values[0], values[1], values.at(-1)]
  if (values.length === max - min + 1) return '*'
  const step = second - first
  if (values.length >= 3 && values.every((value, index) => value === first + index * step)) {
    if (first === min && last + step > max) return `*/${step}`
    return step === 1 ? `${first}-${last}` : `${first}-${last}/${step}`
  }
  return runs(values)
    .map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`))
    .join(',')
}

interface Run {
  readonly from: number
  readonly to: number
}

/** The values with each three or more neighbours made one. */
function runs(values: readonly number[]): readonly Run[] {
  const found: Run[] = []
  for (let index = 0; index < values.length; ) {
    const from = values[index] ?? 0
    let length = 1
    while (values[index + length] === from + length) length += 1
    if (length < 3) length = 1
    found.push({ from, to: from + length - 1 })
    index += length
  }
  return found
}

function through(run: Run, name: (value: number) => string): string {
  return run.from === run.to ? name(run.from) : `${name(run.from)} through ${name(run.to)}`
}

/** `a`, `a and b`, `a, b, and c`, as cron-descriptor lists. */
function list(items: readonly string[]): string {
  if (items.length <= 2) return items.join(' and ')
  return `${items.slice(0, -1).join(', ')}, and ${items.at(-1)}`
}

const weekdayNames = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const weekdayName = (day: number): string => weekdayNames[day] ?? ''

const monthNames =
  'January February March April May June July August September October November December'.split(' ')
const monthNumbers = monthNames.map((name) => name.slice(0, 3).toLowerCase())
