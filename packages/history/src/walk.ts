import {
  type Cursor,
  compareCursor,
  type Definition,
  dispatchInstant,
  earliest,
  nextOccurrence,
  occurrenceAfter,
  occurrenceBefore,
} from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'

/** What became of an occurrence, or of a stretch of them. */
export interface Outcome {
  readonly first: Instant
  readonly last: Instant
  readonly count: number
  /** Null: skipped. */
  readonly runId: string | null
}

export type WalkFault =
  | { readonly kind: 'lost'; readonly first: Instant; readonly last: Instant; readonly count: number }
  | { readonly kind: 'doubled' | 'unexpected'; readonly outcome: Outcome; readonly message: string }

export interface Walked {
  readonly occurrences: number
  readonly faults: readonly WalkFault[]
}

/**
 * Walks along the occurrences of a definition that are dispatched in `(after, until]`, beside what became of them: each
 * must have exactly one outcome. `after` null: from its first one on. Stretches are counted, not walked.
 */
export function walk(
  definition: Definition,
  after: Cursor | null,
  until: Cursor,
  outcomes: readonly Outcome[],
): Walked {
  const faults: WalkFault[] = []
  let occurrences = 0
  let covered = Number.NEGATIVE_INFINITY
  const limited = (at: Instant | undefined): Instant | undefined =>
    at !== undefined && isDispatchedBy(definition, at, until) ? at : undefined
  const beginning =
    after === null ? occurrenceAfter(definition, earliest(definition)) : nextOccurrence(definition, after)
  let expected = limited(beginning?.scheduledAt)
  const lose = (before: Instant): void => {
    if (expected === undefined || expected >= before) return
    const newest = occurrenceBefore(definition, until.at)?.scheduledAt ?? expected
    const last = Math.min(newest, definition.recurrence.previous(before - 1) ?? newest)
    const first = expected
    const count = definition.recurrence.count(first - 1, last)
    faults.push({ kind: 'lost', first, last, count })
    occurrences += count
    expected = limited(definition.recurrence.next(last))
  }
  for (const outcome of outcomes) {
    lose(outcome.first)
    if (expected === undefined || outcome.first < expected) {
      const isCovered = outcome.first <= covered
      const message = isCovered ? 'has an outcome already' : 'is no occurrence of the schedule that held'
      faults.push({ kind: isCovered ? 'doubled' : 'unexpected', outcome, message })
      continue
    }
    const isOne = outcome.first === outcome.last
    const count = isOne ? 1 : definition.recurrence.count(outcome.first - 1, outcome.last)
    if (count !== outcome.count) {
      const message = `is a stretch of ${count} occurrences and counts ${outcome.count}`
      faults.push({ kind: 'unexpected', outcome, message })
    }
    occurrences += count
    covered = outcome.last
    expected = limited(definition.recurrence.next(outcome.last))
  }
  lose(Number.MAX_SAFE_INTEGER)
  return { occurrences, faults }
}

/** Whether an instant of the schedule counts for the definition, and was dispatched by then. */
function isDispatchedBy(definition: Definition, at: Instant, until: Cursor): boolean {
  const { expires, finalAt, jitterMs, taskId } = definition
  if ((expires !== null && at >= expires) || (finalAt !== null && at > finalAt)) return false
  // Jitter is drawn with a hash, which is dear: nearly always there is no need to know it.
  if (at + jitterMs < until.at) return true
  if (at > until.at) return false
  return compareCursor(dispatchInstant(definition, at), taskId, until.at, until.taskId) <= 0
}
