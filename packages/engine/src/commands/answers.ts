import type { CommandContext, Refusal } from '@almanac/domain'
import type { Result } from '@almanac/recurrence'
import type { Applied } from '../outcome.js'
import type { Random } from '../ports/clock.js'
import type { Handled } from './handle.js'

/** The answer to a command. `creation`: the event type that tells that it created something. */
export function applied<S>(
  handled: Result<Handled<S>, Refusal>,
  creation: string,
): Result<Applied<S>, Refusal> {
  if (!handled.ok) return handled
  const { state, position, events, repeated } = handled.value
  if (state === undefined) throw new Error('an accepted command leaves a state')
  const created = events.some((event) => event.type === creation)
  return { ok: true, value: { state, position, created, repeated } }
}

/** What a command's event ids are made of: its idempotency key, else chance. */
export const tokenOf = (context: CommandContext, random: Random): string =>
  context.idempotencyKey === undefined
    ? random.token(16)
    : `key|${context.namespace}|${context.idempotencyKey}`
