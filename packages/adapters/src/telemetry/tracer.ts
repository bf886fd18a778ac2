import { isSampled, spanIdOf, type Traceparent, traceIdOf, traceparentOf } from '@almanac/domain'
import {
  type Clock,
  type Span,
  type SpanAttributes,
  type SpanBegin,
  type SpanName,
  unrecorded,
} from '@almanac/engine'
import {
  type Context,
  type Span as OtelSpan,
  type Tracer as OtelTracer,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api'
import type { Resource } from '@opentelemetry/resources'
import {
  AlwaysOnSampler,
  BasicTracerProvider,
  type IdGenerator,
  RandomIdGenerator,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-base'

interface TracerParts {
  readonly resource: Resource
  /** Share of the traces that begin here and are recorded. */
  readonly ratio: number
  readonly processors: readonly SpanProcessor[]
  readonly clock: Pick<Clock, 'now'>
}

/** The SDK asks for the id of a trace; here it is known before. */
class Ids implements IdGenerator {
  private readonly random = new RandomIdGenerator()
  next = ''

  generateTraceId(): string {
    return this.next
  }

  generateSpanId(): string {
    return this.random.generateSpanId()
  }

  chance(): string {
    return this.random.generateTraceId()
  }
}

const kinds = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const

/**
 * Begins the spans of this process. Whether a trace is recorded is decided before the SDK is asked, by its parent or by
 * its id: a span that is not recorded costs a comparison.
 */
export class Tracer {
  private readonly parts: TracerParts
  private readonly provider: BasicTracerProvider
  private readonly tracer: OtelTracer
  private readonly ids = new Ids()
  private readonly bound: number

  constructor(parts: TracerParts) {
    this.parts = parts
    this.bound = Math.floor(parts.ratio * 2 ** 32)
    const { resource, processors } = parts
    this.provider = new BasicTracerProvider({
      resource,
      sampler: new AlwaysOnSampler(),
      idGenerator: this.ids,
      spanProcessors: [...processors],
    })
    this.tracer = this.provider.getTracer('almanac')
  }

  /** By the last digits: those are random in ids of others too. */
  samples(traceId: string): boolean {
    return Number.parseInt(traceId.slice(-8), 16) < this.bound
  }

  span(name: SpanName, begin: SpanBegin = {}): Span {
    const parent = traceparentOf(begin.parent)
    if (parent !== undefined) {
      return isSampled(parent)
        ? this.begin(name, begin, trace.setSpanContext(ROOT_CONTEXT, spanContextOf(parent)))
        : unrecorded(parent)
    }
    const traceId = begin.traceId ?? this.ids.chance()
    if (begin.isWanted !== true && !this.samples(traceId)) return unrecorded(undefined)
    this.ids.next = traceId
    return this.begin(name, begin, ROOT_CONTEXT)
  }

  private begin(name: SpanName, begin: SpanBegin, context: Context): Span {
    const { agoMs, kind = 'internal', attributes, links = [] } = begin
    const linked = links.flatMap((link) => {
      const known = traceparentOf(link)
      return known === undefined ? [] : [{ context: spanContextOf(known) }]
    })
    const options = {
      kind: kinds[kind],
      links: linked,
      ...(attributes === undefined ? {} : { attributes: { ...attributes } }),
      ...(agoMs === undefined ? {} : { startTime: this.parts.clock.now() - agoMs }),
    }
    return new RecordedSpan(this.tracer.startSpan(name, options, context))
  }

  async shutdown(): Promise<void> {
    await this.provider.shutdown()
  }
}

const spanContextOf = (traceparent: Traceparent): SpanContext => ({
  traceId: traceIdOf(traceparent),
  spanId: spanIdOf(traceparent),
  traceFlags: isSampled(traceparent) ? TraceFlags.SAMPLED : TraceFlags.NONE,
  isRemote: true,
})

class RecordedSpan implements Span {
  readonly traceparent: Traceparent
  readonly isRecorded = true
  private readonly span: OtelSpan

  constructor(span: OtelSpan) {
    this.span = span
    const { traceId, spanId } = span.spanContext()
    this.traceparent = `00-${traceId}-${spanId}-01`
  }

  set(attributes: SpanAttributes): void {
    this.span.setAttributes({ ...attributes })
  }

  failed(message: string): void {
    this.span.setStatus({ code: SpanStatusCode.ERROR, message })
  }

  end(): void {
    this.span.end()
  }
}
