import type * as Streams from '@eventstore/db-client/generated/streams_pb.js'
import streams from '@eventstore/db-client/generated/streams_pb.js'
import { type LogRecord, tombstoneRevision } from '../store/record.js'
import { isSoftDeleted } from '../store/stream-metadata.js'
import { filterOf } from './filter.js'
import { type EventShape, eventMessage, identifierOf, streamNameOf } from './messages.js'
import { invalid, streamDeleted } from './refusals.js'
import { asAnswer, checkLeader, type ServiceParts } from './service.js'
import { positionOf, type ReadCall, Sink } from './sink.js'
import { subscribe } from './subscription.js'

const pageSize = 500
const forwards = 0

/** One read or subscription, from its request to its end. */
export async function read(parts: ServiceParts, call: ReadCall): Promise<void> {
  try {
    const sink = new Sink(call)
    await answerRead(parts, call, sink)
    if (!sink.isGone) call.end()
  } catch (error) {
    call.emit('error', asAnswer(error))
  }
}

async function answerRead(parts: ServiceParts, call: ReadCall, sink: Sink): Promise<void> {
  const options = call.request.getOptions()
  if (options === undefined) throw invalid('A read without options.')
  const uuidOption = options.getUuidOption()
  if (uuidOption === undefined) throw invalid("'uuidOption' is required.")
  if (!options.hasFilter() && !options.hasNoFilter()) throw invalid('A read without a filter option.')
  const shape = { offset: parts.positionOffset, structuredIds: !uuidOption.hasString() }
  await parts.faults.gate()
  const all = options.getAll()
  if (all !== undefined) {
    parts.access.checkRead(call.metadata, parts.log, '$all')
    checkLeader(parts, call.metadata)
    if (options.hasSubscription()) return subscribe(parts, options, shape, sink)
    return readAll(parts, options, shape, sink)
  }
  const stream = streamNameOf(options.getStream()?.getStreamIdentifier())
  if (stream === undefined) throw invalid('Neither a stream nor $all is asked for.')
  if (options.hasFilter() || options.hasSubscription()) {
    // The server has subscriptions to single streams. Nothing here needs them: they are refused, not pretended.
    throw invalid('The double has no subscriptions to single streams, and no filters on them.')
  }
  parts.access.checkRead(call.metadata, parts.log, stream)
  checkLeader(parts, call.metadata)
  return readStream(parts, stream, options, shape, sink)
}

async function readAll(
  { log, faults }: ServiceParts,
  options: Streams.ReadReq.Options,
  shape: EventShape,
  sink: Sink,
): Promise<void> {
  const all = options.getAll()
  const isForwards = options.getReadDirection() === forwards
  const filter = options.getFilter()
  const passes = filter === undefined ? () => true : filterOf(filter).passes
  const given = all?.hasEnd() === true ? Number.MAX_SAFE_INTEGER : positionOf(all?.getPosition(), shape)
  let from = given ?? 0
  let left = Number(options.getCount())
  for (;;) {
    const page = isForwards
      ? log.forwards(from, faults.limit, pageSize)
      : log.backwards(from, faults.limit, pageSize)
    for (const record of page) {
      if (left === 0 || sink.isGone) return
      if (!passes(record)) continue
      left -= 1
      await faults.gate()
      await sink.write(eventMessage(record, shape))
    }
    const last = page.at(-1)
    if (last === undefined || page.length < pageSize || left === 0) return
    from = isForwards ? last.position + 1 : last.position
  }
}

async function readStream(
  parts: ServiceParts,
  stream: string,
  options: Streams.ReadReq.Options,
  shape: EventShape,
  sink: Sink,
): Promise<void> {
  const { log, faults } = parts
  if (log.isTombstoned(stream)) throw streamDeleted(stream)
  if (log.lastRevisionOf(stream) < 0 || isSoftDeleted(log.metadataOf(stream))) {
    const notFound = new streams.ReadResp.StreamNotFound().setStreamIdentifier(identifierOf(stream))
    return sink.write(new streams.ReadResp().setStreamNotFound(notFound))
  }
  const isForwards = options.getReadDirection() === forwards
  let left = Number(options.getCount())
  let from = firstRevision(options.getStream(), isForwards)
  for (;;) {
    const page = isForwards
      ? log.streamForwards(stream, from, pageSize)
      : log.streamBackwards(stream, from, pageSize)
    for (const record of page) {
      if (left === 0 || sink.isGone) return
      if (record.position > faults.limit || !log.isVisible(record)) continue
      left -= 1
      await faults.gate()
      await sink.write(eventMessage(record, shape))
    }
    const last: LogRecord | undefined = page.at(-1)
    if (last === undefined || page.length < pageSize || left === 0) return
    from = isForwards ? last.revision + 1 : last.revision - 1
  }
}

function firstRevision(
  options: Streams.ReadReq.Options.StreamOptions | undefined,
  isForwards: boolean,
): number {
  if (options?.hasRevision() === true) {
    const revision = BigInt(options.getRevision())
    return revision >= BigInt(tombstoneRevision) ? tombstoneRevision : Number(revision)
  }
  if (options?.hasEnd() === true) return tombstoneRevision
  return isForwards ? 0 : tombstoneRevision
}
