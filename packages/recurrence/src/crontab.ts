import { everFires, monthDays } from './crontab-days.js'
import { expandExpression, splitExpression } from './crontab-expression.js'
import {
  type Crontab,
  type CrontabField,
  crontabFields,
  fieldRules,
  type ParsedField,
  parseField,
} from './crontab-grammar.js'
import type { CrontabValue, DstPolicy, Problem, Result } from './types.js'
import { zone } from './zone.js'

export { compileCrontab } from './crontab-evaluator.js'
export type { Crontab, CrontabField, DayRule, ParsedField } from './crontab-grammar.js'
export { crontabFields } from './crontab-grammar.js'

const maxZoneName = 63
const gapPolicies: readonly string[] = ['shift', 'skip', 'firstValid'] satisfies DstPolicy['gap'][]
const overlapPolicies: readonly string[] = [
  'auto',
  'first',
  'second',
  'both',
] satisfies DstPolicy['overlap'][]

/**
 * Reads a crontab: Celery's runtime grammar, with the extensions of docs/reference/crontab.md.
 *
 * Answers all problems of all fields (five of each field at most), with paths below `path`, or a crontab
 * that fires at some time: a combination of days and months that never comes is refused with `never_fires`.
 * Never throws.
 *
 * Codes: `not_a_string`, `empty`, `too_long`, `field_count`, `syntax`, `out_of_range`, `bad_step`,
 * `wrong_name`, `unsupported`, `conflict`, `unknown_zone`, `unknown_choice`, `never_fires`.
 */
export function parseCrontab(value: CrontabValue, path = 'crontab'): Result<Crontab> {
  const problems: Problem[] = []
  const texts = fieldTexts(value, path, problems)
  const fields = texts && parseFields(texts, value.expression === undefined, path, problems)
  const timezone = checkZone(value.timezone, path, problems)
  const dayMode = value.dayMode ?? 'and'
  if (dayMode !== 'and' && dayMode !== 'or') refuseChoice(problems, path, 'dayMode', ['and', 'or'])
  const dst = { gap: value.dst?.gap ?? 'shift', overlap: value.dst?.overlap ?? 'auto' }
  if (!gapPolicies.includes(dst.gap)) refuseChoice(problems, path, 'dst.gap', gapPolicies)
  if (!overlapPolicies.includes(dst.overlap)) refuseChoice(problems, path, 'dst.overlap', overlapPolicies)
  if (fields === undefined || timezone === undefined || problems.length > 0)
    return { ok: false, error: problems }

  const days = monthDays(fields.dayOfMonth, fields.dayOfWeek, dayMode)
  if (everFires(fields.monthOfYear.values, days)) {
    return { ok: true, value: { fields, timezone, dayMode, dst, monthDays: days } }
  }
  return { ok: false, error: [neverFires(fields, value.expression === undefined, path)] }
}

/**
 * Reads a line as people keep them in crontabs: five fields, six with seconds in front, or a name such as
 * `@daily`; before them, if wanted, a zone as `TZ=Europe/Berlin` or `CRON_TZ=Europe/Berlin`.
 *
 * Answers the single fields, checked by `parseCrontab`; the problems' paths are `line` and below it.
 */
export function parseCrontabLine(text: string): Result<CrontabValue> {
  const problems: Problem[] = []
  const [, timezone, rest = ''] = /^[ \t]*(?:(?:CRON_)?TZ=(\S*))?(.*)$/s.exec(text) ?? []
  const split = expandExpression(rest, 'line', problems)
  if (split === undefined) return { ok: false, error: problems }
  const value: CrontabValue = {
    ...(split.second === undefined ? {} : { second: split.second }),
    minute: split.minute,
    hour: split.hour,
    dayOfMonth: split.dayOfMonth,
    monthOfYear: split.monthOfYear,
    dayOfWeek: split.dayOfWeek,
    ...(timezone === undefined ? {} : { timezone }),
  }
  const checked = parseCrontab(value, 'line')
  return checked.ok ? { ok: true, value } : checked
}

