import { AlmanacError } from './errors.js'

/** One server-sent event. */
interface Message {
  readonly id: string | undefined
  readonly data: string
}

interface FeedParts {
  /** Opens the stream behind the event of this id. */
  readonly open: (lastId: string | undefined) => Promise<Response>
  readonly sleep: (ms: number, signal: AbortSignal | undefined) => Promise<void>
  readonly signal?: AbortSignal | undefined
}

const againMs = 1_000

/**
 * The events of a stream, for ever: where it breaks off it is opened again behind the last event that was given out, so
 * that none is missed and none comes twice. Ends with the signal, by its error, or when the server refuses.
 */
export async function* follow<T>({ open, sleep, signal }: FeedParts): AsyncGenerator<T, never> {
  let lastId: string | undefined
  for (;;) {
    try {
      const { body } = await open(lastId)
      if (body !== null) {
        for await (const { id, data } of messages(body)) {
          lastId = id ?? lastId
          yield JSON.parse(data) as T
        }
      }
    } catch (error) {
      signal?.throwIfAborted()
      // What is refused stays refused; what is busy or away comes back.
      if (error instanceof AlmanacError && error.status < 500 && error.status !== 429) throw error
    }
    await sleep(againMs, signal)
  }
}

async function* messages(body: ReadableStream<Uint8Array>): AsyncGenerator<Message> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const piece of body) {
    rest += decoder.decode(piece, { stream: true })
    const blocks = rest.split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const data = /^data: (.*)$/m.exec(block)?.[1]
      if (data !== undefined) yield { id: /^id: (.*)$/m.exec(block)?.[1], data }
    }
  }
}
