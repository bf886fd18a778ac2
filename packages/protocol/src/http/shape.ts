/**
 * The building blocks of the HTTP schemas. Requests are closed objects: an unknown field is an error, never
 * dropped. A nullable field is one type array, not an `anyOf`: the serialiser compiles that to straight code.
 */

import { type Static, type TObject, type TProperties, type TSchema, Type } from 'typebox'

type Words = { readonly description?: string; readonly examples?: readonly unknown[] }

export const closed = <P extends TProperties>(properties: P, words: Words = {}): TObject<P> =>
  Type.Object(properties, { additionalProperties: false, ...words })

export const oneOf = <const T extends readonly string[]>(values: T, words: Words = {}) =>
  Type.Unsafe<T[number]>({ type: 'string', enum: [...values], ...words })

export const nullOr = <S extends TSchema>(schema: S) => {
  const { type, ...rest } = schema as S & { readonly type?: string; readonly enum?: readonly unknown[] }
  const values = rest.enum === undefined ? {} : { enum: [...rest.enum, null] }
  return Type.Unsafe<Static<S> | null>({ ...rest, ...values, type: [type, 'null'] })
}

/** Text without control characters, bidirectional overrides or lone surrogates, and with something visible. */
const visibleText =
  '^(?=[\\s\\S]*\\S)[^\\u0000-\\u001f\\u007f-\\u009f\\u202a-\\u202e\\u2066-\\u2069\\ud800-\\udfff]*$'

export const nameText = (description: string) =>
  Type.String({ maxLength: 200, pattern: visibleText, description })

export const text = (description: string, maxLength?: number) =>
  Type.String(maxLength === undefined ? { description } : { maxLength, description })

export const instant = (description: string) =>
  Type.String({ format: 'date-time', description, examples: ['2026-12-01T09:30:00.000Z'] })

export const count = (description: string, minimum = 0, maximum?: number) =>
  Type.Integer(maximum === undefined ? { minimum, description } : { minimum, maximum, description })

export type JsonObject = { readonly [key: string]: unknown }

export const freeObject = (description: string) =>
  Type.Unsafe<JsonObject>({ type: 'object', additionalProperties: true, description })

/**
 * A value whose rules the domain checks, with better words than a schema has. `x-schema` names the schema that
 * the OpenAPI document shows instead.
 */
export const checkedLater = (schemaName: string, description: string) =>
  Type.Unsafe<JsonObject>({
    type: 'object',
    additionalProperties: true,
    description,
    'x-schema': schemaName,
  })

/** Of every command: whether it is answered at once, or when the change can't be missed any more. */
export const fenceQuery = {
  wait: Type.Optional(
    oneOf(['fenced'], {
      description:
        'Answer once no run of the old definition can be committed any more; the header `Almanac-Fence` is ' +
        '`fenced` then, or `pending` when it took longer. The change is stored either way.',
    }),
  ),
  waitMs: Type.Optional(count('How long to wait at most. Default 5000.', 0, 30_000)),
}
export const CommandQuery = closed(fenceQuery)

export const reason = Type.Optional(
  Type.String({
    maxLength: 500,
    description:
      'Why. Kept in the history with who and when. May also be sent as the header `Almanac-Reason`.',
  }),
)

/** Every list answers this. */
export const listOf = <S extends TSchema>(item: S) =>
  Type.Object({
    items: Type.Array(item),
    nextCursor: nullOr(
      Type.String({ description: 'Send it back as `cursor` for the next page; null on the last.' }),
    ),
    total: count('How many there are in all pages.'),
  })

/** Query parameters of every list. */
export const pageQuery = {
  limit: Type.Optional(count('Items of a page; more than 200 means 200. Default 100.', 1)),
  cursor: Type.Optional(text('`nextCursor` of the page before.', 2_000)),
}

/** Query parameter of every read. */
export const minPosition = Type.Optional(
  count(
    'Wait (up to 2 s, else 409) until what is read contains the event at this position (`Almanac-Position`).',
  ),
)

export const asOf = Type.Optional(
  Type.Unsafe<AsOf>({
    type: 'string',
    format: 'instant-or-position',
    description: 'As it was at this instant (ISO 8601 with offset) or event position (digits).',
  }),
)

export type AsOf = { readonly instant: number } | { readonly position: number }
