import { connect, type Socket } from 'node:net'
import { FrameSplitter } from '@almanac/infra'
import { FieldReader, FieldWriter } from './wire-fields.js'

interface Waiting {
  readonly resolve: (answer: FieldReader) => void
  readonly reject: (error: Error) => void
}

/** One connection to a broker. Answers come in the order of the requests. */
export class WireConnection {
  private readonly socket: Socket
  private readonly waiting = new Map<number, Waiting>()
  private correlationId = 0

  constructor(port: number) {
    const splitter = new FrameSplitter()
    this.socket = connect({ host: '127.0.0.1', port, noDelay: true })
    this.socket.on('data', (piece) => {
      for (const frame of splitter.push(piece)) this.take(frame)
    })
    this.socket.on('error', () => {})
    this.socket.on('close', () => {
      for (const { reject } of this.waiting.values()) reject(new Error('The connection has ended'))
      this.waiting.clear()
    })
  }

  get isOpen(): boolean {
    return !this.socket.destroyed
  }

  ask(apiKey: number, apiVersion: number, body: FieldWriter): Promise<FieldReader> {
    this.correlationId += 1
    const { correlationId } = this
    const head = new FieldWriter().int16(apiKey).int16(apiVersion).int32(correlationId).text('conformance')
    return new Promise((resolve, reject) => {
      this.waiting.set(correlationId, { resolve, reject })
      this.socket.write(new FieldWriter().block(head.raw(body.bytes).bytes).bytes)
    })
  }

  close(): void {
    this.socket.destroy()
  }

  private take(frame: Buffer): void {
    const correlationId = frame.readInt32BE(4)
    this.waiting.get(correlationId)?.resolve(new FieldReader(frame.subarray(8)))
    this.waiting.delete(correlationId)
  }
}
