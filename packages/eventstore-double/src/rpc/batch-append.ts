import type * as Shared from '@eventstore/db-client/generated/shared_pb.js'
import shared from '@eventstore/db-client/generated/shared_pb.js'
import type * as Status from '@eventstore/db-client/generated/status_pb.js'
import statusPb from '@eventstore/db-client/generated/status_pb.js'
import type * as Streams from '@eventstore/db-client/generated/streams_pb.js'
import streams from '@eventstore/db-client/generated/streams_pb.js'
import { type ServerDuplexStream, status } from '@grpc/grpc-js'
import type { Message } from 'google-protobuf'
import anyPb from 'google-protobuf/google/protobuf/any_pb.js'
import emptyPb from 'google-protobuf/google/protobuf/empty_pb.js'
import { type ExpectedVersion, expectAny, expectExists, expectNone } from '../store/commit-check.js'
import type { WriteResult } from '../store/log.js'
import { type ProposedEvent, sizeOf } from '../store/record.js'
import { after, nowMs } from '../world.js'
import { afterwards, expectedVersionOf, isTooBusy, remembered, wirePositionOf } from './append.js'
import { identifierOf, proposedOf, streamNameOf, uuidOf } from './messages.js'
import { Refusal } from './refusals.js'
import { asAnswer, checkLeader, type ServiceParts } from './service.js'

type BatchCall = ServerDuplexStream<Streams.BatchAppendReq, Streams.BatchAppendResp>

/** An append whose last message has not come yet. */
interface Pending {
  readonly stream: string
  readonly expected: ExpectedVersion
  readonly events: ProposedEvent[]
  size: number
  readonly forget: () => void
}

/** The call over which a client makes all its appends, each with a correlation id of its own. */
export class BatchAppends {
  private readonly parts: ServiceParts
  private readonly call: BatchCall
  private readonly cutAll: () => void
  private readonly pending = new Map<string, Pending>()
  private unanswered = 0
  private isEnded = false

  constructor(parts: ServiceParts, call: BatchCall, cutAll: () => void) {
    this.parts = parts
    this.call = call
    this.cutAll = cutAll
    call.on('data', (request: Streams.BatchAppendReq) => this.take(request))
    call.on('end', () => {
      this.isEnded = true
      this.endWhenDone()
    })
    call.on('error', () => this.forgetAll())
    call.on('cancelled', () => this.forgetAll())
  }

  private forgetAll(): void {
    for (const { forget } of this.pending.values()) forget()
    this.pending.clear()
  }

  private take(request: Streams.BatchAppendReq): void {
    const correlation = request.getCorrelationId()
    try {
      this.accept(request, uuidOf(correlation))
    } catch (error) {
      // A user that is not known is not let as far as to append anything: it is the end of the call.
      if (error instanceof Refusal) {
        this.forgetAll()
        this.call.emit('error', asAnswer(error))
        return
      }
      const details = error instanceof Error ? error.message : `${error}`
      const bad = new shared.BadRequest().setMessage(details)
      const refused = statusOf(status.INVALID_ARGUMENT, details, bad, 'event_store.client.BadRequest')
      this.refuse(correlation, streamNameOf(request.getOptions()?.getStreamIdentifier()), refused)
    }
  }

  private accept(request: Streams.BatchAppendReq, id: string): void {
    const correlation = request.getCorrelationId()
    const options = request.getOptions()
    if (options !== undefined && !this.open(id, correlation, options)) return
    const pending = this.pending.get(id)
    if (pending === undefined) return
    for (const message of request.getProposedMessagesList()) {
      const event = proposedOf(message)
      pending.size += sizeOf(event)
      pending.events.push(event)
    }
    const { maxAppendSize } = this.parts
    if (pending.size > maxAppendSize) {
      this.drop(id)
      const exceeded = new shared.MaximumAppendSizeExceeded().setMaxappendsize(maxAppendSize)
      const name = 'event_store.client.MaximumAppendSizeExceeded'
      const message = `Maximum Append Size of ${maxAppendSize} Exceeded.`
      this.refuse(correlation, pending.stream, statusOf(status.INVALID_ARGUMENT, message, exceeded, name))
      return
    }
    if (!request.getIsFinal()) return
    this.drop(id)
    void this.carryOut(correlation, pending)
  }

