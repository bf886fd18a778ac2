import type { Problem, Result } from '@almanac/recurrence'

/**
 * A refusal is the normal "no" of a rule: a value, never thrown. `code` is stable and registered in
 * protocol's problem codes; `problems` point at the fields.
 */
export interface Refusal {
  readonly code: RefusalCode
  readonly message: string
  readonly problems?: readonly Problem[]
}

export type RefusalCode =
  | 'invalid'
  | 'not_found'
  | 'name_taken'
  | 'already_exists'
  | 'revision_mismatch'
  | 'schedule_unknown'
  | 'schedule_in_use'
  | 'calendar_unknown'
  | 'calendar_in_use'
  | 'idempotency_conflict'
  | 'nothing_to_do'
  | 'undo_conflict'
  | 'not_undoable'

export type Decision<E> = Result<readonly E[], Refusal>

export const refuse = (code: RefusalCode, message: string, problems?: readonly Problem[]) =>
  ({ ok: false, error: problems === undefined ? { code, message } : { code, message, problems } }) as const

export const accept = <E>(...events: readonly E[]) => ({ ok: true, value: events }) as const

/** The refusal of input that breaks rules: all of them as problems, the first in words. */
export const invalid = (problems: readonly Problem[], code: RefusalCode = 'invalid') => {
  const [first] = problems
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
  const words = first === undefined ? 'is not valid' : `${first.path} ${first.message}${more}`.trim()
  return refuse(code, words, problems)
}
