import type { Refusal } from '@almanac/domain'
import { InvalidCursor, PortFault } from '@almanac/engine'
import {
  type FieldError,
  type ProblemCode,
  type ProblemJson,
  problemCodes,
  problemJson,
} from '@almanac/protocol'
import type { Problem, Result } from '@almanac/recurrence'
import type { FastifyReply } from 'fastify'

/** Thrown anywhere in a request to answer it with a problem. */
export class ApiProblem extends Error {
  readonly code: ProblemCode
  readonly errors: readonly FieldError[]
  constructor(code: ProblemCode, detail?: string, errors: readonly FieldError[] = []) {
    super(detail ?? problemCodes[code].title)
    this.name = 'ApiProblem'
    this.code = code
    this.errors = errors
  }
}

export const notFound = (what: string) => new ApiProblem('not_found', `There is no ${what} here.`)

const fieldErrors = (problems: readonly Problem[] = []): FieldError[] =>
  problems.map(({ path, code, message }) => ({ path, code, message }))

export const problemOf = (refusal: Refusal): ApiProblem =>
  new ApiProblem(refusal.code, refusal.message, fieldErrors(refusal.problems))

/** The value of a decision, or its refusal thrown. */
export function granted<T>(result: Result<T, Refusal>): T {
  if (result.ok) return result.value
  throw problemOf(result.error)
}

/** The value that was read from a well-formed field, or 422 with the rules that it breaks. */
export function valid<T>(result: Result<T>): T {
  if (result.ok) return result.value
  throw new ApiProblem('invalid', result.error[0]?.message, fieldErrors(result.error))
}

/** What Fastify itself refuses, in our codes. */
const frameworkCodes: { readonly [code: string]: ProblemCode } = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'bad_request',
  FST_ERR_BAD_URL: 'invalid_path',
  FST_ERR_MAX_PARAM_LENGTH: 'uri_too_long',
}

/** Any error as a problem; `internal` for what nobody foresaw. */
export function toProblem(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error
  if (error instanceof InvalidCursor) return new ApiProblem('invalid_cursor')
  if (error instanceof PortFault) return new ApiProblem(error.code)
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined
  const known = typeof code === 'string' ? frameworkCodes[code] : undefined
  return new ApiProblem(known ?? 'internal')
}

export const problemBody = (problem: ApiProblem): ProblemJson =>
  problemJson(problem.code, problem.message, problem.errors)

export function sendProblem(reply: FastifyReply, problem: ApiProblem): FastifyReply {
  const { status } = problemCodes[problem.code]
  if (status === 503) reply.header('retry-after', '1')
  return reply
    .code(status)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .serializer((body: unknown) => JSON.stringify(body))
    .send(problemBody(problem))
}
