import type { Telemetry } from '@almanac/engine'
import type { RunLedger } from './run-ledger.js'

/** What an alert waits for is there from the start, as 0: then the first one counts too. */
const awaited = ['runs', 'events', 'skips', 'totals'].flatMap((kind) => [
  `${kind}_unreadable`,
  `${kind}_poison`,
])

/** Tells how far a ledger has read whenever the metrics are read. Returns a function that ends it. */
export function observeLedger(telemetry: Telemetry, ledger: Pick<RunLedger, 'status'>): () => void {
  return telemetry.observe((observe) => {
    const { behindMs, passedOver } = ledger.status()
    observe('ledger_behind_seconds', behindMs / 1_000)
    const counts = { ...Object.fromEntries(awaited.map((reason) => [reason, 0])), ...passedOver }
    for (const [reason, count] of Object.entries(counts))
      observe('ledger_passed_over_total', count, { reason })
  })
}