/**
 * The text of Celery's model: `0 2 * * mon (m/h/dM/MY/d) UTC`, the fields as written but without blanks, an
 * empty one as `*`. Seconds other than 0 stand in front, with `s/` in the legend. Works for values that do
 * not parse too.
 */
export function formatCrontab(value: CrontabValue): string {
  const texts = fieldTexts(value, '', []) ?? {}
  const shown = crontabFields.map((field) => (texts[field] ?? '').replace(/\s/g, '') || '*')
  const [second = '*', ...five] = shown
  const zoneName = value.timezone ?? 'UTC'
  if (texts.second === undefined || /^0+$/.test(second)) return `${five.join(' ')} (m/h/dM/MY/d) ${zoneName}`
  return `${shown.join(' ')} (s/m/h/dM/MY/d) ${zoneName}`
}

type FieldTexts = { readonly [Field in CrontabField]?: string | undefined }

/**
 * The field texts of a value, out of its expression or one by one; `undefined` with a problem when neither
 * works.
 */
function fieldTexts(value: CrontabValue, path: string, problems: Problem[]): FieldTexts | undefined {
  if (value.expression === undefined) return value
  const given = crontabFields.filter((field) => value[field] !== undefined)
  if (given.length > 0) {
    const message = `expression and ${given.join(', ')} cannot be given together`
    problems.push({ path: `${path}.expression`, code: 'conflict', message })
    return undefined
  }
  return splitExpression(value.expression, value.seconds === true, `${path}.expression`, problems)
}

function parseFields(
  texts: FieldTexts,
  single: boolean,
  path: string,
  problems: Problem[],
): Crontab['fields'] | undefined {
  const read = (field: CrontabField, absent: string): ParsedField | undefined => {
    const at = `${path}.${single ? field : 'expression'}`
    const text: unknown = texts[field] ?? absent
    if (typeof text !== 'string') {
      const message = `${fieldRules[field].label} must be a string`
      problems.push({ path: at, code: 'not_a_string', message })
      return undefined
    }
    const parsed = parseField(field, text)
    if (parsed.ok) return parsed.value
    problems.push(...parsed.error.map((problem) => ({ path: at, ...problem })))
    return undefined
  }
  const second = read('second', '0')
  const minute = read('minute', '*')
  const hour = read('hour', '*')
  const dayOfMonth = read('dayOfMonth', '*')
  const monthOfYear = read('monthOfYear', '*')
  const dayOfWeek = read('dayOfWeek', '*')
  if (!(second && minute && hour && dayOfMonth && monthOfYear && dayOfWeek)) return undefined
  return { second, minute, hour, dayOfMonth, monthOfYear, dayOfWeek }
}

function checkZone(name: unknown, path: string, problems: Problem[]): string | undefined {
  if (name === undefined) return 'UTC'
  const at = `${path}.timezone`
  if (typeof name !== 'string') {
    problems.push({ path: at, code: 'not_a_string', message: 'timezone must be a string' })
    return undefined
  }
  const found = zone(name)
  if (found === undefined) {
    const shown = JSON.stringify(name.length > maxZoneName ? `${name.slice(0, maxZoneName)}...` : name)
    const message = `timezone must be an IANA name such as Europe/Berlin; the tz database has no ${shown}`
    problems.push({ path: at, code: 'unknown_zone', message })
  }
  return found?.name
}

function refuseChoice(problems: Problem[], path: string, key: string, choices: readonly string[]): void {
  const message = `${key} must be one of ${choices.join(', ')}`
  problems.push({ path: `${path}.${key}`, code: 'unknown_choice', message })
}

function neverFires(fields: Crontab['fields'], single: boolean, path: string): Problem {
  const { dayOfMonth, monthOfYear, dayOfWeek } = fields
  const day = `day of month ${dayOfMonth.text.trim()}`
  const months = monthOfYear.any ? 'any month' : `month ${monthOfYear.text.trim()}`
  const weekday = dayOfWeek.any ? '' : ` and on day of week ${dayOfWeek.text.trim()}`
  return {
    path: `${path}.${single ? 'dayOfMonth' : 'expression'}`,
    code: 'never_fires',
    message: `${day}${weekday} never comes in ${months}, so it would never fire`,
  }
}
