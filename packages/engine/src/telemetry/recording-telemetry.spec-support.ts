import type { Traceparent } from '@almanac/domain'
import { isSampled, traceIdOf, traceparentOf } from '@almanac/domain'
import type { LabelsOf, MetricName, Observe } from '../ports/metrics.js'
import { type SpanAttributes, type SpanBegin, type Telemetry, unrecorded } from '../ports/telemetry.js'

/** A span that has been begun. */
export interface RecordedSpan extends SpanBegin {
  readonly name: string
  readonly traceparent: Traceparent
  readonly traceId: string
  readonly set: SpanAttributes[]
  failure: string | undefined
  isEnded: boolean
}

/** Keeps all that it is told. Every trace that begins here is recorded, or by `samples` those that it picks. */
export class RecordingTelemetry implements Telemetry {
  readonly isOff = false
  readonly isTracing: boolean
  readonly spans: RecordedSpan[] = []
  readonly told: { readonly name: MetricName; readonly value: number; readonly labels: unknown }[] = []
  private readonly reads = new Set<(observe: Observe) => void>()
  private readonly picks: (traceId: string) => boolean

  constructor(
    chosen: { readonly isTracing?: boolean; readonly samples?: (traceId: string) => boolean } = {},
  ) {
    this.isTracing = chosen.isTracing ?? true
    this.picks = chosen.samples ?? (() => true)
  }

  samples(traceId: string): boolean {
    return this.isTracing && this.picks(traceId)
  }

  span(name: string, begin: SpanBegin = {}) {
    const parent = traceparentOf(begin.parent)
    const number = (this.spans.length + 1).toString(16)
    const traceId = parent === undefined ? (begin.traceId ?? number.padStart(32, 'a')) : traceIdOf(parent)
    const isWanted =
      parent === undefined ? begin.isWanted === true || this.samples(traceId) : isSampled(parent)
    if (!this.isTracing || !isWanted) return unrecorded(parent)
    const span: RecordedSpan = {
      ...begin,
      name,
      traceId,
      traceparent: `00-${traceId}-${number.padStart(16, '0')}-01`,
      set: [],
      failure: undefined,
      isEnded: false,
    }
    this.spans.push(span)
    return {
      traceparent: span.traceparent,
      isRecorded: true,
      set: (attributes: SpanAttributes) => void span.set.push(attributes),
      failed: (message: string) => {
        span.failure = message
      },
      end: () => {
        span.isEnded = true
      },
    }
  }

  count(name: MetricName, value: number, labels?: LabelsOf<MetricName>): void {
    this.told.push({ name, value, labels: labels ?? {} })
  }

  record(name: MetricName, value: number, labels?: LabelsOf<MetricName>): void {
    this.told.push({ name, value, labels: labels ?? {} })
  }

  observe(read: (observe: Observe) => void): () => void {
    this.reads.add(read)
    return () => this.reads.delete(read)
  }

  /** What a reading of the metrics shows now: by name and labels. */
  read(): ReadonlyMap<string, number> {
    const values = new Map<string, number>()
    for (const read of this.reads) {
      read((name, value, labels) => values.set(`${name}${JSON.stringify(labels ?? {})}`, value))
    }
    return values
  }

  named(name: string): readonly RecordedSpan[] {
    return this.spans.filter((span) => span.name === name)
  }
}
