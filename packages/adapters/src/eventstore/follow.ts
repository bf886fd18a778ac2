import type { Position, RecordedEvent } from '@almanac/domain'
import { type Clock, type EventPage, PortFault, type Random, type Stop, unavailable } from '@almanac/engine'
import { placeOf } from './place.js'
import { backwardsRequest, type From, subscriptionRequest } from './requests.js'
import { positionOf, type WireRecord } from './stored-event.js'
import type { Subscription } from './subscription.js'
import type { Wire } from './wire.js'

export interface FollowParts {
  readonly wire: Wire
  readonly clock: Clock
  readonly random: Random
  readonly prefix: string
  readonly silenceMs: number
  readonly deadlineMs: number
  readonly retryMs: number
  readonly longestRetryMs: number
  readonly onFault?: (message: string, fault: PortFault) => void
  /** Newest position of ours, from the leader. */
  readonly head: () => Promise<Position>
}

/** A checkpoint comes after so many times 32 events of others: what is read again after a restart at most. */
const checkpointEvery = 32

/**
 * Pages of our events after a position, over as many subscriptions as it takes. What comes twice is dropped by its
 * position. Ends with `stop`; throws only when what it reads can't be understood.
 */
export async function* follow(
  parts: FollowParts,
  after: Position,
  stop: Stop,
  recorded: (record: WireRecord) => RecordedEvent,
): AsyncGenerator<EventPage> {
  const { clock, random, retryMs, longestRetryMs, onFault } = parts
  let position = after
  let failures = 0
  while (!stop.stopped) {
    let subscription: Subscription | undefined
    try {
      const opening = subscribed(parts, position, stop)
      subscription = await unlessStopped(opening, stop)
      if (subscription === undefined) {
        opening.then(
          (late) => late.cancel(),
          () => {},
        )
        return
      }
      for await (const { records, position: reached } of pagesOf(parts, subscription, () => position, stop)) {
        failures = 0
        const events = records.filter((record) => (positionOf(record) ?? 0) > position).map(recorded)
        const next = Math.max(position, reached)
        if (events.length === 0 && next === position) continue
        position = next
        yield { events, position }
      }
    } catch (fault) {
      if (!(fault instanceof PortFault)) throw fault
      if (stop.stopped) return
      onFault?.('following the event store', fault)
      const wait = Math.min(longestRetryMs, retryMs * 2 ** Math.min(failures, 16))
      failures += 1
      // Spread out, so that not all nodes come back in one moment.
      await clock.sleep(wait * (0.5 + random.next() / 2), stop)
    } finally {
      subscription?.cancel()
    }
  }
}

async function subscribed(parts: FollowParts, after: Position, stop: Stop): Promise<Subscription> {
  const from = await before(parts, after)
  const subscription = await parts.wire.subscribe(subscriptionRequest(from, [parts.prefix], checkpointEvery))
  try {
    await subscription.confirmed(stop)
  } catch (fault) {
    subscription.cancel()
    throw fault
  }
  return subscription
}

/**
 * Where to begin so that nothing after `after` is missed: at the event before it. The server leaves out the first event
 * at or after the place that it is given. When that very event has been scavenged meanwhile, as the system's statistics
 * and deleted streams of others are, it would leave out the next one, which may be ours.
 */
async function before({ wire }: FollowParts, after: Position): Promise<From> {
  if (after === 0) return 'start'
  const { lastPosition } = await wire.read(backwardsRequest(after, 1))
  return lastPosition === undefined ? 'start' : placeOf(lastPosition)
}

interface Reached {
  readonly records: readonly WireRecord[]
  readonly position: Position
}

/** What one subscription gives, until `stop`. Throws `unavailable` when it breaks or has gone dumb. */
async function* pagesOf(
  parts: FollowParts,
  subscription: Subscription,
  position: () => Position,
  stop: Stop,
): AsyncGenerator<Reached> {
  const { silenceMs, deadlineMs, head, wire } = parts
  let isBehind = false
  while (!stop.stopped) {
    const page = await subscription.next(isBehind ? deadlineMs : silenceMs, stop)
    if (stop.stopped) return
    if (page !== 'silence') {
      isBehind = false
      yield { records: page.records, position: page.position ?? position() }
      continue
    }
    // Nothing to say, or nobody there? The head tells: what is there must come.
    if (isBehind) throw unavailable(`The event store ${wire.name} has more events, and does not send them.`)
    isBehind = ((await unlessStopped(head(), stop)) ?? 0) > position()
  }
}

/** Undefined when `stop` fires first; how the work ends is nobody's concern then. */
const unlessStopped = <T>(work: Promise<T>, stop: Stop): Promise<T | undefined> =>
  new Promise((resolve, reject) => {
    const forget = stop.onStop(() => resolve(undefined))
    work.then(resolve, reject).finally(forget)
  })
