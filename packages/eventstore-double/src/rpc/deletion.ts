import type * as Streams from '@eventstore/db-client/generated/streams_pb.js'
import streams from '@eventstore/db-client/generated/streams_pb.js'
import type { ServerUnaryCall } from '@grpc/grpc-js'
import type { ExpectedVersion } from '../store/commit-check.js'
import type { WriteResult } from '../store/log.js'
import { expectedVersionOf, wirePositionOf } from './append.js'
import { streamNameOf } from './messages.js'
import { invalid, streamDeleted, wrongVersion } from './refusals.js'
import { checkLeader, type ServiceParts } from './service.js'

type DeleteCall = ServerUnaryCall<Streams.DeleteReq, Streams.DeleteResp>
type TombstoneCall = ServerUnaryCall<Streams.TombstoneReq, Streams.TombstoneResp>

interface Deletion {
  readonly stream: string
  readonly expected: ExpectedVersion
}

export async function softDelete(parts: ServiceParts, call: DeleteCall): Promise<Streams.DeleteResp> {
  const deletion = deletionOf(parts, call)
  const result = await parts.log.softDelete(deletion.stream, deletion.expected)
  const position = positionIn(parts, deletion, result)
  const place = new streams.DeleteResp.Position().setCommitPosition(position).setPreparePosition(position)
  return new streams.DeleteResp().setPosition(place)
}

export async function tombstone(parts: ServiceParts, call: TombstoneCall): Promise<Streams.TombstoneResp> {
  const deletion = deletionOf(parts, call)
  const result = await parts.log.tombstone(deletion.stream, deletion.expected)
  const position = positionIn(parts, deletion, result)
  const place = new streams.TombstoneResp.Position().setCommitPosition(position).setPreparePosition(position)
  return new streams.TombstoneResp().setPosition(place)
}

function deletionOf(parts: ServiceParts, call: DeleteCall | TombstoneCall): Deletion {
  const options = call.request.getOptions()
  const stream = streamNameOf(options?.getStreamIdentifier())
  if (options === undefined || stream === undefined) throw invalid('No stream is named.')
  parts.access.checkWrite(call.metadata, parts.log, stream)
  checkLeader(parts, call.metadata)
  const exact = options.hasRevision() ? options.getRevision() : undefined
  return { stream, expected: expectedVersionOf(options, exact) }
}

function positionIn(parts: ServiceParts, { stream, expected }: Deletion, result: WriteResult): string {
  if (result.kind === 'deleted') throw streamDeleted(stream)
  if (result.kind === 'wrong version') throw wrongVersion(stream, expected, result.current)
  return wirePositionOf(parts, result) ?? '0'
}
