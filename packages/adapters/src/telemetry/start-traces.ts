import { DiagLogLevel, diag } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import type { TelemetryConfig } from './config.js'
import { ended } from './ended.js'
import { counted } from './exports.js'
import { resourceOf } from './resource.js'
import type { RunningTelemetry, TelemetryWorld } from './running.js'
import { Tracer } from './tracer.js'

/** Adds traces. A tick may end thousands of spans at once: what does not fit into the queue is not sent. */
export function withTraces(
  metrics: RunningTelemetry,
  config: TelemetryConfig,
  world: TelemetryWorld,
): RunningTelemetry {
  const exporter = new OTLPTraceExporter({ url: `${config.endpoint}/v1/traces` })
  counted('traces', exporter, metrics.telemetry, world)
  tellDropped(world)
  const processor = new BatchSpanProcessor(exporter, {
    maxQueueSize: 16_384,
    maxExportBatchSize: 1_024,
    scheduledDelayMillis: 1_000,
    exportTimeoutMillis: 10_000,
  })
  const tracer = new Tracer({
    resource: resourceOf(config),
    ratio: config.sampleRatio,
    processors: [processor],
    clock: world.clock,
  })
  return {
    ...metrics,
    telemetry: {
      ...metrics.telemetry,
      isTracing: true,
      span: (name, begin) => tracer.span(name, begin),
      samples: (traceId) => tracer.samples(traceId),
    },
    stop: async () => {
      await Promise.all([ended('traces', tracer.shutdown(), config, world), metrics.stop()])
    },
  }
}

/** What the SDK warns of is that spans were dropped, at each burst; its errors are told where batches are counted. */
function tellDropped({ clock, onFault }: TelemetryWorld): void {
  let toldAt = Number.NEGATIVE_INFINITY
  const nothing = () => {}
  const warn = (message: string) => {
    if (clock.elapsed() - toldAt < quietMs) return
    toldAt = clock.elapsed()
    onFault('traces', new Error(message))
  }
  const logger = { verbose: nothing, debug: nothing, info: nothing, warn, error: nothing }
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true })
}

/** So long nothing more is told of what is dropped. */
const quietMs = 60_000
