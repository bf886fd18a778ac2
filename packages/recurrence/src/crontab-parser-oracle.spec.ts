import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseCrontab } from './crontab.js'
import { type CrontabField, parseField } from './crontab-grammar.js'

// What the real celery accepts, field by field. Where we differ, the kind must be one that the reference
// lists.

interface OracleCase {
  readonly id: string
  readonly field: string
  readonly s: unknown
  readonly typed?: boolean
  readonly ok: boolean
  readonly set?: string
}

const file = new URL('../oracle/crontab_parser.oracle.json', import.meta.url)
const cases = (JSON.parse(readFileSync(file, 'utf8')) as { cases: OracleCase[] }).cases

const fields: Readonly<Record<string, CrontabField>> = {
  minute: 'minute',
  hour: 'hour',
  day_of_month: 'dayOfMonth',
  month_of_year: 'monthOfYear',
  day_of_week: 'dayOfWeek',
}

const months = /^(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)/i
const weekdays = /^(sun|mon|tue|wed|thu|fri|sat)/i

function wrongName(row: OracleCase, text: string): boolean {
  return (text.match(/[a-z]\w*/gi) ?? []).some((word) => {
    if (row.field === 'month_of_year') return weekdays.test(word)
    if (row.field === 'day_of_week') return months.test(word)
    return months.test(word) || weekdays.test(word)
  })
}

/** An item that no pattern of celery matches from end to end. */
const cutShort = (text: string): boolean =>
  text
    .split(',')
    .some((item) => !/^\s*(\*(\/\d+)?|\+?\d+|(\d+|[a-z]+)(-(\d+|[a-z]+)(\/\d+)?)?)\s*$/i.test(item))

/** Why celery accepts what we refuse. */
function refusedKind(row: OracleCase): string {
  const text = String(row.s)
  if (row.typed) return 'not a string'
  if (/[\r\n]/.test(text)) return 'newline'
  if (/[^\p{ASCII}]/u.test(text)) return 'digits of another script'
  if (/\d_\d/.test(text)) return 'underscore in a number'
  if (wrongName(row, text)) return 'name of another field'
  return cutShort(text) ? 'rest of an item ignored' : `unlisted: ${row.id} ${JSON.stringify(row.s)}`
}

/** Why we accept what celery refuses. */
function acceptedKind(row: OracleCase): string {
  const text = String(row.s)
  if (row.field === 'whole' && /^\s|\s$|\s\s/.test(text)) return 'more blanks between fields'
  if (row.field === 'whole' && /^@\w+$/.test(text)) return 'extension'
  if (/(^|[-, ])0*7($|[-,/])/.test(text) && /^(whole|day_of_week)$/.test(row.field)) return '7 as Sunday'
  if (/[?#]|\d?[LW]\b/i.test(text) && /^(whole|day_of_)/.test(row.field)) return 'extension'
  if (/(^|,)[ \t]|[ \t](,|$)/.test(text)) return 'blanks round an item'
  return `unlisted: ${row.id} ${JSON.stringify(row.s)}`
}

function ours(row: OracleCase): { readonly ok: boolean; readonly set?: string } {
  if (typeof row.s !== 'string') return { ok: false }
  const field = fields[row.field]
  if (field === undefined) return { ok: parseCrontab({ expression: row.s }).ok }
  const parsed = parseField(field, row.s)
  return parsed.ok ? { ok: true, set: runs(parsed.value.values) } : { ok: false }
}

/** `0-4,7` */
function runs(values: readonly number[]): string {
  const found: string[] = []
  for (let at = 0; at < values.length; ) {
    let end = at
    while (values[end + 1] === (values[end] ?? 0) + 1) end += 1
    found.push(end === at ? `${values[at]}` : `${values[at]}-${values[end]}`)
    at = end + 1
  }
  return found.join()
}

/** The oracle writes two neighbours as a run or apart; ours is compared by members. */
const members = (set: string): string =>
  runs(
    set.split(',').flatMap((run) => {
      const [from = 0, to = from] = run.split('-').map(Number)
      return Array.from({ length: to - from + 1 }, (_, index) => from + index)
    }),
  )

describe('crontab parser oracle', () => {
  const kinds = new Map<string, number>()
  for (const row of cases) {
    const found = ours(row)
    let kind = 'same'
    if (row.ok && !found.ok) kind = `refused: ${refusedKind(row)}`
    else if (!row.ok && found.ok) kind = `accepted: ${acceptedKind(row)}`
    else if (row.ok && row.set !== undefined && found.set !== members(row.set)) kind = `other set: ${row.id}`
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
  }

  it('differs from celery in the listed kinds only, as often as the reference says', () => {
    process.stdout.write(`crontab parser oracle: ${JSON.stringify(Object.fromEntries(kinds))}\n`)
    expect(Object.fromEntries(kinds)).toEqual({
      same: 970,
      'refused: rest of an item ignored': 46,
      'refused: name of another field': 87,
      'refused: digits of another script': 14,
      'refused: underscore in a number': 6,
      'refused: newline': 4,
      'refused: not a string': 14,
      'accepted: 7 as Sunday': 7,
      'accepted: extension': 6,
      'accepted: blanks round an item': 11,
      'accepted: more blanks between fields': 3,
    })
  })
})
