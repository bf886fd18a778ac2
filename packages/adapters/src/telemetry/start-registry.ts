import { noTelemetry, type Telemetry } from '@almanac/engine'
import {
  type IMetricReader,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics'
import type { TelemetryConfig } from './config.js'
import { ended } from './ended.js'
import { counted } from './exports.js'
import { observeProcess } from './process-metrics.js'
import { Registry, temporalityOf } from './registry.js'
import { resourceOf } from './resource.js'
import type { RunningTelemetry, TelemetryWorld } from './running.js'

/** Metrics: to be fetched, and sent when there is somebody to send them to. */
export async function startRegistry(
  config: TelemetryConfig,
  world: TelemetryWorld,
): Promise<RunningTelemetry> {
  const { endpoint, nodeId, cluster, region, version } = config
  const exporter = endpoint === null ? undefined : await metricExporter(endpoint)
  const pushing: IMetricReader[] =
    exporter === undefined
      ? []
      : [
          new PeriodicExportingMetricReader({
            exporter,
            exportIntervalMillis: config.metricsEveryMs,
            exportTimeoutMillis: Math.min(config.metricsEveryMs, 30_000),
          }),
        ]
  const registry = new Registry(resourceOf(config), pushing)
  const telemetry: Telemetry = {
    ...noTelemetry,
    isOff: false,
    count: (...count) => registry.count(...count),
    record: (...record) => registry.record(...record),
    observe: (read) => registry.observe(read),
  }
  if (exporter !== undefined) counted('metrics', exporter, telemetry, world)
  registry.observe((observe) => {
    observeProcess(observe)
    observe('node_info', 1, { node: nodeId, cluster, region, version })
  })
  return {
    telemetry,
    metricsText: () => registry.text(),
    stop: () => ended('metrics', registry.shutdown(), config, world),
  }
}

async function metricExporter(endpoint: string): Promise<PushMetricExporter> {
  const { OTLPMetricExporter } = await import('@opentelemetry/exporter-metrics-otlp-http')
  const exporter = new OTLPMetricExporter({ url: `${endpoint}/v1/metrics` })
  exporter.selectAggregationTemporality = temporalityOf
  return exporter
}
