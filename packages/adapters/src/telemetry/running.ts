import type { Clock, Telemetry } from '@almanac/engine'

/** Telemetry of a process, running. */
export interface RunningTelemetry {
  readonly telemetry: Telemetry
  /** The metrics in the Prometheus text format; undefined when telemetry is off. */
  readonly metricsText: (() => Promise<string>) | undefined
  /** Sends what has not been sent yet, within the deadline of the configuration, and ends. Never throws. */
  stop(): Promise<void>
}

export interface TelemetryWorld {
  readonly clock: Clock
  /** The collector does not take what it is sent; the process goes on. */
  readonly onFault: (message: string, fault: unknown) => void
}
