import { ApiProblem } from './problem.js'

/** One line of a stream. */
export interface Line {
  /** From 1. */
  readonly number: number
  readonly bytes: Buffer
  /** Longer than allowed: `bytes` has only its beginning. */
  readonly isTooLong: boolean
}

const newline = 0x0a

/** The lines of a stream that are not blank, one at a time; no more of a line is kept than `maxBytes`. */
export async function* linesOf(stream: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Line> {
  let kept: Buffer[] = []
  let length = 0
  let number = 0
  const add = (part: Buffer) => {
    if (length < maxBytes) kept.push(part.subarray(0, maxBytes - length))
    length += part.length
  }
  const take = (): Line | undefined => {
    number += 1
    const bytes = kept.length === 1 && kept[0] !== undefined ? kept[0] : Buffer.concat(kept)
    const line = { number, bytes, isTooLong: length > maxBytes }
    kept = []
    length = 0
    return bytes.every((byte) => byte === 0x20 || byte === 0x0d || byte === 0x09) ? undefined : line
  }
  for await (const chunk of stream) {
    let from = 0
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
      add(chunk.subarray(from, end))
      from = end + 1
      const line = take()
      if (line !== undefined) yield line
    }
    if (from < chunk.length) add(chunk.subarray(from))
  }
  const last = length > 0 ? take() : undefined
  if (last !== undefined) yield last
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

export function textOf({ bytes, isTooLong }: Line, maxBytes: number): string {
  if (isTooLong) throw new ApiProblem('body_too_large', `A line may have ${maxBytes} bytes.`)
  try {
    return utf8.decode(bytes)
  } catch {
    throw new ApiProblem('not_utf8')
  }
}
