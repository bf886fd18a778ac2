import { Failure } from '../failure.js'
import type { Screen } from '../world.js'
import { pad, visible, widthOf, wrap } from './text.js'

/** The failure as a sentence, a line for each field, and what to do; in JSON mode as one object. */
export const printFailure = (screen: Screen, failure: Failure, json: boolean): void => {
  const { code, problems = [], hint, status } = failure.details
  if (json) {
    const error = { code: code ?? 'refused', message: failure.message, status, errors: problems, hint }
    screen.write(`${JSON.stringify({ error })}\n`)
    return
  }
  const { red, bold, dim } = screen.paint
  const lines = (text: string, indent: number) =>
    wrap(visible(text), screen.columns - indent).join(`\n${' '.repeat(indent)}`)
  screen.write(`${red(bold('error'))} ${lines(failure.message, 6)}\n`)
  const width = problems.reduce((most, { path }) => Math.max(most, widthOf(visible(path))), 0)
  for (const { path, message } of problems) {
    const label = width === 0 ? '' : `${bold(pad(visible(path), width))}  `
    screen.write(`  ${label}${lines(withoutField(path, message), width === 0 ? 2 : width + 4)}\n`)
  }
  if (hint !== undefined) screen.write(`${dim(lines(hint, 0))}\n`)
}

/** `dayOfWeek` and "day of week must be 0 to 7": the name of the field is said by the path already. */
const withoutField = (path: string, message: string): string => {
  const field = path.split('.').at(-1) ?? ''
  const words = field.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
  return field !== '' && message.startsWith(`${words} `) ? message.slice(words.length + 1) : message
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
