import { createHash } from 'node:crypto'
import { type CommandContext, canonical } from '@almanac/domain'
import type { FastifyRequest } from 'fastify'
import { principalOf } from './access/principal.js'
import type { Host } from './host.js'
import { ApiProblem } from './problem.js'

const headerFault = (name: string, message: string) =>
  new ApiProblem('invalid_header', `${name} ${message}`, [{ path: name, code: 'malformed', message }])

function textHeader(request: FastifyRequest, name: string, maxLength: number): string | undefined {
  const value = request.headers[name.toLowerCase()]
  if (value === undefined) return undefined
  // Node hands headers over as latin1; clients send UTF-8.
  const text = Buffer.from(String(value), 'latin1').toString('utf8').trim()
  if (text.length === 0 || text.length > maxLength || /[\p{Cc}\p{Cs}\ufffd]/u.test(text)) {
    throw headerFault(name, `must be 1 to ${maxLength} characters of UTF-8 text`)
  }
  return text
}

/** Whom the credential names. For whom he says that he acts is told beside it, and is his word alone. */
export function actorOf(request: FastifyRequest): string {
  const named = textHeader(request, 'Almanac-Actor', 200)
  const { actor } = principalOf(request)
  if (named === undefined) return actor
  return actor === 'anonymous' ? named : `${actor} for ${named}`
}

/** For a line in a log, whatever was sent. */
export function actorForLog(request: FastifyRequest): string {
  if (request.principal === null) return 'anonymous'
  try {
    return actorOf(request)
  } catch {
    return request.principal.actor
  }
}

export function idempotencyKeyOf(request: FastifyRequest): string | undefined {
  const key = request.headers['idempotency-key']
  if (key === undefined) return undefined
  if (typeof key === 'string' && /^[\x21-\x7e]{1,200}$/.test(key)) return key
  throw headerFault('Idempotency-Key', 'must be 1 to 200 visible ASCII characters')
}

export const fingerprintOf = (...parts: readonly unknown[]): string =>
  createHash('sha256').update(canonical(parts)).digest('hex')

/** The path and what the query asks for; how long to wait for the answer makes no other request of it. */
function askedOf(request: FastifyRequest): unknown {
  const { wait: _, waitMs: __, ...query } = request.query as { readonly [name: string]: unknown }
  return [request.url.split('?')[0], query]
}

type Params = { readonly namespace: string }

/** Who asks for what, for the metadata of the events. The reason in the body goes before that in the header. */
export function commandContext(
  host: Host,
  request: FastifyRequest,
  body: { readonly reason?: string | undefined } = {},
): CommandContext {
  const { namespace } = request.params as Params
  const reason = body.reason ?? textHeader(request, 'Almanac-Reason', 500)
  const idempotencyKey = idempotencyKeyOf(request)
  const traceparent = host.traces.contextOf(request)
  return {
    namespace,
    actor: actorOf(request),
    at: host.clock.now(),
    correlationId: request.id,
    ...(reason === undefined ? {} : { reason }),
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(idempotencyKey === undefined
      ? {}
      : { idempotencyKey, fingerprint: fingerprintOf(request.method, askedOf(request), body) }),
  }
}

/** The revision that the caller has seen. `*`, or no header: any. */
export function ifMatch(request: FastifyRequest): number | undefined {
  const tag = request.headers['if-match']
  if (tag === undefined || tag.trim() === '*') return undefined
  const revision = /^\s*"(\d{1,15})"\s*$/.exec(tag)?.[1]
  if (revision === undefined) throw headerFault('If-Match', 'must be * or one ETag such as "3"')
  return Number(revision)
}

/** True for `If-None-Match: *`, the only form that a write knows. */
export function ifNoneMatchAny(request: FastifyRequest): boolean {
  const tag = request.headers['if-none-match']
  if (tag === undefined) return false
  if (tag.trim() === '*') return true
  throw headerFault('If-None-Match', 'must be *')
}

export function lastEventId(request: FastifyRequest): number | undefined {
  const id = request.headers['last-event-id']
  if (id === undefined) return undefined
  if (typeof id === 'string' && /^\d{1,15}$/.test(id)) return Number(id)
  throw headerFault('Last-Event-ID', 'must be a position')
}
