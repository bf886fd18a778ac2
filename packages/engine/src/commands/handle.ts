import {
  type CommandContext,
  type Decision,
  type Digest,
  eventHash,
  type Position,
  type RecordedEvent,
  type Refusal,
  type Revision,
  refuse,
  type StoredEvent,
} from '@almanac/domain'
import type { Instant, Result } from '@almanac/recurrence'
import type { EventLog, ExpectedRevision } from '../ports/event-log.js'
import { isOutcomeUnknown, unavailable } from '../ports/faults.js'
import { eventIdOf } from './event-id.js'
import { type Folded, type KeyUse, keyOf, type Streams } from './streams.js'
import type { Turns } from './turns.js'

/** How often one command is decided before it is given up: each time somebody else was first. */
export const maxAttempts = 8

/** What every event has before it is stored; `type` and `data` are the domain's. */
export interface DomainEvent {
  readonly type: string
  readonly data: unknown
}

/** What a command is handled with. `digest`: the machine's fastest way to compute `digestOf`. */
export interface HandleParts {
  readonly log: EventLog
  readonly digest: Digest
}

/** A command on one stream. */
export interface Work<S, E extends DomainEvent> {
  readonly stream: string
  readonly context: CommandContext
  /**
   * What makes the command's event ids: its idempotency key, or chance, or what a system command follows
   * from.
   */
  readonly token: string
  /** What caused it, when that is an event or a tick. */
  readonly causationId?: string
  /** The revision that the caller has seen; undefined: any. */
  readonly expected?: Revision | undefined
  /**
   * May be asked more than once, each time with a newer state. `at` is not before the stream's last event.
   */
  readonly decide: (folded: Folded<S>, at: Instant) => Decision<E> | Promise<Decision<E>>
}

/** What a command left behind. */
export interface Handled<S> {
  readonly state: S | undefined
  /** Of the command's last event; of the stream's last when it made none. */
  readonly position: Position
  /** The events that it made. */
  readonly events: readonly RecordedEvent[]
  /** It had been applied before: state, position and events are those of then. */
  readonly repeated: boolean
}

/**
 * The one place that loads, folds, decides and appends.
 *
 * - Applied at most once: a command whose idempotency key is in the stream is not decided again.
 * - Decided on the newest state: when somebody else was first, it is loaded and decided anew, eight times at
 *   most, then an `unavailable` fault. A refusal, or a decision that changes nothing, is answered only from a
 *   state that was read after the command came.
 * - An append whose outcome is unknown is looked for in the stream, and made again with the same event ids.
 *   When the log keeps silent, `outcome_unknown` is thrown, and the caller may repeat the command with its
 *   key.
 */
export async function handle<S, E extends DomainEvent>(
  parts: HandleParts,
  streams: Streams<S>,
  work: Work<S, E>,
): Promise<Result<Handled<S>, Refusal>> {
  let { folded, isFresh } = await streams.load(work.stream)
  for (let attempt = 1; attempt <= maxAttempts; attempt++) {
    const repeated = repeatOf(folded, work.context)
    if (repeated !== undefined) return answerRepeat(streams, work, repeated)
    const at = Math.max(work.context.at, folded.at)
    const decision = isExpected(folded, work.expected)
      ? await work.decide(folded, at)
      : mismatch(folded.revision)
    if (decision.ok && decision.value.length > 0) {
      const events = storedEvents(work, folded, decision.value, at, parts.digest)
      const appended = await append(parts, streams, work.stream, folded, events)
      if (appended !== undefined) return { ok: true, value: appended }
    } else if (isFresh) {
      return decision.ok ? { ok: true, value: unchanged(folded) } : decision
    }
    folded = await streams.refresh(work.stream)
    isFresh = true
  }
  throw unavailable(`${work.stream} changes too fast: the command was tried ${maxAttempts} times`)
}

/** As `handle`, when the commands before it on this stream are done in this process. */
export const handleInTurn = <S, E extends DomainEvent>(
  parts: HandleParts & { readonly turns: Turns },
  streams: Streams<S>,
  work: Work<S, E>,
): Promise<Result<Handled<S>, Refusal>> => parts.turns.take(work.stream, () => handle(parts, streams, work))

const isExpected = <S>(folded: Folded<S>, expected: Revision | undefined): boolean =>
  // Where there is nothing, "not found" is the better answer: the decision's.
  expected === undefined || folded.state === undefined || folded.revision === expected

