import { type CrontabField, crontabFields } from './crontab-grammar.js'
import type { Problem } from './types.js'

/** The longest expression, all fields together. */
export const maxExpressionLength = 256

/** The texts of an expression's fields; `second` only when the expression has it. */
export type SplitExpression = Readonly<Record<Exclude<CrontabField, 'second'>, string>> & {
  readonly second?: string
}

const names: ReadonlyMap<string, string> = new Map([
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
  ['@monthly', '0 0 1 * *'],
  ['@weekly', '0 0 * * 0'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@hourly', '0 * * * *'],
])

/**
 * Splits an expression of exactly five fields, or six when `seconds`, or one of the `@` names. Answers
 * `undefined` after adding a problem at `path`. The fields themselves are not read yet.
 */
export function splitExpression(
  expression: unknown,
  seconds: boolean,
  path: string,
  problems: Problem[],
): SplitExpression | undefined {
  const fields = words(expression, path, problems)
  if (fields === undefined) return undefined
  const wanted = seconds ? 6 : 5
  // A name says all there is to say, with or without seconds.
  if (fields.length === wanted || String(expression).trim().startsWith('@')) return assemble(fields)
  let hint = ''
  if (fields.length === 6 && !seconds) hint = '; for a leading field of seconds set seconds: true'
  if (fields.length === 5 && seconds) hint = '; with seconds: true the first field is the second'
  if (/^(CRON_)?TZ=/.test(fields[0] ?? '')) hint = '; put the zone into timezone'
  return refuse(
    path,
    problems,
    'field_count',
    `must have exactly ${wanted} fields, has ${fields.length}${hint}`,
  )
}

/** Like `splitExpression`, but the number of fields tells whether there are seconds. */
export function expandExpression(
  expression: string,
  path: string,
  problems: Problem[],
): SplitExpression | undefined {
  const fields = words(expression, path, problems)
  if (fields === undefined || fields.length === 5 || fields.length === 6) return fields && assemble(fields)
  const message = `must have five fields, or six with seconds in front, has ${fields.length}`
  return refuse(path, problems, 'field_count', message)
}

/** The blank-separated words, with a name replaced by what it stands for. */
function words(expression: unknown, path: string, problems: Problem[]): readonly string[] | undefined {
  if (typeof expression !== 'string') return refuse(path, problems, 'not_a_string', 'must be a string')
  if (expression.length > maxExpressionLength) {
    return refuse(path, problems, 'too_long', `must have at most ${maxExpressionLength} characters`)
  }
  const trimmed = expression.replace(/^[ \t]+|[ \t]+$/g, '')
  if (trimmed === '') return refuse(path, problems, 'empty', 'must not be empty')
  if (!trimmed.startsWith('@')) return trimmed.split(/[ \t]+/)
  const standsFor = names.get(trimmed.toLowerCase())
  if (standsFor !== undefined) return standsFor.split(' ')
  return refuse(path, problems, 'unsupported', explainName(trimmed))
}

function explainName(name: string): string {
  if (/^@reboot\b/i.test(name))
    return 'cannot be @reboot: a schedule says when, and no program starts at a known time'
  if (/^@every\b/i.test(name))
    return 'cannot be @every: that is an interval, write { "interval": { "every", "period" } }'
  return `has an unknown name; known are ${[...names.keys()].join(', ')}`
}

function assemble(fields: readonly string[]): SplitExpression {
  const six = fields.length === 5 ? [undefined, ...fields] : fields
  const at = (field: CrontabField): string => six[crontabFields.indexOf(field)] ?? '*'
  const split = {
    minute: at('minute'),
    hour: at('hour'),
    dayOfMonth: at('dayOfMonth'),
    monthOfYear: at('monthOfYear'),
    dayOfWeek: at('dayOfWeek'),
  }
  return fields.length === 6 ? { second: at('second'), ...split } : split
}

function refuse(path: string, problems: Problem[], code: string, rule: string): undefined {
  problems.push({ path, code, message: `expression ${rule}` })
  return undefined
}
