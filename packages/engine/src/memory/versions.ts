import type { Position } from '@almanac/domain'
import type { Instant } from '@almanac/recurrence'
import type { Versioned } from '../ports/view-store.js'
import { lowerBound } from './lists.js'

/** All versions of one entity, oldest first; `since[n]` is the position from which `states[n]` held. */
interface History<S> {
  /** Who may add to it; others take a copy first. */
  readonly owner: object
  readonly states: S[]
  readonly since: Position[]
}

/** Every version of every entity of one kind. */
export class Versions<S> {
  private readonly histories: Map<string, History<S>>
  private owner: object = {}

  constructor(histories: ReadonlyMap<string, History<S>> = new Map()) {
    this.histories = new Map(histories)
  }

  /** A copy that goes its own way. The histories are shared until one of the two adds to them. */
  clone(): Versions<S> {
    this.owner = {}
    return new Versions(this.histories)
  }

  /** Stores a version, which must be newer than all of the entity's; answers the one before. */
  put(id: string, { state, position }: Omit<Versioned<S>, 'at'>): S | undefined {
    const known = this.histories.get(id)
    const history = known?.owner === this.owner ? known : this.own(id, known)
    const before = history.states.at(-1)
    history.states.push(state)
    history.since.push(position)
    return before
  }

  get(id: string): S | undefined {
    return this.histories.get(id)?.states.at(-1)
  }

  /** Undefined when it was not there yet. */
  asOf(id: string, position: Position): S | undefined {
    const history = this.histories.get(id)
    return history === undefined ? undefined : stateAt(history, position)
  }

  /** All that were there; as they are now without a position. In no promised order. */
  *all(asOf?: Position): Generator<S> {
    for (const history of this.histories.values()) {
      const state = asOf === undefined ? history.states.at(-1) : stateAt(history, asOf)
      if (state !== undefined) yield state
    }
  }

  private own(id: string, known: History<S> | undefined): History<S> {
    const history = {
      owner: this.owner,
      states: [...(known?.states ?? [])],
      since: [...(known?.since ?? [])],
    }
    this.histories.set(id, history)
    return history
  }
}

const stateAt = <S>({ states, since }: History<S>, position: Position): S | undefined =>
  states[lowerBound(since, (from) => from > position) - 1]

/** Answers "the last position at or before an instant". */
export class Times {
  /**
   * Growing in both. A step that has a later position with the same or an earlier time is of no use: clocks may step
   * back.
   */
  private readonly steps: { readonly position: Position; readonly at: Instant }[]

  constructor(steps: Times['steps'] = []) {
    this.steps = [...steps]
  }

  clone(): Times {
    return new Times(this.steps)
  }

  note(position: Position, at: Instant): void {
    while ((this.steps.at(-1)?.at ?? Number.NEGATIVE_INFINITY) >= at) this.steps.pop()
    this.steps.push({ position, at })
  }

  positionAt(at: Instant): Position {
    return this.steps[lowerBound(this.steps, (step) => step.at > at) - 1]?.position ?? 0
  }
}
