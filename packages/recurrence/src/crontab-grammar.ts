import type { DstPolicy, Result } from './types.js'

/** The six fields in the order in which an expression has them. `second` is ours; the others are Celery's. */
export const crontabFields = ['second', 'minute', 'hour', 'dayOfMonth', 'monthOfYear', 'dayOfWeek'] as const
export type CrontabField = (typeof crontabFields)[number]

/** A rule for a day of a month that is no plain number. Weekdays count from Sunday, 0. */
export type DayRule =
  /** `L`, `L-3`: so many days before the last of the month. */
  | { readonly kind: 'fromLast'; readonly back: number }
  /** `15W`: the Monday to Friday nearest to that day, in the same month; not in a month without that day. */
  | { readonly kind: 'nearestWorkday'; readonly day: number }
  /** `LW`: the last Monday to Friday of the month. */
  | { readonly kind: 'lastWorkday' }
  /** `mon#2`: the second Monday. */
  | { readonly kind: 'nth'; readonly weekday: number; readonly nth: number }
  /** `5L`, `friL`: the last Friday. */
  | { readonly kind: 'lastOf'; readonly weekday: number }

/** One field, read. */
export interface ParsedField {
  /** As it was written. */
  readonly text: string
  /** Whether an item of the list is `*`, `?` or `*` with step 1. */
  readonly any: boolean
  /** Ascending; Sunday is 0. */
  readonly values: readonly number[]
  /** Only in the two day fields. */
  readonly rules: readonly DayRule[]
}

/** A crontab whose every field has been read and which fires at some time. Made by `parseCrontab`. */
export interface Crontab {
  readonly fields: Readonly<Record<CrontabField, ParsedField>>
  /** IANA name in the spelling of the tz database. */
  readonly timezone: string
  readonly dayMode: 'and' | 'or'
  readonly dst: Required<DstPolicy>
  /**
   * The days that fire in each of the 28 shapes that a month can have: see `monthShape`. Bit 0 is the first
   * day.
   */
  readonly monthDays: Int32Array
}

interface FieldRule {
  readonly label: string
  readonly min: number
  readonly max: number
  readonly maxLength: number
  readonly names?: readonly string[]
}

const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const weekdayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const fullWeekdays = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']

/** Lengths as in django-celery-beat: a full list of every value with blanks fits. */
export const fieldRules: Readonly<Record<CrontabField, FieldRule>> = {
  second: { label: 'second', min: 0, max: 59, maxLength: 240 },
  minute: { label: 'minute', min: 0, max: 59, maxLength: 240 },
  hour: { label: 'hour', min: 0, max: 23, maxLength: 96 },
  dayOfMonth: { label: 'day of month', min: 1, max: 31, maxLength: 124 },
  monthOfYear: { label: 'month', min: 1, max: 12, maxLength: 64, names: monthNames },
  dayOfWeek: { label: 'day of week', min: 0, max: 7, maxLength: 64, names: weekdayNames },
}

/** What is wrong with one field. The message names the field. */
export interface FieldProblem {
  readonly code: string
  readonly message: string
}

const maxProblems = 5

/**
 * Reads one field by Celery's runtime grammar with our extensions (docs/reference/crontab.md has both in
 * full). Answers the field, or one problem for each bad item, five at most. Never throws.
 */
export function parseField(field: CrontabField, text: string): Result<ParsedField, readonly FieldProblem[]> {
  const rule = fieldRules[field]
  // Most fields of most crontabs are just this.
  if (text === '*') return { ok: true, value: anyOf[field] }
  const whole = checkText(rule, text)
  if (whole !== undefined) return { ok: false, error: [whole] }
  const reader = new FieldReader(field, rule)
  for (const item of text.split(',')) {
    reader.read(item.replace(/^[ \t]+|[ \t]+$/g, ''))
    if (reader.problems.length >= maxProblems) break
  }
  if (reader.problems.length > 0) return { ok: false, error: reader.problems }
  return { ok: true, value: reader.result(text) }
}

const anyField = (min: number, max: number): ParsedField => ({
  text: '*',
  any: true,
  values: Array.from({ length: max - min + 1 }, (_, index) => min + index),
  rules: [],
})

