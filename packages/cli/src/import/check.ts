import { validateTaskSpec } from '@almanac/domain'
import type { Findings } from './notes.js'
import type { TaskBody } from './task-body.js'

/** Almanac's names of fields to the fixture's columns, so that a problem names what is in the file. */
const columns: Readonly<Record<string, string>> = {
  routingKey: 'routing_key',
  expireSeconds: 'expire_seconds',
  startTime: 'start_time',
  oneOff: 'one_off',
}

const columnPath = (path: string): string => {
  const [field = '', ...rest] = path.split(/(?=[.[])/)
  return (columns[field] ?? field) + rest.join('')
}

const ms = (text: string | null) => (text === null ? null : Date.parse(text))

/** Holds a mapped body against the rules that the server has, so that a dry run refuses what the server would. */
export const checkBody = (body: TaskBody, findings: Findings): void => {
  const { imported: _, ...spec } = body
  const checked = validateTaskSpec({ ...spec, expires: ms(spec.expires), startTime: ms(spec.startTime) })
  if (checked.ok) return
  for (const { path, code, message } of checked.error) findings.refuse(columnPath(path), code, message)
}
