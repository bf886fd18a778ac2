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
  /** `http://127.0.0.1:7420` */
  readonly url: string
  /** An API key or a token, or a function that has one. */
  readonly key?: string | (() => string | Promise<string>)
  /** How often a request is sent again after the first time. @default 4 */
  readonly retries?: number
  /** How long one attempt may take. Milliseconds. @default 30 000 */
  readonly timeoutMs?: number
}

export interface Request {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
}

const firstWaitMs = 100
const longestWaitMs = 5_000
/** Statuses after which the same request may well be answered otherwise. */
const passing = new Set([408, 429, 502, 503, 504])

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
    this.url = options.url.replace(/\/+$/, '')
  }

  /** The answer, if it is 2xx. Throws `AlmanacError` for all others, and when none has come after all attempts. */
  async send(request: Request): Promise<Response> {
    const { retries = 4 } = this.options
    const headers: Record<string, string> = { ...request.headers }
    if (request.method !== 'GET') headers['idempotency-key'] ??= this.world.newKey()
    for (let attempt = 0; ; attempt += 1) {
      const outcome = await this.attempt({ ...request, headers })
      if (outcome instanceof Response) return outcome
      const mayAgain = passing.has(outcome.status) || outcome.code === 'no_answer'
      if (!mayAgain || attempt >= retries || request.signal?.aborted === true) throw outcome
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
    if (response.ok) return response
    throw await problemOf(response)
  }

  private async attempt({ method, path, body, headers, signal }: Request): Promise<Response | AlmanacError> {
    const { timeoutMs = 30_000 } = this.options
    const timeout = AbortSignal.timeout(timeoutMs)
    try {
      const response = await this.world.fetch(this.url + path, {
        method,
        headers: {
          accept: 'application/json, application/problem+json',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
          ...(await this.credential()),
        },
        signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      return response.ok ? response : await problemOf(response)
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

async function problemOf(response: Response): Promise<AlmanacError> {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
  const retryAfterMs = Number.isFinite(seconds) ? seconds * 1_000 : undefined
  const text = await response.text()
  let problem: Problem = { detail: text.slice(0, 200) }
  try {
    problem = JSON.parse(text) as Problem
  } catch {
    // Of a proxy on the way, probably: what it says is all there is.
  }
  return new AlmanacError(response.status, problem, retryAfterMs)
}
