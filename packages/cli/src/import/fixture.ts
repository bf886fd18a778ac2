import { refused } from '../failure.js'

/** A row of a `dumpdata` fixture, as it stands in the file. */
export interface FixtureRow {
  /** Lower case, `app.model`. */
  readonly model: string
  /** The primary key as text, so that 1 and "1" are one row. */
  readonly pk: string
  readonly fields: Readonly<Record<string, unknown>>
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const rowOf = (entry: unknown, index: number): FixtureRow => {
  const at = `Row ${index + 1} of the fixture`
  if (!isRecord(entry)) throw refused(`${at} is not an object with model, pk and fields.`)
  const { model, pk, fields } = entry
  if (typeof model !== 'string') throw refused(`${at} has no model.`)
  if (!isRecord(fields)) throw refused(`${at} (${model}) has no fields.`)
  if (typeof pk !== 'number' && typeof pk !== 'string') {
    throw refused(`${at} (${model}) has no pk.`, {
      hint: 'Dump without --natural-primary: the rows refer to each other by primary key.',
    })
  }
  return { model: model.toLowerCase(), pk: String(pk), fields }
}

/**
 * The rows of a fixture as Django's `dumpdata` writes it with the format json (one list) or jsonl (a row a line).
 * Throws a `Failure` that names the row when the file is something else.
 */
export const readFixture = (text: string): readonly FixtureRow[] => {
  const content = text.startsWith('\ufeff') ? text.slice(1) : text
  const entries = content.trimStart().startsWith('{') ? jsonLines(content) : jsonList(content)
  return entries.map(rowOf)
}

const jsonList = (content: string): readonly unknown[] => {
  let parsed: unknown
  try {
    parsed = JSON.parse(content)
  } catch (fault) {
    throw refused(`The file is not JSON: ${fault instanceof Error ? fault.message : String(fault)}`, {
      hint: 'Make it with: python manage.py dumpdata django_celery_beat --output tasks.json',
    })
  }
  if (!Array.isArray(parsed)) throw refused('The file is JSON, but not a list of fixture rows.')
  return parsed
}

const jsonLines = (content: string): readonly unknown[] =>
  content.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return []
    try {
      return [JSON.parse(line) as unknown]
    } catch {
      throw refused(`Line ${index + 1} of the file is not JSON.`, {
        hint: 'Expected is the output of `dumpdata django_celery_beat` in the format json or jsonl.',
      })
    }
  })