const mismatch = (actual: ExpectedRevision) =>
  refuse('revision_mismatch', `the revision is ${actual}, not the expected one`)

const unchanged = <S>(folded: Folded<S>): Handled<S> => ({
  state: folded.state,
  position: folded.position,
  events: [],
  repeated: false,
})

function repeatOf<S>(folded: Folded<S>, context: CommandContext): KeyUse | undefined {
  const { namespace, idempotencyKey } = context
  return idempotencyKey === undefined ? undefined : folded.keys.get(keyOf(namespace, idempotencyKey))
}

async function answerRepeat<S, E extends DomainEvent>(
  streams: Streams<S>,
  work: Work<S, E>,
  use: KeyUse,
): Promise<Result<Handled<S>, Refusal>> {
  const { namespace, idempotencyKey, fingerprint } = work.context
  if (use.fingerprint !== fingerprint) {
    return refuse('idempotency_conflict', 'this idempotency key was used for another request')
  }
  const { folded, events } = await streams.at(
    work.stream,
    use.revision,
    ({ metadata }) => metadata.namespace === namespace && metadata.idempotencyKey === idempotencyKey,
  )
  const { state, position } = folded
  return { ok: true, value: { state, position, events, repeated: true } }
}

/** The events with their ids and metadata, each holding the hash of the one before. */
export function storedEvents<S, E extends DomainEvent>(
  work: Omit<Work<S, E>, 'decide'>,
  folded: Folded<S>,
  decided: readonly E[],
  at: Instant,
  digest: Digest,
): readonly StoredEvent[] {
  const { namespace, actor, reason, correlationId, idempotencyKey, fingerprint, traceparent } = work.context
  const common = {
    namespace,
    actor,
    ...(reason === undefined ? {} : { reason }),
    at,
    correlationId,
    ...(work.causationId === undefined ? {} : { causationId: work.causationId }),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...(traceparent === undefined ? {} : { traceparent }),
  }
  const events: StoredEvent[] = []
  for (const [index, { type, data }] of decided.entries()) {
    const before = events.at(-1)
    const previousHash = before === undefined ? folded.hash : eventHash(before, digest)
    const event = { type, version: 1, data, metadata: { ...common, previousHash } }
    const place = { stream: work.stream, expected: folded.revision, index, token: work.token }
    events.push({ id: eventIdOf(place, event, digest), ...event })
  }
  return events
}

/** Undefined: somebody else was first. */
async function append<S>(
  { log, digest }: HandleParts,
  streams: Streams<S>,
  stream: string,
  folded: Folded<S>,
  events: readonly StoredEvent[],
): Promise<Handled<S> | undefined> {
  const positions = await appendOrFind(log, stream, folded.revision, events)
  if (positions === undefined) return undefined
  const first = folded.revision === 'none' ? 0 : folded.revision + 1
  const recorded = events.map((event, index) => {
    const position = positions[index]
    if (position === undefined) throw new Error(`The log gave no position to event ${index} of ${stream}`)
    return { ...event, stream, revision: first + index, position, hash: eventHash(event, digest) }
  })
  const { state, position } = streams.apply(stream, folded, recorded)
  return { state, position, events: recorded, repeated: false }
}

/** The positions of the events once they are in the log; undefined when another event has their place. */
async function appendOrFind(
  log: EventLog,
  stream: string,
  expected: ExpectedRevision,
  events: readonly StoredEvent[],
): Promise<readonly Position[] | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      const result = await log.append(stream, expected, events)
      return result.outcome === 'appended' ? result.positions : undefined
    } catch (fault) {
      if (!isOutcomeUnknown(fault)) throw fault
      const there = await found(log, stream, events, fault)
      if (there !== undefined) return there
      // Not there now, but it may still come: the same append again can't do harm, and settles it.
      if (attempt === maxAttempts) throw fault
    }
  }
}

async function found(
  log: EventLog,
  stream: string,
  events: readonly StoredEvent[],
  unknown: unknown,
): Promise<readonly Position[] | undefined> {
  const ids = new Set(events.map(({ id }) => id))
  try {
    const there = (await log.readStream(stream)).filter(({ id }) => ids.has(id))
    return there.length === events.length ? there.map(({ position }) => position) : undefined
  } catch {
    // Without an answer from the log the outcome stays what it was: unknown.
    throw unknown
  }
}
