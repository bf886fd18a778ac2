import type { Position } from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'

/** An event's place and time. */
export interface Step {
  readonly position: Position
  readonly at: Instant
}

/**
 * What is needed to answer "the last position at or before an instant": a step that has a later position with
 * the same or an earlier time is of no use. What is left grows in both, although clocks may step back. Oldest
 * first.
 */
export const staircaseOf = (steps: readonly Step[]): readonly Step[] => {
  const newestFirst = [...steps].sort((a, b) => b.position - a.position)
  const kept: Step[] = []
  for (const step of newestFirst) {
    const earliest = kept.at(-1)
    if (earliest === undefined || step.at < earliest.at) kept.push({ position: step.position, at: step.at })
  }
  return kept.reverse()
}
