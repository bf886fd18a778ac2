import type { Position, Refusal } from '@almanac/domain'
import type { Result } from '@almanac/recurrence'

/** What a command left behind: the new state, and where its event stands. `repeated`: it had been applied before. */
export interface Applied<S> {
  readonly state: S
  readonly position: Position
  readonly created: boolean
  readonly repeated: boolean
}

export type Outcome<S> = Promise<Result<Applied<S>, Refusal>>
