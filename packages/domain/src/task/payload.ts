import { fieldsOf, join, type Problem, show } from '@almanac/recurrence'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import type { FieldReader } from '../field-reader.js'
import { copyJson } from '../json.js'
import { readText } from '../text.js'
import type { Json, TaskSpec } from './types.js'

/** Arguments of a task together, as canonical JSON in UTF-8. */
export const maxPayloadBytes = 65_536
const maxHeaders = 32
/** All headers together, as canonical JSON in UTF-8. */
const maxHeaderBytes = 32_768
const maxHeaderName = 128
const maxLabels = 32
const maxLabelKey = 63
const maxLabelValue = 256

type Arguments = Pick<TaskSpec, 'args' | 'kwargs'>

/** The arguments: `args` a list, `kwargs` an object, both JSON data, together at most 64 KiB. */
export function readPayload(read: FieldReader, current: Arguments): Arguments {
  const before = read.problems.length
  const given = read.fields.has('args') || read.fields.has('kwargs')
  const args = read.fields.has('args')
    ? readArgs(read.fields.get('args'), read.at('args'), read.problems)
    : current.args
  const kwargs = read.fields.has('kwargs')
    ? readKwargs(read.fields.get('kwargs'), read.at('kwargs'), read.problems)
    : current.kwargs
  if (given && read.problems.length === before) {
    const bytes = utf8Length(JSON.stringify(args)) + utf8Length(JSON.stringify(kwargs))
    if (bytes > maxPayloadBytes) {
      const message = `args and kwargs must have at most ${maxPayloadBytes} bytes of JSON together, not ${bytes}`
      read.refuse(read.fields.has('args') ? 'args' : 'kwargs', 'too_large', message)
    }
  }
  return { args, kwargs }
}

function readArgs(value: unknown, path: string, problems: Problem[]): readonly Json[] {
  if (!Array.isArray(value)) {
    problems.push({ path, code: 'not_a_list', message: `must be a list, not ${show(value)}` })
    return []
  }
  const copy = copyJson(value, path, problems)
  return Array.isArray(copy) ? copy : []
}

function readKwargs(value: unknown, path: string, problems: Problem[]): { readonly [key: string]: Json } {
  const object = readObject(value, path, problems)
  for (const key of Object.keys(object)) {
    if (!/^\d*$/.test(key)) continue
    const message = 'is no name of an argument: names are neither empty nor numbers'
    problems.push({ path: join(path, key), code: 'bad_argument_name', message })
  }
  return object
}

function readObject(value: unknown, path: string, problems: Problem[]): { readonly [key: string]: Json } {
  if (fieldsOf(value) === undefined) {
    problems.push({ path, code: 'not_an_object', message: `must be an object, not ${show(value)}` })
    return {}
  }
  const copy = copyJson(value, path, problems)
  return isObject(copy) ? copy : {}
}

const isObject = (value: Json | undefined): value is { readonly [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Printable ASCII, since that is what headers of Kafka, AMQP and HTTP can all carry. */
const headerName = /^[!-~]+$/
const lineBreak = /[\0\r\n]/

/**
 * The user's own headers of a run: an object of at most 32, of any JSON values, at most 32 KiB together. The
 * names that Celery and Almanac set themselves are refused, since a worker would take the user's for theirs.
 */
export function readHeaders(read: FieldReader, current: TaskSpec['headers']): TaskSpec['headers'] {
  const value = read.fields.get('headers')
  if (value === undefined) return current
  const headers = readObject(value, read.at('headers'), read.problems)
  const names = Object.keys(headers)
  if (names.length > maxHeaders) {
    read.refuse('headers', 'too_many', `must have at most ${maxHeaders} headers, has ${names.length}`)
    return current
  }
  for (const name of names) {
    const problem = headerProblem(name, headers[name])
    if (problem === undefined) continue
    read.problems.push({ path: join(read.at('headers'), name.slice(0, maxHeaderName)), ...problem })
  }
  const bytes = utf8Length(JSON.stringify(headers))
  if (bytes > maxHeaderBytes) {
    read.refuse('headers', 'too_large', `must have at most ${maxHeaderBytes} bytes of JSON, not ${bytes}`)
  }
  return headers
}

function headerProblem(name: string, value: Json | undefined): Omit<Problem, 'path'> | undefined {
  const lower = name.toLowerCase()
  if (lower === 'task' || lower === 'id' || lower.startsWith('almanac-')) {
    return { code: 'reserved_header', message: 'is a header that Almanac sets itself' }
  }
  if (name.length > maxHeaderName || !headerName.test(name)) {
    const message = `must have a name of 1 to ${maxHeaderName} printable ASCII characters without blanks`
    return { code: 'bad_header_name', message }
  }
  if (typeof value === 'string' && lineBreak.test(value)) {
    return { code: 'control_character', message: 'must not have line breaks or NUL' }
  }
  return undefined
}

/** At most 32 labels; filters read them as `key=value`, so a key has no `=`. */
export function readLabels(read: FieldReader, current: TaskSpec['labels']): TaskSpec['labels'] {
  const value = read.fields.get('labels')
  if (value === undefined) return current
  const path = read.at('labels')
  const fields = fieldsOf(value)
  if (fields === undefined) {
    read.refuse('labels', 'not_an_object', `must be an object, not ${show(value)}`)
    return current
  }
  if (fields.size > maxLabels) {
    read.refuse('labels', 'too_many', `must have at most ${maxLabels} labels, has ${fields.size}`)
    return current
  }
  const labels: [string, string][] = []
  for (const [key, label] of fields) {
    const at = join(path, key.slice(0, maxLabelKey))
    const name = readText(key, at, { max: maxLabelKey, filled: true }, read.problems)
    const text = readText(label, at, { max: maxLabelValue, filled: false }, read.problems)
    if (name?.includes('=') === true || name === '__proto__') {
      read.problems.push({
        path: at,
        code: 'bad_label_key',
        message: 'is no key of a label: it must not have =',
      })
    } else if (name !== undefined && text !== undefined) labels.push([name, text])
  }
  return Object.fromEntries(labels)
}

const utf8Length = (text: string): number => utf8ToBytes(text).length
