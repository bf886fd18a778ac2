import { CronExpressionParser } from 'cron-parser'
import { parseCrontab } from './crontab.js'
import type { CrontabValue, Problem, Result } from './types.js'

/** Names that cron-parser expands itself, spelt just so. */
const names = new Set(
  '@yearly @annually @monthly @weekly @daily @hourly @minutely @secondly @weekdays @weekends'.split(' '),
)
const maxLength = 256
const anyName = /jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sun|mon|tue|wed|thu|fri|sat/gi

/**
 * Reads an expression as the cron-parser package does and answers the same schedule as our value: five
 * fields, or six with seconds in front; the day fields joined by `or`; `L`, `5L`, `mon#2`, `?`, `5/15`
 * allowed. The fields come back expanded to numbers.
 *
 * Refused, though cron-parser takes them: fewer than five fields (it fills them up), and `H`, which it
 * draws at random. Problems' paths are `expression`; `never_fires` and `syntax` hold what cron-parser says.
 */
export function fromCronParser(expression: string): Result<CrontabValue> {
  const text = typeof expression === 'string' ? expression.trim() : ''
  if (text === '') return refuse('empty', 'must not be empty')
  if (text.length > maxLength) return refuse('too_long', `must have at most ${maxLength} characters`)
  const count = text.split(/\s+/).length
  if (text.startsWith('@') ? !names.has(text) : count !== 5 && count !== 6) {
    return refuse(
      'field_count',
      `must have five fields, six with seconds in front, or be one of ${[...names].join(', ')}`,
    )
  }
  if (/h/i.test(text.startsWith('@') ? '' : text.replace(anyName, ''))) {
    return refuse('unsupported', 'has H, for which cron-parser would choose a random time; write the time')
  }
  let fields: ReturnType<typeof CronExpressionParser.parse>['fields']
  try {
    // Date, zone and seed change nothing here (`H` is refused); given so that it reads neither clock nor chance.
    const told = { currentDate: new Date(0), tz: 'UTC', hashSeed: 'none' }
    fields = CronExpressionParser.parse(text, told).fields
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error)
    const code = /explicit day of month/i.test(said) ? 'never_fires' : 'syntax'
    return refuse(code, `is refused by cron-parser: ${said}`)
  }
  const second = write(fields.second)
  const nth = fields.dayOfWeek.nthDay
  const value: CrontabValue = {
    ...(second === '0' ? {} : { second }),
    minute: write(fields.minute),
    hour: write(fields.hour),
    dayOfMonth: write(fields.dayOfMonth),
    monthOfYear: write(fields.month),
    dayOfWeek:
      nth > 0 ? fields.dayOfWeek.values.map((day) => `${day}#${nth}`).join() : write(fields.dayOfWeek),
    dayMode: 'or',
  }
  const checked = parseCrontab(value, 'expression')
  return checked.ok ? { ok: true, value } : checked
}

/**
 * The values as a list with runs, so that a full list stays within the field's length; `*` where that was
 * written.
 */
function write(field: {
  readonly isWildcard: boolean
  readonly values: readonly (number | string)[]
}): string {
  if (field.isWildcard) return '*'
  const parts: string[] = []
  for (let at = 0; at < field.values.length; ) {
    const start = field.values[at] ?? 0
    let end = at
    while (typeof start === 'number' && field.values[end + 1] === start + end + 1 - at) end += 1
    parts.push(end > at + 1 ? `${start}-${field.values[end]}` : field.values.slice(at, end + 1).join())
    at = end + 1
  }
  return parts.join()
}

function refuse(code: string, rule: string): { readonly ok: false; readonly error: readonly Problem[] } {
  return { ok: false, error: [{ path: 'expression', code, message: `expression ${rule}` }] }
}