const anyOf: Readonly<Record<CrontabField, ParsedField>> = {
  second: anyField(0, 59),
  minute: anyField(0, 59),
  hour: anyField(0, 23),
  dayOfMonth: anyField(1, 31),
  monthOfYear: anyField(1, 12),
  dayOfWeek: anyField(0, 6),
}

function checkText(rule: FieldRule, text: string): FieldProblem | undefined {
  if (text.length > rule.maxLength) {
    return { code: 'too_long', message: `${rule.label} must have at most ${rule.maxLength} characters` }
  }
  if (/^[ \t]*$/.test(text))
    return { code: 'empty', message: `${rule.label} must not be empty; write * for any` }
  for (const character of text) {
    if (character < ' ' && character !== '\t') {
      return { code: 'syntax', message: `${rule.label} has a newline or another control character` }
    }
  }
  return undefined
}

class FieldReader {
  readonly problems: FieldProblem[] = []
  private readonly field: CrontabField
  private readonly rule: FieldRule
  private readonly chosen: boolean[] = []
  private readonly rules: DayRule[] = []
  private any = false
  private item = ''

  constructor(field: CrontabField, rule: FieldRule) {
    this.field = field
    this.rule = rule
  }

  result(text: string): ParsedField {
    const values: number[] = []
    for (let value = this.rule.min; value <= this.rule.max; value++)
      if (this.chosen[value]) values.push(value)
    return { text, any: this.any, values, rules: this.rules }
  }

  read(item: string): undefined {
    this.item = item
    if (item === '') return this.refuse('empty', 'has an empty part in its list')
    if (item === '?' && this.isDayField()) return this.choose(this.rule.min, this.last(), 1, true)
    if (this.readDayRule(item)) return
    const [base = '', stepText, more] = item.split('/')
    if (more !== undefined) return this.refuse('syntax', `has more than one step in ${this.shown()}`)
    const step = stepText === undefined ? 1 : this.readStep(stepText)
    if (step === undefined) return
    if (base === '*') return this.choose(this.rule.min, this.last(), step, step === 1)
    this.readRange(base, stepText, step)
  }

  /** The whole of the field's values: 7 is only another name of Sunday, so it does not belong. */
  private last(): number {
    return this.field === 'dayOfWeek' ? 6 : this.rule.max
  }

  private readStep(text: string): number | undefined {
    if (!/^[0-9]+$/.test(text))
      return this.refuse('bad_step', `needs a whole number after / in ${this.shown()}`)
    const step = Number(text)
    return step > 0 ? step : this.refuse('bad_step', `has step 0 in ${this.shown()}; the least is 1`)
  }

  private readRange(base: string, stepText: string | undefined, step: number): undefined {
    const ends = base.split('-')
    if (ends.length > 2 || ends[0] === '') {
      const what = ends[0] === '' ? 'has a negative number or no start of a range' : 'has more than one range'
      return this.refuse('syntax', `${what} in ${this.shown()}`)
    }
    const from = this.readValue(ends[0] ?? '', ends.length === 1)
    if (from === undefined) return
    if (ends.length === 1) {
      if (stepText === undefined) return this.choose(from, from, 1, false)
      const hint = `write ${base}-${this.last()}/${stepText}`
      return this.refuse('bad_step', `has a step on the single value ${this.shown()}; ${hint}`)
    }
    const to = this.readValue(ends[1] ?? '', false)
    if (to !== undefined) this.choose(from, to, step, false)
  }

  /** Marks every `step`th value from `from` to `to`, going round where `to` is the smaller. */
  private choose(from: number, to: number, step: number, any: boolean): undefined {
    if (any) this.any = true
    const start = this.field === 'dayOfWeek' && from === 7 ? 0 : from
    const end = from === 7 && to === 7 && this.field === 'dayOfWeek' ? 0 : to
    const { min } = this.rule
    const size = this.last() - min + 1
    const length = end < start ? end - start + size : end - start
    for (let at = 0; at <= length; at += step) this.chosen[min + ((start - min + at) % size)] = true
  }

  private readValue(text: string, signed: boolean): number | undefined {
    if (/^[0-9]+$/.test(text) || (signed && /^\+[0-9]+$/.test(text))) {
      const value = Number(text)
      if (value >= this.rule.min && value <= this.rule.max) return value
      return this.refuse('out_of_range', `must be ${this.rule.min} to ${this.rule.max}, not ${clip(text)}`)
    }
    if (/^[A-Za-z]{3,}$/.test(text)) {
      const value = this.readName(text)
      if (value !== undefined) return value
    }
    return this.refuse(...this.explain(text))
  }

