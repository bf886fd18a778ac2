import { type AlmanacError, isFinal } from './errors.js'

/** One server-sent event. Without data it only tells how far the stream has come. */
interface Message {
  readonly id: string | undefined
  readonly data: string | undefined
}

type Sleep = (ms: number, signal: AbortSignal | undefined) => Promise<void>

interface FeedParts {
  /** Opens the stream behind the event of this id; the signal ends it. */
  readonly open: (lastId: string | undefined, signal: AbortSignal) => Promise<Response>
  readonly sleep: Sleep
  readonly signal?: AbortSignal | undefined
}

const againMs = 1_000
/** The server shows a sign of life every 15 s. */
const silenceMs = 45_000

/**
 * The events of a stream, for ever: where it breaks off or falls silent it is opened again behind the last event that
 * was given out, or told to be passed over, so that none is missed and none comes twice. Ends with the signal, by its
 * error, or when the server refuses.
 */
export async function* follow<T>({ open, sleep, signal }: FeedParts): AsyncGenerator<T, never> {
  let lastId: string | undefined
  for (;;) {
    signal?.throwIfAborted()
    const over = new AbortController()
    let pauseMs = againMs
    try {
      const ends = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal])
      const { body } = await soon(open(lastId, ends), sleep)
      if (body !== null) {
        for await (const { id, data } of messages(body, sleep)) {
          lastId = id ?? lastId
          if (data !== undefined) yield JSON.parse(data) as T
        }
      }
    } catch (error) {
      signal?.throwIfAborted()
      if (isFinal(error)) throw error
      pauseMs = Math.max(againMs, (error as Partial<AlmanacError>).retryAfterMs ?? 0)
    } finally {
      over.abort()
    }
    await sleep(pauseMs, signal)
  }
}

async function* messages(body: ReadableStream<Uint8Array>, sleep: Sleep): AsyncGenerator<Message> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let rest = ''
  for (;;) {
    const { done, value } = await soon(reader.read(), sleep)
    if (done) return
    rest += decoder.decode(value, { stream: true })
    const blocks = rest.split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks)
      yield { id: /^id: (.*)$/m.exec(block)?.[1], data: /^data: (.*)$/m.exec(block)?.[1] }
  }
}

/** Fails when it has not come by the time that something must have. */
async function soon<T>(coming: Promise<T>, sleep: Sleep): Promise<T> {
  const come = new AbortController()
  const silence = sleep(silenceMs, come.signal).then(() => {
    throw new Error('the stream is silent')
  })
  try {
    return await Promise.race([coming, silence])
  } finally {
    come.abort()
  }
}
