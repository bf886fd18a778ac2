import { readFileSync } from 'node:fs'
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { textAt, type Value } from './documents.js'

/** The schemas that are held against; infra/check/fetch.sh made them. */
export const kubernetesVersion = '1.35'

// What formats say, such as int32, is left to the servers.
const settings = { strict: false, allErrors: true, validateFormats: false } as const
const schemaFile = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../check/schemas/${name}`, import.meta.url), 'utf8'))

let compose: ValidateFunction | undefined
let kubernetes: Ajv2020 | undefined
let patches: Ajv2020 | undefined

export function composeProblems(document: Value): readonly string[] {
  // The schema names its draft with https, which is another name.
  compose ??= new Ajv(settings).compile({ ...schemaFile('compose-spec.json'), $schema: undefined })
  return compose(document) ? [] : problemsOf(compose.errors ?? [])
}

/** A patch may leave out what a whole document must have. */
export function kubernetesProblems(document: Value, { isPatch = false } = {}): readonly string[] {
  const name = definitionOf(document)
  if (name === undefined) {
    const what = `${textAt(document, 'apiVersion') || 'no apiVersion'} ${textAt(document, 'kind') || 'no kind'}`
    return [`${what}: Kubernetes ${kubernetesVersion} as it is checked here has no such kind`]
  }
  kubernetes ??= withDefinitions((schema) => schema)
  patches ??= withDefinitions(withoutRequired)
  const validate = (isPatch ? patches : kubernetes).getSchema(`kubernetes#/$defs/${name}`)
  if (validate === undefined) throw new Error(`The schema of ${name} is not there`)
  const named = textAt(document, 'metadata', 'name') === '' ? ['metadata.name is missing'] : []
  return validate(document) ? named : [...named, ...problemsOf(validate.errors ?? [])]
}

const withDefinitions = (change: (schema: unknown) => unknown) => {
  const ajv = new Ajv2020(settings)
  ajv.addSchema({ ...(change(schemaFile('kubernetes-1.35.json')) as object), $id: 'kubernetes' })
  return ajv
}

function withoutRequired(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutRequired)
  if (typeof schema !== 'object' || schema === null) return schema
  const kept = Object.entries(schema).filter(([key, value]) => !(key === 'required' && Array.isArray(value)))
  return Object.fromEntries(kept.map(([key, value]) => [key, withoutRequired(value)]))
}

/** `apps/v1` `StatefulSet`: `io.k8s.api.apps.v1.StatefulSet` */
function definitionOf(document: Value): string | undefined {
  const [group = '', version = group] = textAt(document, 'apiVersion').split('/')
  const folder = group === version ? 'core' : (group.split('.')[0] ?? group)
  const name = `io.k8s.api.${folder}.${version}.${textAt(document, 'kind')}`
  definitions ??= new Set(Object.keys(schemaFile('kubernetes-1.35.json').$defs))
  return definitions.has(name) ? name : undefined
}
let definitions: ReadonlySet<string> | undefined

/** The deepest say what is wrong; those above them only that something is. */
function problemsOf(errors: readonly ErrorObject[]): readonly string[] {
  const telling = errors.filter(({ keyword }) => !['oneOf', 'anyOf', 'not', 'if'].includes(keyword))
  const chosen = telling.length > 0 ? telling : errors
  const deepest = chosen.filter(
    ({ instancePath }) => !chosen.some((other) => other.instancePath.startsWith(`${instancePath}/`)),
  )
  return [...new Set([...deepest, ...chosen.filter(({ keyword }) => isPlain(keyword))].map(sentence))]
}

const isPlain = (keyword: string) => keyword === 'additionalProperties' || keyword === 'required'

function sentence({ instancePath, keyword, message, params }: ErrorObject): string {
  const place = instancePath.slice(1).replaceAll('/', '.').replaceAll('~1', '/') || 'the document'
  if (keyword === 'additionalProperties') return `${place}: there is no field ${params.additionalProperty}`
  if (keyword === 'required') return `${place}: ${params.missingProperty} is missing`
  return `${place} ${message}`
}
