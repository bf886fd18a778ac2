import { type Failure, type FieldProblem, refused, unreachable } from '../failure.js'

export interface ServerAddress {
  /** Without a slash at its end. */
  readonly url: string
  readonly namespace: string
}

export interface Question {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly query?: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** Milliseconds until the question is given up. @default 30 000 */
  readonly timeoutMs?: number
}

export interface Answer<T> {
  readonly status: number
  readonly body: T
  readonly headers: Headers
}

/** What goes wrong below HTTP, in words: Node's codes mean little to people. */
const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'there is no host of that name',
  EAI_AGAIN: 'the host name could not be looked up',
  ECONNRESET: 'the connection was cut',
  UND_ERR_SOCKET: 'the connection was cut',
  EHOSTUNREACH: 'there is no way to that host',
  UND_ERR_CONNECT_TIMEOUT: 'connecting took too long',
}

const reasonOf = (fault: unknown): string => {
  if (!(fault instanceof Error)) return String(fault)
  if (fault.name === 'TimeoutError') return 'no answer in time'
  const cause: unknown = fault.cause
  if (cause instanceof Error) {
    const code: unknown = Reflect.get(cause, 'code')
    if (typeof code === 'string') return reasons[code] ?? `${code}: ${cause.message}`
    return cause.message
  }
  return fault.message
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

/** The `errors` of a problem+json body: `[{ path, message }]`. */
export const problemsIn = (value: unknown): readonly FieldProblem[] =>
  Array.isArray(value)
    ? value.filter(isRecord).map((entry) => ({
        path: textOf(entry.path) ?? '',
        message: textOf(entry.message) ?? JSON.stringify(entry),
      }))
    : []

/** A problem+json body as a failure: its sentence, its fields, and the exit code that goes with its status. */
export const failureOf = (status: number, body: unknown): Failure => {
  const problem = isRecord(body) ? body : {}
  const message = textOf(problem.detail) ?? textOf(problem.title) ?? `The server answered ${status}.`
  const code = textOf(problem.code)
  const details = {
    ...(code === undefined ? {} : { code }),
    problems: problemsIn(problem.errors),
    status,
    ...(status === 401 ? { hint: 'Set ALMANAC_KEY, or name a file with your key by --key-file.' } : {}),
  }
  return [502, 503, 504, 507].includes(status) ? unreachable(message, details) : refused(message, details)
}

/** For what is answered line by line. */
const longestMs = 24 * 3_600_000

const queryText = (query: Question['query']): string => {
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query ?? {})) {
    if (Array.isArray(value)) for (const one of value) search.append(key, String(one))
    else if (value !== undefined) search.append(key, String(value))
  }
  const text = search.toString()
  return text === '' ? '' : `?${text}`
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A running Almanac, over HTTP. Answers outside 2xx are thrown as `Failure`; nothing is retried here. */
export class Server {
  readonly address: ServerAddress
  readonly #headers: () => Promise<Readonly<Record<string, string>>>
  #made: Promise<Readonly<Record<string, string>>> | undefined

  /** `headers` go with every question: who asks. They are made once. */
  constructor(
    address: ServerAddress,
    headers: () => Promise<Readonly<Record<string, string>>> = async () => ({}),
  ) {
    this.address = address
    this.#headers = headers
  }

  /** Asks below the namespace: `path` begins with a slash. */
  async ask<T>(path: string, question: Question = {}): Promise<Answer<T>> {
    return this.askRoot<T>(`/v1/namespaces/${encodeURIComponent(this.address.namespace)}${path}`, question)
  }

  async askRoot<T>(path: string, question: Question = {}): Promise<Answer<T>> {
    const { status, text, headers } = await this.#send(path, question)
    const body = text === '' ? undefined : parse(text)
    if (status < 200 || status > 299) throw failureOf(status, body)
    if (text !== '' && body === undefined) {
      throw refused(`${this.address.url} answered something that is not JSON. Is it an Almanac server?`)
    }
    return { status, body: body as T, headers }
  }

  /** Lines of JSON below the namespace, as they come. `lines`: what is sent, if anything. */
  async *lines(
    path: string,
    { lines, ...question }: Question & { readonly lines?: string } = {},
  ): AsyncGenerator<string> {
    const where = `/v1/namespaces/${encodeURIComponent(this.address.namespace)}${path}`
    const response = await this.#fetch(where, { ...question, timeoutMs: longestMs }, lines)
    if (!response.ok) throw failureOf(response.status, parse(await response.text()))
    const decoder = new TextDecoder()
    let rest = ''
    try {
      for await (const piece of response.body ?? []) {
        rest += decoder.decode(piece, { stream: true })
        const whole = rest.split('\n')
        rest = whole.pop() ?? ''
        yield* whole
      }
    } catch (fault) {
      throw unreachable(`The answer was cut off: ${reasonOf(fault)}.`)
    }
  }

  async #send(path: string, question: Question) {
    const response = await this.#fetch(path, question, undefined)
    try {
      return { status: response.status, text: await response.text(), headers: response.headers }
    } catch (fault) {
      throw this.#unreachable(fault)
    }
  }

  async #fetch(path: string, question: Question, lines: string | undefined): Promise<Response> {
    const url = `${this.address.url}${path}${queryText(question.query)}`
    this.#made ??= this.#headers()
    const headers = await this.#made
    try {
      return await fetch(url, {
        method: question.method ?? 'GET',
        headers: {
          accept: 'application/json, application/problem+json',
          ...(question.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(lines === undefined ? {} : { 'content-type': 'application/x-ndjson' }),
          ...headers,
          ...question.headers,
        },
        signal: AbortSignal.timeout(question.timeoutMs ?? 30_000),
        ...(question.body === undefined ? {} : { body: JSON.stringify(question.body) }),
        ...(lines === undefined ? {} : { body: lines }),
      })
    } catch (fault) {
      throw this.#unreachable(fault)
    }
  }

  #unreachable(fault: unknown): Failure {
    return unreachable(`${this.address.url} cannot be reached: ${reasonOf(fault)}.`, {
      hint: 'Is the server running? `npm start` or `almanac serve` starts one; --url or ALMANAC_URL names another.',
    })
  }
}
