import { ProblemJson } from '@almanac/protocol'
import { type TProperties, type TSchema, Type } from 'typebox'

const namespace = Type.String({
  pattern: '^[a-z0-9][a-z0-9-]{0,62}$',
  title: 'must be 1 to 63 of a-z, 0-9 and -, and not start with -',
  description: '1 to 63 of `a-z`, `0-9`, `-`. A namespace that nobody has used yet is simply empty.',
})

/** The path of a route below a namespace. */
export const inNamespace = <P extends TProperties>(more: P) => Type.Object({ namespace, ...more })

/** An id in a path. A slash can only come in encoded, and no id has one. */
export const idParam = Type.String({
  pattern: '^[^/]{1,100}$',
  title: 'must be 1 to 100 characters without a slash',
  description: 'Id.',
})
export const nameParam = Type.String({ minLength: 1, maxLength: 200, description: 'Name, percent-encoded.' })

const problem = {
  description: 'A problem (RFC 9457).',
  content: { 'application/problem+json': { schema: ProblemJson } },
}

/** Responses of a route: what it answers, and the problems that it may answer instead. */
export function responses<S extends { readonly [status: number]: TSchema }>(
  answers: S,
  ...problems: readonly number[]
) {
  const failures = Object.fromEntries([400, ...problems, 503].map((status) => [status, problem]))
  return { ...failures, ...answers } as S
}

export const nothing = Type.Null({ description: 'Done; no content.' })
