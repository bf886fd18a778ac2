import shared from '@eventstore/db-client/generated/shared_pb.js'
import type * as Streams from '@eventstore/db-client/generated/streams_pb.js'
import streams from '@eventstore/db-client/generated/streams_pb.js'
import type { ServerReadableStream, sendUnaryData } from '@grpc/grpc-js'
import { type ExpectedVersion, expectAny, expectExists, expectNone } from '../store/commit-check.js'
import type { WriteResult } from '../store/log.js'
import { type ProposedEvent, sizeOf } from '../store/record.js'
import { proposedOf, streamNameOf } from './messages.js'
import { appendTooLarge, invalid, notReady, streamDeleted, timedOut } from './refusals.js'
import { asAnswer, checkLeader, type ServiceParts } from './service.js'

type AppendCall = ServerReadableStream<Streams.AppendReq, Streams.AppendResp>

/** How an append that was carried out is answered, by the faults that are set. */
export type Afterwards = 'answer' | 'silence' | 'cut' | 'timeout'

export function afterwards({ faults }: ServiceParts): Afterwards {
  if (faults.dropAnswers > 0) {
    faults.dropAnswers -= 1
    return 'silence'
  }
  if (faults.cutAfterApply > 0) {
    faults.cutAfterApply -= 1
    return 'cut'
  }
  if (faults.timeoutAfterApply > 0) {
    faults.timeoutAfterApply -= 1
    return 'timeout'
  }
  return 'answer'
}

/** What comes of an append when the server does not know that it is a repeated one. */
export const remembered = ({ faults }: ServiceParts, result: WriteResult): WriteResult =>
  faults.forgetsRepeats && result.kind === 'written' && result.isRepeated
    ? { kind: 'wrong version', current: result.lastRevision }
    : result

/** True when the server refuses this append for being too busy. */
export function isTooBusy({ faults }: ServiceParts): boolean {
  if (faults.tooBusy === 0) return false
  faults.tooBusy -= 1
  return true
}

/** The call that carries one append: its options first, then its events one by one. */
export async function append(
  parts: ServiceParts,
  call: AppendCall,
  callback: sendUnaryData<Streams.AppendResp>,
  cutAll: () => void,
): Promise<void> {
  try {
    const { stream, expected, events } = await received(parts, call)
    await parts.faults.gate()
    parts.access.checkWrite(call.metadata, parts.log, stream)
    checkLeader(parts, call.metadata)
    if (isTooBusy(parts)) throw notReady()
    const result = remembered(parts, await parts.log.append(stream, expected, events))
    await parts.faults.gate()
    await parts.faults.delay()
    const after = result.kind === 'written' ? afterwards(parts) : 'answer'
    if (after === 'silence') return
    if (after === 'cut') {
      cutAll()
      return
    }
    if (after === 'timeout') throw timedOut('Commit phase timeout.')
    callback(null, answerOf(parts, result, stream, expected))
  } catch (error) {
    callback(asAnswer(error))
  }
}

interface Received {
  readonly stream: string
  readonly expected: ExpectedVersion
  readonly events: readonly ProposedEvent[]
}

async function received({ maxAppendSize }: ServiceParts, call: AppendCall): Promise<Received> {
  let target: Omit<Received, 'events'> | undefined
  const events: ProposedEvent[] = []
  let size = 0
  for await (const request of call as AsyncIterable<Streams.AppendReq>) {
    const options = request.getOptions()
    if (target === undefined) {
      const stream = streamNameOf(options?.getStreamIdentifier())
      if (options === undefined || stream === undefined) throw invalid('An append begins with its options.')
      target = { stream, expected: expectedOf(options) }
      continue
    }
    const message = request.getProposedMessage()
    if (message === undefined) throw invalid('An append has one set of options.')
    const event = proposedOf(message)
    size += sizeOf(event)
    if (size > maxAppendSize) throw appendTooLarge(maxAppendSize)
    events.push(event)
  }
  if (target === undefined) throw invalid('An append without options.')
  return { ...target, events }
}

interface ExpectedOptions {
  hasAny(): boolean
  hasNoStream(): boolean
  hasStreamExists(): boolean
}

export function expectedVersionOf(options: ExpectedOptions, exact: string | undefined): ExpectedVersion {
  if (exact !== undefined) return Number(exact)
  if (options.hasAny()) return expectAny
  if (options.hasNoStream()) return expectNone
  if (options.hasStreamExists()) return expectExists
  throw invalid('An append without an expected revision.')
}

const expectedOf = (options: Streams.AppendReq.Options): ExpectedVersion =>
  expectedVersionOf(options, options.hasRevision() ? options.getRevision() : undefined)

function answerOf(
  parts: ServiceParts,
  result: WriteResult,
  stream: string,
  expected: ExpectedVersion,
): Streams.AppendResp {
  if (result.kind === 'deleted') throw streamDeleted(stream)
  const response = new streams.AppendResp()
  if (result.kind === 'wrong version') {
    const wrong = new streams.AppendResp.WrongExpectedVersion()
    if (result.current < 0) wrong.setCurrentNoStream(new shared.Empty())
    else wrong.setCurrentRevision(`${result.current}`)
    if (expected === expectAny) wrong.setExpectedAny(new shared.Empty())
    else if (expected === expectExists) wrong.setExpectedStreamExists(new shared.Empty())
    else if (expected === expectNone) wrong.setExpectedNoStream(new shared.Empty())
    else wrong.setExpectedRevision(`${expected}`)
    return response.setWrongExpectedVersion(wrong)
  }
  const success = new streams.AppendResp.Success()
  if (result.lastRevision < 0) success.setNoStream(new shared.Empty())
  else success.setCurrentRevision(`${result.lastRevision}`)
  const position = wirePositionOf(parts, result)
  if (position === undefined) success.setNoPosition(new shared.Empty())
  else
    success.setPosition(
      new streams.AppendResp.Position().setCommitPosition(position).setPreparePosition(position),
    )
  return response.setSuccess(success)
}

/** Undefined when the server does not know it. */
export function wirePositionOf(
  { positionOffset, faults }: ServiceParts,
  { position, isRepeated }: Extract<WriteResult, { kind: 'written' }>,
): string | undefined {
  if (position === undefined || (isRepeated && faults.repeatsWithoutPosition)) return undefined
  return `${BigInt(position) + positionOffset}`
}
