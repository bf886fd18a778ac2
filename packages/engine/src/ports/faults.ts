/**
 * What a port may throw: nothing finer leaves an adapter. A conflict is a value, not a fault, since every caller
 * must branch on it.
 */
export class PortFault extends Error {
  readonly code: 'unavailable' | 'outcome_unknown' | 'storage_full'
  /** True when the same call may be made again as it is. */
  readonly retryable: boolean
  constructor(code: PortFault['code'], message: string, retryable: boolean, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'PortFault'
    this.code = code
    this.retryable = retryable
  }
}

export const unavailable = (message: string, cause?: unknown): PortFault =>
  new PortFault('unavailable', message, true, cause)
export const outcomeUnknown = (message: string, cause?: unknown): PortFault =>
  new PortFault('outcome_unknown', message, false, cause)
/**
 * Nothing was written, and the runs of these tasks never can be, by all that is known: what they go to can't be had.
 * All else can.
 */
export class Unroutable extends PortFault {
  readonly taskIds: readonly string[]
  constructor(taskIds: readonly string[], message: string, cause?: unknown) {
    super('unavailable', message, false, cause)
    this.taskIds = taskIds
  }
}
/** The disk is full: nothing was written, reads go on, writes work again when there is space. */
export const storageFull = (message: string, cause?: unknown): PortFault =>
  new PortFault('storage_full', message, true, cause)

/** Whether it may have been done, and may not. */
export const isOutcomeUnknown = (fault: unknown): boolean =>
  fault instanceof PortFault && fault.code === 'outcome_unknown'
