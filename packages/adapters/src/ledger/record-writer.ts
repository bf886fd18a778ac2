import type { LogRecord } from '../transactions/transaction-log.js'

/** Appends records outside of any transaction. */
export interface RecordWriter {
  /**
   * Durable when it resolves. A `PortFault` leaves open which of them are there: write them again, if they may be there
   * twice.
   */
  write(records: readonly LogRecord[]): Promise<void>
}
