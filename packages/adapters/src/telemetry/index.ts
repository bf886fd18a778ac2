export { resolveTelemetry, type TelemetryConfig } from './config.js'
export { createLogger, type LogFields, type Logger, type LogLevel, logLevelOf, logLevels } from './logger.js'
export type { RunningTelemetry, TelemetryWorld } from './running.js'
export { startTelemetry } from './start.js'
