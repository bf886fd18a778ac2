import {
  type Cursor,
  compareCursor,
  type Definition,
  dispatchInstant,
  earliest,
  nextOccurrence,
  type Occurrence,
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
  const limited = (next: Occurrence | undefined): Occurrence | undefined =>
    next !== undefined && compareCursor(next.dispatchAt, definition.taskId, until.at, until.taskId) <= 0
      ? next
      : undefined
  let expected = limited(
    after === null ? occurrenceAfter(definition, earliest(definition)) : nextOccurrence(definition, after),
  )
  const lose = (before: Instant): void => {
    if (expected === undefined || expected.scheduledAt >= before) return
    const newest = occurrenceBefore(definition, until.at)?.scheduledAt ?? expected.scheduledAt
    const last = Math.min(newest, definition.recurrence.previous(before - 1) ?? newest)
    const first = expected.scheduledAt
    const count = definition.recurrence.count(first - 1, last)
    faults.push({ kind: 'lost', first, last, count })
    occurrences += count
    expected = limited(occurrenceOf(definition, definition.recurrence.next(last)))
  }
  for (const outcome of outcomes) {
    lose(outcome.first)
    if (expected === undefined || outcome.first < expected.scheduledAt) {
      const isCovered = outcome.first <= covered
      const message = isCovered ? 'has an outcome already' : 'is no occurrence of the schedule that held'
      faults.push({ kind: isCovered ? 'doubled' : 'unexpected', outcome, message })
      continue
    }
    const count = definition.recurrence.count(outcome.first - 1, outcome.last)
    if (count !== outcome.count) {
      const message = `is a stretch of ${count} occurrences and counts ${outcome.count}`
      faults.push({ kind: 'unexpected', outcome, message })
    }
    occurrences += count
    covered = outcome.last
    expected = limited(occurrenceOf(definition, definition.recurrence.next(outcome.last)))
  }
  lose(Number.MAX_SAFE_INTEGER)
  return { occurrences, faults }
}

/** The occurrence at an instant of the schedule; undefined when it lies behind the definition's end. */
function occurrenceOf(definition: Definition, at: Instant | undefined): Occurrence | undefined {
  const { expires, finalAt } = definition
  if (at === undefined || (expires !== null && at >= expires) || (finalAt !== null && at > finalAt))
    return undefined
  return { scheduledAt: at, dispatchAt: dispatchInstant(definition, at) }
}
