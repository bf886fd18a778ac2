import type { RecordedEvent } from '@almanac/domain'
import type { Clock } from '../ports/clock.js'
import type { Telemetry } from '../ports/telemetry.js'

/** Events have just been put into the read models, which took `tookMs`: those of a trace make it a step of it. */
export function projected(
  telemetry: Telemetry,
  clock: Pick<Clock, 'now'>,
  events: readonly RecordedEvent[],
  tookMs: number,
): void {
  const last = events.at(-1)
  if (telemetry.isOff || last === undefined) return
  telemetry.record('projection_lag_seconds', Math.max(0, clock.now() - last.metadata.at) / 1_000)
  if (!telemetry.isTracing) return
  for (const { metadata, type, position } of events) {
    const { traceparent } = metadata
    if (traceparent === undefined) continue
    const attributes = { 'almanac.event': type, 'almanac.position': position }
    telemetry.span('project', { parent: traceparent, agoMs: tookMs, attributes }).end()
  }
}
