import { expect } from 'vitest'
import { eventHash } from './canonical.js'
import type { RecordedEvent } from './event.js'
import type { Decision, Refusal } from './refusal.js'

interface DomainEvent {
  readonly type: string
  readonly data: unknown
}

/** Noon of 1 March 2026, UTC: when the tests' first event happens. */
export const noon = Date.parse('2026-03-01T12:00:00Z')
export const minute = 60_000
export const hour = 60 * minute

/** An event with what `metadata` leaves out: revision by revision, a minute apart, from noon on. */
export function recorded(
  stream: string,
  revision: number,
  { type, data }: DomainEvent,
  metadata: Partial<RecordedEvent['metadata']> = {},
): RecordedEvent {
  const stored = {
    id: `${stream}-${revision}`,
    type,
    version: 1,
    data,
    metadata: {
      namespace: 'default',
      actor: 'alice',
      at: noon + revision * minute,
      correlationId: 'c',
      previousHash: '',
      ...metadata,
    },
  }
  return { ...stored, stream, revision, position: revision + 1, hash: eventHash(stored) }
}

export interface Decider<S, C, X, E extends DomainEvent> {
  readonly stream: string
  readonly decide: (state: S | undefined, command: C, context: X) => Decision<E>
  readonly evolve: (state: S | undefined, event: RecordedEvent) => S | undefined
  /** What a command is decided with when the test says nothing else. */
  readonly context: X
}

/** `given(events).when(command).thenEvents(events)`: what a decider does, in the words of its events. */
export function specification<S, C, X, E extends DomainEvent>(decider: Decider<S, C, X, E>) {
  const fold = (events: readonly DomainEvent[], from: S | undefined = undefined, first = 0) =>
    events.reduce<S | undefined>(
      (state, event, index) => decider.evolve(state, recorded(decider.stream, first + index, event)),
      from,
    )
  return (...history: readonly DomainEvent[]) => {
    const state = fold(history)
    return {
      state,
      when(command: C, context: Partial<X> = {}) {
        const decision = decider.decide(state, command, { ...decider.context, ...context })
        return {
          thenEvents(...events: readonly E[]) {
            expect(decision).toEqual({ ok: true, value: events })
          },
          thenNothing() {
            expect(decision).toEqual({ ok: true, value: [] })
          },
          /** `codes`: path and code of each problem, as `path code`. */
          thenRefused(code: Refusal['code'], ...codes: readonly string[]) {
            expect(decision.ok ? decision.value : decision.error.code).toBe(code)
            const problems = decision.ok ? [] : (decision.error.problems ?? [])
            expect(problems.map((problem) => `${problem.path} ${problem.code}`.trim())).toEqual(codes)
          },
          /** The state after the decided events, all of them at the time of the next minute. */
          thenState(expected: Partial<S>) {
            if (!decision.ok) expect(decision.error).toBe('an accepted command')
            const next = decision.ok ? fold(decision.value, state, history.length) : undefined
            expect(next).toMatchObject(expected)
          },
        }
      },
    }
  }
}
