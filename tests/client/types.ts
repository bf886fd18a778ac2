/** Writes TypeScript types for the operations of an OpenAPI 3.1 document: what is asked with, and what is answered. */

interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly properties?: { readonly [name: string]: Schema }
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly additionalProperties?: boolean | Schema
  readonly patternProperties?: { readonly [pattern: string]: Schema }
  readonly description?: string
}

interface Parameter {
  readonly name: string
  readonly in: string
  readonly required?: boolean
  readonly schema: Schema
}

interface Operation {
  readonly summary?: string
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: { readonly [type: string]: { readonly schema: Schema } } }
  readonly responses: {
    readonly [status: string]: { readonly content?: { readonly [type: string]: { readonly schema: Schema } } }
  }
}

export interface Document {
  readonly paths: { readonly [path: string]: { readonly [method: string]: Operation } }
  readonly components?: { readonly schemas?: { readonly [name: string]: Schema } }
}

const head = `// Made from openapi.json by \`UPDATE_DOCS=1 npx vitest run tests/client\`.

`

/** The whole file. */
export function typesOf({ paths, components }: Document): string {
  const schemas = Object.entries(components?.schemas ?? {}).map(
    ([name, schema]) => `export type ${nameOf(name)} = ${typeOf(schema, 0)}\n`,
  )
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => entryOf(method, path, operation)),
  )
  const byName = `/** By method and path. */\nexport interface Operations {\n${operations.join('')}}\n`
  return `${head}${schemas.join('\n')}\n${byName}`
}

const nameOf = (name: string): string => name.replaceAll(/[^A-Za-z0-9]/g, '_')

function entryOf(
  method: string,
  path: string,
  { summary, parameters = [], requestBody, responses }: Operation,
): string {
  const of = (place: string) => parameters.filter((each) => each.in === place)
  const body = Object.values(requestBody?.content ?? {})[0]?.schema
  const answers = Object.entries(responses)
    .filter(([status]) => status.startsWith('2'))
    .map(
      ([, { content }]) =>
        Object.entries(content ?? {}).find(([type]) => type.startsWith('application/json'))?.[1].schema,
    )
  const answer = answers.map((schema) => (schema === undefined ? 'null' : typeOf(schema, 2)))
  const words = summary === undefined ? '' : `  /** ${summary}. */\n`
  return (
    `${words}  '${method.toUpperCase()} ${path}': {\n` +
    `    path: ${parametersOf(of('path'))}\n    query: ${parametersOf(of('query'))}\n` +
    `    body: ${body === undefined ? 'undefined' : typeOf(body, 2)}\n` +
    `    answer: ${[...new Set(answer)].join(' | ') || 'null'}\n  }\n`
  )
}

const parametersOf = (parameters: readonly Parameter[]): string =>
  parameters.length === 0 ? 'object' : `{ ${parameters.map(parameterOf).join('; ')} }`

const parameterOf = ({ name, required, schema }: Parameter): string =>
  `${keyOf(name)}${required === true ? '' : '?'}: ${typeOf(schema, 2)}`

const keyOf = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name))

function typeOf(schema: Schema, depth: number): string {
  if (schema.$ref !== undefined) return nameOf(schema.$ref.split('/').at(-1) ?? 'unknown')
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' | ')
  const several = schema.anyOf ?? schema.oneOf
  if (several !== undefined) return several.map((one) => typeOf(one, depth)).join(' | ')
  const kinds = [schema.type ?? 'unknown'].flat()
  return kinds.map((kind) => kindOf(kind, schema, depth)).join(' | ')
}

function kindOf(kind: string, schema: Schema, depth: number): string {
  switch (kind) {
    case 'integer':
      return 'number'
    case 'array': {
      const item = typeOf(schema.items ?? {}, depth)
      return item.includes('|') || item.includes('{') ? `Array<${item}>` : `${item}[]`
    }
    case 'object':
      return objectOf(schema, depth)
    case 'string':
    case 'number':
    case 'boolean':
    case 'null':
      return kind
    default:
      return 'unknown'
  }
}

function objectOf(
  { properties, required = [], additionalProperties, patternProperties }: Schema,
  depth: number,
): string {
  const values = Object.values(patternProperties ?? {})[0]
  const rest = typeof additionalProperties === 'object' ? additionalProperties : values
  if (properties === undefined)
    return `{ [key: string]: ${rest === undefined ? 'unknown' : typeOf(rest, depth)} }`
  const pad = '  '.repeat(depth + 1)
  const lines = Object.entries(properties).map(([name, schema]) => {
    const words =
      schema.description === undefined ? '' : `${pad}/** ${schema.description.replaceAll('*/', '* /')} */\n`
    return `${words}${pad}${keyOf(name)}${required.includes(name) ? '' : '?'}: ${typeOf(schema, depth + 1)}\n`
  })
  return `{\n${lines.join('')}${'  '.repeat(depth)}}`
}
