import type { Position, Revision } from '@almanac/domain'
import type * as Shared from '@eventstore/db-client/generated/shared_pb.js'
import shared from '@eventstore/db-client/generated/shared_pb.js'
import type * as Streams from '@eventstore/db-client/generated/streams_pb.js'
import streams from '@eventstore/db-client/generated/streams_pb.js'

const forwards = 0
const backwards = 1

/** A place in $all. `start` and `end` are the log's own. */
export type From = Position | 'start' | 'end'

export const identifierOf = (stream: string): Shared.StreamIdentifier =>
  new shared.StreamIdentifier().setStreamName(Uint8Array.from(Buffer.from(stream, 'utf8')))

const options = (): Streams.ReadReq.Options =>
  new streams.ReadReq.Options()
    .setUuidOption(new streams.ReadReq.Options.UUIDOption().setString(new shared.Empty()))
    .setResolveLinks(false)

const requestOf = (given: Streams.ReadReq.Options): Streams.ReadReq => new streams.ReadReq().setOptions(given)

function allFrom(from: From): Streams.ReadReq.Options.AllOptions {
  const all = new streams.ReadReq.Options.AllOptions()
  if (from === 'start') return all.setStart(new shared.Empty())
  if (from === 'end') return all.setEnd(new shared.Empty())
  const position = new streams.ReadReq.Options.Position()
  // An event that was not part of a transaction over several calls has the same commit and prepare position.
  return all.setPosition(position.setCommitPosition(`${from}`).setPreparePosition(`${from}`))
}

/** Only streams whose name begins with one of these. */
function filterOf(
  prefixes: readonly string[],
  checkpointEvery: number,
): Streams.ReadReq.Options.FilterOptions {
  const expression = new streams.ReadReq.Options.FilterOptions.Expression().setPrefixList([...prefixes])
  return new streams.ReadReq.Options.FilterOptions()
    .setStreamIdentifier(expression)
    .setCount(new shared.Empty())
    .setCheckpointintervalmultiplier(checkpointEvery)
}

/** Events of one stream from a revision on, the first included. */
export const streamRequest = (stream: string, from: Revision, max: number): Streams.ReadReq => {
  const target = new streams.ReadReq.Options.StreamOptions().setStreamIdentifier(identifierOf(stream))
  target.setRevision(`${from}`)
  return requestOf(
    options().setStream(target).setReadDirection(forwards).setCount(`${max}`).setNoFilter(new shared.Empty()),
  )
}

/** Events of the whole log from a position on, the one at the position included, of streams with a prefix. */
export const forwardsRequest = (from: From, max: number, prefixes: readonly string[]): Streams.ReadReq =>
  requestOf(
    options()
      .setAll(allFrom(from))
      .setReadDirection(forwards)
      .setCount(`${max}`)
      .setFilter(filterOf(prefixes, 1)),
  )

/** The newest events before a position, of streams with a prefix; without prefixes of all. */
export function backwardsRequest(from: From, max: number, prefixes?: readonly string[]): Streams.ReadReq {
  const request = options().setAll(allFrom(from)).setReadDirection(backwards).setCount(`${max}`)
  if (prefixes === undefined) request.setNoFilter(new shared.Empty())
  else request.setFilter(filterOf(prefixes, 1))
  return requestOf(request)
}

/** What comes after a position, without end. */
export const subscriptionRequest = (
  after: From,
  prefixes: readonly string[],
  checkpointEvery: number,
): Streams.ReadReq =>
  requestOf(
    options()
      .setAll(allFrom(after))
      .setReadDirection(forwards)
      .setSubscription(new streams.ReadReq.Options.SubscriptionOptions())
      .setFilter(filterOf(prefixes, checkpointEvery)),
  )
