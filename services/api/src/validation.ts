import { hasInstantForm } from '@almanac/protocol'
import { nearest } from '@almanac/recurrence'
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import type { FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'
import { ApiProblem } from './problem.js'
import { queryParser } from './query.js'

/**
 * Nothing is coerced, dropped or filled in: with Fastify's own settings `{"enabled":null}` would silently disable a
 * task and `{"enabeld":false}` be silently ignored.
 */
export function makeAjv(): Ajv {
  const ajv = new Ajv({
    coerceTypes: false,
    removeAdditional: false,
    useDefaults: false,
    allErrors: true,
    strict: true,
    allowUnionTypes: true,
    verbose: true,
  })
  ajv.addFormat('date-time', { type: 'string', validate: hasInstantForm })
  return ajv.addVocabulary(['x-schema'])
}

const codes = { body: 'invalid_body', params: 'invalid_path', headers: 'invalid_header' } as const
type Part = keyof typeof codes

/** Bodies and paths by Ajv, query strings by explicit parsing (they are text, whatever their schema says). */
export function validatorCompiler(ajv: Ajv): FastifySchemaCompiler<TSchema> {
  return ({ schema, httpPart }) => {
    if (httpPart === 'querystring') return queryParser(schema)
    const validate = ajv.compile(schema)
    const code = codes[(httpPart ?? 'body') as Part]
    return (value: unknown) =>
      validate(value) ? true : { error: new ApiProblem(code, undefined, fieldErrors(validate.errors ?? [])) }
  }
}

/** Throws `invalid_body` unless the value has the shape; `at` is where it stands in the body. */
export function assertShape<T>(
  validate: ValidateFunction<T>,
  value: unknown,
  at: string,
): asserts value is T {
  if (validate(value)) return
  const errors = fieldErrors(validate.errors ?? []).map((error) => ({
    ...error,
    path: error.path === '' ? at : `${at}.${error.path}`,
  }))
  throw new ApiProblem('invalid_body', undefined, errors)
}

const pathOf = (pointer: string): string =>
  pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce(
      (path, part) => (/^\d+$/.test(part) ? `${path}[${part}]` : path === '' ? part : `${path}.${part}`),
      '',
    )

const under = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`)

function fieldErrors(errors: readonly ErrorObject[]) {
  return errors.slice(0, 50).map((error) => {
    const path = pathOf(error.instancePath)
    const { params } = error
    switch (error.keyword) {
      case 'additionalProperties':
        return unknownField(
          under(path, params.additionalProperty),
          params.additionalProperty,
          error.parentSchema,
        )
      case 'required':
        return { path: under(path, params.missingProperty), code: 'required', message: 'is required' }
      case 'enum':
        return { path, code: 'enum', message: `must be one of ${params.allowedValues.join(', ')}` }
      case 'pattern':
        return { path, code: 'pattern', message: patternRule(error) }
      case 'format':
        return { path, code: 'format', message: 'must be an instant such as "2026-12-01T09:30:00Z"' }
      default:
        return { path, code: error.keyword, message: error.message ?? 'is wrong' }
    }
  })
}

/** A schema that has a rule of its own says it in its title. */
const patternRule = ({ parentSchema }: ErrorObject): string => {
  const title: unknown = parentSchema?.title
  return typeof title === 'string' ? title : 'must be visible text without control characters'
}

function unknownField(path: string, key: string, schema: object | undefined) {
  const known = Object.keys((schema as { properties?: object } | undefined)?.properties ?? {})
  const near = nearest(key, known)
  const message = near === undefined ? 'is not known, or not writable' : `is not known; did you mean ${near}?`
  return { path: path.slice(0, 300), code: 'unknown_field', message }
}
