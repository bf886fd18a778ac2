import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Api } from './host.js'
import { ApiProblem, toProblem } from './problem.js'

const maxUrlLength = 4_096

const loopbackHost = /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i

/**
 * On loopback there may be no credentials, so a web page in the user's browser must not get through: neither by a name
 * that it points to 127.0.0.1 (the Host header shows it) nor by a plain cross-site request (the Origin header does).
 */
function refuseForeign(request: FastifyRequest): void {
  const { host, origin } = request.headers
  if (host === undefined || !loopbackHost.test(host)) throw new ApiProblem('host_refused')
  if (origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`) {
    throw new ApiProblem('origin_refused')
  }
}

const needsNode = /^\/v1\/(namespaces|keys)(\/|\?|$)/

/** Everything from this server, nothing inline. */
export const contentPolicy =
  "default-src 'self'; img-src 'self' data:; object-src 'none'; " +
  "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"

/** API answers are data, never rendered; pages say in full what they may load. */
function secureHeaders(request: FastifyRequest, reply: FastifyReply): void {
  reply.header('x-content-type-options', 'nosniff')
  reply.header('cache-control', 'no-store')
  if (request.url.startsWith('/v1/')) return
  reply.header('content-security-policy', contentPolicy)
  reply.header('referrer-policy', 'no-referrer')
}

function refuseEncoding(request: FastifyRequest): void {
  const encoding = request.headers['content-encoding']
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new ApiProblem('unsupported_media_type', 'Compressed bodies are not taken.')
  }
}

/** What every request must pass, whatever it asks for; one hook, since each costs time on every request. */
export function guard(
  api: Api,
  { ready, isLocal }: { readonly ready: () => boolean; readonly isLocal: boolean },
): void {
  api.addHook('onRequest', (request, reply, done) => {
    try {
      secureHeaders(request, reply)
      if (isLocal) refuseForeign(request)
      refuseEncoding(request)
      if (request.url.length > maxUrlLength) throw new ApiProblem('uri_too_long')
      if (!ready() && needsNode.test(request.url)) throw new ApiProblem('not_ready')
      done()
    } catch (error) {
      done(toProblem(error))
    }
  })
}
