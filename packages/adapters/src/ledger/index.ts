export { BusyRuns, type BusyRunsOptions, defaultBusyRunsOptions } from './busy-runs.js'
export { observeLedger } from './ledger-metrics.js'
export type { ReadRun } from './read-batch.js'
export { readSeenRun } from './read-batch.js'
export type { RecordWriter } from './record-writer.js'
export {
  defaultRunLedgerOptions,
  RunLedger,
  type RunLedgerOptions,
  type RunLedgerParts,
  type RunLedgerStatus,
} from './run-ledger.js'
export type { LedgerBatch, LedgerInterest, LedgerSink, SeenEvent, SeenRun, SeenSkips } from './sink.js'
export type { TaskTotals, TickMark } from './totals.js'
export {
  defaultTotalsWriterOptions,
  type TotalsSource,
  TotalsWriter,
  type TotalsWriterOptions,
  type TotalsWriterParts,
} from './totals-writer.js'
