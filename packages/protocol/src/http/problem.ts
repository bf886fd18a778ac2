import { type Static, Type } from 'typebox'
import { type ProblemCode, problemCodes } from '../problem-codes.js'

export const ProblemJson = Type.Object({
  type: Type.String({ description: '`urn:almanac:problem:<code>`' }),
  title: Type.String(),
  status: Type.Integer(),
  code: Type.String({ description: 'Stable: branch on it. See docs/reference/errors.md.' }),
  detail: Type.String(),
  errors: Type.Array(Type.Object({ path: Type.String(), code: Type.String(), message: Type.String() })),
})
export type ProblemJson = Static<typeof ProblemJson>
export type FieldError = ProblemJson['errors'][number]

/** More than this many field errors tell nobody anything. */
const maxFieldErrors = 50

export function problemJson(
  code: ProblemCode,
  detail?: string,
  errors: readonly FieldError[] = [],
): ProblemJson {
  const { status, title } = problemCodes[code]
  return {
    type: `urn:almanac:problem:${code}`,
    title,
    status,
    code,
    detail: detail ?? title,
    errors: errors.slice(0, maxFieldErrors),
  }
}
