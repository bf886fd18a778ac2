import type { Telemetry } from '@almanac/engine'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { namespacePath } from './host.js'

/**
 * What a request waits for tells how long it may take: `wait` and `stream` wait for something to happen, `fenced` until
 * a change holds everywhere.
 */
function kindOf({ method, query, routeOptions: { url = 'none' } }: FastifyRequest): string {
  if (!url.startsWith(namespacePath)) return url.startsWith('/v1/') ? 'query' : 'page'
  if (url.endsWith('/events')) return 'stream'
  if (url.endsWith('/lease')) return 'wait'
  if (method === 'GET' || method === 'HEAD') return 'query'
  if (url.startsWith(`${namespacePath}/runs/`)) return 'worker'
  return (query as { readonly wait?: unknown }).wait === 'fenced' ? 'fenced' : 'command'
}

/** An answered request, by method, route pattern and status: the patterns are ours, so there are not many. */
export function measure(telemetry: Telemetry, request: FastifyRequest, reply: FastifyReply): void {
  const route = request.routeOptions.url ?? 'none'
  const labels = { method: request.method, route, status: String(reply.statusCode) }
  const seconds = reply.elapsedTime / 1_000
  telemetry.count('http_requests_total', 1, labels)
  telemetry.count('http_request_seconds_total', seconds, labels)
  telemetry.record('http_duration_seconds', seconds, { kind: kindOf(request) })
}
