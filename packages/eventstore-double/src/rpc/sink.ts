import type * as Streams from '@eventstore/db-client/generated/streams_pb.js'
import type { ServerWritableStream } from '@grpc/grpc-js'
import type { EventShape } from './messages.js'

export type ReadCall = ServerWritableStream<Streams.ReadReq, Streams.ReadResp>

/** Where events go; waits when the client does not take them. */
export class Sink {
  isGone = false
  private readonly call: ReadCall

  constructor(call: ReadCall) {
    this.call = call
    const gone = () => {
      this.isGone = true
      call.emit('drain')
    }
    call.on('cancelled', gone)
    call.on('close', gone)
  }

  /** Resolves when there is room for more. */
  async write(message: Streams.ReadResp): Promise<void> {
    if (this.isGone || this.call.write(message)) return
    await new Promise<void>((resolve) => this.call.once('drain', () => resolve()))
  }

  /** Calls back when the client has gone. */
  onGone(callback: () => void): void {
    this.call.once('cancelled', callback)
    this.call.once('close', callback)
  }
}

/** Position on the wire, as a number of this log; undefined: the start. */
export function positionOf(
  position: { getCommitPosition(): string } | undefined,
  shape: EventShape,
): number | undefined {
  if (position === undefined) return undefined
  const wire = BigInt(position.getCommitPosition()) - shape.offset
  if (wire < 0n) return 0
  return wire > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(wire)
}