  /** False when it was refused. */
  private open(
    id: string,
    correlation: Shared.UUID | undefined,
    options: Streams.BatchAppendReq.Options,
  ): boolean {
    const { access, log, writeTimeoutMs } = this.parts
    const stream = streamNameOf(options.getStreamIdentifier())
    if (stream === undefined) throw new Error('Required field StreamIdentifier not set.')
    try {
      access.checkWrite(this.call.metadata, log, stream)
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== status.PERMISSION_DENIED) throw error
      const name = 'event_store.client.AccessDenied'
      this.refuse(correlation, stream, statusOf(error.code, error.details, new shared.AccessDenied(), name))
      return false
    }
    const deadline = options.getDeadline()
    const asked = deadline === undefined ? writeTimeoutMs : deadline.toDate().getTime() - nowMs()
    if (asked <= 0) {
      this.refuse(correlation, stream, timeoutStatus())
      return false
    }
    const expected = expectedVersionOf(
      options,
      options.hasStreamPosition() ? options.getStreamPosition() : undefined,
    )
    const forget = after(Math.min(asked, writeTimeoutMs), () => {
      if (this.pending.delete(id)) this.refuse(correlation, stream, timeoutStatus())
    })
    this.pending.set(id, { stream, expected, events: [], size: 0, forget })
    return true
  }

  private drop(id: string): void {
    this.pending.get(id)?.forget()
    this.pending.delete(id)
  }

  private async carryOut(correlation: Shared.UUID | undefined, append: Pending): Promise<void> {
    const { parts, call } = this
    this.unanswered += 1
    try {
      await parts.faults.gate()
      checkLeader(parts, call.metadata)
      if (isTooBusy(parts)) {
        const empty = statusOf(status.OK, 'Server Is Busy', new emptyPb.Empty(), 'google.protobuf.Empty')
        this.refuse(correlation, append.stream, empty)
        return
      }
      const result = remembered(parts, await parts.log.append(append.stream, append.expected, append.events))
      await parts.faults.gate()
      await parts.faults.delay()
      const next = result.kind === 'written' ? afterwards(parts) : 'answer'
      if (next === 'silence') return
      if (next === 'cut') this.cutAll()
      else if (next === 'timeout') this.refuse(correlation, append.stream, timeoutStatus())
      else this.answer(correlation, append, result)
    } catch (error) {
      // As the server does with a follower's answer: the whole call ends, with all that is pending on it.
      this.forgetAll()
      call.emit('error', asAnswer(error))
    } finally {
      this.unanswered -= 1
      this.endWhenDone()
    }
  }

  private answer(correlation: Shared.UUID | undefined, append: Pending, result: WriteResult): void {
    if (result.kind === 'deleted') {
      const deleted = new shared.StreamDeleted().setStreamIdentifier(identifierOf(append.stream))
      const message = `Event stream '${append.stream}' is deleted.`
      const name = 'event_store.client.StreamDeleted'
      this.refuse(correlation, append.stream, statusOf(status.FAILED_PRECONDITION, message, deleted, name))
      return
    }
    if (result.kind === 'wrong version') {
      this.refuse(correlation, append.stream, wrongVersionStatus(append, result.current))
      return
    }
    const success = new streams.BatchAppendResp.Success().setCurrentRevision(`${result.lastRevision}`)
    const position = wirePositionOf(this.parts, result)
    if (position === undefined) success.setNoPosition(new emptyPb.Empty())
    else {
      const place = new shared.AllStreamPosition()
      success.setPosition(place.setCommitPosition(position).setPreparePosition(position))
    }
    this.write(correlation, append.stream, new streams.BatchAppendResp().setSuccess(success))
  }

  private refuse(
    correlation: Shared.UUID | undefined,
    stream: string | undefined,
    refused: Status.Status,
  ): void {
    this.write(correlation, stream, new streams.BatchAppendResp().setError(refused))
  }

  private write(
    correlation: Shared.UUID | undefined,
    stream: string | undefined,
    response: Streams.BatchAppendResp,
  ): void {
    if (this.call.cancelled || this.call.destroyed) return
    if (stream !== undefined) response.setStreamIdentifier(identifierOf(stream))
    this.call.write(response.setCorrelationId(correlation))
  }

  private endWhenDone(): void {
    if (this.isEnded && this.unanswered === 0 && !this.call.destroyed) this.call.end()
  }
}

const statusOf = (code: number, message: string, details: Message, name: string): Status.Status => {
  const any = new anyPb.Any()
  any.pack(details.serializeBinary(), name)
  return new statusPb.Status().setCode(code).setMessage(message).setDetails(any)
}

const timeoutStatus = (): Status.Status =>
  statusOf(
    status.DEADLINE_EXCEEDED,
    'Operation timed out',
    new shared.Timeout(),
    'event_store.client.Timeout',
  )

function wrongVersionStatus({ stream, expected }: Pending, current: number): Status.Status {
  const wrong = new shared.WrongExpectedVersion()
  if (current < 0) wrong.setCurrentNoStream(new emptyPb.Empty())
  else wrong.setCurrentStreamRevision(`${current}`)
  if (expected === expectAny) wrong.setExpectedAny(new emptyPb.Empty())
  else if (expected === expectExists) wrong.setExpectedStreamExists(new emptyPb.Empty())
  else if (expected === expectNone) wrong.setExpectedNoStream(new emptyPb.Empty())
  else wrong.setExpectedStreamPosition(`${expected}`)
  const message = `Append failed due to WrongExpectedVersion. Stream: ${stream}, Expected version: ${expected}`
  return statusOf(status.FAILED_PRECONDITION, message, wrong, 'event_store.client.WrongExpectedVersion')
}
