/** The server cannot start, for a reason that the message tells and the user can mend. */
export class StartProblem extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'StartProblem'
  }
}
