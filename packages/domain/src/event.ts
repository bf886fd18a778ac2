import type { Instant } from '@almanac/recurrence'
import { digestOf } from './ids.js'
import type { Traceparent } from './trace-context.js'

/**
 * The envelope of every event, and the words that streams are named with. The domain knows events as data;
 * JSON, versions and upcasting belong to protocol, storage to adapters.
 */

/** A place in the whole event log; grows with every event. 0 is before the first. */
export type Position = number

/** A place in one stream: 0 is its first event. */
export type Revision = number

/** Who asks for a change, and why; copied into the metadata of every event that the command makes. */
export interface CommandContext {
  readonly namespace: string
  readonly actor: string
  readonly reason?: string
  /** The time of the command, read once from the clock port when it was received. */
  readonly at: Instant
  readonly correlationId: string
  /** Given by the caller (`Idempotency-Key`); with `fingerprint` it makes a repeated command apply once. */
  readonly idempotencyKey?: string
  /** Hash of what was asked, so that one key with two different requests is noticed. */
  readonly fingerprint?: string
  /** The step of a trace that the command is. */
  readonly traceparent?: Traceparent
}

/** The same without the caller's key: of what is asked beside the command itself. */
export function withoutKey(context: CommandContext): CommandContext {
  const { idempotencyKey: _, fingerprint: __, ...rest } = context
  return rest
}

/**
 * Of one part of what was asked as a whole: its key is made of the whole's and of what tells the part from the others,
 * so that the whole may be repeated. `fingerprint`: of what the part asks for; asked only when there is a key.
 */
export function partOf(
  context: CommandContext,
  part: string | number,
  fingerprint: () => string,
): CommandContext {
  const { idempotencyKey } = context
  if (idempotencyKey === undefined) return withoutKey(context)
  return { ...context, idempotencyKey: digestOf(`${idempotencyKey}|${part}`), fingerprint: fingerprint() }
}

export interface EventMetadata {
  readonly namespace: string
  readonly actor: string
  readonly reason?: string
  /** Never goes back within a stream. */
  readonly at: Instant
  readonly correlationId: string
  readonly causationId?: string
  readonly idempotencyKey?: string
  readonly fingerprint?: string
  /** The step of a trace that its command was: who applies the event goes on with that trace. */
  readonly traceparent?: Traceparent
  /** Hash of the stream's previous event ('' for the first): changing history shows. */
  readonly previousHash: string
}

/** An event as it is stored: `data` is what the domain's event carries. */
export interface StoredEvent<T extends string = string, D = unknown> {
  readonly id: string
  readonly type: T
  readonly version: number
  readonly data: D
  readonly metadata: EventMetadata
}

/** A stored event with its place. */
export interface RecordedEvent extends StoredEvent {
  readonly stream: string
  readonly revision: Revision
  readonly position: Position
  /** `eventHash` of the event as it is stored, before anything lifts it to a newer form. */
  readonly hash: string
}
