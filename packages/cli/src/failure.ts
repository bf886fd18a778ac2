/**
 * How the command ends when it does not succeed. Thrown anywhere, printed once at the top, never with a stack.
 * Exit codes: 1 refused, 2 wrong usage, 3 the server cannot be reached, 4 a check found a difference,
 * 130 stopped by Ctrl-C.
 */
export const exitCodes = { ok: 0, refused: 1, usage: 2, unreachable: 3, differs: 4, stopped: 130 } as const

export interface FieldProblem {
  readonly path: string
  readonly message: string
}

export interface FailureDetails {
  /** Stable code of the API, or one of our own. */
  readonly code?: string
  readonly problems?: readonly FieldProblem[]
  /** What to do about it. */
  readonly hint?: string
  /** Of the HTTP answer, when there was one. */
  readonly status?: number
}

export class Failure extends Error {
  override readonly name = 'Failure'
  readonly exitCode: number
  readonly details: FailureDetails

  constructor(message: string, exitCode: number, details: FailureDetails = {}) {
    super(message)
    this.exitCode = exitCode
    this.details = details
  }
}

export const refused = (message: string, details: FailureDetails = {}) =>
  new Failure(message, exitCodes.refused, details)
export const usage = (message: string, hint?: string) =>
  new Failure(message, exitCodes.usage, hint === undefined ? { code: 'usage' } : { code: 'usage', hint })
/** Of an argument or option whose text the command itself finds wrong, before it asks anybody. */
export const invalidValue = (message: string, details: Omit<FailureDetails, 'code' | 'status'> = {}) =>
  new Failure(message, exitCodes.usage, { code: 'invalid', ...details })
export const unreachable = (message: string, details: FailureDetails = {}) =>
  new Failure(message, exitCodes.unreachable, { code: 'unreachable', ...details })

/** The command has said all there is to say, and ends with this code. */
export class Ended extends Error {
  override readonly name = 'Ended'
  readonly exitCode: number

  constructor(exitCode: number) {
    super(`ended with ${exitCode}`)
    this.exitCode = exitCode
  }
}
