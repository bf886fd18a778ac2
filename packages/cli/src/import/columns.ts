import { parseInstant } from '@almanac/recurrence'
import type { FixtureRow } from './fixture.js'
import type { Findings } from './notes.js'

/** Reads the columns of one fixture row; what does not fit its column is a problem of that column. */
export class Columns {
  readonly row: FixtureRow
  readonly findings: Findings

  constructor(row: FixtureRow, findings: Findings) {
    this.row = row
    this.findings = findings
  }

  has(name: string): boolean {
    const value = this.row.fields[name]
    return value !== undefined && value !== null
  }

  /** Text; null and a missing column are `undefined`. */
  text(name: string): string | undefined {
    const value = this.row.fields[name]
    if (value === undefined || value === null) return undefined
    if (typeof value === 'string') return value
    return this.findings.refuse(name, 'not_text', `must be text, not ${JSON.stringify(value)}`)
  }

  /** As Django's save does it: blank is null. */
  textOrNull(name: string): string | null {
    const text = this.text(name)
    return text === undefined || text === '' ? null : text
  }

  flag(name: string, otherwise: boolean): boolean {
    const value = this.row.fields[name]
    if (value === undefined || value === null) return otherwise
    if (typeof value === 'boolean') return value
    this.findings.refuse(name, 'not_a_boolean', `must be true or false, not ${JSON.stringify(value)}`)
    return otherwise
  }

  /** A whole number; null and a missing column are null. */
  whole(name: string): number | null {
    const value = this.row.fields[name]
    if (value === undefined || value === null) return null
    if (typeof value === 'number' && Number.isSafeInteger(value)) return value
    this.findings.refuse(name, 'not_whole', `must be a whole number, not ${JSON.stringify(value)}`)
    return null
  }

  /** Epoch milliseconds. A time without an offset is UTC, as with Django's USE_TZ off and Celery's default. */
  instant(name: string): number | null {
    const text = this.text(name)
    if (text === undefined || text === '') return null
    const naive = /^\d{4}-\d\d-\d\dT[\d:.]+$/.test(text)
    if (naive) this.findings.note(name, 'naive_time', `${name} has no offset and is read as UTC`)
    const read = parseInstant(naive ? `${text}Z` : text, name)
    if (read.ok) return read.value
    for (const problem of read.error) this.findings.refuse(name, problem.code, `${problem.message}: ${text}`)
    return null
  }
}
