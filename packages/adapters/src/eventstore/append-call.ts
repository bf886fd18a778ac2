import type { Revision } from '@almanac/domain'
import type { ExpectedRevision } from '@almanac/engine'
import shared from '@eventstore/db-client/generated/shared_pb.js'
import type * as Status from '@eventstore/db-client/generated/status_pb.js'
import type * as Streams from '@eventstore/db-client/generated/streams_pb.js'
import streams from '@eventstore/db-client/generated/streams_pb.js'
import emptyPb from 'google-protobuf/google/protobuf/empty_pb.js'
import type { BatchCall } from './connection.js'
import { knownPlaceOf, placeOf } from './place.js'
import { identifierOf } from './requests.js'
import { uuidTextOf, type WireEvent } from './stored-event.js'

export interface WireAppend {
  /** With its prefix. */
  readonly stream: string
  readonly expected: ExpectedRevision
  readonly events: readonly WireEvent[]
}

/** What the server answered. */
export type WireAnswer =
  | { readonly kind: 'appended'; readonly revision: Revision; readonly position: number | undefined }
  | { readonly kind: 'conflict'; readonly actual: ExpectedRevision }
  /** It has not looked at it, or has refused it: nothing was appended. `forGood`: it will be so again. */
  | { readonly kind: 'refused'; readonly message: string; readonly forGood: boolean }
  | { readonly kind: 'denied'; readonly message: string }
  /** It gave up, and may have appended it all the same. */
  | { readonly kind: 'unknown'; readonly message: string }

interface Waiting {
  readonly resolve: (answer: WireAnswer) => void
  readonly reject: (error: unknown) => void
}

/** The call has ended before the answer. */
export class CallEnded extends Error {
  /** What the client says of it. */
  readonly error: unknown
  /** No other append was waiting: what the server says of the call, it says of this one. */
  readonly wasAlone: boolean
  constructor(error: unknown, wasAlone: boolean) {
    super(error instanceof Error ? error.message : String(error))
    this.error = error
    this.wasAlone = wasAlone
  }
}

/** One call over which appends go, many at a time, each with a correlation id. It is over when the connection is. */
export class AppendCall {
  readonly #call: BatchCall
  readonly #waiting = new Map<string, Waiting>()
  readonly #onHeard: () => void
  #error: unknown
  #sent = 0

  constructor(call: BatchCall, onHeard: () => void) {
    this.#call = call
    this.#onHeard = onHeard
    call.on('data', (response: Streams.BatchAppendResp) => this.#take(response))
    call.on('error', (error) => this.#end(error))
    call.on('end', () => this.#end(new Error('The server has ended the call.')))
  }

  get isOver(): boolean {
    return this.#error !== undefined
  }

  /** Rejects with `CallEnded` when the call ends before the answer. */
  send(append: WireAppend): Promise<WireAnswer> {
    if (this.isOver) return Promise.reject(new CallEnded(this.#error, true))
    this.#sent += 1
    const id = correlationOf(this.#sent)
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#call.write(requestOf(append, id))
    })
  }

  #take(response: Streams.BatchAppendResp): void {
    this.#onHeard()
    const id = uuidTextOf(response.getCorrelationId())
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    try {
      waiting?.resolve(answerOf(response))
    } catch (error) {
      waiting?.reject(error)
    }
  }

  #end(error: unknown): void {
    if (this.isOver) return
    this.#error = error
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    const ended = new CallEnded(error, waiting.length === 1)
    for (const { reject } of waiting) reject(ended)
  }
}

/** A UUID, since the protocol wants one. It need not differ from those of other calls. */
const correlationOf = (nth: number): string => `00000000-0000-4000-8000-${nth.toString(16).padStart(12, '0')}`

/**
 * Without the protocol's deadline: it is an instant on the server's clock, so a client whose clock is behind by more
 * than its patience could never append anything. The server has its own patience; ours is counted here.
 */
function requestOf({ stream, expected, events }: WireAppend, id: string): Streams.BatchAppendReq {
  const options = new streams.BatchAppendReq.Options().setStreamIdentifier(identifierOf(stream))
  if (expected === 'none') options.setNoStream(new emptyPb.Empty())
  else options.setStreamPosition(`${expected}`)
  const request = new streams.BatchAppendReq().setOptions(options).setIsFinal(true)
  request.setCorrelationId(new shared.UUID().setString(id))
  return request.setProposedMessagesList(events.map(messageOf))
}

function messageOf({ id, type, data, metadata }: WireEvent): Streams.BatchAppendReq.ProposedMessage {
  const message = new streams.BatchAppendReq.ProposedMessage().setId(new shared.UUID().setString(id))
  message.getMetadataMap().set('type', type).set('content-type', 'application/json')
  return message.setData(data).setCustomMetadata(metadata)
}

function answerOf(response: Streams.BatchAppendResp): WireAnswer {
  const success = response.getSuccess()
  if (success !== undefined) {
    const position = success.getPosition()?.getCommitPosition()
    return {
      kind: 'appended',
      revision: placeOf(success.getCurrentRevision()),
      position: position === undefined ? undefined : knownPlaceOf(position),
    }
  }
  const status = response.getError()
  return status === undefined ? { kind: 'unknown', message: 'an answer without a result' } : refusalOf(status)
}

const detailNames = 'event_store.client.'

function refusalOf(status: Status.Status): WireAnswer {
  const details = status.getDetails()
  const name = details?.getTypeName() ?? ''
  const message = status.getMessage()
  switch (name.replace(detailNames, '')) {
    case 'WrongExpectedVersion': {
      const wrong = details?.unpack(shared.WrongExpectedVersion.deserializeBinary, name)
      const actual = wrong?.hasCurrentStreamRevision() ? placeOf(wrong.getCurrentStreamRevision()) : 'none'
      return { kind: 'conflict', actual }
    }
    case 'AccessDenied':
      return { kind: 'denied', message: 'this user may not append' }
    case 'StreamDeleted':
      return { kind: 'refused', message: 'the stream was deleted for ever', forGood: true }
    case 'MaximumAppendSizeExceeded':
      return { kind: 'refused', message, forGood: true }
    case 'BadRequest':
      return { kind: 'refused', message, forGood: true }
    // Not handled: the server is starting, or too busy, and has not looked at it.
    case 'Empty':
    case 'google.protobuf.Empty':
      return { kind: 'refused', message, forGood: false }
    default:
      return { kind: 'unknown', message: message === '' ? name : message }
  }
}
