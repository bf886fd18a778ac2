import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A span as it came over the wire. */
export interface ReceivedSpan {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string
  readonly kind: number
  readonly startMs: number
  readonly endMs: number
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[]
  readonly attributes: { readonly [name: string]: unknown }
  readonly status: { readonly code?: number; readonly message?: string }
  readonly resource: { readonly [name: string]: unknown }
}

interface OtlpValue {
  readonly stringValue?: string
  readonly intValue?: number | string
  readonly doubleValue?: number
  readonly boolValue?: boolean
}
type OtlpAttributes = readonly { readonly key: string; readonly value: OtlpValue }[]

const attributesOf = (list: OtlpAttributes = []) =>
  Object.fromEntries(
    list.map(({ key, value }) => [
      key,
      value.stringValue ?? value.boolValue ?? value.doubleValue ?? Number(value.intValue),
    ]),
  )

interface TraceRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: OtlpAttributes }
    readonly scopeSpans: readonly {
      readonly spans: readonly {
        readonly name: string
        readonly traceId: string
        readonly spanId: string
        readonly parentSpanId?: string
        readonly kind: number
        readonly startTimeUnixNano: string
        readonly endTimeUnixNano: string
        readonly links?: readonly { readonly traceId: string; readonly spanId: string }[]
        readonly attributes: OtlpAttributes
        readonly status?: { readonly code?: number; readonly message?: string }
      }[]
    }[]
  }[]
}

interface MetricRequest {
  readonly resourceMetrics: readonly {
    readonly scopeMetrics: readonly { readonly metrics: readonly { readonly name: string }[] }[]
  }[]
}

/** A collector that keeps what it is sent. Answers what it can't read as a real one does: 400, and it is noted. */
export class OtlpReceiver {
  readonly spans: ReceivedSpan[] = []
  readonly metricNames = new Set<string>()
  readonly refused: string[] = []
  /** Answered instead of taking anything. */
  failWith: number | undefined
  /** Requests are taken and never answered. */
  isSilent = false
  requests = 0
  private readonly server: Server = createServer((request, response) => {
    this.requests += 1
    void bodyOf(request).then((body) => {
      if (this.isSilent) return
      response.statusCode = this.failWith ?? this.take(request, body)
      response.setHeader('content-type', 'application/json')
      response.end('{}')
    })
  })

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections()
    await new Promise((resolve) => this.server.close(resolve))
  }

  private take(request: IncomingMessage, body: string): number {
    try {
      if (request.method !== 'POST') throw new Error(`method ${request.method}`)
      if (request.headers['content-type'] !== 'application/json') throw new Error('not JSON')
      if (request.url === '/v1/traces') this.takeTraces(JSON.parse(body) as TraceRequest)
      else if (request.url === '/v1/metrics') this.takeMetrics(JSON.parse(body) as MetricRequest)
      else throw new Error(`path ${request.url}`)
      return 200
    } catch (error) {
      this.refused.push(String(error))
      return 400
    }
  }

  private takeTraces({ resourceSpans }: TraceRequest): void {
    for (const { resource, scopeSpans } of resourceSpans) {
      for (const span of scopeSpans.flatMap(({ spans }) => spans)) {
        if (!/^[0-9a-f]{32}$/.test(span.traceId) || !/^[0-9a-f]{16}$/.test(span.spanId)) {
          throw new Error(`ids of ${span.name}`)
        }
        this.spans.push({
          name: span.name,
          traceId: span.traceId,
          spanId: span.spanId,
          parentSpanId: span.parentSpanId ?? '',
          kind: span.kind,
          startMs: Number(BigInt(span.startTimeUnixNano) / 1_000_000n),
          endMs: Number(BigInt(span.endTimeUnixNano) / 1_000_000n),
          links: (span.links ?? []).map(({ traceId, spanId }) => ({ traceId, spanId })),
          attributes: attributesOf(span.attributes),
          status: span.status ?? {},
          resource: attributesOf(resource.attributes),
        })
      }
    }
  }

  private takeMetrics({ resourceMetrics }: MetricRequest): void {
    for (const { metrics } of resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics)) {
      for (const { name } of metrics) this.metricNames.add(name)
    }
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
