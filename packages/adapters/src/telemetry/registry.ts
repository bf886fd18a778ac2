import {
  type CounterName,
  type HistogramName,
  type LabelsOf,
  metricCatalogue,
  type Observe,
} from '@almanac/engine'
import type {
  Attributes,
  Counter,
  Histogram,
  Meter,
  ObservableCounter,
  ObservableGauge,
} from '@opentelemetry/api'
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus'
import type { Resource } from '@opentelemetry/resources'
import {
  AggregationTemporality,
  type IMetricReader,
  InstrumentType,
  MeterProvider,
  MetricReader,
} from '@opentelemetry/sdk-metrics'

/**
 * Counters since the start; gauges as they are now. A gauge that were cumulative would go on telling of partitions that
 * the node has long let go of.
 */
export const temporalityOf = (type: InstrumentType): AggregationTemporality =>
  type === InstrumentType.OBSERVABLE_GAUGE ? AggregationTemporality.DELTA : AggregationTemporality.CUMULATIVE

/** Collects when it is asked to. */
class PullReader extends MetricReader {
  constructor() {
    super({ aggregationTemporalitySelector: temporalityOf })
  }

  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

const prefix = 'almanac_'

/** All metrics of the process: one instrument for each of the catalogue, read by Prometheus and sent by OTLP alike. */
export class Registry {
  private readonly provider: MeterProvider
  private readonly reader = new PullReader()
  private readonly serializer = new PrometheusSerializer('', false, undefined, true, true)
  private readonly counters = new Map<string, Counter>()
  private readonly histograms = new Map<string, Histogram>()
  private readonly observed = new Map<string, ObservableCounter | ObservableGauge>()
  private readonly reads = new Set<(observe: Observe) => void>()

  /** `pushing`: readers that send by themselves. */
  constructor(resource: Resource, pushing: readonly IMetricReader[]) {
    this.provider = new MeterProvider({ resource, readers: [this.reader, ...pushing] })
    const meter = this.provider.getMeter('almanac')
    for (const name of Object.keys(metricCatalogue)) this.make(meter, name as keyof typeof metricCatalogue)
    meter.addBatchObservableCallback(
      (result) => {
        const observe: Observe = (name, value, labels) => {
          const instrument = this.observed.get(name)
          if (instrument !== undefined) result.observe(instrument, value, labels as Attributes | undefined)
        }
        for (const read of this.reads) attempt(() => read(observe))
      },
      [...this.observed.values()],
    )
  }

  private make(meter: Meter, name: keyof typeof metricCatalogue): void {
    const metric = metricCatalogue[name]
    const { kind, help: description } = metric
    const full = `${prefix}${name}`
    if (kind === 'counter') {
      this.counters.set(name, meter.createCounter(full, { description }))
    } else if (kind === 'histogram') {
      const advice = { explicitBucketBoundaries: [...metric.buckets] }
      this.histograms.set(name, meter.createHistogram(full, { description, advice }))
    } else if (kind === 'total') {
      this.observed.set(name, meter.createObservableCounter(full, { description }))
    } else {
      this.observed.set(name, meter.createObservableGauge(full, { description }))
    }
  }

  count<N extends CounterName>(name: N, by: number, labels?: LabelsOf<N>): void {
    this.counters.get(name)?.add(by, labels as Attributes | undefined)
  }

  record<N extends HistogramName>(name: N, value: number, labels?: LabelsOf<N>): void {
    this.histograms.get(name)?.record(value, labels as Attributes | undefined)
  }

  observe(read: (observe: Observe) => void): () => void {
    this.reads.add(read)
    return () => this.reads.delete(read)
  }

  /** In the Prometheus text format, version 0.0.4. */
  async text(): Promise<string> {
    const { resourceMetrics } = await this.reader.collect()
    return `${this.serializer.serialize(resourceMetrics).trimEnd()}\n`
  }

  async shutdown(): Promise<void> {
    await this.provider.shutdown()
  }
}

/** A node that is stopping may have closed what it would read: then there is nothing to tell. */
function attempt(read: () => void): void {
  try {
    read()
  } catch {
    // The next reading tells again.
  }
}
