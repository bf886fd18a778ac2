/** What a process tells of itself, and to whom. */
export interface TelemetryConfig {
  /**
   * `off`: nothing, and nothing of it is loaded. `metrics`: metrics. `on`: traces too.
   */
  readonly mode: 'off' | 'metrics' | 'on'
  /** Names the node in everything that it sends. */
  readonly nodeId: string
  /** Names its cluster. */
  readonly cluster: string
  /** Where it stands; '' when there is one region only. */
  readonly region: string
  /** Of the program. */
  readonly version: string
  /**
   * Share of the traces that begin here and are recorded, 0 to 1. A trace that comes in is recorded when its header
   * says so. Default: 0.01 (OTEL_TRACES_SAMPLER_ARG).
   */
  readonly sampleRatio: number
  /**
   * Where traces and metrics are sent to (OTLP over HTTP), without `/v1/traces`. Null: nowhere; metrics can still be
   * fetched. Default: null (OTEL_EXPORTER_OTLP_ENDPOINT).
   */
  readonly endpoint: string | null
  /** How often metrics are sent, in milliseconds. Default: 60 000 (OTEL_METRIC_EXPORT_INTERVAL). */
  readonly metricsEveryMs: number
  /** How long stopping waits for the last batches to be sent, in milliseconds. Default: 3 000. */
  readonly flushDeadlineMs: number
}

/** What the process itself knows. */
type Known = Pick<TelemetryConfig, 'mode' | 'nodeId' | 'cluster' | 'region' | 'version'>

type Resolved =
  | { readonly ok: true; readonly config: TelemetryConfig }
  | { readonly ok: false; readonly problems: readonly string[] }

/** Reads the environment by the names that OpenTelemetry gives its settings. An empty one is unset. */
export function resolveTelemetry(
  known: Known,
  env: { readonly [name: string]: string | undefined },
): Resolved {
  const problems: string[] = []
  const text = (name: string) => env[name]?.trim() || undefined
  const endpoint = text('OTEL_EXPORTER_OTLP_ENDPOINT')?.replace(/\/+$/, '') ?? null
  if (endpoint !== null && !/^https?:\/\/[^/]/.test(endpoint)) {
    problems.push('OTEL_EXPORTER_OTLP_ENDPOINT must be an http or https address')
  }
  if (known.mode === 'on' && endpoint === null) {
    problems.push('ALMANAC_TELEMETRY=on needs OTEL_EXPORTER_OTLP_ENDPOINT: where traces are sent to')
  }
  const metricsEveryMs = Number(text('OTEL_METRIC_EXPORT_INTERVAL') ?? 60_000)
  if (!(metricsEveryMs >= 100 && metricsEveryMs <= 86_400_000)) {
    problems.push('OTEL_METRIC_EXPORT_INTERVAL must be 100 to 86400000 milliseconds')
  }
  const sampleRatio = ratioOf(text('OTEL_TRACES_SAMPLER'), text('OTEL_TRACES_SAMPLER_ARG'), problems)
  if (problems.length > 0) return { ok: false, problems }
  return { ok: true, config: { ...known, endpoint, metricsEveryMs, sampleRatio, flushDeadlineMs: 3_000 } }
}

const samplers: { readonly [name: string]: number | null } = {
  parentbased_traceidratio: null,
  parentbased_always_on: 1,
  parentbased_always_off: 0,
}

function ratioOf(sampler: string | undefined, argument: string | undefined, problems: string[]): number {
  const name = sampler ?? 'parentbased_traceidratio'
  const fixed = Object.hasOwn(samplers, name) ? samplers[name] : undefined
  if (fixed === undefined) {
    problems.push(`OTEL_TRACES_SAMPLER must be one of ${Object.keys(samplers).join(', ')}`)
  }
  if (typeof fixed === 'number') return fixed
  const ratio = Number(argument ?? 0.01)
  if (!(ratio >= 0 && ratio <= 1)) problems.push('OTEL_TRACES_SAMPLER_ARG must be 0 to 1')
  return ratio
}
