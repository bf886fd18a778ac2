import { type Traceparent, traceIdOf, traceparentOf } from '@almanac/domain'
import type { Span, Telemetry } from '@almanac/engine'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** One step of a trace for each request that is a command: of the caller's trace when it names one. */
export class CommandTraces {
  private readonly telemetry: Telemetry
  private readonly spans = new WeakMap<FastifyRequest, Span>()

  constructor(telemetry: Telemetry) {
    this.telemetry = telemetry
  }

  /** What the events of the request's command belong to; undefined: no trace. The same for each call. */
  contextOf(request: FastifyRequest): Traceparent | undefined {
    const parent = traceparentOf(request.headers.traceparent)
    // What is not traced here is handed on as it came.
    if (!this.telemetry.isTracing) return parent
    const known = this.spans.get(request)
    if (known !== undefined) return known.traceparent
    const span = this.telemetry.span('command', {
      parent,
      kind: 'server',
      attributes: {
        'http.request.method': request.method,
        'http.route': request.routeOptions.url ?? 'none',
        'almanac.request.id': request.id,
      },
    })
    if (span.isRecorded) this.spans.set(request, span)
    return span.traceparent
  }

  /** The request has been answered. */
  answered(request: FastifyRequest, reply: FastifyReply): void {
    const span = this.spans.get(request)
    if (span === undefined) return
    span.set({ 'http.response.status_code': reply.statusCode })
    if (reply.statusCode >= 500) span.failed(`status ${reply.statusCode}`)
    span.end()
  }

  /** For a line of a log. */
  traceIdOf(request: FastifyRequest): string | undefined {
    const context = this.spans.get(request)?.traceparent ?? traceparentOf(request.headers.traceparent)
    return context === undefined ? undefined : traceIdOf(context)
  }
}
