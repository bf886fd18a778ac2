import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Api } from './host.js'
import { ApiProblem } from './problem.js'

const maxUrlLength = 4_096

const loopbackHost = /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i

/**
 * On loopback there are no credentials, so a web page in the user's browser must not get through: neither by a name
 * that it points to 127.0.0.1 (the Host header shows it) nor by a plain cross-site request (the Origin header does).
 */
function refuseForeign(request: FastifyRequest): void {
  const { host, origin } = request.headers
  if (host === undefined || !loopbackHost.test(host)) throw new ApiProblem('host_refused')
  if (origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`) {
    throw new ApiProblem('origin_refused')
  }
}

/** Everything from this server, nothing inline. */
export const contentPolicy =
  "default-src 'self'; img-src 'self' data:; object-src 'none'; " +
  "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"

function secureHeaders(reply: FastifyReply): void {
  reply.header('x-content-type-options', 'nosniff')
  reply.header('content-security-policy', contentPolicy)
  reply.header('referrer-policy', 'no-referrer')
  reply.header('cache-control', 'no-store')
}

export function guard(api: Api, ready: () => boolean): void {
  api.addHook('onRequest', async (request, reply) => {
    secureHeaders(reply)
    refuseForeign(request)
    if (request.url.length > maxUrlLength) throw new ApiProblem('uri_too_long')
    if (!ready() && request.url.startsWith('/v1/namespaces/')) throw new ApiProblem('not_ready')
  })
}