  /** Celery takes the first three letters of any word, in any case. */
  private readName(text: string): number | undefined {
    const index = this.rule.names?.indexOf(text.slice(0, 3).toLowerCase()) ?? -1
    return index < 0 ? undefined : index + this.rule.min
  }

  private explain(text: string): [code: string, message: string] {
    const start = text.slice(0, 3).toLowerCase()
    if (/^[a-z]{3,}$/i.test(text) && weekdayNames.includes(start)) {
      return ['wrong_name', `has the weekday name ${clip(text)}; those belong in day of week`]
    }
    if (/^[a-z]{3,}$/i.test(text) && monthNames.includes(start)) {
      return ['wrong_name', `has the month name ${clip(text)}; those belong in month`]
    }
    if (/^h(\(.*)?$/i.test(text))
      return ['unsupported', 'has H, which would choose a random time; write the time']
    if (text === '*') return ['syntax', `has * as an end of a range in ${this.shown()}`]
    if (/^(\?|l|lw|w|\d+w|\w+l|\w+#\w+)$/i.test(text)) {
      return ['unsupported', `cannot have ${this.shown()}; ${extensionHint}`]
    }
    if (text.startsWith('@'))
      return ['unsupported', `cannot have ${this.shown()}; names such as @daily stand alone`]
    if (/\p{Nd}/u.test(text) && !/[0-9]/.test(text)) return ['syntax', 'must be written in the digits 0 to 9']
    return ['syntax', `cannot be read at ${this.shown()}`]
  }

  /** `L`, `W` and `#`. Answers whether the item was one of these, be it right or wrong. */
  private readDayRule(item: string): boolean {
    if (this.field === 'dayOfMonth') return this.readDayOfMonthRule(item)
    if (this.field !== 'dayOfWeek') return false
    const nth = /^([A-Za-z0-9]+)#([0-9]+)$/.exec(item)
    if (nth !== null) {
      const weekday = this.readValue(nth[1] ?? '', false)
      if (weekday === undefined) return true
      const count = Number(nth[2])
      if (count < 1 || count > 5)
        this.refuse('out_of_range', `must have 1 to 5 after #, not ${clip(nth[2] ?? '')}`)
      else this.rules.push({ kind: 'nth', weekday: weekday % 7, nth: count })
      return true
    }
    const last = /^([A-Za-z]+|[0-9]+)[Ll]$/.exec(item)?.[1]?.toLowerCase()
    // Only whole names: by the rule of the first three letters, any word that ends in L would be one.
    if (
      last === undefined ||
      !(/^[0-9]/.test(last) || weekdayNames.includes(last) || fullWeekdays.includes(last))
    ) {
      return false
    }
    const weekday = this.readValue(last, false)
    if (weekday !== undefined) this.rules.push({ kind: 'lastOf', weekday: weekday % 7 })
    return true
  }

  private readDayOfMonthRule(item: string): boolean {
    if (/^lw$/i.test(item)) return this.rules.push({ kind: 'lastWorkday' }) > 0
    const back = /^l(?:-([0-9]+))?$/i.exec(item)
    if (back !== null) {
      const days = Number(back[1] ?? 0)
      if (days > 30) this.refuse('out_of_range', `must have 0 to 30 after L-, not ${clip(back[1] ?? '')}`)
      else this.rules.push({ kind: 'fromLast', back: days })
      return true
    }
    const near = /^([0-9]+)w$/i.exec(item)?.[1]
    if (near === undefined) return false
    const day = this.readValue(near, false)
    if (day !== undefined) this.rules.push({ kind: 'nearestWorkday', day })
    return true
  }

  private isDayField(): boolean {
    return this.field === 'dayOfMonth' || this.field === 'dayOfWeek'
  }

  private shown(): string {
    return clip(this.item)
  }

  private refuse(code: string, message: string): undefined {
    this.problems.push({ code, message: `${this.rule.label} ${message}` })
    return undefined
  }
}

const extensionHint =
  'day of month knows ?, L, L-3, 15W and LW, day of week ?, friL and mon#2, each as an item of its own'

const clip = (text: string): string => `"${text.length > 40 ? `${text.slice(0, 40)}...` : text}"`
