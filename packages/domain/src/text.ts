import { type Problem, show } from '@almanac/recurrence'

/** What a text field allows. Lengths count code points after NFC. */
export interface TextRule {
  readonly max: number
  /** Blank text is refused when true. */
  readonly filled: boolean
  /** Tabs and line ends are allowed. */
  readonly lines?: boolean
}

const loneSurrogate = /\p{Cs}/u
const control = /[\p{Cc}\u2028\u2029]/u
const controlButLines = /[^\P{Cc}\t\n\r]/u
/** Marks that turn the direction of the text after them, so that it reads as something else. */
const bidiControl = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u

/**
 * Checks a text field and answers it in NFC, so that two spellings of one name are one name. Adds a problem
 * and answers `undefined` when it breaks the rule, has control characters, direction marks or lone
 * surrogates.
 */
export function readText(
  value: unknown,
  path: string,
  rule: TextRule,
  problems: Problem[],
): string | undefined {
  const refuse = (code: string, message: string): undefined => {
    problems.push({ path, code, message })
    return undefined
  }
  if (typeof value !== 'string') return refuse('not_a_string', `must be a string, not ${show(value)}`)
  const tooLong = `must have at most ${rule.max} characters`
  // NFC shortens a text to a fraction, so what is many times too long need not be looked at.
  if (value.length > rule.max * 8) return refuse('too_long', tooLong)
  if (loneSurrogate.test(value)) return refuse('lone_surrogate', 'must be text without lone surrogates')
  if ((rule.lines === true ? controlButLines : control).test(value)) {
    return refuse('control_character', 'must not have control characters')
  }
  if (bidiControl.test(value)) {
    return refuse('bidi_control', 'must not have characters that turn the direction of the text')
  }
  if (rule.filled && value.trim() === '') return refuse('empty', 'must not be empty or only blanks')
  const text = value.normalize('NFC')
  return codePoints(text) > rule.max ? refuse('too_long', tooLong) : text
}

function codePoints(text: string): number {
  let count = 0
  for (const _ of text) count += 1
  return count
}
