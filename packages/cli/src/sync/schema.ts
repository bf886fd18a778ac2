import { scheduleSchemas, TaskBody } from '@almanac/protocol'

type Json = { readonly [key: string]: unknown }

/** Puts schemas by name where the server checks by other means, and finds them in this document. */
const resolved = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(resolved)
  if (typeof value !== 'object' || value === null) return value
  if ('x-schema' in value) return { $ref: `#/$defs/${String(value['x-schema'])}` }
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [
      key,
      key === '$ref' ? String(part).replace('#/components/schemas/', '#/$defs/') : resolved(part),
    ]),
  )
}

const named = (fields: Json, required: readonly string[]): Json => {
  const entry = { type: 'object', properties: fields, required, additionalProperties: false }
  const { name, ...unnamed } = fields
  const byName = { ...entry, properties: unnamed, required: required.filter((field) => field !== 'name') }
  return {
    anyOf: [
      { type: 'array', items: entry },
      { type: 'object', additionalProperties: byName, description: 'By name.' },
    ],
  }
}

/** The JSON Schema of files for `almanac plan` and `almanac apply`. */
export function syncSchema(): Json {
  const { reason: _, ...task } = TaskBody.properties
  const name = { type: 'string', minLength: 1, maxLength: 200 }
  const description = { type: 'string' }
  const schedule = { $ref: '#/$defs/Schedule' }
  const days = { $ref: '#/$defs/CalendarDays' }
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Almanac: schedules that are kept in files',
    type: 'object',
    additionalProperties: false,
    properties: {
      $schema: { type: 'string', description: 'Where this schema is, for editors.' },
      set: {
        type: 'string',
        pattern: '^[a-z0-9][a-z0-9.-]{0,62}$',
        description: 'Who owns what the files have.',
      },
      calendars: named({ name, days, description }, ['name', 'days']),
      schedules: named({ name, schedule, description }, ['name', 'schedule']),
      tasks: named(resolved(structuredClone(task)) as Json, ['name', 'task', 'schedule']),
    },
    $defs: resolved(structuredClone(scheduleSchemas)) as Json,
  }
}
