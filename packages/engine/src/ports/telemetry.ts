import type { Traceparent } from '@almanac/domain'
import type { CounterName, HistogramName, LabelsOf, Observe } from './metrics.js'

export type SpanName = 'command' | 'append' | 'project' | 'tick' | 'commit' | 'run'

export interface SpanAttributes {
  readonly [name: string]: string | number | boolean
}

/** How a span is begun. */
export interface SpanBegin {
  /** What it is a part of; left out, or not valid: it begins a trace. */
  readonly parent?: Traceparent | undefined
  /** Of the trace that it begins, 32 hex digits; left out: by chance. */
  readonly traceId?: string
  /** It begins a trace that is recorded whatever the ratio of sampling says. */
  readonly isWanted?: boolean
  /** What it has to do with, in this trace or another one. */
  readonly links?: readonly Traceparent[]
  /** It began so long before the call, in milliseconds. */
  readonly agoMs?: number
  /** Left out: `internal`. */
  readonly kind?: 'internal' | 'server' | 'producer' | 'consumer'
  readonly attributes?: SpanAttributes
}

/** One step of a trace. What comes after `end` is not kept. */
export interface Span {
  /**
   * What parts of it name as their parent. Of a span that is not recorded: that of its own parent, so that a context is
   * handed on; undefined when it has none.
   */
  readonly traceparent: Traceparent | undefined
  readonly isRecorded: boolean
  set(attributes: SpanAttributes): void
  /** It did not do what it was there for. */
  failed(message: string): void
  end(): void
}

/**
 * Traces and metrics. Nothing that it is told changes what the caller does, and nothing here throws. It keeps no
 * context of its own: who begins a span says what it is a part of.
 */
export interface Telemetry {
  /** Nothing is kept of what it is told: who would only compute it for that need not. */
  readonly isOff: boolean
  /** Whether any span may be recorded: who would only gather for a span need not. */
  readonly isTracing: boolean
  span(name: SpanName, begin?: SpanBegin): Span
  /** Whether the trace of that id is recorded when it begins here. The same answer on every node. */
  samples(traceId: string): boolean
  count<N extends CounterName>(name: N, by: number, labels?: LabelsOf<N>): void
  /** Times are in seconds, as the names say. */
  record<N extends HistogramName>(name: N, value: number, labels?: LabelsOf<N>): void
  /** `read` is asked each time the metrics are read. Returns a function that takes it back. */
  observe(read: (observe: Observe) => void): () => void
}

const nothing = () => {}
const noSpan: Span = {
  traceparent: undefined,
  isRecorded: false,
  set: nothing,
  failed: nothing,
  end: nothing,
}

/** A span that is not recorded; what is part of it belongs to `parent` then. */
export const unrecorded = (parent: Traceparent | undefined): Span =>
  parent === undefined ? noSpan : { ...noSpan, traceparent: parent }

/** Telemetry that is off. A context that comes in is handed on. */
export const noTelemetry: Telemetry = {
  isOff: true,
  isTracing: false,
  span: (_, begin) => unrecorded(begin?.parent),
  samples: () => false,
  count: nothing,
  record: nothing,
  observe: () => nothing,
}
