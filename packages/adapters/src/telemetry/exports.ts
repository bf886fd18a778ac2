import type { Telemetry } from '@almanac/engine'
import type { TelemetryWorld } from './running.js'

/** As the SDK calls it: code 0 is success. */
interface Exporter<B> {
  export(batch: B, done: (result: { readonly code: number; readonly error?: Error }) => void): void
}

/** Counts the batches that an exporter sends, and tells of the first of several in a row that fail. */
export function counted<B>(
  signal: 'traces' | 'metrics',
  exporter: Exporter<B>,
  telemetry: Telemetry,
  { onFault }: TelemetryWorld,
): void {
  const send = exporter.export.bind(exporter)
  let isFailing = false
  exporter.export = (batch, done) =>
    send(batch, (result) => {
      const isSent = result.code === 0
      telemetry.count('telemetry_exports_total', 1, { signal, outcome: isSent ? 'sent' : 'failed' })
      if (!isSent && !isFailing)
        onFault(`sending ${signal}`, result.error ?? new Error('the collector refused them'))
      isFailing = !isSent
      done(result)
    })
}
