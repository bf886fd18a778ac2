import { noTelemetry } from '@almanac/engine'
import type { TelemetryConfig } from './config.js'
import type { RunningTelemetry, TelemetryWorld } from './running.js'

/** Starts what is configured. What is off is not even loaded. */
export async function startTelemetry(
  config: TelemetryConfig,
  world: TelemetryWorld,
): Promise<RunningTelemetry> {
  if (config.mode === 'off') return { telemetry: noTelemetry, metricsText: undefined, stop: async () => {} }
  const { startRegistry } = await import('./start-registry.js')
  const started = await startRegistry(config, world)
  if (config.mode === 'metrics') return started
  const { withTraces } = await import('./start-traces.js')
  return withTraces(started, config, world)
}
