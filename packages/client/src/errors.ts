/** One field that is wrong. */
export interface FieldError {
  /** `schedule.crontab.hour`, `args[0]`, or the name of a parameter or header. */
  readonly path: string
  readonly code: string
  readonly message: string
}

/** Almanac's answer that something was not done. Branch on `code`: it keeps its meaning for ever. */
export class AlmanacError extends Error {
  override readonly name = 'AlmanacError'
  readonly status: number
  /** As docs/reference/errors.md lists them; `no_answer`: none has come, `not_almanac`: of something else. */
  readonly code: string
  readonly errors: readonly FieldError[]
  /** How long to wait before asking again, as the server says. Milliseconds. */
  readonly retryAfterMs: number | undefined

  constructor(status: number, problem: Problem, retryAfterMs?: number, cause?: unknown) {
    super(problem.detail ?? problem.title ?? `HTTP ${status}`, cause === undefined ? undefined : { cause })
    this.status = status
    this.code = problem.code ?? 'not_almanac'
    this.errors = problem.errors ?? []
    this.retryAfterMs = retryAfterMs
  }
}

/** Asking again would get the same answer: neither the way nor the server was in trouble. */
export const isFinal = (error: unknown): boolean =>
  error instanceof AlmanacError &&
  error.status > 0 &&
  error.status < 500 &&
  error.status !== 408 &&
  error.status !== 429

export interface Problem {
  readonly title?: string
  readonly detail?: string
  readonly code?: string
  readonly errors?: readonly FieldError[]
}

export const isCode = (error: unknown, ...codes: readonly string[]): error is AlmanacError =>
  error instanceof AlmanacError && codes.includes(error.code)
