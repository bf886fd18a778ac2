import type { FieldError } from '@almanac/protocol'
import { nearest, parseInstant } from '@almanac/recurrence'
import type { TSchema } from 'typebox'
import { ApiProblem } from './problem.js'

interface ParameterSchema {
  readonly type?: string
  readonly format?: string
  readonly enum?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly maxLength?: number
  readonly maxItems?: number
  readonly items?: ParameterSchema
}

class BadParameter extends Error {}

const fail = (message: string): never => {
  throw new BadParameter(message)
}

/** Digits only: no sign, no exponent, no blank, nothing that Number() would forgive. */
function integer(text: string, { minimum = 0, maximum = Number.MAX_SAFE_INTEGER }: ParameterSchema): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : fail('must be a whole number, digits only')
  if (value < minimum || value > maximum) fail(`must be from ${minimum} to ${maximum}`)
  return value
}

function instantOrPosition(text: string): { instant: number } | { position: number } {
  if (/^\d+$/.test(text)) return { position: integer(text, {}) }
  const parsed = parseInstant(text)
  return parsed.ok ? { instant: parsed.value } : fail('must be an instant with offset, or a position')
}

function parse(text: string, schema: ParameterSchema): unknown {
  if (schema.type === 'integer') return integer(text, schema)
  if (schema.type === 'boolean')
    return text === 'true' || (text === 'false' ? false : fail('must be true or false'))
  if (schema.format === 'instant-or-position') return instantOrPosition(text)
  if (schema.format === 'date-time') {
    const parsed = parseInstant(text)
    return parsed.ok ? text : fail(parsed.error[0]?.message ?? 'must be an instant')
  }
  if (schema.enum !== undefined && !schema.enum.includes(text))
    fail(`must be one of ${schema.enum.join(', ')}`)
  if (schema.maxLength !== undefined && text.length > schema.maxLength) {
    fail(`must have at most ${schema.maxLength} characters`)
  }
  return text.includes('\u0000') ? fail('must not contain NUL') : text
}

function parseOneOrMany(given: unknown, schema: ParameterSchema): unknown {
  const texts = (Array.isArray(given) ? given : [given]).map(String)
  if (schema.type !== 'array')
    return texts.length === 1 ? parse(texts[0] ?? '', schema) : fail('is given twice')
  if (texts.length > (schema.maxItems ?? 1)) fail(`may be given ${schema.maxItems} times`)
  return texts.map((text) => parse(text, schema.items ?? {}))
}

/** Makes the parser of a query string out of its schema. Unknown parameters are errors. */
export function queryParser(schema: TSchema) {
  const { properties } = schema as unknown as { properties: { readonly [name: string]: ParameterSchema } }
  const known = new Map(Object.entries(properties))
  return (query: unknown) => {
    const value: { [name: string]: unknown } = {}
    const errors: FieldError[] = []
    for (const [name, given] of Object.entries(Object(query))) {
      const parameter = known.get(name)
      if (parameter === undefined) {
        const near = nearest(name, [...known.keys()])
        const hint = near === undefined ? '' : `; did you mean ${near}?`
        errors.push({ path: name.slice(0, 100), code: 'unknown_parameter', message: `is not known${hint}` })
        continue
      }
      try {
        value[name] = parseOneOrMany(given, parameter)
      } catch (error) {
        if (!(error instanceof BadParameter)) throw error
        errors.push({ path: name, code: 'malformed', message: error.message })
      }
    }
    return errors.length === 0 ? { value } : { error: new ApiProblem('invalid_query', undefined, errors) }
  }
}
