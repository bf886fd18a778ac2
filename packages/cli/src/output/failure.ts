import { Failure } from '../failure.js'
import type { Screen } from '../world.js'
import { visible } from './text.js'

/** The failure as a sentence, a line for each field, and what to do; in JSON mode as one object. */
export const printFailure = (screen: Screen, failure: Failure, json: boolean): void => {
  const { code, problems = [], hint, status } = failure.details
  if (json) {
    screen.write(
      `${JSON.stringify({ error: { code: code ?? 'refused', message: failure.message, status, errors: problems, hint } })}\n`,
    )
    return
  }
  const { red, bold, dim } = screen.paint
  screen.write(`${red(bold('error'))} ${visible(failure.message)}\n`)
  for (const { path, message } of problems) {
    screen.write(`  ${path === '' ? '' : `${bold(visible(path))}  `}${visible(message)}\n`)
  }
  if (hint !== undefined) screen.write(`${dim(visible(hint))}\n`)
}

/** Whatever was thrown, as a failure. A broken invariant keeps its message; its stack only with `ALMANAC_DEBUG`. */
export const asFailure = (thrown: unknown, debug: boolean): Failure => {
  if (thrown instanceof Failure) return thrown
  const message =
    thrown instanceof Error ? (debug ? (thrown.stack ?? thrown.message) : thrown.message) : String(thrown)
  return new Failure(message, 1, {
    code: 'internal',
    hint: 'This is a fault of the almanac command itself. ALMANAC_DEBUG=1 shows where.',
  })
}
