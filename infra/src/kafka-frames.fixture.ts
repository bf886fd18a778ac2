/** Bytes of requests and answers, written independently of the code that reads them. */

export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

export const text = (value: string | null): Buffer =>
  value === null ? int16(-1) : Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)])

/** With its size before it. */
export const framed = (content: Buffer): Buffer => Buffer.concat([int32(content.length), content])

export interface RequestParts {
  readonly key: number
  readonly version: number
  readonly correlationId: number
  readonly clientId: string | null
  readonly body?: Buffer
}

export const requestFrame = ({ key, version, correlationId, clientId, body }: RequestParts): Buffer =>
  framed(
    Buffer.concat([
      int16(key),
      int16(version),
      int32(correlationId),
      text(clientId),
      body ?? Buffer.alloc(0),
    ]),
  )
