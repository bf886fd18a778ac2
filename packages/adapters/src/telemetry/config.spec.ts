import { describe, expect, it } from 'vitest'
import { resolveTelemetry } from './config.js'

const identity = { mode: 'metrics' as const, nodeId: 'n1', cluster: 'c', region: '', version: '1' }
const problemsOf = (env: { readonly [name: string]: string }) => {
  const resolved = resolveTelemetry(identity, env)
  return resolved.ok ? [] : resolved.problems
}

describe('the configuration of telemetry', () => {
  it('has metrics and no traces without a word, and takes an empty setting as none', () => {
    const config = {
      ...identity,
      endpoint: null,
      sampleRatio: 0.01,
      metricsEveryMs: 60_000,
      flushDeadlineMs: 3_000,
    }
    expect(resolveTelemetry(identity, {})).toEqual({ ok: true, config })
    const empty = { OTEL_EXPORTER_OTLP_ENDPOINT: ' ', OTEL_TRACES_SAMPLER_ARG: '' }
    expect(resolveTelemetry(identity, empty)).toEqual({ ok: true, config })
  })

  it('reads the names that OpenTelemetry knows', () => {
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector:4318/',
      OTEL_TRACES_SAMPLER_ARG: '0.25',
      OTEL_METRIC_EXPORT_INTERVAL: '5000',
    }
    const wanted = {
      mode: 'metrics',
      endpoint: 'https://collector:4318',
      sampleRatio: 0.25,
      metricsEveryMs: 5_000,
    }
    expect(resolveTelemetry(identity, env)).toMatchObject({ ok: true, config: wanted })
    const always = { ...env, OTEL_TRACES_SAMPLER: 'parentbased_always_on' }
    expect(resolveTelemetry(identity, always)).toMatchObject({ config: { sampleRatio: 1 } })
    const never = { ...env, OTEL_TRACES_SAMPLER: 'parentbased_always_off' }
    expect(resolveTelemetry(identity, never)).toMatchObject({ config: { sampleRatio: 0 } })
  })

  it('tells all that is wrong with it at once', () => {
    expect(
      problemsOf({
        OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318',
        OTEL_TRACES_SAMPLER: 'toString',
        OTEL_METRIC_EXPORT_INTERVAL: '1s',
      }).map((problem) => problem.split(' ')[0]),
    ).toEqual(['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_METRIC_EXPORT_INTERVAL', 'OTEL_TRACES_SAMPLER'])
    expect(problemsOf({ OTEL_TRACES_SAMPLER_ARG: '1.5' })).toEqual(['OTEL_TRACES_SAMPLER_ARG must be 0 to 1'])
  })

  it('wants to know where traces go', () => {
    const resolved = resolveTelemetry({ ...identity, mode: 'on' }, {})
    const problems = [expect.stringContaining('needs OTEL_EXPORTER_OTLP_ENDPOINT')]
    expect(resolved).toEqual({ ok: false, problems })
  })
})
