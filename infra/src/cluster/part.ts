/** A process that runs for the cluster. */
export interface Part {
  readonly name: string
  readonly pid: number
  /** Where it is reached. */
  readonly address: string
  readonly logFile: string
  /** Undefined while it runs, then how it came to its end: `by SIGKILL`, `with code 1`, or what is known. */
  ending(): string | undefined
  /** Sends the signal, and waits for the end. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
}

/** One part that is still to be started. */
export interface PartStart {
  readonly name: string
  /** Resolves when it can be used. Rejects when it ends before, or takes too long. */
  start(): Promise<Part>
}

/** What starts together; stages start one after the other, and stop in the opposite order. */
export interface Stage {
  readonly starts: readonly PartStart[]
  /** How long one may take to end when it is asked to. Milliseconds. */
  readonly patienceMs: number
}
