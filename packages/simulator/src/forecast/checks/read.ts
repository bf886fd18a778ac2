import type { Problem, Result } from '@almanac/recurrence'
import { type Check, parseCheck } from './parse.js'
import { CheckFault } from './words.js'

/** A check and the text that it was read from. */
export interface WrittenCheck {
  readonly text: string
  readonly check: Check
}

/** Reads one check. The problem names its column: `place:12`. */
export function readCheck(text: string, place: string): Result<WrittenCheck> {
  try {
    return { ok: true, value: { text: text.trim(), check: parseCheck(text) } }
  } catch (fault) {
    if (!(fault instanceof CheckFault)) throw fault
    const problem: Problem = { path: `${place}:${fault.column}`, code: 'bad_check', message: fault.message }
    return { ok: false, error: [problem] }
  }
}

/** Reads a file of checks: one a line; blank lines and those that begin with # say nothing. */
export function readChecks(text: string, place: string): Result<readonly WrittenCheck[]> {
  const checks: WrittenCheck[] = []
  const problems: Problem[] = []
  const content = text.startsWith('\ufeff') ? text.slice(1) : text
  for (const [index, line] of content.split('\n').entries()) {
    if (/^\s*(#|$)/.test(line)) continue
    const read = readCheck(line, `${place}:${index + 1}`)
    if (read.ok) checks.push(read.value)
    else problems.push(...read.error)
  }
  return problems.length > 0 ? { ok: false, error: problems } : { ok: true, value: checks }
}
