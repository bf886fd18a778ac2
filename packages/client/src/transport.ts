import { AlmanacError, type Problem } from './errors.js'

/** What is outside of the client; each has a default of the platform's. */
export interface World {
  readonly fetch: typeof fetch
  readonly sleep: (ms: number, signal: AbortSignal | undefined) => Promise<void>
  /** In [0, 1). */
  readonly random: () => number
  /** A text that nobody else makes. */
  readonly newKey: () => string
}

export interface ConnectionOptions {
  /** `http://127.0.0.1:7420`, or with https. Others are a `TypeError`. */
  readonly url: string
  /** An API key or a token, or a function that has one. */
  readonly key?: string | (() => string | Promise<string>)
  /** How often a request is sent again after the first time. @default 4 */
  readonly retries?: number
  /** How long one attempt may take, beside what the server is asked to wait. Milliseconds. @default 30 000 */
  readonly timeoutMs?: number
}

export interface Request {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** How long the server is asked to wait before it answers. */
  readonly waitMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

const firstWaitMs = 100
const longestWaitMs = 5_000
/** Statuses after which the same request may well be answered otherwise; 0: there was no answer. */
const passing = new Set([0, 408, 429, 502, 503, 504])

/**
 * Sends requests, and sends them again when the way or the server was in trouble. Each write has an idempotency key,
 * the same for all its attempts, so that it is applied once whatever was lost.
 */
export class Transport {
  private readonly options: ConnectionOptions
  private readonly world: World
  private readonly url: string

  constructor(options: ConnectionOptions, world: World) {
    this.options = options
    this.world = world
    if (!/^https?:\/\/./i.test(options.url)) {
      throw new TypeError(
        `url must begin with http:// or https://, as http://127.0.0.1:7420 does: ${options.url}`,
      )
    }
    this.url = options.url.replace(/\/+$/, '')
  }

  /**
   * What is answered with 2xx: JSON as its value, other text as it is, null for none. Throws `AlmanacError` for all
   * other answers, and when none has come as a whole after all attempts.
   */
  async send(request: Request): Promise<unknown> {
    const { retries = 4 } = this.options
    const headers: Record<string, string> = { ...request.headers }
    if (request.method !== 'GET') headers['idempotency-key'] ??= this.world.newKey()
    for (let attempt = 0; ; attempt += 1) {
      const outcome = await this.attempt({ ...request, headers })
      if (!(outcome instanceof AlmanacError)) return outcome.content
      if (!passing.has(outcome.status) || attempt >= retries || request.signal?.aborted === true)
        throw outcome
      await this.world.sleep(this.waitFor(attempt, outcome), request.signal)
    }
  }

  /** One attempt, whose answer is read as it comes: of feeds. */
  async open({ method, path, headers, signal }: Request): Promise<Response> {
    const response = await this.world.fetch(this.url + path, {
      method,
      headers: { ...headers, ...(await this.credential()) },
      ...(signal === undefined ? {} : { signal }),
    })
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true
    if (response.ok && isStream) return response
    throw problemOf(response, await response.text())
  }

  private async attempt(request: Request): Promise<{ readonly content: unknown } | AlmanacError> {
    const { method, path, body, headers, waitMs = 0, signal } = request
    const { timeoutMs = 30_000 } = this.options
    const credential = await this.credential()
    const timeout = AbortSignal.timeout(timeoutMs + waitMs)
    try {
      const response = await this.world.fetch(this.url + path, {
        method,
        headers: {
          accept: 'application/json, application/problem+json',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
          ...credential,
        },
        signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      // Here, since an answer that breaks off in its body is none.
      const text = await response.text()
      return response.ok ? contentOf(response, text) : problemOf(response, text)
    } catch (error) {
      if (signal?.aborted === true) throw error
      const detail = `${method} ${this.url}${path} has no answer`
      return new AlmanacError(0, { detail, code: 'no_answer' }, undefined, error)
    }
  }

  /** Twice as long each time, and by chance up to that, so that many clients do not come back together. */
  private waitFor(attempt: number, { retryAfterMs = 0 }: AlmanacError): number {
    const ms = Math.min(longestWaitMs, firstWaitMs * 2 ** attempt) * (0.5 + this.world.random() / 2)
    return Math.max(retryAfterMs, ms)
  }

  private async credential(): Promise<Record<string, string>> {
    const { key } = this.options
    const text = typeof key === 'function' ? await key() : key
    return text === undefined ? {} : { authorization: `Bearer ${text}` }
  }
}

function contentOf(response: Response, text: string): { readonly content: unknown } | AlmanacError {
  if (text === '') return { content: null }
  const type = response.headers.get('content-type') ?? ''
  if (/^(application\/x-ndjson|text\/plain)\b/.test(type)) return { content: text }
  const content = parsed(text)
  return content === undefined ? problemOf(response, text) : { content }
}

function problemOf(response: Response, text: string): AlmanacError {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
  const retryAfterMs = Number.isFinite(seconds) ? seconds * 1_000 : undefined
  // Of a proxy on the way, if it is no JSON: what it says is all there is.
  const problem = (parsed(text) ?? { detail: text.slice(0, 200) }) as Problem
  return new AlmanacError(response.status, problem, retryAfterMs)
}

/** The value of JSON; undefined for what is none. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
